"""What is written otherwise: rows, shieldings, invariants, assumptions, beside the old. Pure."""

from collections.abc import Iterator, Sequence

from inbox.access.files.invariants import Claim
from inbox.access.policy.shielding import Shieldings
from inbox.access.policy.vocabulary import Rule, cell_of


def changed_rows(old: Sequence[Rule], new: Sequence[Rule]) -> Iterator[str]:
    """Rules that were added, dropped, renamed or changed, cell by cell."""
    before, after = ({rule.id: rule for rule in rules} for rules in (old, new))
    dropped = {_cells(rule): rule.id for rule in old if rule.id not in after}
    for rule in new:
        if rule.id not in before:
            was = dropped.pop(_cells(rule), None)
            yield f"row {was} is {rule.id} now" if was else f"row {rule.id} added: {_row(rule)}"
            continue
        known = before[rule.id]
        for cell, text in _cells(rule):
            if (had := dict(_cells(known))[cell]) != text:
                yield f"row {rule.id}: {cell} {had} -> {text}"
    for rule_id in dropped.values():
        yield f"row {rule_id} dropped: {_row(before[rule_id])}"


def _cells(rule: Rule) -> tuple[tuple[str, str], ...]:
    return (
        ("effect", rule.effect.value),
        ("action", rule.acts),
        ("role", rule.roles),
        ("when", rule.when),
        ("duty", cell_of(rule.duties)),
    )


def _row(rule: Rule) -> str:
    return ", ".join(text for _, text in _cells(rule))


def changed_shieldings(old: Shieldings, new: Shieldings) -> Iterator[str]:
    """Texts whose code changed, was added or was dropped, and codes whose order changed."""
    for text in sorted(old.texts.keys() | new.texts.keys()):
        had, has = (shieldings.texts.get(text, "?") for shieldings in (old, new))
        if had != has:
            yield f"shielding {text!r}: {had} -> {has}"
    codes = [[each.code for each in shieldings.strictest_first] for shieldings in (old, new)]
    kept = [[code for code in some if all(code in every for every in codes)] for some in codes]
    if kept[0] != kept[1]:
        yield f"shielding, strictest first: {' '.join(kept[0])} -> {' '.join(kept[1])}"


def changed_claims(old: Sequence[Claim], new: Sequence[Claim]) -> Iterator[str]:
    """Invariants and assumptions that were dropped or added."""
    before, after = ({claim.line.text for claim in claims} for claims in (old, new))
    for claim in old:
        if claim.line.text not in after:
            yield f"{_kind(claim)} dropped: {claim.line.text}"
    for claim in new:
        if claim.line.text not in before:
            yield f"{_kind(claim)} added: {claim.line.text}"


def _kind(claim: Claim) -> str:
    return "assumption" if claim.assumed else "invariant"
