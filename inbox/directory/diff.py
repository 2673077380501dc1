"""What a file changes in what stands: rows added, changed, ended, and which of that widens access.

Pure: rows in, changes out. A beginning that has passed is met by whatever is in force, and an end
that has passed by whatever is over: history is never written anew, and a second import changes
nothing.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from inbox.directory.format.rows import SHAPE, Directory, Key, Kind, Row, Rows
from inbox.errors import Invalid


class What(StrEnum):
    """How a row changes."""

    ADDED = "added"
    CHANGED = "changed"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the database holds of an organisation, and of whatever else a file names.

    Of people, units and case systems also what is over; of the rest what is in force or ahead.
    """

    rows: Rows
    foreign: frozenset[tuple[Kind, str]] = frozenset()
    """Units and case systems of other organisations, by their ids."""
    shared: frozenset[str] = frozenset()
    """People who stand for something in another organisation too."""
    members: frozenset[str] = frozenset()
    """People who stand, or stood, for something in this one, or never for anything anywhere."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One row before and after the change. In `after`, no `since` means from now."""

    what: What
    before: Row | None
    after: Row
    fields: tuple[str, ...] = field(default=(), compare=False)
    """What is changed of a row that stays."""
    widens: bool = field(default=False, compare=False)

    @property
    def kind(self) -> Kind:
        """The kind of the row."""
        return self.after.kind


def changes_of(standing: Standing, directory: Directory, now: datetime) -> tuple[Change, ...]:
    """Every change that importing this directory makes, in the order of the kinds."""
    wanted = wanted_of(standing, directory, now)
    made = (
        _change(standing.rows.get(kind, {}).get(key), row, now)
        for kind in Kind
        for key, row in sorted(wanted.get(kind, {}).items())
    )
    return tuple(change for change in made if change is not None)


def wanted_of(
    standing: Standing, directory: Directory, now: datetime
) -> dict[Kind, dict[Key, Row]]:
    """The directory as it would be after the import. No row ends later than its person or unit."""
    wanted: dict[Kind, dict[Key, Row]] = {}
    for kind in Kind:
        listed = directory.rows.get(kind, {})
        wanted[kind] = {**standing.rows.get(kind, {}), **listed}
        if directory.complete and kind in directory.rows:
            for key, row in standing.rows.get(kind, {}).items():
                if key not in listed and _is_ours_alone(standing, row) and not row.is_over(now):
                    wanted[kind][key] = replace(row, until=now)
    for kind in (Kind.CAPACITY, Kind.CLEARANCE, Kind.DELEGATION):
        wanted[kind] = {key: _clipped(row, wanted, now) for key, row in wanted[kind].items()}
    return wanted


def _is_ours_alone(standing: Standing, row: Row) -> bool:
    """Whether a complete file of this organisation ends the row by leaving it out."""
    if row.kind is Kind.PERSON:
        person = row.key[0]
        return person in standing.members and person not in standing.shared
    if row.kind in (Kind.CLEARANCE, Kind.CONFLICT):
        return str(row.cells["person"]) not in standing.shared
    return row.kind is not Kind.REFERENCE


def _clipped(row: Row, wanted: Mapping[Kind, Mapping[Key, Row]], now: datetime) -> Row:
    """The row, ended at the earliest end of itself and of the rows it depends on."""
    ends = [row.until, *_ends_of(row, wanted, now)]
    dated = [end for end in ends if end is not None]
    until = min(dated, default=None)
    if until == row.until or _is_seen_to_later(row, until, now):
        return row
    return replace(row, until=until)


def _is_seen_to_later(row: Row, until: datetime | None, now: datetime) -> bool:
    """Standing in ends as a task on the day that one of the two leaves: see `leaving`."""
    return row.kind is Kind.DELEGATION and until is not None and until > now


def _ends_of(
    row: Row, wanted: Mapping[Kind, Mapping[Key, Row]], now: datetime
) -> Iterator[datetime | None]:
    for name, kind in (("person", Kind.PERSON), ("unit", Kind.UNIT)):
        if name in row.cells:
            of = wanted[kind].get((str(row.cells[name]),))
            yield None if of is None else of.until
    if row.kind is Kind.DELEGATION:
        for person in (row.cells["absent"], row.cells["substitute"]):
            yield _last_in_unit(str(person), str(row.cells["unit"]), wanted, now)


def _last_in_unit(
    person: str, unit: str, wanted: Mapping[Kind, Mapping[Key, Row]], now: datetime
) -> datetime | None:
    """When the last capacity of the person in the unit ends."""
    ends = [
        row.until
        for row in wanted[Kind.CAPACITY].values()
        if row.cells["person"] == person and row.cells["unit"] == unit
    ]
    return None if None in ends else max((e for e in ends if e is not None), default=now)


