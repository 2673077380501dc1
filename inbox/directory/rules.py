"""The rules that a directory must fulfil after an import.

Everything that a row refers to exists, and units form a tree.

Pure. Each refusal says the row's file and line, never a person's name.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from inbox.directory.diff import DirectorySnapshot, RowChange, RowChangeType
from inbox.directory.format.rows import DirectoryRow, RowKey, RowKind, RowsByKind
from inbox.errors import Invalid

TargetRows = Mapping[RowKind, Mapping[RowKey, DirectoryRow]]

_REFERENCES: Final[Mapping[RowKind, Mapping[str, RowKind]]] = {
    RowKind.UNIT: {
        "parent": RowKind.UNIT,
        "case_system": RowKind.CASE_SYSTEM,
        "successor": RowKind.UNIT,
    },
    RowKind.CAPACITY: {"person": RowKind.PERSON, "unit": RowKind.UNIT},
    RowKind.CLEARANCE: {"person": RowKind.PERSON},
    RowKind.CONFLICT: {"person": RowKind.PERSON},
    RowKind.DELEGATION: {
        "unit": RowKind.UNIT,
        "absent": RowKind.PERSON,
        "substitute": RowKind.PERSON,
        "given_by": RowKind.PERSON,
    },
    RowKind.REFERENCE: {"unit": RowKind.UNIT},
    RowKind.IDENTITY: {"person": RowKind.PERSON},
}


def check_directory(
    standing: DirectorySnapshot,
    wanted: TargetRows,
    changes: Iterable[RowChange],
    *,
    listed: RowsByKind,
    named_by_rules: Collection[str],
    now: datetime,
) -> None:
    """Raise `Invalid` for the first violation."""
    changes = tuple(changes)
    for change in changes:
        _check_ownership(standing, change)
    for rows in listed.values():
        for row in rows.values():
            _check_references(standing, wanted, row)
    _check_identities(wanted[RowKind.IDENTITY].values(), now)
    _check_tree(wanted)
    changed = {change.after.key[0] for change in changes if change.kind is RowKind.UNIT}
    for row in wanted[RowKind.UNIT].values():
        _check_successor(wanted, row, changed=changed, named_by_rules=named_by_rules, now=now)


def _invalid(row: DirectoryRow, code: str, said: str) -> Invalid:
    return Invalid(f"directory.{code}", f"{row.location}: {said}" if row.location else said)


def _check_ownership(standing: DirectorySnapshot, change: RowChange) -> None:
    row = change.after
    if (
        row.kind in (RowKind.UNIT, RowKind.CASE_SYSTEM)
        and (row.kind, row.key[0]) in standing.foreign_ids
    ):
        raise _invalid(
            row, "other_organisation", f"this {row.kind.value} is another organisation's"
        )
    person = str(row.cells.get("person", ""))
    is_theirs = person in standing.shared_people and person not in standing.members
    if is_theirs and row.kind in (RowKind.CLEARANCE, RowKind.CONFLICT, RowKind.IDENTITY):
        raise _invalid(row, "other_organisation", "the person is another organisation's")
    if (
        row.kind is RowKind.PERSON
        and change.change_type is not RowChangeType.ADDED
        and row.key[0] in standing.shared_people
    ):
        raise _invalid(
            row,
            "shared_person",
            "the person stands for something in another organisation too: end capacities instead",
        )


def _check_references(standing: DirectorySnapshot, wanted: TargetRows, row: DirectoryRow) -> None:
    for name, kind in _REFERENCES.get(row.kind, {}).items():
        named = row.text(name)
        if named is None:
            continue
        if (kind, named) in standing.foreign_ids:
            raise _invalid(row, "other_organisation", f"{name} is another organisation's")
        if (named,) not in wanted[kind]:
            raise _invalid(
                row, "reference", f"{name} names a {kind.value} that is neither listed nor known"
            )


def _check_identities(rows: Iterable[DirectoryRow], now: datetime) -> None:
    """One identity is one person, at whichever of the providers."""
    people: dict[str, str] = {}
    for row in rows:
        subject, person = str(row.cells["subject_hash"]), str(row.cells["person"])
        if row.has_ended(now):
            continue
        if people.setdefault(subject, person) != person:
            raise _invalid(row, "identity_taken", "this identity is another person's")


def _check_tree(wanted: TargetRows) -> None:
    parents = parents_of(wanted[RowKind.UNIT].values())
    for unit in parents:
        for _ in units_above(parents, unit):
            pass


def parents_of(units: Iterable[DirectoryRow]) -> dict[str, str]:
    """The parent of each unit that has one."""
    return {
        str(row.cells["id"]): str(row.cells["parent"]) for row in units if "parent" in row.cells
    }


def units_above(parents: Mapping[str, str], unit: str) -> Iterator[str]:
    """The units above a unit, nearest first. Raises `Invalid` if they come round to it again."""
    seen, at = {unit}, unit
    while (parent := parents.get(at)) is not None:
        if parent in seen:
            raise Invalid("directory.cycle", f"the unit «{parent}» would stand above itself")
        yield parent
        seen.add(parent)
        at = parent


def _check_successor(
    wanted: TargetRows,
    row: DirectoryRow,
    *,
    changed: Collection[str],
    named_by_rules: Collection[str],
    now: datetime,
) -> None:
    """Check that the mail of a unit that ends has an active unit to go to.

    The check is made only if the unit or one of its successors changes.
    """
    if row.until is None:
        return
    line = [row.key[0], *_successors(wanted, row)]
    if not any(unit in changed for unit in line):
        return
    if len(line) == 1:
        if row.key[0] in named_by_rules:
            raise Invalid(
                "unit.needs_successor",
                f"{row.location or 'the unit'}: routing rules send mail to it: name a successor",
            )
        return
    closes = max(row.until, now)
    if not any(wanted[RowKind.UNIT][unit,].is_active_on(closes, now) for unit in line[1:]):
        raise _invalid(row, "successor", "no successor of it lives when the unit closes")


def _successors(wanted: TargetRows, row: DirectoryRow) -> Iterator[str]:
    """The successor of a unit, then the successor's successor and so on, each once."""
    seen = {row.key[0]}
    at: DirectoryRow | None = row
    while at is not None and (named := at.text("successor")) is not None and named not in seen:
        at = wanted[RowKind.UNIT].get((named,))
        if at is not None:
            seen.add(named)
            yield named
