"""The impact of a policy change, for all people at once.

It shows who could do what to which messages, and who is affected by another policy.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from inbox.access.facts.registry import ACTION_SUBJECTS
from inbox.access.files.bdd import Bdd, BddAlgebra
from inbox.access.files.decision_space import DecisionSpace, bdd_algebra_for
from inbox.access.policy.conditions import Conjunction
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Role
from inbox.access.question import OfMessage
from inbox.access.review.population import CapacityHolder, Population
from inbox.access.review.requirements import SUPPLIED_FACTS

MAX_SHOWN_IDS = 20
"""Of each person's messages no more ids than these are given."""
_ABOUT_MESSAGES = [
    (action, role) for action in Action if OfMessage in ACTION_SUBJECTS[action] for role in Role
]


@dataclass(frozen=True, kw_only=True)
class CapacityImpact:
    """One capacity that gains or loses an action on some messages."""

    action: Action
    holder: CapacityHolder
    gains: int
    loses: int
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class UnitImpact:
    """The impact on one unit and role: how many people, and how many messages among them."""

    action: Action
    unit: str
    role: str
    gaining: int
    gains: int
    losing: int
    loses: int


@dataclass(frozen=True, kw_only=True)
class PolicyImpact:
    """Everybody who is affected by a policy change: by unit and role, and one by one."""

    by_unit: tuple[UnitImpact, ...]
    by_capacity: tuple[CapacityImpact, ...]
    other_actions: tuple[Action, ...]
    """Actions that change and are not about messages."""


def policy_impact(
    session: Session, now: datetime, old: Policy, new: Policy, *, organisation: str
) -> PolicyImpact:
    """The impact on the people of an organisation, computed in the caller's transaction.

    What a request brings (a reason, a strong sign-in, a target, a proposal) counts as brought, in
    whatever way lets it through: the answer is who could, by the rows that there are.
    """
    changed = _AccessChange(old, new)
    people = Population(session, now)
    mine = [asker for asker in people.holders if asker.organisation == organisation]
    counted: list[UnitImpact] = []
    reached: list[CapacityImpact] = []
    for action, role in _ABOUT_MESSAGES:
        terms = changed.terms(action, role)
        asking = [asker for asker in mine if asker.role == role] if any(terms) else []
        found = [(asker, *_gained_and_lost(people, asker, terms)) for asker in asking]
        counted += _unit_impacts(action, role, found)
        reached += _capacity_impacts(people, action, found)
    elsewhere = tuple(action for action in Action if changed.changes_other_subjects(action))
    return PolicyImpact(by_unit=tuple(counted), by_capacity=tuple(reached), other_actions=elsewhere)


@dataclass(frozen=True, kw_only=True)
class AccessibleMessages:
    """The messages on which one capacity could perform an action."""

    action: Action
    holder: CapacityHolder
    messages: frozenset[str]


def accessible_messages(
    session: Session,
    now: datetime,
    policy: Policy,
    *,
    organisation: str,
    people: Container[str] | None = None,
) -> Iterator[AccessibleMessages]:
    """Who could perform which action on which messages.

    The result covers some or all people of an organisation.

    By the rows that exist, with everything that a request may supply; people who could do nothing
    are left out. In the caller's transaction.
    """
    algebra = bdd_algebra_for([policy], ())
    space = DecisionSpace(policy, (), algebra)
    brought = SUPPLIED_FACTS.intersection(algebra.names)
    population, kept = Population(session, now), dict[int, frozenset[str]]()
    asking = [
        asker
        for asker in population.holders
        if asker.organisation == organisation and (people is None or asker.person in people)
    ]
    for action, role in _ABOUT_MESSAGES:
        terms = algebra.irredundant_cover(algebra.exists(space.allowed(action, role), brought))
        for asker in asking:
            bits = _messages_matching(population, asker, terms) if asker.role == role else 0
            if bits:
                if bits not in kept:
                    kept[bits] = frozenset(population.ids_of(bits, len(population.messages)))
                yield AccessibleMessages(action=action, holder=asker, messages=kept[bits])


_Terms = tuple[Sequence[Conjunction], Sequence[Conjunction]]
_HolderChange = tuple[CapacityHolder, int, int]


class _AccessChange:
    """Where the decisions of two policies differ, expressed in database facts only."""

    def __init__(self, old: Policy, new: Policy) -> None:
        self._algebra: BddAlgebra = bdd_algebra_for([old, new], ())
        self._spaces = [DecisionSpace(policy, (), self._algebra) for policy in (old, new)]
        self._supplied = SUPPLIED_FACTS.intersection(self._algebra.names)

    def terms(self, action: Action, role: Role) -> _Terms:
        """The terms under which a permission is gained, and those under which it is lost."""
        before, after = (self._row_access(space, action, role) for space in self._spaces)
        gained, lost = self._algebra.and_not(after, before), self._algebra.and_not(before, after)
        return self._algebra.irredundant_cover(gained), self._algebra.irredundant_cover(lost)

    def _row_access(self, space: DecisionSpace, action: Action, role: Role) -> Bdd:
        return self._algebra.exists(space.allowed(action, role), self._supplied)

    def changes_other_subjects(self, action: Action) -> bool:
        """Whether the action changes and can be asked for about something other than a message."""
        if ACTION_SUBJECTS[action] == (OfMessage,):
            return False
        old, new = self._spaces
        return any(old.allowed(action, role) != new.allowed(action, role) for role in Role)


def _gained_and_lost(people: Population, asker: CapacityHolder, terms: _Terms) -> tuple[int, int]:
    gained, lost = (_messages_matching(people, asker, some) for some in terms)
    return gained, lost


def _messages_matching(
    people: Population, asker: CapacityHolder, terms: Iterable[Conjunction]
) -> int:
    """The messages for which one of the terms is true; positive literals are evaluated first."""
    found = 0
    for term in terms:
        bits = people.all_messages & ~found
        for name, wanted in sorted(term, key=lambda literal: not literal[1]):
            if not bits:
                break
            held = people.messages_where(name, asker)
            bits &= held if wanted else ~held
        found |= bits
    return found


def _unit_impacts(
    action: Action, role: Role, found: Sequence[_HolderChange]
) -> Iterator[UnitImpact]:
    """The impact on each unit in which somebody is affected."""
    units = sorted({asker.unit for asker, gained, lost in found if gained or lost})
    for unit in units:
        mine = [(gained, lost) for asker, gained, lost in found if asker.unit == unit]
        gains = loses = 0
        for gained, lost in mine:
            gains, loses = gains | gained, loses | lost
        yield UnitImpact(
            action=action,
            unit=unit,
            role=role.value,
            gaining=sum(bool(gained) for gained, _ in mine),
            gains=gains.bit_count(),
            losing=sum(bool(lost) for _, lost in mine),
            loses=loses.bit_count(),
        )


def _capacity_impacts(
    people: Population, action: Action, found: Iterable[_HolderChange]
) -> Iterator[CapacityImpact]:
    for asker, gained, lost in found:
        if gained or lost:
            yield CapacityImpact(
                action=action,
                holder=asker,
                gains=gained.bit_count(),
                loses=lost.bit_count(),
                gained=people.ids_of(gained, MAX_SHOWN_IDS),
                lost=people.ids_of(lost, MAX_SHOWN_IDS),
            )
