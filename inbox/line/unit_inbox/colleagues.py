"""To whom a message may be assigned, or access to it given; and who has asked for that."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import col

from inbox.access.lists.targets import PossibleTarget, permitted_targets
from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, RequestFacts
from inbox.line import Line
from inbox.line.access.requests import AccessAsked, requests_of
from inbox.line.authorize import message_subject
from inbox.line.people_lists import listing_snapshot
from inbox.tables import Person


@dataclass(frozen=True, kw_only=True)
class NamedRequest:
    """A request for access, and the name of who asks."""

    request: AccessAsked
    name: str


_GIVEN = RequestFacts(reason_given=True, period_given=True)


def colleagues(
    line: Line, capacity: Capacity, message_id: str, action: Action
) -> tuple[PossibleTarget, ...]:
    """Those to whom this person may give it (`assign`, `grant`), by name; nobody where none.

    A colleague in conflict is left out without a word. Raises `Unavailable` as every list does.
    """
    with listing_snapshot(line) as (tx, policy):
        return permitted_targets(
            tx,
            policy,
            tx.now,
            capacity=capacity,
            action=action,
            subject=message_subject(message_id),
            request=_GIVEN,
        )


def named_requests(line: Line, capacity: Capacity, message_id: str) -> tuple[NamedRequest, ...]:
    """The requests about a message that this person may know of (`requests_of`), with names."""
    with line.store.reading() as tx:
        found = requests_of(line, tx, capacity, message_id)
        people = {each.person for each in found}
        rows = tx.execute(
            sa.select(col(Person.id), col(Person.name)).where(col(Person.id).in_(people))
        ).all()
        names: dict[str, str] = {row.id: row.name for row in rows}
        return tuple(NamedRequest(request=each, name=names[each.person]) for each in found)
