"""How `inbox directory` prints a change: rows, counts by unit and role, people and messages."""

import base64
from collections import Counter
from collections.abc import Iterable, Iterator

from inbox.access.policy.names import program_vocabulary
from inbox.cli.common.output import print_json, print_line, print_table
from inbox.cli.directory.change_words import SAID, describe_change, role_word
from inbox.directory.diff import RowChange, RowChangeType
from inbox.directory.format.rows import RowKind
from inbox.directory.impact import AccessDifference
from inbox.directory.proposal import SubmissionResult
from inbox.language import TextLanguage


def print_changes(changes: Iterable[RowChange], language: TextLanguage) -> None:
    """Print a line for each row, then how many capacities each unit gains and loses."""
    changes = tuple(changes)
    for change in changes:
        print_line(describe_change(change, language))
    for unit, role, gains, loses in _capacities(changes):
        print_line(f"{unit}: {role_word(role, language)} +{gains} -{loses}")
    key = "changes.rows" if changes else "changes.none"
    print_line(SAID(key, language, rows=len(changes)))


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


def print_impact(differences: Iterable[AccessDifference], language: TextLanguage) -> None:
    """Print how many messages each affected capacity gains and loses, by action."""
    rows = [
        {SAID(f"impact.{name}", language): value for name, value in row.items()}
        for row in (_impact_row(each) | _impact_words(each, language) for each in differences)
    ]
    if rows:
        print_table(rows, [*rows[0]])
    else:
        print_line(SAID("changes.nobody", language))


def _impact_row(each: AccessDifference) -> dict[str, object]:
    return {
        "who": each.who,
        "unit": each.unit,
        "role": each.role,
        "action": each.action.value,
        "gains": each.gains,
        "loses": each.loses,
    }


def _impact_words(each: AccessDifference, language: TextLanguage) -> dict[str, object]:
    """The role and the action, with what they mean to people who do not read English."""
    if language is TextLanguage.EN:
        return {}
    meaning = program_vocabulary().meaning_of(each.action, language)
    return {"role": role_word(each.role, language), "action": f"{meaning} ({each.action})"}


def print_result(result: SubmissionResult, language: TextLanguage, *, as_json: bool) -> None:
    """Print the result of a change; keys of new case systems are shown here and never again."""
    keys = {
        system: {"key": key, "secret": "whsec_" + base64.b64encode(secret).decode()}
        for system, (key, secret) in result.keys.items()
    }
    if as_json:
        said = changes_json(result.changes) | {"proposal": result.proposal_id, "keys": keys}
        print_json(said | {"digest": result.digest})
        return
    print_changes(result.changes, language)
    if result.proposal_id is not None:
        print_line(SAID("done.proposal", language, proposal=result.proposal_id))
        print_line(f"digest {result.digest}")
        print_line(SAID("done.waits", language))
        return
    if keys:
        print_line(SAID("done.keys", language))
    for system, both in keys.items():
        print_line(f"  {system}  {SAID('done.key', language)} {both['key']}")
        print_line(f"  {system}  {SAID('done.secret', language)} {both['secret']}")


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
