"""What must hold of a directory as it will stand: what rows name exists, and trees are trees.

Pure. Each refusal says the row's file and line, never a person's name.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from inbox.directory.diff import Change, Standing, What
from inbox.directory.format.rows import Key, Kind, Row, Rows
from inbox.errors import Invalid

Wanted = Mapping[Kind, Mapping[Key, Row]]

_NAMES: Final[Mapping[Kind, Mapping[str, Kind]]] = {
    Kind.UNIT: {"parent": Kind.UNIT, "case_system": Kind.CASE_SYSTEM, "successor": Kind.UNIT},
    Kind.CAPACITY: {"person": Kind.PERSON, "unit": Kind.UNIT},
    Kind.CLEARANCE: {"person": Kind.PERSON},
    Kind.CONFLICT: {"person": Kind.PERSON},
    Kind.DELEGATION: {
        "unit": Kind.UNIT,
        "absent": Kind.PERSON,
        "substitute": Kind.PERSON,
        "given_by": Kind.PERSON,
    },
    Kind.REFERENCE: {"unit": Kind.UNIT},
}


def check(
    standing: Standing,
    wanted: Wanted,
    changes: Iterable[Change],
    *,
    listed: Rows,
    named_by_rules: Collection[str],
    now: datetime,
) -> None:
    """Raise `Invalid` for the first violation."""
    changes = tuple(changes)
    for change in changes:
        _check_own(standing, change)
    for rows in listed.values():
        for row in rows.values():
            _check_names(standing, wanted, row)
    _check_tree(wanted)
    changed = {change.after.key[0] for change in changes if change.kind is Kind.UNIT}
    for row in wanted[Kind.UNIT].values():
        _check_successor(wanted, row, changed=changed, named_by_rules=named_by_rules, now=now)


def _refuse(row: Row, code: str, said: str) -> Invalid:
    return Invalid(f"directory.{code}", f"{row.place}: {said}" if row.place else said)


def _check_own(standing: Standing, change: Change) -> None:
    row = change.after
    if row.kind in (Kind.UNIT, Kind.CASE_SYSTEM) and (row.kind, row.key[0]) in standing.foreign:
        raise _refuse(row, "other_organisation", f"this {row.kind.value} is another organisation's")
    person = str(row.cells.get("person", ""))
    is_theirs = person in standing.shared and person not in standing.members
    if is_theirs and row.kind in (Kind.CLEARANCE, Kind.CONFLICT):
        raise _refuse(row, "other_organisation", "the person is another organisation's")
    if row.kind is Kind.PERSON and change.what is not What.ADDED and row.key[0] in standing.shared:
        raise _refuse(
            row,
            "shared_person",
            "the person stands for something in another organisation too: end capacities instead",
        )


def _check_names(standing: Standing, wanted: Wanted, row: Row) -> None:
    for name, kind in _NAMES.get(row.kind, {}).items():
        named = row.text(name)
        if named is None:
            continue
        if (kind, named) in standing.foreign:
            raise _refuse(row, "other_organisation", f"{name} is another organisation's")
        if (named,) not in wanted[kind]:
            raise _refuse(
                row, "reference", f"{name} names a {kind.value} that is neither listed nor known"
            )


def _check_tree(wanted: Wanted) -> None:
    parents = parents_of(wanted[Kind.UNIT].values())
    for unit in parents:
        for _ in above(parents, unit):
            pass


def parents_of(units: Iterable[Row]) -> dict[str, str]:
    """The parent of each unit that has one."""
    return {
        str(row.cells["id"]): str(row.cells["parent"]) for row in units if "parent" in row.cells
    }


def above(parents: Mapping[str, str], unit: str) -> Iterator[str]:
    """The units above a unit, nearest first. Raises `Invalid` if they come round to it again."""
    seen, at = {unit}, unit
    while (parent := parents.get(at)) is not None:
        if parent in seen:
            raise Invalid("directory.cycle", f"the unit «{parent}» would stand above itself")
        yield parent
        seen.add(parent)
        at = parent


def _check_successor(
    wanted: Wanted,
    row: Row,
    *,
    changed: Collection[str],
    named_by_rules: Collection[str],
    now: datetime,
) -> None:
    """Of a unit that changes, or whose successor does: mail must have somewhere to go."""
    if row.until is None:
        return
    line = [row.key[0], *_successors(wanted, row)]
    if not any(unit in changed for unit in line):
        return
    if len(line) == 1:
        if row.key[0] in named_by_rules:
            raise Invalid(
                "unit.needs_successor",
                f"{row.place or 'the unit'}: routing rules send mail to it: name a successor",
            )
        return
    closes = max(row.until, now)
    if not any(wanted[Kind.UNIT][unit,].is_lasting(closes, now) for unit in line[1:]):
        raise _refuse(row, "successor", "no successor of it lives when the unit closes")


def _successors(wanted: Wanted, row: Row) -> Iterator[str]:
    """The successor of a unit, then the successor's successor and so on, each once."""
    seen = {row.key[0]}
    at: Row | None = row
    while at is not None and (named := at.text("successor")) is not None and named not in seen:
        at = wanted[Kind.UNIT].get((named,))
        if at is not None:
            seen.add(named)
            yield named
