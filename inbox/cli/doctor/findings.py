"""A finding of `doctor`: something is as it should be, or a condition of `inbox.health`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from inbox.cli.doctor.file_systems import MOUNTS
from inbox.config import Settings
from inbox.errors import InboxError
from inbox.health.condition import HealthCondition, Level
from inbox.store import Store


@dataclass(frozen=True, kw_only=True)
class DoctorFinding:
    """One line of `doctor`."""

    subject: str
    means: str = ""
    """What is so, where nothing is wrong."""
    label: str = "ok"
    condition: HealthCondition | None = None
    """What is wrong; its words are those of its code."""


@dataclass(frozen=True, kw_only=True)
class CheckContext:
    """What the checks examine. Only checks that need a database may use `store`."""

    settings: Settings
    store: Store
    mounts: Path = MOUNTS
    """What is mounted where, as the kernel writes it."""


Check = Callable[[CheckContext], Iterator[DoctorFinding]]


def ok(subject: str, means: str) -> DoctorFinding:
    """A finding that everything is as it should be."""
    return DoctorFinding(subject=subject, means=means)


def skipped(subject: str, means: str) -> DoctorFinding:
    """A finding that something could not be looked at."""
    return DoctorFinding(subject=subject, means=means, label="skipped")


def condition(
    subject: str,
    code: str,
    level: Level = Level.WRONG,
    *,
    reason: str = "",
    count: int | None = None,
    status: int | None = None,
) -> DoctorFinding:
    """A finding that something is wrong."""
    return of_condition(
        HealthCondition(
            subject=subject, code=code, level=level, reason=reason, count=count, status=status
        )
    )


def of_condition(found: HealthCondition) -> DoctorFinding:
    """The finding that says what a condition says."""
    return DoctorFinding(subject=found.subject, condition=found)


def of_error(subject: str, error: InboxError) -> DoctorFinding:
    """The finding that a check ended with this error."""
    return condition(
        subject, error.code, reason=error.reason, status=getattr(error, "status", None)
    )
