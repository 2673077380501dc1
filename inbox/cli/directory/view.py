"""How `inbox directory` prints a change: rows, counts by unit and role, people and messages."""

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from inbox.cli.common.output import print_json, print_line, print_table
from inbox.days import in_norway
from inbox.directory.diff import RowChange, RowChangeType
from inbox.directory.format.rows import COLUMNS_BY_KIND, RowKind
from inbox.directory.impact import AccessDifference
from inbox.directory.proposal import SubmissionResult

_SIGN: Final[Mapping[RowChangeType, str]] = {
    RowChangeType.ADDED: "+",
    RowChangeType.CHANGED: "~",
    RowChangeType.ENDED: "-",
}
_SHOWN_WITHOUT_LABEL: Final = ("id", "person", "unit")
_HIDDEN: Final = ("name", "reference_hash")
"""Never printed: that they change is said, not what they are."""


def print_changes(changes: Iterable[RowChange]) -> None:
    """Print a line for each row, then how many capacities each unit gains and loses."""
    changes = tuple(changes)
    for change in changes:
        print_line(describe_change(change))
    for unit, role, gains, loses in _capacities(changes):
        print_line(f"{unit}: {role} +{gains} -{loses}")
    print_line("no difference" if not changes else f"{len(changes)} rows differ")


def describe_change(change: RowChange) -> str:
    """One line such as `+ capacity kari bv leader until 2026-12-31 widens`; no person's name."""
    parts = [_SIGN[change.change_type], change.kind.value, *_key_fields(change)]
    if change.change_type is RowChangeType.CHANGED:
        parts += [_field(change, name) for name in change.fields]
    else:
        parts += [f"{n} {v}" for n, v in _other_fields(change)]
    if change.change_type is RowChangeType.ADDED:
        parts += _period(change.after.since, "from") + _period(change.after.until, "until")
    return " ".join(parts) + ("  (widens)" if change.widens else "")


def _key_fields(change: RowChange) -> Iterator[str]:
    for column in COLUMNS_BY_KIND[change.kind]:
        if column.is_key and column.name in change.after.cells:
            shown = str(change.after.cells[column.name])
            if column.name in _HIDDEN:
                yield "a case"
            else:
                yield shown if column.name in _SHOWN_WITHOUT_LABEL else f"{column.name} {shown}"


def _other_fields(change: RowChange) -> Iterator[tuple[str, str]]:
    for column in COLUMNS_BY_KIND[change.kind]:
        if not column.is_key and column.name in change.after.cells and column.name not in _HIDDEN:
            yield column.name, str(change.after.cells[column.name]).lower()


def _field(change: RowChange, name: str) -> str:
    if name in _HIDDEN:
        return f"{name} differs"
    before, after = change.before, change.after
    assert before is not None
    if name == "from":
        return f"from {_time_text(before.since)} to {_time_text(after.since, nothing='now')}"
    if name == "until":
        return f"until {_time_text(before.until)} to {_time_text(after.until)}"
    was, became = before.cells.get(name, "nothing"), after.cells.get(name, "nothing")
    return f"{name} {str(was).lower()} to {str(became).lower()}"


def _period(at: datetime | None, word: str) -> list[str]:
    return [] if at is None else [f"{word} {_time_text(at)}"]


def _time_text(at: datetime | None, *, nothing: str = "no end") -> str:
    return nothing if at is None else in_norway(at).isoformat(timespec="minutes")


def _capacities(changes: Iterable[RowChange]) -> Iterator[tuple[str, str, int, int]]:
    counted: Counter[tuple[str, str, bool]] = Counter()
    for change in changes:
        if change.kind is RowKind.CAPACITY and change.change_type is not RowChangeType.CHANGED:
            cells = change.after.cells
            counted[
                str(cells["unit"]), str(cells["role"]), change.change_type is RowChangeType.ADDED
            ] += 1
    pairs = sorted({(unit, role) for unit, role, _ in counted})
    for unit, role in pairs:
        yield unit, role, counted[unit, role, True], counted[unit, role, False]


def print_impact(differences: Iterable[AccessDifference]) -> None:
    """Print how many messages each affected capacity gains and loses, by action."""
    rows = [_impact_row(each) for each in differences]
    if rows:
        print_table(rows, ("who", "unit", "role", "action", "gains", "loses"))
    else:
        print_line("nobody gains or loses a message")


def _impact_row(each: AccessDifference) -> dict[str, object]:
    return {
        "who": each.who,
        "unit": each.unit,
        "role": each.role,
        "action": each.action.value,
        "gains": each.gains,
        "loses": each.loses,
    }


def print_result(result: SubmissionResult, *, as_json: bool) -> None:
    """Print the result of a change; keys of new case systems are shown here and never again."""
    keys = {
        system: {"key": key, "secret": "whsec_" + base64.b64encode(secret).decode()}
        for system, (key, secret) in result.keys.items()
    }
    if as_json:
        said = changes_json(result.changes) | {"proposal": result.proposal_id, "keys": keys}
        print_json(said | {"digest": result.digest})
        return
    print_changes(result.changes)
    if result.proposal_id is not None:
        print_line(f"proposal {result.proposal_id}")
        print_line(f"digest {result.digest}")
        print_line(
            "it waits: another person runs `inbox directory approve`, and acknowledges the digest"
        )
        return
    if keys:
        print_line("keys and secrets, shown now and never again:")
    for system, both in keys.items():
        print_line(f"  {system}  key {both['key']}")
        print_line(f"  {system}  secret {both['secret']}")


def changes_json(
    changes: Iterable[RowChange], differences: Iterable[AccessDifference] | None = None
) -> dict[str, object]:
    """The same as a JSON value, for a script."""
    said: dict[str, object] = {
        "changes": [
            {
                "what": change.change_type.value,
                "kind": change.kind.value,
                "row": describe_change(change),
                "widens": change.widens,
            }
            for change in changes
        ]
    }
    if differences is not None:
        said["people"] = [_impact_row(each) for each in differences]
    return said
