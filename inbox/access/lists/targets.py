"""The people to whom something may be given: each decided for itself, by one SELECT for all.

A rule about giving asks facts of the one who gets it: is that person in the unit, cleared, in
conflict. Their SQL is used with the columns of a person in place of the bind parameter of the
target, so that one statement answers for every colleague.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.visitors import ExternallyTraversible, iterate, replacement_traverse
from sqlmodel import col

from inbox.access.facts.lookup import look_up_facts, parameter_values
from inbox.access.facts.parameters import NOW, TARGET, SqlCondition
from inbox.access.facts.registry import FACTS
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Role
from inbox.access.question import Capacity, OfMessage, RequestFacts
from inbox.domain import PersonId
from inbox.tables import CapacityRow, Message, Person, Unit
from inbox.tables.periods import active_on

_PERSON: Final = aliased(Person)
_HELD: Final = aliased(CapacityRow)
_IS_SELF: Final = "target_is_self"


@dataclass(frozen=True, kw_only=True)
class PossibleTarget:
    """A case handler to whom it may be given."""

    person: PersonId
    name: str


def permitted_targets(  # noqa: PLR0913 - a question has these parts
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    capacity: Capacity,
    action: Action,
    subject: OfMessage,
    request: RequestFacts,
) -> tuple[PossibleTarget, ...]:
    """The case handlers of the message's organisation to whom it may be given, by name.

    What is given by the page (a reason, an end) is in `request`; the target is not.
    """
    asked = policy.facts_used(action, capacity.role)
    facts = look_up_facts(session, now, capacity, subject, replace(request, target=None), asked)
    if facts is None:
        facts = dict.fromkeys(asked, False)
    about_target = [name for name in sorted(asked) if _is_about_target(name)]
    rows = session.execute(
        _handlers(about_target),
        parameter_values(now, capacity, request) | {"message_id": subject.message_id},
    )
    found = []
    for person, name, *held in rows:
        known: Mapping[str, bool] = {
            **facts,
            **{fact: bool(each) for fact, each in zip(about_target, held, strict=True)},
            **({_IS_SELF: person == capacity.person} if _IS_SELF in asked else {}),
        }
        if policy.decide(capacity.role, known, action).allowed:
            found.append(PossibleTarget(person=PersonId(person), name=name))
    return tuple(found)


def _is_about_target(name: str) -> bool:
    form = FACTS[name].sql_by_subject.get(OfMessage)
    found = () if form is None else iterate(form)
    return any(getattr(each, "key", None) == TARGET.key for each in found)


def _handlers(about_target: list[str]) -> sa.Select[Any]:
    shown = [sa.case((_over_people(name), 1), else_=0).label(name) for name in about_target]
    return (
        sa.select(col(_PERSON.id), col(_PERSON.name), *shown)
        .select_from(_HELD)
        .join(_PERSON, col(_PERSON.id) == col(_HELD.person))
        .join(Message, col(Message.id) == sa.bindparam("message_id", type_=sa.String()))
        .where(
            col(_HELD.role) == Role.HANDLER.value,
            col(_HELD.unit).in_(
                sa.select(col(Unit.id)).where(col(Unit.organisation) == col(Message.organisation))
            ),
            active_on(_HELD, NOW),
            active_on(_PERSON, NOW),
        )
        .distinct()
        .order_by(col(_PERSON.name), col(_PERSON.id))
    )


def _over_people(name: str) -> SqlCondition:
    form = FACTS[name].sql_by_subject[OfMessage]
    return replacement_traverse(form, {}, _column_for)


def _column_for(element: ExternallyTraversible, **_: object) -> sa.ColumnElement[Any] | None:
    if isinstance(element, sa.BindParameter) and element.key == TARGET.key:
        return sa.type_coerce(col(_PERSON.id), sa.String())
    return None
