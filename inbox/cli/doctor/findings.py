"""A finding of `doctor`: ok, a warning or wrong, with what it means and what to do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from inbox.config import Settings
from inbox.store import Store


class Level(StrEnum):
    """The severity of a finding."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"
    """Mail cannot arrive, or cannot be read by anybody: it ends with exit code 1."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of `doctor`."""

    level: Level
    subject: str
    means: str
    do: str = ""


@dataclass(frozen=True, kw_only=True)
class Patient:
    """What the checks examine. Only checks that need a database may use `store`."""

    settings: Settings
    store: Store


Check = Callable[[Patient], Iterator[Finding]]


def ok(subject: str, means: str) -> Finding:
    """A finding that everything is as it should be."""
    return Finding(level=Level.OK, subject=subject, means=means)


def warning(subject: str, means: str, do: str) -> Finding:
    """A finding that it works, but that somebody should look at it."""
    return Finding(level=Level.WARNING, subject=subject, means=means, do=do)


def wrong(subject: str, means: str, do: str) -> Finding:
    """A finding that it does not work."""
    return Finding(level=Level.WRONG, subject=subject, means=means, do=do)
