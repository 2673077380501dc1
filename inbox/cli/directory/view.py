"""How `inbox directory` prints a change: rows, counts by unit and role, people and messages."""

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from inbox.cli.common.output import say, say_json, say_table
from inbox.directory.diff import Change, What
from inbox.directory.format.rows import SHAPE, Kind
from inbox.directory.impact import Difference
from inbox.directory.proposal import Result

_SIGN: Final[Mapping[What, str]] = {What.ADDED: "+", What.CHANGED: "~", What.ENDED: "-"}
_BARE: Final = ("id", "person", "unit")
_HIDDEN: Final = ("name", "reference_hash")
"""Never printed: that they change is said, not what they are."""


def tell_changes(changes: Iterable[Change]) -> None:
    """Print a line for each row, then how many capacities each unit gains and loses."""
    changes = tuple(changes)
    for change in changes:
        say(line_of(change))
    for unit, role, gains, loses in _capacities(changes):
        say(f"{unit}: {role} +{gains} -{loses}")
    say("no difference" if not changes else f"{len(changes)} rows differ")


def line_of(change: Change) -> str:
    """One line such as `+ capacity kari bv leader until 2026-12-31 widens`; no person's name."""
    parts = [_SIGN[change.what], change.kind.value, *_named(change)]
    if change.what is What.CHANGED:
        parts += [_field(change, name) for name in change.fields]
    else:
        parts += [f"{n} {v}" for n, v in _rest(change)]
    if change.what is What.ADDED:
        parts += _period(change.after.since, "from") + _period(change.after.until, "until")
    return " ".join(parts) + ("  (widens)" if change.widens else "")


def _named(change: Change) -> Iterator[str]:
    for column in SHAPE[change.kind]:
        if column.names and column.name in change.after.cells:
            shown = str(change.after.cells[column.name])
            if column.name in _HIDDEN:
                yield "a case"
            else:
                yield shown if column.name in _BARE else f"{column.name} {shown}"


def _rest(change: Change) -> Iterator[tuple[str, str]]:
    for column in SHAPE[change.kind]:
        if not column.names and column.name in change.after.cells and column.name not in _HIDDEN:
            yield column.name, str(change.after.cells[column.name]).lower()


def _field(change: Change, name: str) -> str:
    if name in _HIDDEN:
        return f"{name} differs"
    before, after = change.before, change.after
    assert before is not None
    if name == "from":
        return f"from {_at(before.since)} to {_at(after.since, nothing='now')}"
    if name == "until":
        return f"until {_at(before.until)} to {_at(after.until)}"
    was, became = before.cells.get(name, "nothing"), after.cells.get(name, "nothing")
    return f"{name} {str(was).lower()} to {str(became).lower()}"


def _period(at: datetime | None, word: str) -> list[str]:
    return [] if at is None else [f"{word} {_at(at)}"]


def _at(at: datetime | None, *, nothing: str = "no end") -> str:
    return nothing if at is None else at.isoformat(timespec="minutes")


def _capacities(changes: Iterable[Change]) -> Iterator[tuple[str, str, int, int]]:
    counted: Counter[tuple[str, str, bool]] = Counter()
    for change in changes:
        if change.kind is Kind.CAPACITY and change.what is not What.CHANGED:
            cells = change.after.cells
            counted[str(cells["unit"]), str(cells["role"]), change.what is What.ADDED] += 1
    pairs = sorted({(unit, role) for unit, role, _ in counted})
    for unit, role in pairs:
        yield unit, role, counted[unit, role, True], counted[unit, role, False]


def tell_impact(differences: Iterable[Difference]) -> None:
    """Print how many messages each affected capacity gains and loses, by action."""
    rows = [_impact(each) for each in differences]
    if rows:
        say_table(rows, ("who", "unit", "role", "action", "gains", "loses"))
    else:
        say("nobody gains or loses a message")


def _impact(each: Difference) -> dict[str, object]:
    return {
        "who": each.who,
        "unit": each.unit,
        "role": each.role,
        "action": each.action.value,
        "gains": each.gains,
        "loses": each.loses,
    }


def tell_result(result: Result, *, as_json: bool) -> None:
    """Print the result of a change; keys of new case systems are shown here and never again."""
    keys = {
        system: {"key": key, "secret": "whsec_" + base64.b64encode(secret).decode()}
        for system, (key, secret) in result.keys.items()
    }
    if as_json:
        said = value_of(result.changes) | {"proposal": result.proposal_id, "keys": keys}
        say_json(said | {"digest": result.digest})
        return
    tell_changes(result.changes)
    if result.proposal_id is not None:
        say(f"proposal {result.proposal_id}")
        say(f"digest {result.digest}")
        say("it waits: another person runs `inbox directory approve`, and acknowledges the digest")
        return
    if keys:
        say("keys and secrets, shown now and never again:")
    for system, both in keys.items():
        say(f"  {system}  key {both['key']}")
        say(f"  {system}  secret {both['secret']}")


def value_of(
    changes: Iterable[Change], differences: Iterable[Difference] | None = None
) -> dict[str, object]:
    """The same as a JSON value, for a script."""
    said: dict[str, object] = {
        "changes": [
            {
                "what": change.what.value,
                "kind": change.kind.value,
                "row": line_of(change),
                "widens": change.widens,
            }
            for change in changes
        ]
    }
    if differences is not None:
        said["people"] = [_impact(each) for each in differences]
    return said
