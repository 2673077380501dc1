"""Lint of a valid policy: rules without effect, and facts and actions that no rule uses. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from inbox.access.files.bases import BASES_FILE
from inbox.access.files.bdd import FALSE, Bdd, BddAlgebra
from inbox.access.files.decision_space import DecisionSpace, bdd_algebra_for
from inbox.access.files.folder import PolicyDraft
from inbox.access.files.header import HEADER_FILE, OLDER_HEADER_FILES
from inbox.access.files.invariants import INVARIANTS_FILE
from inbox.access.files.proofs import violated_invariants
from inbox.access.files.rule_rows import ALLOW_FILE, DENY_FILE, cells_of
from inbox.access.files.versions import FilesByName
from inbox.access.policy.conditions import names_in
from inbox.access.policy.legal_basis import LegalBasis
from inbox.access.policy.names import NameKind
from inbox.access.policy.vocabulary import Action, Effect, PolicyRule, Role, cell_includes
from inbox.strict.lines import read_lines, read_text_lines
from inbox.strict.phrases import Phrase, PhraseBook

LINT_PHRASES: Final = PhraseBook(Path(__file__).with_name("lint_texts.toml"))
_FILES: Final = {Effect.ALLOW: ALLOW_FILE, Effect.DENY: DENY_FILE}
_ID_CELL: Final = {ALLOW_FILE: 1, DENY_FILE: 1, BASES_FILE: 0}
"""By file of rows, which of its cells has the id."""


@dataclass(frozen=True, kw_only=True)
class PolicyFinding:
    """An error to correct, or a note."""

    code: str
    about: str
    said: Phrase
    is_error: bool
    file: str | None = None
    """The file in which it stands; None for what stands nowhere, such as a fact without rows."""


def lint(draft: PolicyDraft, *, on: date | None = None) -> tuple[PolicyFinding, ...]:
    """What a policy editor should look at: errors first, then notes.

    Without a day no legal basis counts as expired.
    A row that denies what no row allows is only a note: two fences may be meant.
    """
    looked = _RuleLinter(draft)
    found = [
        *_violations(draft),
        *(finding for rule in draft.policy.rules for finding in looked.findings_for(rule)),
        *_switched_off(draft),
        *_header_notes(draft),
        *_later_names(draft),
        *_legal_bases(draft, on),
        *_unused_names(draft),
    ]
    return tuple(sorted(found, key=lambda finding: not finding.is_error))


def _violations(draft: PolicyDraft) -> Iterator[PolicyFinding]:
    for broken in violated_invariants(draft.policy, draft.invariants):
        yield PolicyFinding(
            code="invariant",
            about=broken.invariant.line.text,
            said=LINT_PHRASES(
                "invariant",
                line=broken.invariant.line.number,
                role=broken.role.value,
                facts=" ".join(broken.holding) or "-",
            ),
            is_error=True,
            file=INVARIANTS_FILE,
        )


def _of_rule(rule: PolicyRule, code: str, said: Phrase, *, is_error: bool) -> PolicyFinding:
    file = _FILES[rule.effect]
    return PolicyFinding(code=code, about=rule.id, said=said, is_error=is_error, file=file)


class _RuleLinter:
    """Compares each rule with the policy without that rule."""

    def __init__(self, draft: PolicyDraft) -> None:
        self._draft = draft
        self._algebra: BddAlgebra = bdd_algebra_for([draft.policy], draft.invariants)
        self._space = DecisionSpace(draft.policy, draft.invariants, self._algebra)

    def findings_for(self, rule: PolicyRule) -> Iterator[PolicyFinding]:
        """The findings about one rule."""
        roles = [role for role in Role if cell_includes(rule.roles, role)]
        dead = [role for role in roles if self._possible(self._space.matches(rule), role) == FALSE]
        if len(dead) == len(roles):
            yield _of_rule(rule, "dead", LINT_PHRASES("dead"), is_error=True)
        elif dead and rule.roles != "*":
            said = LINT_PHRASES("dead_role", roles=" ".join(dead))
            yield _of_rule(rule, "dead_role", said, is_error=True)
        elif not self._changes_decisions(rule, roles):
            wrong = rule.effect is Effect.ALLOW
            yield _of_rule(rule, "redundant", LINT_PHRASES("redundant"), is_error=wrong)

    def _possible(self, truth: Bdd, role: Role) -> Bdd:
        return self._algebra.conjoin((truth, self._space.assumptions(role)))

    def _changes_decisions(self, rule: PolicyRule, roles: list[Role]) -> bool:
        without = DecisionSpace(
            self._draft.policy, self._draft.invariants, self._algebra, without=rule.id
        )
        asked = [(a, role) for a in Action for role in roles if rule.applies_to(a, role)]
        return any(
            self._duties_where_allowed(self._space, *each)
            != self._duties_where_allowed(without, *each)
            for each in asked
        )

    def _duties_where_allowed(
        self, space: DecisionSpace, action: Action, role: Role
    ) -> dict[str, Bdd]:
        """Each set of duties, and where a permission requires it.

        Only the combinations of facts that are possible are included.
        """
        duties = space.duties(action, role).items()
        there = {" ".join(sorted(some)): self._possible(truth, role) for some, truth in duties}
        return {some: truth for some, truth in there.items() if truth != FALSE}


def _switched_off(draft: PolicyDraft) -> Iterator[PolicyFinding]:
    for rule in draft.switched_off.values():
        yield _of_rule(rule, "switched_off", LINT_PHRASES("switched_off"), is_error=False)


def _header_notes(draft: PolicyDraft) -> Iterator[PolicyFinding]:
    header, newest = draft.header, draft.vocabulary.version
    if header.written_for is None:
        older = ", ".join(OLDER_HEADER_FILES)
        said = LINT_PHRASES("older_folder", files=older, version=newest)
        yield PolicyFinding(code="older_folder", about=HEADER_FILE, said=said, is_error=False)
    elif header.written_for > newest:
        yield PolicyFinding(
            code="newer_vocabulary",
            about=f"vocabulary {header.written_for}",
            said=LINT_PHRASES("newer_vocabulary", version=newest),
            is_error=False,
            file=HEADER_FILE,
        )


def _later_names(draft: PolicyDraft) -> Iterator[PolicyFinding]:
    """What the vocabulary has that the policy was not written for, and what decides it."""
    later = draft.policy.later
    for name in later.names:
        code, what = "later_name", LINT_PHRASES("no_row_needed")
        if name.kind is NameKind.ACTION:
            action = Action(name.name)
            if olds := later.stand_ins.get(action):
                code, what = "stand_in", LINT_PHRASES("stand_in", action=" ".join(olds))
            elif action in later.denied:
                code, what = "new_action_denied", LINT_PHRASES("new_action_denied")
            else:
                what = LINT_PHRASES("own_rows")
        said = LINT_PHRASES("later_name", version=name.since, what=what)
        yield PolicyFinding(code=code, about=name.name, said=said, is_error=False)


def _legal_bases(draft: PolicyDraft, on: date | None) -> Iterator[PolicyFinding]:
    """Rows that name no legal basis, bases that no row names, and bases that have expired."""

    def note(code: str, about: str, said: Phrase) -> PolicyFinding:
        return PolicyFinding(code=code, about=about, said=said, is_error=False, file=BASES_FILE)

    if draft.header.written_for is None:
        return  # The rows of an older folder cannot name any.
    for rule in draft.rows:
        if not rule.bases:
            yield _of_rule(rule, "basis_missing", LINT_PHRASES("basis_missing"), is_error=False)
    for basis in draft.policy.bases.values():
        rows = [rule.id for rule in draft.rows if basis.id in rule.bases]
        if not rows:
            yield note("basis_unused", basis.id, LINT_PHRASES("basis_unused"))
        elif on is not None and basis.has_expired(on):
            yield note("basis_expired", basis.id, _expired(basis, rows))


def _expired(basis: LegalBasis, rows: Sequence[str]) -> Phrase:
    day, named_by = str(basis.valid_until), " ".join(rows)
    if basis.successor is None:
        return LINT_PHRASES("basis_expired", day=day, rows=named_by)
    return LINT_PHRASES("basis_replaced", day=day, rows=named_by, successor=basis.successor)


def _unused_names(draft: PolicyDraft) -> Iterator[PolicyFinding]:
    rules, conditions = draft.policy.rules, draft.policy.conditions
    used = frozenset[str]().union(*(names_in(conditions[rule.when]) for rule in rules))
    later = {name.name for name in draft.policy.later.names}
    for fact in sorted(draft.policy.facts - used - later):
        said = LINT_PHRASES("fact_unused")
        yield PolicyFinding(code="fact_unused", about=fact, said=said, is_error=False)
    allowed = {rule.actions for rule in rules if rule.effect is Effect.ALLOW}
    for action in Action:
        if action not in allowed and action not in later:
            said = LINT_PHRASES("action_denied")
            yield PolicyFinding(code="action_denied", about=action, said=said, is_error=False)


def row_lines(files: FilesByName) -> Mapping[tuple[str, str], int]:
    """The lines of rules, legal bases and invariants, by file and by what findings call them."""
    found = {
        (INVARIANTS_FILE, line.text): line.number
        for line in read_lines(INVARIANTS_FILE, files[INVARIANTS_FILE])
    }
    for name, place in _ID_CELL.items():
        for line in read_text_lines(name, files[name]) if name in files else ():
            found[name, cells_of(line.text)[place]] = line.number
    return found
