"""All answers of a policy at once: by action and role, exactly when it is yes. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from inbox.access.files.bdd import EVER, NEVER, Truth, Truths
from inbox.access.files.invariants import ROLE, Claim
from inbox.access.policy.conditions import names_in
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Duty, Effect, Role, Rule

_ACTIONS: Final = frozenset(Action)


def truths_of(policies: Iterable[Policy], claims: Iterable[Claim]) -> Truths:
    """Truths over the facts of these, in the order in which the rules use them.

    Answers that are to be compared share them.
    """
    claims = tuple(claims)
    used: list[str] = []
    for policy in policies:
        for rule in policy.rules:
            used += sorted(names_in(policy.conditions[rule.when]))
    for claim in claims:
        used += sorted(claim.facts)
    return Truths(used)


class Answers:
    """What one policy answers, under assumptions about the world; worked out when first asked.

    `without` is the id of a rule that counts as not there.
    """

    def __init__(
        self, policy: Policy, claims: Iterable[Claim], truths: Truths, *, without: str = ""
    ) -> None:
        self._rules = [rule for rule in policy.rules if rule.id != without]
        self._conditions = policy.conditions
        self._truths = truths
        self._assumed = [claim for claim in claims if claim.assumed]
        self._worlds: dict[Role, Truth] = {}
        self._when: dict[str, Truth] = {}
        self._allowed: dict[tuple[Action, Role], Truth] = {}

    def world(self, role: Role) -> Truth:
        """The combinations of facts that the assumptions permit for this role."""
        if role not in self._worlds:
            claims = (self.claim(claim, role) for claim in self._assumed)
            self._worlds[role] = self._truths.every(claims)
        return self._worlds[role]

    def claim(self, claim: Claim, role: Role) -> Truth:
        """Where an invariant or assumption is true for this role."""

        def of(name: str) -> Truth:
            if name.startswith(ROLE):
                return EVER if name.removeprefix(ROLE) == role else NEVER
            return self.allowed(Action(name), role) if name in _ACTIONS else self._fact(name)

        return self._truths.where(claim.whole, of)

    def _fact(self, name: str) -> Truth:
        return self._truths.fact(name)

    def when(self, rule: Rule) -> Truth:
        """Where a rule matches."""
        if rule.when not in self._when:
            condition = self._conditions[rule.when]
            self._when[rule.when] = self._truths.where(condition, self._fact)
        return self._when[rule.when]

    def concerning(self, action: Action, role: Role, effect: Effect) -> Sequence[Rule]:
        """The rules of this effect that apply to the action and the role."""
        return [
            rule for rule in self._rules if rule.effect is effect and rule.concerns(action, role)
        ]

    def allowed(self, action: Action, role: Role) -> Truth:
        """Where the action is allowed: at least one allow rule matches, and no deny rule does."""
        key = action, role
        if key not in self._allowed:
            allows, denies = (self.concerning(action, role, effect) for effect in Effect)
            self._allowed[key] = self._truths.but(
                self._truths.some(map(self.when, allows)),
                self._truths.some(map(self.when, denies)),
            )
        return self._allowed[key]

    def bases(self, action: Action, role: Role) -> Iterator[tuple[Rule, Truth]]:
        """Each rule that can be the basis of a yes, and where it is: the fewest duties first."""
        left = self.allowed(action, role)
        for rule in sorted(self.concerning(action, role, Effect.ALLOW), key=_duties):
            yield rule, self._truths.every((left, self.when(rule)))
            left = self._truths.but(left, self.when(rule))

    def duties(self, action: Action, role: Role) -> Mapping[frozenset[Duty], Truth]:
        """Each set of duties, and where a permission requires it."""
        found: dict[frozenset[Duty], Truth] = {}
        for rule, truth in self.bases(action, role):
            found[rule.duties] = self._truths.some((found.get(rule.duties, NEVER), truth))
        return found


def _duties(rule: Rule) -> int:
    return len(rule.duties)
