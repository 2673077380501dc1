"""Explaining: one decision in full, who can do something to a message, and what somebody can do.

It is made of what decides and lists, nothing else: an explanation of its own would be a second
policy. Whether the asker may have it is the caller's to find out first.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import BindParameter
from sqlalchemy.orm import Session
from sqlalchemy.sql.visitors import ExternallyTraversible, replacement_traverse

from inbox.access import permit
from inbox.access.facts.capacities import capacities_of
from inbox.access.facts.lookup import NAMES, facts_about, facts_of_request, values_of
from inbox.access.facts.parameters import Form
from inbox.access.facts.registry import FACTS, SUBJECTS, facts_of
from inbox.access.lists.filters import branch_of, form_beside
from inbox.access.lists.statements import joined
from inbox.access.policy.conditions import holds
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Decision, Told
from inbox.access.question import Capacity, Given, OfInstallation, OfMessage, Subject
from inbox.access.review.requirements import EVERYTHING_GIVEN, Way, fewest, told, ways_to
from inbox.domain import MessageId, PersonId
from inbox.tables import Message, table_of

SHOWN_IDS: Final = 20
"""Of each capacity and action no more ids than these are given."""
_ASKER: Final = "asker_"
_ID: Final = table_of(Message).c.id
_OF_CAPACITY: Final = frozenset(n for n, fact in FACTS.items() if OfInstallation in fact.forms)


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A decision, the value of every fact that its rules use, and the result of each rule alone."""

    decision: Decision
    facts: Mapping[str, bool]
    rules: tuple[Told, ...]


def explain(  # noqa: PLR0913 - a question has these parts
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    capacity: Capacity,
    action: Action,
    subject: Subject,
    given: Given = EVERYTHING_GIVEN,
) -> Explanation:
    """The decision that `permit` gives, with all that it came from; no fact holds of nothing."""
    decision = permit(
        session, policy, now, capacity=capacity, action=action, subject=subject, given=given
    )
    asked = policy.asks(action, capacity.role)
    found = facts_about(session, now, capacity, subject, given, asked)
    facts = dict.fromkeys(asked, False) if found is None else found
    return Explanation(
        decision=decision, facts=facts, rules=policy.tell(capacity.role, facts, action)
    )


@dataclass(frozen=True, kw_only=True)
class Reach:
    """One capacity and one action: on how many messages, and on which of those that are shown."""

    capacity: Capacity
    action: Action
    messages: int
    takes: str
    """What a request must bring: for some messages in one way, perhaps, for others in another."""
    shown: tuple[MessageId, ...]
    """The first `SHOWN_IDS` of those that the asker may list."""
    without_message: str | None
    """What else must be so to do it to what is no message; None: it may not."""


def what_can(
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    person: PersonId,
    asker: Capacity,
    on: datetime | None = None,
) -> Iterator[Reach]:
    """What a person may do, capacity by capacity, if the request supplies what is required.

    As `who_can` says it of each message. Ids only of what the asker may list today. `on` is the
    time of everything with a period; messages are in the state that they are in now.
    """
    at = on or now
    listed = _listed_by(policy, asker)
    values = {f"{_ASKER}{name}": held for name, held in values_of(now, asker, Given()).items()}
    for capacity in capacities_of(session, at, person):
        bound = values_of(at, capacity, Given()) | values
        held = facts_about(session, at, capacity, OfInstallation(), Given(), _OF_CAPACITY)
        assert held is not None
        for action in Action:
            ways = tuple(ways_to(policy, action, capacity.role))
            number, shown = _messages(session, action, ways, listed, bound)
            without = _without_message(policy, capacity, action, held)
            if number or without:
                yield Reach(
                    capacity=capacity,
                    action=action,
                    messages=number,
                    takes=told(way.takes for way in ways) if number else "",
                    shown=shown,
                    without_message=without,
                )


def _messages(
    session: Session,
    action: Action,
    ways: Sequence[Way],
    listed: Form,
    bound: Mapping[str, object],
) -> tuple[int, tuple[MessageId, ...]]:
    """The number of messages, and the first ids among those that the asker may list too."""
    if not ways or OfMessage not in SUBJECTS[action]:
        return 0, ()
    found = joined([branch_of(way.rows) for way in ways], _ID)
    counted = sa.select(sa.func.count()).select_from(found)
    number = session.execute(counted, bound).scalar_one()
    if not number:
        return 0, ()
    both = sa.select(_ID).join_from(found, Message, found.c.id == _ID).where(listed).order_by(_ID)
    ids = session.execute(both.limit(SHOWN_IDS), bound).scalars()
    return number, tuple(MessageId(message_id) for message_id in ids)


def _listed_by(policy: Policy, asker: Capacity) -> Form:
    """What is in the asker's own list, its values called apart from those of the person."""
    form = form_beside(policy, Action.LIST, asker.role, facts_of_request(asker, Given()))
    return replacement_traverse(form, {}, _called_apart)


def _called_apart(element: ExternallyTraversible, **_: object) -> BindParameter[Any] | None:
    if isinstance(element, BindParameter) and element.key in NAMES:
        return sa.bindparam(f"{_ASKER}{element.key}", type_=element.type)
    return None


def _without_message(
    policy: Policy, capacity: Capacity, action: Action, held: Mapping[str, bool]
) -> str | None:
    """What must be so of something that is no message; what is so of the capacity is `held`."""
    kinds = set(SUBJECTS[action]) - {OfMessage}
    if not kinds:
        return None
    takes = []
    for kind in kinds:
        known = facts_of(kind)
        ways = ways_to(policy, action, capacity.role, known - held.keys())
        takes += [way.takes for way in ways if all(holds(part, held) for part in way.rows)]
    return (told(fewest(takes)) or "yes") if takes else None
