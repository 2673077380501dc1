"""Explains access, for one decision or for one person.

The command `explain` shows one decision in full. The command `what-can` shows everything that one
person can do.

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
from inbox.access.facts.capacities import active_capacities_of
from inbox.access.facts.lookup import (
    PARAMETER_NAMES,
    look_up_facts,
    parameter_values,
    request_fact_values,
)
from inbox.access.facts.parameters import SqlCondition
from inbox.access.facts.registry import ACTION_SUBJECTS, FACTS, fact_names_of
from inbox.access.lists.filters import indexed_branch, permit_filter
from inbox.access.lists.statements import union_of
from inbox.access.policy.conditions import holds
from inbox.access.policy.engine import Policy
from inbox.access.policy.legal_basis import LegalBasis
from inbox.access.policy.vocabulary import Action, Decision, RuleResult
from inbox.access.question import Capacity, OfInstallation, OfMessage, RequestFacts, Subject
from inbox.access.review.requirements import (
    COMPLETE_REQUEST,
    AllowCondition,
    allow_conditions,
    describe_requirements,
    minimal,
)
from inbox.domain import MessageId, PersonId
from inbox.tables import Message, table_of

MAX_SHOWN_IDS: Final = 20
"""Of each capacity and action no more ids than these are given."""
_ASKER_PREFIX: Final = "asker_"
_MESSAGE_ID: Final = table_of(Message).c.id
_CAPACITY_FACTS: Final = frozenset(
    n for n, fact in FACTS.items() if OfInstallation in fact.sql_by_subject
)


@dataclass(frozen=True, kw_only=True)
class DecisionExplanation:
    """A decision, the value of every fact that its rules use, and the result of each rule alone."""

    decision: Decision
    facts: Mapping[str, bool]
    rules: tuple[RuleResult, ...]
    bases: tuple[LegalBasis, ...] = ()
    """The legal bases of the rule that decided."""
    stands_for: tuple[Action, ...] = ()
    """The action whose rows decide, where the policy was written before this one was an action."""


def explain_decision(  # noqa: PLR0913 - a question has these parts
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    capacity: Capacity,
    action: Action,
    subject: Subject,
    request: RequestFacts = COMPLETE_REQUEST,
) -> DecisionExplanation:
    """The decision that `permit` gives, with everything it is based on.

    If the subject does not exist, every fact is false.
    """
    decision = permit(
        session, policy, now, capacity=capacity, action=action, subject=subject, request=request
    )
    asked = policy.facts_used(action, capacity.role)
    found = look_up_facts(session, now, capacity, subject, request, asked)
    facts = dict.fromkeys(asked, False) if found is None else found
    named = [each for rule in policy.rules if rule.id == decision.rule for each in rule.bases]
    return DecisionExplanation(
        decision=decision,
        facts=facts,
        rules=policy.explain_rules(capacity.role, facts, action),
        bases=tuple(policy.bases[basis_id] for basis_id in named),
        stands_for=policy.later.stand_ins.get(action, ()),
    )


@dataclass(frozen=True, kw_only=True)
class PermittedAction:
    """The messages on which one capacity is allowed one action.

    It holds the number of these messages, and the ids that may be shown.
    """

    capacity: Capacity
    action: Action
    messages: int
    requires: str
    """What a request must bring: for some messages in one way, perhaps, for others in another."""
    shown_ids: tuple[MessageId, ...]
    """The first `MAX_SHOWN_IDS` of those that the asker may list."""
    other_subjects_require: str | None
    """What else must be so to do it to what is no message; None: it may not."""


def what_can(
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    person: PersonId,
    asker: Capacity,
    on: datetime | None = None,
) -> Iterator[PermittedAction]:
    """What a person may do, capacity by capacity, if the request supplies what is required.

    As `who_can` says it of each message. Ids only of what the asker may list today. `on` is the
    time of everything with a period; messages are in the state that they are in now.
    """
    at = on or now
    listed = _list_filter_of(policy, asker)
    values = {
        f"{_ASKER_PREFIX}{name}": held
        for name, held in parameter_values(now, asker, RequestFacts()).items()
    }
    for capacity in active_capacities_of(session, at, person):
        bound = parameter_values(at, capacity, RequestFacts()) | values
        held = look_up_facts(
            session, at, capacity, OfInstallation(), RequestFacts(), _CAPACITY_FACTS
        )
        assert held is not None
        for action in Action:
            ways = tuple(allow_conditions(policy, action, capacity.role))
            number, shown = _count_messages(session, action, ways, listed, bound)
            without = _other_subjects_requirement(policy, capacity, action, held)
            if number or without:
                yield PermittedAction(
                    capacity=capacity,
                    action=action,
                    messages=number,
                    requires=describe_requirements(way.requires for way in ways) if number else "",
                    shown_ids=shown,
                    other_subjects_require=without,
                )


def _count_messages(
    session: Session,
    action: Action,
    ways: Sequence[AllowCondition],
    listed: SqlCondition,
    bound: Mapping[str, object],
) -> tuple[int, tuple[MessageId, ...]]:
    """The number of messages, and the first ids among those that the asker may list too."""
    if not ways or OfMessage not in ACTION_SUBJECTS[action]:
        return 0, ()
    found = union_of([indexed_branch(way.row_conditions) for way in ways], _MESSAGE_ID)
    counted = sa.select(sa.func.count()).select_from(found)
    number = session.execute(counted, bound).scalar_one()
    if not number:
        return 0, ()
    both = (
        sa.select(_MESSAGE_ID)
        .join_from(found, Message, found.c.id == _MESSAGE_ID)
        .where(listed)
        .order_by(_MESSAGE_ID)
    )
    ids = session.execute(both.limit(MAX_SHOWN_IDS), bound).scalars()
    return number, tuple(MessageId(message_id) for message_id in ids)


def _list_filter_of(policy: Policy, asker: Capacity) -> SqlCondition:
    """The filter of the asker's own list.

    Its bind parameters are renamed so that they differ from those of the person.
    """
    form = permit_filter(
        policy, Action.LIST, asker.role, request_fact_values(asker, RequestFacts())
    )
    return replacement_traverse(form, {}, _with_asker_prefix)


def _with_asker_prefix(element: ExternallyTraversible, **_: object) -> BindParameter[Any] | None:
    if isinstance(element, BindParameter) and element.key in PARAMETER_NAMES:
        return sa.bindparam(f"{_ASKER_PREFIX}{element.key}", type_=element.type)
    return None


def _other_subjects_requirement(
    policy: Policy, capacity: Capacity, action: Action, held: Mapping[str, bool]
) -> str | None:
    """What a request must supply for a subject that is not a message.

    The facts of the capacity are in `held`.
    """
    kinds = set(ACTION_SUBJECTS[action]) - {OfMessage}
    if not kinds:
        return None
    takes = []
    for kind in kinds:
        known = fact_names_of(kind)
        ways = allow_conditions(policy, action, capacity.role, known - held.keys())
        takes += [
            way.requires for way in ways if all(holds(part, held) for part in way.row_conditions)
        ]
    return (describe_requirements(minimal(takes)) or "yes") if takes else None
