"""What the components of pages are given: plain values, one shape for each component.

Texts are in the visitor's language already, unless a field says that it is a word of the product.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from inbox.domain import OrgNumber


class Tone(StrEnum):
    """How loud a small mark is."""

    NEUTRAL = ""
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, kw_only=True)
class RowMark:
    """A few words at the end of a row: on hold, handed back, somebody looks at it."""

    text: str
    tone: Tone = Tone.NEUTRAL


@dataclass(frozen=True, kw_only=True)
class ShownRow:
    """One line of a queue; the columns that a queue shows are chosen by the page."""

    address: str
    """Of the message's page."""
    ref: str
    sender: str
    orgnr: OrgNumber
    received_at: datetime
    age: int
    """In working days."""
    due_at: datetime | None = None
    is_late: bool = False
    is_soon: bool = False
    channel: str = ""
    process: str = ""
    unit: str = ""
    rule: str = ""
    state: str = ""
    mostly: str = ""
    """The unit that most of the last messages from this sender went to."""
    mostly_count: int = 0
    mostly_of: int = 0
    marks: tuple[RowMark, ...] = ()
    is_last_opened: bool = False
    pick: str = ""
    """The value of its checkbox, on the page where several are chosen."""


@dataclass(frozen=True, kw_only=True)
class ShownTitledRow:
    """One line of a unit's list, for somebody who may see titles."""

    address: str
    ref: str
    title: str = field(repr=False)
    sender: str
    age: int
    """In working days."""
    due_at: datetime | None
    is_late: bool
    holder: str
    """Who has it."""
    next: str
    """What is to be done with it next."""
    marks: tuple[RowMark, ...] = ()
    pick: str = ""
    """The value of its checkbox, where several are chosen."""


@dataclass(frozen=True, kw_only=True)
class RowGroup:
    """Rows under one heading; the first group has none."""

    heading: str
    rows: tuple[ShownTitledRow, ...]


@dataclass(frozen=True, kw_only=True)
class ShownColleague:
    """A case handler on the page of a leader."""

    name: str
    open: int
    late: int
    oldest: str
    """The day on which the oldest of it was received."""
    cleared: str
    """The codes that the person is cleared for."""
    stand_in: str
    """Who stands in for the person now."""
    give_all: str
    """The address where all of it can be given to another; empty where there is nothing."""


@dataclass(frozen=True, kw_only=True)
class ShownRequest:
    """A request for access, for who asked and for who answers."""

    id: str
    name: str
    asked: str
    reason: str = field(repr=False)
    state: str
    is_open: bool


@dataclass(frozen=True, kw_only=True)
class ShownAccess:
    """Access that is in force, on the page where a leader can end it."""

    id: str
    kind: str
    person: str
    reference: str
    address: str
    """Of the message; empty for a standing in."""
    since: str
    until: str


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number of the front page, which is a link."""

    count: int
    name: str
    address: str
    cause: str = ""
    is_late: bool = False


@dataclass(frozen=True, kw_only=True)
class Todo:
    """Something to do, or something that is wrong."""

    what: str
    address: str = ""
    when: str = ""
    more: str = ""
    is_late: bool = False
    is_soon: bool = False


@dataclass(frozen=True, kw_only=True)
class FilterLink:
    """One choice of a filter."""

    name: str
    address: str
    """Empty for what is counted beside the choices, and cannot be chosen."""
    count: int | None = None
    is_current: bool = False


@dataclass(frozen=True, kw_only=True)
class FilterGroup:
    """A filter: its name, and its choices."""

    name: str
    links: tuple[FilterLink, ...]


class ShownLampState(StrEnum):
    """Whether a step was reached."""

    OFF = ""
    ON = "on"
    STOPPED = "bad"


@dataclass(frozen=True, kw_only=True)
class ShownLamp:
    """One of the four: *hentet, verifisert, levert, journalført*."""

    name: str
    said: str
    """When, or that it is not so yet."""
    state: ShownLampState = ShownLampState.OFF


@dataclass(frozen=True, kw_only=True)
class ShownUnit:
    """A unit that the message may be distributed to, and how often its like went there."""

    unit: str
    """Its id, as the form sends it."""
    name: str
    count: int = 0
    of: int = 0


@dataclass(frozen=True, kw_only=True)
class ShownFact:
    """A label and a value."""

    label: str
    value: str
    is_late: bool = False
    is_code: bool = False
    """An id: smaller, and it may break anywhere."""


@dataclass(frozen=True, kw_only=True)
class PastEvent:
    """A line of the history."""

    when: str
    at: datetime
    what: str


@dataclass(frozen=True, kw_only=True)
class ShownCheck:
    """A sentence that holds or does not, and why."""

    holds: bool
    text: str
    more: str = ""
    stops: bool = False
    """Whether this *nei* is what stands in the way: then it is red."""


@dataclass(frozen=True, kw_only=True)
class ShownRule:
    """A rule, and how each of its conditions fell out."""

    name: str
    checks: tuple[ShownCheck, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RuleBasis:
    """The rows of the policy behind something, and their legal bases."""

    rules: str
    """Their ids."""
    bases: str


@dataclass(frozen=True, kw_only=True)
class ShownGain:
    """Something that somebody gains, loses or keeps."""

    text: str
    count: str = ""
    more: str = ""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of several full-width buttons, or of radio buttons."""

    value: str
    name: str
    more: str = ""
    count: str = ""


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """What is wrong with one field, in the same words above the form and at the field."""

    field: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Where in its queue a message is, and its neighbours there."""

    queue: str
    """The queue's name, in the visitor's language."""
    queue_address: str
    position: int = 0
    count: int = 0
    previous: str = ""
    next: str = ""


@dataclass(frozen=True, kw_only=True)
class FormProblems:
    """The errors of a form that was sent, and how the summary begins."""

    heading: str
    errors: tuple[FieldError, ...]
