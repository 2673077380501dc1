"""Reads the rows of `allow.csv` and `deny.csv` strictly.

What casbin's own reader would skip or mangle without a word is refused here.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeVar

from inbox.access.facts.registry import ACTION_SUBJECTS, fact_names_of
from inbox.access.files.bases import BASES_FILE
from inbox.access.files.phrases import POLICY_PHRASES
from inbox.access.files.removed_names import check_not_removed
from inbox.access.policy.conditions import dnf_of, names_in, read_condition
from inbox.access.policy.legal_basis import LegalBasis
from inbox.access.policy.names import Vocabulary
from inbox.access.policy.vocabulary import (
    NO_DUTIES,
    Action,
    Duty,
    Effect,
    PolicyRule,
    Role,
    cell_includes,
)
from inbox.errors import PolicyError
from inbox.strict.lines import SourceLine, policy_position, read_lines
from inbox.strict.phrases import Said

ALLOW_FILE: Final = "allow.csv"
DENY_FILE: Final = "deny.csv"
SWITCHED_OFF: Final = "off"
"""What stands in place of `allow` in a row that one person has switched off."""
_CELLS: Final = ("p", "id", "action", "role", "when", "duty", "effect")
_BASIS_CELL: Final = "basis"
"""The one cell that may be left out: a rule then names no legal basis."""
EFFECT_CELL: Final = _CELLS.index("effect")
_RULE_ID: Final = {
    Effect.ALLOW: re.compile(r"A\d\d[a-z]?"),
    Effect.DENY: re.compile(r"D\d\d[a-z]?"),
}
_FACTS_OF_ACTION: Final = {
    action: [fact_names_of(kind) for kind in kinds] for action, kinds in ACTION_SUBJECTS.items()
}
"""The facts that are known of each kind of subject that an action can be asked about."""
_ALLOWED_EFFECTS: Final[Mapping[Effect, Said]] = {
    Effect.ALLOW: POLICY_PHRASES("effect_or_off", effect=Effect.ALLOW.value, off=SWITCHED_OFF),
    Effect.DENY: Effect.DENY.value,
}
W = TypeVar("W", bound=StrEnum)


def read_rules(
    file: str,
    raw: bytes,
    effect: Effect,
    vocabulary: Vocabulary,
    bases: Mapping[str, LegalBasis] | None,
) -> Mapping[PolicyRule, bool]:
    """The rows in their order, and of each whether it decides: False where it is switched off.

    `bases` is None for an older folder, whose rows have no cell for them.
    """
    rows: dict[PolicyRule, bool] = {}
    ids: set[str] = set()
    for line in read_lines(file, raw):
        rule = _read_rule(line, effect, vocabulary, bases)
        if rule.id in ids:
            raise line.refuse("rule_id_twice", rule.id, POLICY_PHRASES("each_id_once"))
        ids.add(rule.id)
        rows[rule] = cells_of(line.text)[EFFECT_CELL] != SWITCHED_OFF
    if not any(rows.values()):
        place = policy_position(file).at_line(1)
        raise place.refuse("empty", POLICY_PHRASES("no_rows"), POLICY_PHRASES("a_row"))
    return rows


def cells_of(row: str) -> list[str]:
    """The cells of a row of `allow.csv` or `deny.csv`."""
    return [cell.strip(" ") for cell in row.split(",")]


def _read_rule(
    line: SourceLine,
    effect: Effect,
    vocabulary: Vocabulary,
    bases: Mapping[str, LegalBasis] | None,
) -> PolicyRule:
    cells = cells_of(line.text)
    expected = _CELLS if bases is None else (*_CELLS, _BASIS_CELL)
    if len(cells) not in {len(_CELLS), len(expected)} or not all(cells):
        raise line.refuse("cells", line.text, ", ".join(expected))
    kind, rule_id, acts, roles, when, duties, eft, *named = cells
    if kind != "p":
        raise line.refuse("kind", kind, "p")
    if _RULE_ID[effect].fullmatch(rule_id) is None:
        letter = effect.value[0].upper()
        raise line.refuse("id", rule_id, POLICY_PHRASES("rule_id", letter=letter))
    if eft != effect.value and (eft, effect) != (SWITCHED_OFF, Effect.ALLOW):
        raise line.refuse("effect", eft, _ALLOWED_EFFECTS[effect])
    check_not_removed(line, f"{acts} {roles} {when} {duties}", vocabulary)
    _check_cell(line, acts, Action, wildcard=effect is Effect.DENY)
    if effect is Effect.ALLOW and " " in acts:
        raise line.refuse("action", acts, POLICY_PHRASES("one_action"))
    _check_cell(line, roles, Role, wildcard=effect is Effect.DENY)
    try:
        condition = read_condition(when, vocabulary.facts)
        dnf_of(condition)
    except PolicyError as error:
        raise line.with_location(error) from error
    _check_facts_known(line, acts, names_in(condition))
    return PolicyRule(
        id=rule_id,
        actions=acts,
        roles=roles,
        when=when,
        duties=_read_duties(line, duties),
        effect=effect,
        bases=_read_basis_ids(line, named[0], bases) if named and bases is not None else (),
    )


def _check_facts_known(line: SourceLine, acts: str, used: frozenset[str]) -> None:
    """Check that each action has a kind of subject for which all these facts are defined."""
    for action, known in _FACTS_OF_ACTION.items():
        if cell_includes(acts, action) and not any(used <= facts for facts in known):
            odd = sorted(used - frozenset().union(*known)) or sorted(used)
            nearest = max(known, key=lambda facts: len(used.intersection(facts)))
            allowed = " ".join(sorted(nearest))
            raise line.refuse("fact_unknown", f"{action}: {' '.join(odd)}", allowed)


def _read_duties(line: SourceLine, cell: str) -> frozenset[Duty]:
    if cell == NO_DUTIES:
        return frozenset()
    _check_cell(line, cell, Duty, wildcard=False)
    return frozenset(Duty(word) for word in cell.split(" "))


def _read_basis_ids(
    line: SourceLine, cell: str, bases: Mapping[str, LegalBasis]
) -> tuple[str, ...]:
    ids = tuple(cell.split(" "))
    if len(set(ids)) != len(ids) or not bases.keys() >= set(ids):
        allowed = POLICY_PHRASES("basis_ids", file=BASES_FILE, names=", ".join(bases))
        raise line.refuse("basis", cell, allowed, *bases)
    return ids


def _check_cell(line: SourceLine, cell: str, words: type[W], *, wildcard: bool) -> None:
    """Check that a cell contains only words of the closed list.

    The words must be distinct and separated by single spaces. The cell may be `*` instead where a
    wildcard is allowed.
    """
    if wildcard and cell == "*":
        return
    read = cell.split(" ")
    if len(set(read)) != len(read) or not set(read) <= set(words):
        allowed = ", ".join(words) + (", *" if wildcard else "")
        raise line.refuse("word", cell, allowed, *words)
