"""Review a grant or emergency access afterwards, once, by somebody who had no part in it."""

from enum import StrEnum

from sqlmodel import Session

from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, OfGrant, RequestFacts
from inbox.domain import GrantKind
from inbox.errors import Conflict
from inbox.line import Line
from inbox.line.access.grants import check_reason, end_now
from inbox.line.authorize import authorize
from inbox.line.moves.registration import data_key
from inbox.line.task_kinds import TaskKind
from inbox.tables import AccessGrant, Message
from inbox.tables.periods import has_ended


class ReviewOutcome(StrEnum):
    """The possible results of a review."""

    UPHELD = "upheld"
    MISUSED = "misused"
    UNCLEAR = "unclear"


def review(
    line: Line, capacity: Capacity, grant_id: str, *, outcome: ReviewOutcome, reason: str
) -> None:
    """Record the result of a review, once, by somebody who had no part in the access.

    The review ends emergency access, and any access that was misused.
    """
    check_reason(reason)
    with line.store.transaction() as tx:
        row = tx.get(AccessGrant, grant_id)
        action = review_action_for(None if row is None else row.kind)
        subject, given = OfGrant(grant_id=grant_id), RequestFacts(reason_given=True)
        authorized = authorize(line, tx, capacity, action, subject, given)
        assert row is not None
        if row.reviewed_at is not None:
            raise Conflict("access.reviewed", "it has been reviewed already")
        row.reviewed_at, row.reviewed_by, row.review = tx.now, capacity.person, outcome.value
        row.sealed_review = _sealed_review(line, tx, row, reason)
        over = row.kind is GrantKind.BREAKGLASS or outcome is ReviewOutcome.MISUSED
        if over and not has_ended(row.active_until, tx.now):
            end_now(authorized, row)
        authorized.close_tasks(grant_id, TaskKind.REVIEW)
        authorized.record(
            event="access:reviewed",
            subject=grant_id,
            message_id=row.message_id,
            code=outcome.value,
            reason=reason,
        )


def review_action_for(kind: GrantKind | None) -> Action:
    """The action that a person must be permitted to review access of this kind."""
    taken = kind is GrantKind.BREAKGLASS
    return Action.BREAKGLASS_REVIEW if taken else Action.ACCESS_REVIEW


def _sealed_review(line: Line, session: Session, row: AccessGrant, reason: str) -> bytes | None:
    """Under the message's key; once that is gone the reason is only committed to."""
    if session.get_one(Message, row.message_id).erased_at is not None:
        return None
    return data_key(session, line, row.message_id).seal(
        reason.encode(), table="access_grant", column="sealed_review", row=row.id
    )
