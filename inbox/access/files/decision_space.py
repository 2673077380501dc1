"""The decision space of a policy: for each action and role, where the answer is yes, as a BDD.

The problem: "what does this policy allow" has no finite list as its answer, and one question at a
time proves nothing. Proofs of invariants, and the exact difference of two policies, need all of it.

The method: the characteristic function of the allowed combinations of facts, compiled from the
rules: at least one allow matches, and no deny does. Assumptions ("an assigned person is in the
unit") are a function too; a proof or a difference ignores the combinations that they exclude.

An example, with one allow and one deny:

    >>> from inbox.access.policy.vocabulary import Effect, PolicyRule
    >>> rows = [("A1", "in_unit or assigned", Effect.ALLOW), ("D1", "conflict", Effect.DENY)]
    >>> rules = [PolicyRule(id=i, actions="*", roles="*", when=w, effect=e) for i, w, e in rows]
    >>> policy = Policy(rules, facts=["in_unit", "assigned", "conflict"], digest="")
    >>> algebra = bdd_algebra_for([policy], ())
    >>> allowed = DecisionSpace(policy, (), algebra).allowed(Action.OPEN, Role.HANDLER)
    >>> [sorted(term) for term in algebra.irredundant_cover(allowed)]
    [[('assigned', True), ('conflict', False)], [('conflict', False), ('in_unit', True)]]

Not done here: no request is decided, for `policy.engine` does that. It is pure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from inbox.access.files.bdd import FALSE, TRUE, Bdd, BddAlgebra
from inbox.access.files.invariants import ROLE_PREFIX, Implication
from inbox.access.policy.conditions import names_in
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Duty, Effect, PolicyRule, Role

_ACTIONS: Final = frozenset(Action)


def bdd_algebra_for(policies: Iterable[Policy], invariants: Iterable[Implication]) -> BddAlgebra:
    """A BDD algebra over all facts that these policies and invariants use.

    The facts are in the order in which the rules use them. BDDs can be compared only within one
    algebra, so all policies that are to be compared are given at once.
    """
    invariants = tuple(invariants)
    used: list[str] = []
    for policy in policies:
        for rule in policy.rules:
            # The order of a BDD decides its size: facts that one rule names together stay together.
            used += sorted(names_in(policy.conditions[rule.when]))
    for invariant in invariants:
        used += sorted(invariant.facts)
    return BddAlgebra(used)


class DecisionSpace:
    """All decisions of one policy, under the assumptions about the world.

    Each decision is computed when it is first needed.

    `without` is the id of a rule that is left out.
    """

    def __init__(
        self,
        policy: Policy,
        invariants: Iterable[Implication],
        algebra: BddAlgebra,
        *,
        without: str = "",
    ) -> None:
        self._rules = [rule for rule in policy.rules if rule.id != without]
        self._conditions = policy.conditions
        self._algebra = algebra
        self._assumption_list = [invariant for invariant in invariants if invariant.is_assumption]
        self._assumptions: dict[Role, Bdd] = {}
        self._matches: dict[str, Bdd] = {}
        self._allowed: dict[tuple[Action, Role], Bdd] = {}

    def assumptions(self, role: Role) -> Bdd:
        """The combinations of facts that the assumptions permit for this role."""
        if role not in self._assumptions:
            invariants = (
                self.implication_holds(invariant, role) for invariant in self._assumption_list
            )
            self._assumptions[role] = self._algebra.conjoin(invariants)
        return self._assumptions[role]

    def implication_holds(self, invariant: Implication, role: Role) -> Bdd:
        """Where an invariant or assumption is true for this role."""

        def of(name: str) -> Bdd:
            if name.startswith(ROLE_PREFIX):
                return TRUE if name.removeprefix(ROLE_PREFIX) == role else FALSE
            return self.allowed(Action(name), role) if name in _ACTIONS else self._variable(name)

        if not invariant.needs:
            return self._algebra.compile_condition(invariant.condition, of)
        # "open needs log": in no combination is the left side true while the rule that the
        # permission is based on lacks the duty.
        (action,) = names_in(invariant.left) & _ACTIONS
        lacking = self._algebra.disjoin(
            truth
            for rule, truth in self.deciding_rules(Action(action), role)
            if not invariant.needs <= rule.duties
        )
        asked = self._algebra.compile_condition(invariant.left, of)
        return self._algebra.and_not(TRUE, self._algebra.conjoin((asked, lacking)))

    def _variable(self, name: str) -> Bdd:
        return self._algebra.variable(name)

    def matches(self, rule: PolicyRule) -> Bdd:
        """Where a rule matches."""
        if rule.when not in self._matches:
            condition = self._conditions[rule.when]
            self._matches[rule.when] = self._algebra.compile_condition(condition, self._variable)
        return self._matches[rule.when]

    def applicable_rules(self, action: Action, role: Role, effect: Effect) -> Sequence[PolicyRule]:
        """The rules of this effect that apply to the action and the role."""
        return [
            rule for rule in self._rules if rule.effect is effect and rule.applies_to(action, role)
        ]

    def allowed(self, action: Action, role: Role) -> Bdd:
        """Where the action is allowed: at least one allow rule matches, and no deny rule does."""
        key = action, role
        if key not in self._allowed:
            allows, denies = (self.applicable_rules(action, role, effect) for effect in Effect)
            self._allowed[key] = self._algebra.and_not(
                self._algebra.disjoin(map(self.matches, allows)),
                self._algebra.disjoin(map(self.matches, denies)),
            )
        return self._allowed[key]

    def deciding_rules(self, action: Action, role: Role) -> Iterator[tuple[PolicyRule, Bdd]]:
        """Each rule that can be the basis of a permission, and where it is the basis.

        Rules with the fewest duties come first.
        """
        # A decision ranks rules in the same order (`by_fewest_duties`). Each rule keeps what those
        # before it have left, so exactly one rule is the basis of each yes.
        left = self.allowed(action, role)
        for rule in sorted(
            self.applicable_rules(action, role, Effect.ALLOW), key=_number_of_duties
        ):
            yield rule, self._algebra.conjoin((left, self.matches(rule)))
            left = self._algebra.and_not(left, self.matches(rule))

    def duties(self, action: Action, role: Role) -> Mapping[frozenset[Duty], Bdd]:
        """Each set of duties, and where a permission requires it."""
        found: dict[frozenset[Duty], Bdd] = {}
        for rule, truth in self.deciding_rules(action, role):
            found[rule.duties] = self._algebra.disjoin((found.get(rule.duties, FALSE), truth))
        return found


def _number_of_duties(rule: PolicyRule) -> int:
    return len(rule.duties)
