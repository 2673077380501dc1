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
class DoctorFinding:
    """One line of `doctor`."""

    level: Level
    subject: str
    means: str
    do: str = ""


@dataclass(frozen=True, kw_only=True)
class CheckContext:
    """What the checks examine. Only checks that need a database may use `store`."""

    settings: Settings
    store: Store


Check = Callable[[CheckContext], Iterator[DoctorFinding]]


def ok(subject: str, means: str) -> DoctorFinding:
    """A finding that everything is as it should be."""
    return DoctorFinding(level=Level.OK, subject=subject, means=means)


def warning(subject: str, means: str, do: str) -> DoctorFinding:
    """A finding that it works, but that somebody should look at it."""
    return DoctorFinding(level=Level.WARNING, subject=subject, means=means, do=do)


def wrong(subject: str, means: str, do: str) -> DoctorFinding:
    """A finding that it does not work."""
    return DoctorFinding(level=Level.WRONG, subject=subject, means=means, do=do)
