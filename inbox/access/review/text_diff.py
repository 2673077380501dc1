"""The textual difference between two policies.

It lists rows, shieldings, invariants and assumptions that were added, dropped or changed. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from inbox.access.files.header import PolicyHeader
from inbox.access.files.invariants import Implication
from inbox.access.policy.legal_basis import LegalBasis
from inbox.access.policy.names import MeaningLanguage
from inbox.access.policy.shielding import ShieldingTable
from inbox.access.policy.vocabulary import PolicyRule, duties_text

_NO_BASIS: Final = "none"
_NOTHING: Final = "nothing"


def switched_rows(old: Iterable[PolicyRule], new: Iterable[PolicyRule]) -> Iterator[str]:
    """Rows that were switched off, and those that are on again or gone; given are those off."""
    before, after = ([rule.id for rule in rules] for rules in (old, new))
    yield from (f"row {rule_id} switched off" for rule_id in after if rule_id not in before)
    yield from (f"row {rule_id} not switched off now" for rule_id in before if rule_id not in after)


def changed_rows(old: Sequence[PolicyRule], new: Sequence[PolicyRule]) -> Iterator[str]:
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


def _cells(rule: PolicyRule) -> tuple[tuple[str, str], ...]:
    return (
        ("effect", rule.effect.value),
        ("action", rule.actions),
        ("role", rule.roles),
        ("when", rule.when),
        ("duty", duties_text(rule.duties)),
        ("basis", " ".join(rule.bases) or _NO_BASIS),
    )


def _row(rule: PolicyRule) -> str:
    """The cells as they are written: without the last one where it is left out."""
    cells = _cells(rule) if rule.bases else _cells(rule)[:-1]
    return ", ".join(text for _, text in cells)


def changed_bases(old: Mapping[str, LegalBasis], new: Mapping[str, LegalBasis]) -> Iterator[str]:
    """Legal bases that were dropped, added or changed, cell by cell."""
    for basis in old.values():
        if basis.id not in new:
            yield f"basis {basis.id} dropped: {basis.text_in(MeaningLanguage.NB)}"
    for basis in new.values():
        known = old.get(basis.id)
        if known is None:
            yield f"basis {basis.id} added: {basis.text_in(MeaningLanguage.NB)}{_period(basis)}"
            continue
        before = dict(_basis_cells(known))
        for name, text in _basis_cells(basis):
            if before[name] != text:
                yield f"basis {basis.id}: {name} {before[name]} -> {text}"


def _basis_cells(basis: LegalBasis) -> tuple[tuple[str, str], ...]:
    return (
        ("act", basis.act),
        ("section", basis.section or _NOTHING),
        ("from", str(basis.valid_from or _NOTHING)),
        ("until", str(basis.valid_until or _NOTHING)),
        ("successor", basis.successor or _NOTHING),
        *((language.value, text) for language, text in basis.text.items()),
    )


def _period(basis: LegalBasis) -> str:
    first = "" if basis.valid_from is None else f" from {basis.valid_from}"
    last = "" if basis.valid_until is None else f" until {basis.valid_until}"
    return f",{first}{last}" if first or last else ""


def changed_shieldings(old: ShieldingTable, new: ShieldingTable) -> Iterator[str]:
    """Texts whose code changed, was added or was dropped, and codes whose order changed."""
    for text in sorted(old.code_by_text.keys() | new.code_by_text.keys()):
        had, has = (shieldings.code_by_text.get(text, "?") for shieldings in (old, new))
        if had != has:
            yield f"shielding {text!r}: {had} -> {has}"
    codes = [[each.code for each in shieldings.strictest_first] for shieldings in (old, new)]
    kept = [[code for code in some if all(code in every for every in codes)] for some in codes]
    if kept[0] != kept[1]:
        yield f"shielding, strictest first: {' '.join(kept[0])} -> {' '.join(kept[1])}"


def changed_invariants(old: Sequence[Implication], new: Sequence[Implication]) -> Iterator[str]:
    """Invariants and assumptions that were dropped or added."""
    before, after = ({invariant.line.text for invariant in invariants} for invariants in (old, new))
    for invariant in old:
        if invariant.line.text not in after:
            yield f"{_kind(invariant)} dropped: {invariant.line.text}"
    for invariant in new:
        if invariant.line.text not in before:
            yield f"{_kind(invariant)} added: {invariant.line.text}"


def _kind(invariant: Implication) -> str:
    return "assumption" if invariant.is_assumption else "invariant"


def changed_header(old: PolicyHeader, new: PolicyHeader) -> Iterator[str]:
    """Another version of the vocabulary, and facts that some row must deny for, or need no more."""
    if old.written_for != new.written_for:
        yield f"written for {_vocabulary_text(old)} -> {_vocabulary_text(new)}"
    for name in old.never_overridden:
        if name not in new.never_overridden:
            yield f"never overridden, dropped: {name}"
    for name in new.never_overridden:
        if name not in old.never_overridden:
            yield f"never overridden, added: {name}"


def _vocabulary_text(header: PolicyHeader) -> str:
    if header.written_for is None:
        return "the names that the folder lists"
    return f"version {header.written_for} of the vocabulary"