def _change(before: Row | None, wanted: Row, now: datetime) -> Change | None:
    if wanted.is_over(now) or _never_begins(before, wanted, now):
        return _ended(before, wanted, now)
    if before is None:
        since = wanted.since if wanted.since is not None and wanted.since > now else None
        after = replace(wanted, since=since)
        return Change(what=What.ADDED, before=None, after=after, widens=_adding_widens(after))
    after = replace(wanted, since=_since(before, wanted, now), row_id=before.row_id)
    fields = tuple(_fields(before, after))
    if not fields:
        return None
    widens = _changing_widens(before, after, now)
    return Change(what=What.CHANGED, before=before, after=after, fields=fields, widens=widens)


def _never_begins(before: Row | None, wanted: Row, now: datetime) -> bool:
    """Whether the row would end before it begins, because a row that it depends on ends first."""
    begins = (before.since if before is not None else None) or now
    since = wanted.since if wanted.since is not None and wanted.since > now else begins
    return wanted.until is not None and wanted.until <= since


def _ended(before: Row | None, wanted: Row, now: datetime) -> Change | None:
    if before is None:
        return None
    if before.is_over(now):
        return _changed_afterwards(before, wanted)
    after = replace(wanted, since=before.since, until=now, row_id=before.row_id)
    # The mail of a unit that closes goes to its successor, or back to archive staff.
    widens = wanted.kind in (Kind.CONFLICT, Kind.UNIT)
    return Change(what=What.ENDED, before=before, after=after, widens=widens)


def _changed_afterwards(before: Row, wanted: Row) -> Change | None:
    """A row that has ended can still be given a successor or another name."""
    after = replace(wanted, since=before.since, until=before.until, row_id=before.row_id)
    fields = tuple(_fields(before, after))
    if not fields:
        return None
    widens = _says_more(before, after)
    return Change(what=What.CHANGED, before=before, after=after, fields=fields, widens=widens)


def _since(before: Row, wanted: Row, now: datetime) -> datetime | None:
    """When the row begins; None if it was to begin later and now begins at once."""
    if before.since is None or wanted.since is None or wanted.since == before.since:
        return before.since
    if before.since <= now:
        if wanted.since > now:
            raise Invalid(
                "directory.begun",
                f"{wanted.place}: read a beginning ahead; allowed: none, because it is in force"
                " (give it an until instead)",
            )
        return before.since
    return wanted.since if wanted.since > now else None


def _fields(before: Row, after: Row) -> Iterator[str]:
    for column in SHAPE[after.kind]:
        if before.cells.get(column.name) != after.cells.get(column.name):
            yield column.name
    if after.since != before.since:
        yield "from"
    if after.until != before.until:
        yield "until"


_ADDING_WIDENS: Final = (Kind.CAPACITY, Kind.CLEARANCE, Kind.DELEGATION, Kind.REFERENCE)
_WIDER_IF_SAID: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.UNIT: ("parent", "case_system", "shares_unassigned", "successor"),
    Kind.CASE_SYSTEM: ("webhook_url", "mode"),
    Kind.REFERENCE: ("unit",),
}
"""Cells that give something to somebody wherever they come to say something else."""


def _adding_widens(after: Row) -> bool:
    if after.kind is Kind.UNIT:
        return any(name in after.cells for name in _WIDER_IF_SAID[Kind.UNIT])
    return after.kind in _ADDING_WIDENS


def _changing_widens(before: Row, after: Row, now: datetime) -> bool:
    earlier = after.since != before.since and (
        after.since is None or (before.since is not None and after.since < before.since)
    )
    # Of a conflict of interest less is more: it takes access away while it lasts.
    if after.kind is Kind.CONFLICT:
        later = after.since is not None and before.since is not None and after.since > before.since
        return later or _ends_earlier(after, before)
    closes = after.kind is Kind.UNIT and after.until != before.until
    begins_again = before.is_over(now) or _ends_earlier(before, after)
    return _says_more(before, after) or closes or earlier or begins_again


def _says_more(before: Row, after: Row) -> bool:
    return any(
        name in after.cells and after.cells[name] != before.cells.get(name)
        for name in _WIDER_IF_SAID.get(after.kind, ())
    )


def _ends_earlier(one: Row, other: Row) -> bool:
    """Whether the first has an end, and the second ends later or not at all."""
    return one.until is not None and (other.until is None or one.until < other.until)


def digest_of(changes: tuple[Change, ...], *, salt: str) -> str:
    """What an approver acknowledges: SHA-256 over every change, and the proposal that it is of."""
    said = [
        {
            "what": change.what.value,
            "kind": change.kind.value,
            "was": None if change.before is None else dict(change.before.cells),
            "cells": dict(change.after.cells),
            "fields": list(change.fields),
            "from": _told(change.after.since, nothing="now"),
            "until": "now" if change.what is What.ENDED else _told(change.after.until, nothing=""),
        }
        for change in changes
    ]
    return hashlib.sha256(json.dumps([salt, said], sort_keys=True).encode()).hexdigest()


def _told(at: datetime | None, *, nothing: str) -> str:
    return nothing if at is None else at.isoformat()
