"""The difference between a directory file and the database.

It lists the rows that are added, changed and ended, and which of these changes widen access.

Pure: rows in, changes out. A beginning in the past fits every row that is in force, and an
end in the past fits every row that has ended: history is never written anew, and a second import
changes nothing.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from inbox.directory.format.rows import (
    COLUMNS_BY_KIND,
    Directory,
    DirectoryRow,
    RowKey,
    RowKind,
    RowsByKind,
)
from inbox.errors import Invalid


class RowChangeType(StrEnum):
    """How a row changes."""

    ADDED = "added"
    CHANGED = "changed"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True)
class DirectorySnapshot:
    """What the database holds about an organisation.

    It includes everything else that a directory file refers to.

    Of people, units and case systems also what has ended; of the rest what is in force or ahead.
    """

    rows: RowsByKind
    foreign_ids: frozenset[tuple[RowKind, str]] = frozenset()
    """Units and case systems of other organisations, by their ids."""
    shared_people: frozenset[str] = frozenset()
    """People who stand for something in another organisation too."""
    declared: frozenset[str] = frozenset()
    """The ids of conflicts of interest that their person has declared here."""
    members: frozenset[str] = frozenset()
    """People who stand, or stood, for something in this one, or never for anything anywhere."""


@dataclass(frozen=True, kw_only=True)
class RowChange:
    """One row before and after the change. In `after`, no `since` means from now."""

    change_type: RowChangeType
    before: DirectoryRow | None
    after: DirectoryRow
    fields: tuple[str, ...] = field(default=(), compare=False)
    """What is changed of a row that stays."""
    widens: bool = field(default=False, compare=False)

    @property
    def kind(self) -> RowKind:
        """The kind of the row."""
        return self.after.kind


def changes_of(
    standing: DirectorySnapshot, directory: Directory, now: datetime
) -> tuple[RowChange, ...]:
    """Every change that importing this directory makes, in the order of the kinds."""
    wanted = target_rows(standing, directory, now)
    made = (
        _row_change(standing.rows.get(kind, {}).get(key), row, now)
        for kind in RowKind
        for key, row in sorted(wanted.get(kind, {}).items())
    )
    return tuple(change for change in made if change is not None)


def target_rows(
    standing: DirectorySnapshot, directory: Directory, now: datetime
) -> dict[RowKind, dict[RowKey, DirectoryRow]]:
    """The directory as it would be after the import. No row ends later than its person or unit."""
    wanted: dict[RowKind, dict[RowKey, DirectoryRow]] = {}
    for kind in RowKind:
        listed = directory.rows.get(kind, {})
        wanted[kind] = {**standing.rows.get(kind, {}), **listed}
        if directory.complete and kind in directory.rows:
            for key, row in standing.rows.get(kind, {}).items():
                if (
                    key not in listed
                    and _ends_by_omission(standing, row)
                    and not row.has_ended(now)
                ):
                    wanted[kind][key] = replace(row, until=now)
    for kind in (RowKind.CAPACITY, RowKind.CLEARANCE, RowKind.DELEGATION, RowKind.IDENTITY):
        wanted[kind] = {
            key: _with_earliest_end(row, wanted, now) for key, row in wanted[kind].items()
        }
    return wanted


def _ends_by_omission(standing: DirectorySnapshot, row: DirectoryRow) -> bool:
    """Whether a complete file of this organisation ends the row by leaving it out."""
    if row.kind is RowKind.PERSON:
        person = row.key[0]
        return person in standing.members and person not in standing.shared_people
    if row.row_id in standing.declared:
        return False  # No file knows of it, so leaving it out says nothing.
    if row.kind in (RowKind.CLEARANCE, RowKind.CONFLICT, RowKind.IDENTITY):
        return str(row.cells["person"]) not in standing.shared_people
    return row.kind is not RowKind.REFERENCE


def _with_earliest_end(
    row: DirectoryRow, wanted: Mapping[RowKind, Mapping[RowKey, DirectoryRow]], now: datetime
) -> DirectoryRow:
    """The row, ended at the earliest end of itself and of the rows it depends on."""
    ends = [row.until, *_ends_of_dependencies(row, wanted, now)]
    dated = [end for end in ends if end is not None]
    until = min(dated, default=None)
    if until == row.until or _ends_later_as_task(row, until, now):
        return row
    return replace(row, until=until)


def _ends_later_as_task(row: DirectoryRow, until: datetime | None, now: datetime) -> bool:
    """Whether the row is a delegation whose end is still in the future.

    It becomes a task on the day that one of the two people leaves: see `leavers`.
    """
    return row.kind is RowKind.DELEGATION and until is not None and until > now


def _ends_of_dependencies(
    row: DirectoryRow, wanted: Mapping[RowKind, Mapping[RowKey, DirectoryRow]], now: datetime
) -> Iterator[datetime | None]:
    for name, kind in (("person", RowKind.PERSON), ("unit", RowKind.UNIT)):
        if name in row.cells:
            of = wanted[kind].get((str(row.cells[name]),))
            yield None if of is None else of.until
    if row.kind is RowKind.DELEGATION:
        for person in (row.cells["absent"], row.cells["substitute"]):
            yield _end_of_capacities_in_unit(str(person), str(row.cells["unit"]), wanted, now)


def _end_of_capacities_in_unit(
    person: str, unit: str, wanted: Mapping[RowKind, Mapping[RowKey, DirectoryRow]], now: datetime
) -> datetime | None:
    """When the last capacity of the person in the unit ends."""
    ends = [
        row.until
        for row in wanted[RowKind.CAPACITY].values()
        if row.cells["person"] == person and row.cells["unit"] == unit
    ]
    return None if None in ends else max((e for e in ends if e is not None), default=now)


def _row_change(
    before: DirectoryRow | None, wanted: DirectoryRow, now: datetime
) -> RowChange | None:
    if wanted.has_ended(now) or _never_begins(before, wanted, now):
        return _row_ending(before, wanted, now)
    if before is None:
        since = wanted.since if wanted.since is not None and wanted.since > now else None
        after = replace(wanted, since=since)
        return RowChange(
            change_type=RowChangeType.ADDED, before=None, after=after, widens=_adding_widens(after)
        )
    after = replace(wanted, since=_resulting_start(before, wanted, now), row_id=before.row_id)
    fields = tuple(_changed_fields(before, after))
    if not fields:
        return None
    widens = _changing_widens(before, after, now)
    return RowChange(
        change_type=RowChangeType.CHANGED, before=before, after=after, fields=fields, widens=widens
    )


def _never_begins(before: DirectoryRow | None, wanted: DirectoryRow, now: datetime) -> bool:
    """Whether the row would end before it begins, because a row that it depends on ends first."""
    begins = (before.since if before is not None else None) or now
    since = wanted.since if wanted.since is not None and wanted.since > now else begins
    return wanted.until is not None and wanted.until <= since


def _row_ending(
    before: DirectoryRow | None, wanted: DirectoryRow, now: datetime
) -> RowChange | None:
    if before is None:
        return None
    if before.has_ended(now):
        return _changed_after_end(before, wanted)
    after = replace(wanted, since=before.since, until=now, row_id=before.row_id)
    # The mail of a unit that closes goes to its successor, or back to archive staff.
    widens = wanted.kind in (RowKind.CONFLICT, RowKind.UNIT)
    return RowChange(change_type=RowChangeType.ENDED, before=before, after=after, widens=widens)


def _changed_after_end(before: DirectoryRow, wanted: DirectoryRow) -> RowChange | None:
    """A row that has ended can still be given a successor or another name."""
    after = replace(wanted, since=before.since, until=before.until, row_id=before.row_id)
    fields = tuple(_changed_fields(before, after))
    if not fields:
        return None
    widens = _sets_widening_cell(before, after)
    return RowChange(
        change_type=RowChangeType.CHANGED, before=before, after=after, fields=fields, widens=widens
    )


def _resulting_start(before: DirectoryRow, wanted: DirectoryRow, now: datetime) -> datetime | None:
    """When the row begins; None if it was to begin later and now begins at once."""
    if before.since is None or wanted.since is None or wanted.since == before.since:
        return before.since
    if before.since <= now:
        if wanted.since > now:
            raise Invalid(
                "directory.begun",
                f"{wanted.location}: read a beginning ahead; allowed: none, because it is in force"
                " (give it an until instead)",
            )
        return before.since
    return wanted.since if wanted.since > now else None


def _changed_fields(before: DirectoryRow, after: DirectoryRow) -> Iterator[str]:
    for column in COLUMNS_BY_KIND[after.kind]:
        if before.cells.get(column.name) != after.cells.get(column.name):
            yield column.name
    if after.since != before.since:
        yield "from"
    if after.until != before.until:
        yield "until"


_ADDING_WIDENS: Final = (
    RowKind.CAPACITY,
    RowKind.CLEARANCE,
    RowKind.DELEGATION,
    RowKind.REFERENCE,
    RowKind.IDENTITY,
)
_WIDENING_CELLS: Final[Mapping[RowKind, tuple[str, ...]]] = {
    RowKind.UNIT: ("parent", "case_system", "shares_unassigned", "successor"),
    RowKind.CASE_SYSTEM: ("webhook_url", "mode"),
    RowKind.REFERENCE: ("unit",),
    RowKind.IDENTITY: ("person",),
}
"""Cells that give something to somebody wherever they come to say something else."""


def _adding_widens(after: DirectoryRow) -> bool:
    if after.kind is RowKind.UNIT:
        return any(name in after.cells for name in _WIDENING_CELLS[RowKind.UNIT])
    return after.kind in _ADDING_WIDENS


def _changing_widens(before: DirectoryRow, after: DirectoryRow, now: datetime) -> bool:
    earlier = after.since != before.since and (
        after.since is None or (before.since is not None and after.since < before.since)
    )
    # Of a conflict of interest less is more: it takes access away while it lasts.
    if after.kind is RowKind.CONFLICT:
        later = after.since is not None and before.since is not None and after.since > before.since
        return later or _ends_earlier(after, before)
    closes = after.kind is RowKind.UNIT and after.until != before.until
    begins_again = before.has_ended(now) or _ends_earlier(before, after)
    return _sets_widening_cell(before, after) or closes or earlier or begins_again


def _sets_widening_cell(before: DirectoryRow, after: DirectoryRow) -> bool:
    return any(
        name in after.cells and after.cells[name] != before.cells.get(name)
        for name in _WIDENING_CELLS.get(after.kind, ())
    )


def _ends_earlier(one: DirectoryRow, other: DirectoryRow) -> bool:
    """Whether the first has an end, and the second ends later or not at all."""
    return one.until is not None and (other.until is None or one.until < other.until)


def digest_of(changes: tuple[RowChange, ...], *, salt: str) -> str:
    """The digest that an approver acknowledges.

    It is SHA-256 over every change and the id of the proposal.
    """
    said = [
        {
            "what": change.change_type.value,
            "kind": change.kind.value,
            "was": None if change.before is None else dict(change.before.cells),
            "cells": dict(change.after.cells),
            "fields": list(change.fields),
            "from": _moment_text(change.after.since, nothing="now"),
            "until": "now"
            if change.change_type is RowChangeType.ENDED
            else _moment_text(change.after.until, nothing=""),
        }
        for change in changes
    ]
    return hashlib.sha256(json.dumps([salt, said], sort_keys=True).encode()).hexdigest()


def _moment_text(at: datetime | None, *, nothing: str) -> str:
    return nothing if at is None else at.isoformat()
