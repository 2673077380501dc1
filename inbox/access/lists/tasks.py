"""The open tasks of a capacity's role that it may know of, by one prepared statement.

Of a message or an arrival they are known to those who may distribute or list it; of anything else,
and where a role sees no mail, to those who may close them and from whom no rule keeps the message.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Dialect, Integer, bindparam
from sqlalchemy.orm import Session

from inbox.access.facts.lookup import PARAMETER_NAMES, parameter_values, request_fact_values
from inbox.access.facts.parameters import ROLE, SqlCondition
from inbox.access.facts.prepared_select import PreparedSelect
from inbox.access.lists.filters import deny_filter, permit_filter
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Effect, Role
from inbox.access.question import Capacity, OfArrival, OfMessage, OfTask, RequestFacts, Subject
from inbox.tables import Arrival, Message, Task, table_of

_TASK: Final = table_of(Task)
_MESSAGE: Final = table_of(Message)
_ARRIVAL: Final = table_of(Arrival)
_NOTHING_GIVEN: Final = RequestFacts()
_KNOWING: Final = (Action.ROUTE, Action.LIST)


class KnownTask(NamedTuple):
    """A task, by ids, codes and times only."""

    id: str
    kind: str
    code: str | None
    unit: str | None
    subject_id: str
    message_id: str | None
    opened_at: datetime
    arrival_id: str | None


def known_tasks(
    session: Session,
    policies: tuple[Policy, Policy],
    now: datetime,
    *,
    capacity: Capacity,
    at_most: int,
) -> tuple[KnownTask, ...]:
    """The oldest open tasks that the capacity may know of.

    Of the two policies the second says who may know of mail: the same without what it allows for a
    duty alone, because nothing is audited by looking at tasks.
    """
    given = request_fact_values(capacity, _NOTHING_GIVEN)
    statement = _statement(
        *policies, capacity.role, frozenset(given.items()), session.get_bind().dialect
    )
    bound = parameter_values(now, capacity, _NOTHING_GIVEN) | {"at_most": at_most}
    return tuple(KnownTask(*row) for row in statement.fetch(session, bound))


@lru_cache(maxsize=100)
def _statement(
    policy: Policy,
    knowing: Policy,
    role: Role,
    requested: frozenset[tuple[str, bool]],
    dialect: Dialect,
) -> PreparedSelect:
    given = dict(requested)

    def may_know(kind: type[Subject], *actions: Action) -> SqlCondition:
        return sa.or_(*(permit_filter(knowing, each, role, given, kind) for each in actions))

    def kept_from(kind: type[Subject]) -> SqlCondition:
        return sa.or_(*(deny_filter(policy, each, role, given, kind) for each in _KNOWING))

    closes = permit_filter(policy, Action.CLOSE_TASK, role, given, OfTask)
    about_message = _MESSAGE.c.id.is_not(None)
    about_arrival = _ARRIVAL.c.id.is_not(None)
    if _sees_mail(policy, role):
        known = [
            (about_message, may_know(OfMessage, *_KNOWING)),
            (about_arrival, may_know(OfArrival, Action.ROUTE)),
        ]
    else:
        known = [
            (about_message, sa.and_(closes, ~kept_from(OfMessage))),
            (about_arrival, sa.and_(closes, ~kept_from(OfArrival))),
        ]
    is_known = sa.case(
        *((sa.and_(about, condition), 1) for about, condition in known),
        (sa.and_(~about_message, ~about_arrival, closes), 1),
        else_=0,
    )
    statement: sa.Select[Any] = (
        sa.select(
            *(_TASK.c[name] for name in KnownTask._fields[:-1]),
            _ARRIVAL.c.id,
        )
        .select_from(_TASK)
        .join(_MESSAGE, _MESSAGE.c.id == _TASK.c.message_id, isouter=True)
        .join(
            _ARRIVAL,
            sa.and_(_TASK.c.message_id.is_(None), _ARRIVAL.c.id == _TASK.c.subject_id),
            isouter=True,
        )
        .where(
            # Written out, so that the index of what is open is used.
            _TASK.c.state == sa.literal_column("'OPEN'"),
            _TASK.c.role == ROLE,
            is_known == 1,
        )
        .order_by(_TASK.c.opened_at, _TASK.c.id)
        .limit(bindparam("at_most", type_=Integer()))
    )
    return PreparedSelect(statement, dialect, PARAMETER_NAMES | {"at_most"})


def _sees_mail(policy: Policy, role: Role) -> bool:
    """Whether the rules let this role know of any message: then it knows of tasks by that alone."""
    return any(
        rule.effect is Effect.ALLOW and any(rule.applies_to(action, role) for action in _KNOWING)
        for rule in policy.rules
    )
