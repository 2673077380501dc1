"""Who could do what to which messages, and whom another policy touches, over all people at once."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from inbox.access.facts.registry import SUBJECTS
from inbox.access.files.bdd import Truth, Truths
from inbox.access.files.decision_space import Answers, truths_of
from inbox.access.policy.conditions import Need
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Role
from inbox.access.question import OfMessage
from inbox.access.review.population import Asker, Relations
from inbox.access.review.requirements import BROUGHT

SHOWN_IDS = 20
"""Of each person's messages no more ids than these are given."""
_ABOUT_MESSAGES = [
    (action, role) for action in Action if OfMessage in SUBJECTS[action] for role in Role
]


@dataclass(frozen=True, kw_only=True)
class Reached:
    """One capacity that gains or loses an action on some messages."""

    action: Action
    asker: Asker
    gains: int
    loses: int
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The impact on one unit and role: how many people, and how many messages among them."""

    action: Action
    unit: str
    role: str
    gaining: int
    gains: int
    losing: int
    loses: int


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Everybody who is affected by a policy change: by unit and role, and one by one."""

    counted: tuple[Counted, ...]
    reached: tuple[Reached, ...]
    elsewhere: tuple[Action, ...]
    """Actions that change and are not about messages."""


def reach(session: Session, now: datetime, old: Policy, new: Policy, *, organisation: str) -> Reach:
    """The impact on the people of an organisation, computed in the caller's transaction.

    What a request brings (a reason, a strong sign-in, a target, a proposal) counts as brought, in
    whatever way lets it through: the answer is who could, by the rows that there are.
    """
    changed = _Changed(old, new)
    people = Relations(session, now)
    mine = [asker for asker in people.askers if asker.organisation == organisation]
    counted: list[Counted] = []
    reached: list[Reached] = []
    for action, role in _ABOUT_MESSAGES:
        terms = changed.terms(action, role)
        asking = [asker for asker in mine if asker.role == role] if any(terms) else []
        found = [(asker, *_touched(people, asker, terms)) for asker in asking]
        counted += _count(action, role, found)
        reached += _reached(people, action, found)
    elsewhere = tuple(action for action in Action if changed.elsewhere(action))
    return Reach(counted=tuple(counted), reached=tuple(reached), elsewhere=elsewhere)


@dataclass(frozen=True, kw_only=True)
class Could:
    """The messages on which one capacity could perform an action."""

    action: Action
    asker: Asker
    messages: frozenset[str]


def could(
    session: Session,
    now: datetime,
    policy: Policy,
    *,
    organisation: str,
    people: Container[str] | None = None,
) -> Iterator[Could]:
    """Who could do what to which messages, among some people of an organisation, or all.

    By the rows that there are, with whatever a request may bring; those who could nothing are not
    told. In the caller's transaction.
    """
    truths = truths_of([policy], ())
    answers = Answers(policy, (), truths)
    brought = BROUGHT.intersection(truths.names)
    relations, kept = Relations(session, now), dict[int, frozenset[str]]()
    asking = [
        asker
        for asker in relations.askers
        if asker.organisation == organisation and (people is None or asker.person in people)
    ]
    for action, role in _ABOUT_MESSAGES:
        terms = truths.terms(truths.whatever(answers.allowed(action, role), brought))
        for asker in asking:
            bits = _messages(relations, asker, terms) if asker.role == role else 0
            if bits:
                if bits not in kept:
                    kept[bits] = frozenset(relations.ids(bits, len(relations.messages)))
                yield Could(action=action, asker=asker, messages=kept[bits])


_Terms = tuple[Sequence[Need], Sequence[Need]]
_Touched = tuple[Asker, int, int]


class _Changed:
    """Where the decisions of two policies differ, expressed in database facts only."""

    def __init__(self, old: Policy, new: Policy) -> None:
        self._truths: Truths = truths_of([old, new], ())
        self._answers = [Answers(policy, (), self._truths) for policy in (old, new)]
        self._brought = BROUGHT.intersection(self._truths.names)

    def terms(self, action: Action, role: Role) -> _Terms:
        """The terms under which a permission is gained, and those under which it is lost."""
        before, after = (self._could(answers, action, role) for answers in self._answers)
        gained, lost = self._truths.but(after, before), self._truths.but(before, after)
        return self._truths.terms(gained), self._truths.terms(lost)

    def _could(self, answers: Answers, action: Action, role: Role) -> Truth:
        return self._truths.whatever(answers.allowed(action, role), self._brought)

    def elsewhere(self, action: Action) -> bool:
        """Whether the action changes and can be asked for about something other than a message."""
        if SUBJECTS[action] == (OfMessage,):
            return False
        old, new = self._answers
        return any(old.allowed(action, role) != new.allowed(action, role) for role in Role)


def _touched(people: Relations, asker: Asker, terms: _Terms) -> tuple[int, int]:
    gained, lost = (_messages(people, asker, some) for some in terms)
    return gained, lost


def _messages(people: Relations, asker: Asker, terms: Iterable[Need]) -> int:
    """The messages for which one of the terms is true; positive literals are evaluated first."""
    found = 0
    for term in terms:
        bits = people.all & ~found
        for name, wanted in sorted(term, key=lambda literal: not literal[1]):
            if not bits:
                break
            held = people.holds(name, asker)
            bits &= held if wanted else ~held
        found |= bits
    return found


def _count(action: Action, role: Role, found: Sequence[_Touched]) -> Iterator[Counted]:
    """The impact on each unit in which somebody is affected."""
    units = sorted({asker.unit for asker, gained, lost in found if gained or lost})
    for unit in units:
        mine = [(gained, lost) for asker, gained, lost in found if asker.unit == unit]
        gains = loses = 0
        for gained, lost in mine:
            gains, loses = gains | gained, loses | lost
        yield Counted(
            action=action,
            unit=unit,
            role=role.value,
            gaining=sum(bool(gained) for gained, _ in mine),
            gains=gains.bit_count(),
            losing=sum(bool(lost) for _, lost in mine),
            loses=loses.bit_count(),
        )


def _reached(people: Relations, action: Action, found: Iterable[_Touched]) -> Iterator[Reached]:
    for asker, gained, lost in found:
        if gained or lost:
            yield Reached(
                action=action,
                asker=asker,
                gains=gained.bit_count(),
                loses=lost.bit_count(),
                gained=people.ids(gained, SHOWN_IDS),
                lost=people.ids(lost, SHOWN_IDS),
            )
