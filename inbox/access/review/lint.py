"""Lint of a valid policy: rules without effect, and facts and actions that no rule uses. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from inbox.access.files.bdd import FALSE, Bdd, BddAlgebra
from inbox.access.files.decision_space import DecisionSpace, bdd_algebra_for
from inbox.access.files.folder import PolicyDraft
from inbox.access.files.header import HEADER_FILE, OLDER_HEADER_FILES
from inbox.access.files.proofs import violated_invariants
from inbox.access.policy.conditions import names_in
from inbox.access.policy.names import NameKind
from inbox.access.policy.vocabulary import Action, Effect, PolicyRule, Role, cell_includes


@dataclass(frozen=True, kw_only=True)
class PolicyFinding:
    """An error to correct, or a note."""

    code: str
    about: str
    text: str
    is_error: bool


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
            code="invariant", about=broken.invariant.line.text, text=str(broken), is_error=True
        )


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
            text = "no one can match it, under the assumptions of invariants.txt"
            yield PolicyFinding(code="dead", about=rule.id, text=text, is_error=True)
        elif dead and rule.roles != "*":
            text = f"never matches for {' '.join(dead)}, under the assumptions of invariants.txt"
            yield PolicyFinding(code="dead_role", about=rule.id, text=text, is_error=True)
        elif not self._changes_decisions(rule, roles):
            wrong = rule.effect is Effect.ALLOW
            text = "changes nothing: without it every decision and duty is the same"
            yield PolicyFinding(code="redundant", about=rule.id, text=text, is_error=wrong)

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
        text = "is switched off, and decides nothing; two people can switch it on"
        yield PolicyFinding(code="switched_off", about=rule.id, text=text, is_error=False)


def _header_notes(draft: PolicyDraft) -> Iterator[PolicyFinding]:
    header, newest = draft.header, draft.vocabulary.version
    if header.written_for is None:
        text = (
            f"is in place of {', '.join(OLDER_HEADER_FILES)}, which decide nothing: the program "
            f"explains its names itself; write `vocabulary = {newest}` and never_overridden there"
        )
        yield PolicyFinding(code="older_folder", about=HEADER_FILE, text=text, is_error=False)
    elif header.written_for > newest:
        text = f"is a newer vocabulary than that of this program, which is version {newest}"
        about = f"vocabulary {header.written_for}"
        yield PolicyFinding(code="newer_vocabulary", about=about, text=text, is_error=False)


def _later_names(draft: PolicyDraft) -> Iterator[PolicyFinding]:
    """What the vocabulary has that the policy was not written for, and what decides it."""
    later = draft.policy.later
    for name in later.names:
        code, text = "later_name", "no row need use it"
        if name.kind is NameKind.ACTION:
            action = Action(name.name)
            if (old := later.stand_ins.get(action)) is not None:
                code, text = "stand_in", f"the rows of {old} decide it, those that deny too"
            elif action in later.denied:
                code, text = (
                    "new_action_denied",
                    "nobody may do it until a row of its own allows it",
                )
            else:
                text = "it has rows of its own"
        since = f"the policy was written before version {name.since} of the vocabulary"
        yield PolicyFinding(code=code, about=name.name, text=f"{since}: {text}", is_error=False)


def _legal_bases(draft: PolicyDraft, on: date | None) -> Iterator[PolicyFinding]:
    """Rows that name no legal basis, bases that no row names, and bases that have expired."""

    def note(code: str, about: str, text: str) -> PolicyFinding:
        return PolicyFinding(code=code, about=about, text=text, is_error=False)

    if draft.header.written_for is None:
        return  # The rows of an older folder cannot name any.
    for rule in draft.rows:
        if not rule.bases:
            yield note("basis_missing", rule.id, "names no legal basis")
    for basis in draft.policy.bases.values():
        rows = [rule.id for rule in draft.rows if basis.id in rule.bases]
        if not rows:
            yield note("basis_unused", basis.id, "no row names it")
        elif on is not None and basis.has_expired(on):
            following = "" if basis.successor is None else f", and {basis.successor} replaces it"
            text = f"expired after {basis.valid_until}{following}; named by {' '.join(rows)}"
            yield note("basis_expired", basis.id, text)


def _unused_names(draft: PolicyDraft) -> Iterator[PolicyFinding]:
    rules, conditions = draft.policy.rules, draft.policy.conditions
    used = frozenset[str]().union(*(names_in(conditions[rule.when]) for rule in rules))
    later = {name.name for name in draft.policy.later.names}
    for fact in sorted(draft.policy.facts - used - later):
        yield PolicyFinding(
            code="fact_unused", about=fact, text="no row uses the fact", is_error=False
        )
    allowed = {rule.actions for rule in rules if rule.effect is Effect.ALLOW}
    for action in Action:
        if action not in allowed and action not in later:
            text = "no row allows it, so nobody may do it"
            yield PolicyFinding(code="action_denied", about=action, text=text, is_error=False)
