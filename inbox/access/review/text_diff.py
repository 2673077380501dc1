"""The textual difference between two policies.

It lists rows, shieldings, invariants and assumptions that were added, dropped or changed. Pure.

Each change has a kind and parts in the words of the files. Its `line` goes into the digest of the
difference, so it never depends on a language; `difference_sentences` says it to people.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inbox.access.files.header import PolicyHeader
from inbox.access.files.invariants import Implication
from inbox.access.policy.legal_basis import LegalBasis
from inbox.access.policy.names import MeaningLanguage
from inbox.access.policy.shielding import ShieldingTable
from inbox.access.policy.vocabulary import PolicyRule, duties_text

_NO_BASIS: Final = "none"
_NOTHING: Final = "nothing"


class WrittenKind(StrEnum):
    """What was done to something in the files; the key of its text."""

    ROW_OFF = "row_off"
    ROW_ON = "row_on"
    ROW_RENAMED = "row_renamed"
    ROW_ADDED = "row_added"
    ROW_DROPPED = "row_dropped"
    ROW_CHANGED = "row_changed"
    BASIS_DROPPED = "basis_dropped"
    BASIS_ADDED = "basis_added"
    BASIS_CHANGED = "basis_changed"
    SHIELDING_CHANGED = "shielding_changed"
    SHIELDING_ORDER = "shielding_order"
    INVARIANT_DROPPED = "invariant_dropped"
    INVARIANT_ADDED = "invariant_added"
    ASSUMPTION_DROPPED = "assumption_dropped"
    ASSUMPTION_ADDED = "assumption_added"
    WRITTEN_FOR = "written_for"
    OVERRIDDEN_DROPPED = "overridden_dropped"
    OVERRIDDEN_ADDED = "overridden_added"


_LINES: Final[Mapping[WrittenKind, str]] = {
    WrittenKind.ROW_OFF: "row {0} switched off",
    WrittenKind.ROW_ON: "row {0} not switched off now",
    WrittenKind.ROW_RENAMED: "row {0} is {1} now",
    WrittenKind.ROW_ADDED: "row {0} added: {1}",
    WrittenKind.ROW_DROPPED: "row {0} dropped: {1}",
    WrittenKind.ROW_CHANGED: "row {0}: {1} {2} -> {3}",
    WrittenKind.BASIS_DROPPED: "basis {0} dropped: {1}",
    WrittenKind.BASIS_ADDED: "basis {0} added: {1}{2}",
    WrittenKind.BASIS_CHANGED: "basis {0}: {1} {2} -> {3}",
    WrittenKind.SHIELDING_CHANGED: "shielding {0!r}: {1} -> {2}",
    WrittenKind.SHIELDING_ORDER: "shielding, strictest first: {0} -> {1}",
    WrittenKind.INVARIANT_DROPPED: "invariant dropped: {0}",
    WrittenKind.INVARIANT_ADDED: "invariant added: {0}",
    WrittenKind.ASSUMPTION_DROPPED: "assumption dropped: {0}",
    WrittenKind.ASSUMPTION_ADDED: "assumption added: {0}",
    WrittenKind.WRITTEN_FOR: "written for {0} -> {1}",
    WrittenKind.OVERRIDDEN_DROPPED: "never overridden, dropped: {0}",
    WrittenKind.OVERRIDDEN_ADDED: "never overridden, added: {0}",
}
"""What the digest is computed over: a changed letter here changes the digest of differences."""


@dataclass(frozen=True, kw_only=True)
class WrittenChange:
    """One thing that is written differently."""

    kind: WrittenKind
    parts: tuple[str, ...]

    @property
    def is_about_shielding(self) -> bool:
        """Whether a clearance then covers something else."""
        return self.kind in {WrittenKind.SHIELDING_CHANGED, WrittenKind.SHIELDING_ORDER}

    @property
    def line(self) -> str:
        """The change in the words of the files."""
        return _LINES[self.kind].format(*self.parts)


def _change(kind: WrittenKind, *parts: str) -> WrittenChange:
    return WrittenChange(kind=kind, parts=parts)


def switched_rows(old: Iterable[PolicyRule], new: Iterable[PolicyRule]) -> Iterator[WrittenChange]:
    """Rows that were switched off, and those that are on again or gone; given are those off."""
    before, after = ([rule.id for rule in rules] for rules in (old, new))
    yield from (_change(WrittenKind.ROW_OFF, each) for each in after if each not in before)
    yield from (_change(WrittenKind.ROW_ON, each) for each in before if each not in after)


def changed_rows(old: Sequence[PolicyRule], new: Sequence[PolicyRule]) -> Iterator[WrittenChange]:
    """Rules that were added, dropped, renamed or changed, cell by cell."""
    before, after = ({rule.id: rule for rule in rules} for rules in (old, new))
    dropped = {_cells(rule): rule.id for rule in old if rule.id not in after}
    for rule in new:
        if rule.id not in before:
            was = dropped.pop(_cells(rule), None)
            if was:
                yield _change(WrittenKind.ROW_RENAMED, was, rule.id)
            else:
                yield _change(WrittenKind.ROW_ADDED, rule.id, _row(rule))
            continue
        known = dict(_cells(before[rule.id]))
        for cell, text in _cells(rule):
            if known[cell] != text:
                yield _change(WrittenKind.ROW_CHANGED, rule.id, cell, known[cell], text)
    for rule_id in dropped.values():
        yield _change(WrittenKind.ROW_DROPPED, rule_id, _row(before[rule_id]))


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


def changed_bases(
    old: Mapping[str, LegalBasis], new: Mapping[str, LegalBasis]
) -> Iterator[WrittenChange]:
    """Legal bases that were dropped, added or changed, cell by cell."""
    for basis in old.values():
        if basis.id not in new:
            text = basis.text_in(MeaningLanguage.NB)
            yield _change(WrittenKind.BASIS_DROPPED, basis.id, text)
    for basis in new.values():
        known = old.get(basis.id)
        if known is None:
            text = basis.text_in(MeaningLanguage.NB)
            yield _change(WrittenKind.BASIS_ADDED, basis.id, text, _period(basis))
            continue
        before = dict(_basis_cells(known))
        for name, text in _basis_cells(basis):
            if before[name] != text:
                yield _change(WrittenKind.BASIS_CHANGED, basis.id, name, before[name], text)


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


def changed_shieldings(old: ShieldingTable, new: ShieldingTable) -> Iterator[WrittenChange]:
    """Texts whose code changed, was added or was dropped, and codes whose order changed."""
    for text in sorted(old.code_by_text.keys() | new.code_by_text.keys()):
        had, has = (shieldings.code_by_text.get(text, "?") for shieldings in (old, new))
        if had != has:
            yield _change(WrittenKind.SHIELDING_CHANGED, text, had, has)
    codes = [[each.code for each in shieldings.strictest_first] for shieldings in (old, new)]
    kept = [[code for code in some if all(code in every for every in codes)] for some in codes]
    if kept[0] != kept[1]:
        yield _change(WrittenKind.SHIELDING_ORDER, " ".join(kept[0]), " ".join(kept[1]))


def changed_invariants(
    old: Sequence[Implication], new: Sequence[Implication]
) -> Iterator[WrittenChange]:
    """Invariants and assumptions that were dropped or added."""
    before, after = ({invariant.line.text for invariant in invariants} for invariants in (old, new))
    for invariant in old:
        if invariant.line.text not in after:
            yield _change(WrittenKind(f"{_kind(invariant)}_dropped"), invariant.line.text)
    for invariant in new:
        if invariant.line.text not in before:
            yield _change(WrittenKind(f"{_kind(invariant)}_added"), invariant.line.text)


def _kind(invariant: Implication) -> str:
    return "assumption" if invariant.is_assumption else "invariant"


def changed_header(old: PolicyHeader, new: PolicyHeader) -> Iterator[WrittenChange]:
    """Another version of the vocabulary, and facts that some row must deny for, or need no more."""
    if old.written_for != new.written_for:
        yield _change(WrittenKind.WRITTEN_FOR, _vocabulary_text(old), _vocabulary_text(new))
    for name in old.never_overridden:
        if name not in new.never_overridden:
            yield _change(WrittenKind.OVERRIDDEN_DROPPED, name)
    for name in new.never_overridden:
        if name not in old.never_overridden:
            yield _change(WrittenKind.OVERRIDDEN_ADDED, name)


def _vocabulary_text(header: PolicyHeader) -> str:
    if header.written_for is None:
        return "the names that the folder lists"
    return f"version {header.written_for} of the vocabulary"
