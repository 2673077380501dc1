"""To whom a message may be assigned, or access to it given."""

from inbox.access.lists.targets import PossibleTarget, permitted_targets
from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, RequestFacts
from inbox.line import Line
from inbox.line.authorize import message_subject
from inbox.line.people_lists import listing_snapshot

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
