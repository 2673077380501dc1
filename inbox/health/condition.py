"""One thing that is wrong, or that waits for people."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

ORGANISATION_WIDE: Final = frozenset({"case_system", "unit", "desk", "routing", "trust", "list"})
"""Kinds of subjects whose names are not shown where nobody signs in."""


class Level(StrEnum):
    """How bad it is. In this order it is shown."""

    UNREADY = "unready"
    """This process cannot do its work: `ready` says so."""
    WRONG = "wrong"
    """Some mail cannot arrive, or cannot be read by anybody."""
    WARNING = "warning"
    """It works; somebody should look at it."""
    WAITING = "waiting"
    """It waits for people."""


@dataclass(frozen=True, kw_only=True)
class HealthCondition:
    """One row of the table. Its words are those of its code (`words.words_of`)."""

    subject: str
    """What it is about: `vault`, `gateway:eformidling`, `task:stuck`. Never a message."""
    code: str
    level: Level
    since: datetime | None = None
    """None where nobody has noted it yet."""
    count: int | None = None
    """How many rows it concerns, where they are counted; of clocks: seconds."""
    status: int | None = None
    """Of a neighbour's HTTP answer, where there was one."""
    reason: str = ""
    """What an error says beside its code, for the operator: a file, a line, a number of bytes."""

    @property
    def kind(self) -> str:
        """The subject without its name: `gateway` of `gateway:eformidling`."""
        return self.subject.partition(":")[0]

    @property
    def name(self) -> str:
        """The name in the subject: `eformidling`; the whole subject if it has none."""
        return self.subject.partition(":")[2] or self.subject
