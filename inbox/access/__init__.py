"""Access by need to know (*tjenstlig behov*).

The function `permit` answers one question with one decision. It uses the facts as they are in the
database at this moment.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Decision, Duty, Role
from inbox.access.question import (
    Capacity,
    OfArrival,
    OfInstallation,
    OfMessage,
    OfTask,
    RequestFacts,
    Subject,
)
from inbox.access.several import permitted_actions

__all__ = [
    "Action",
    "Capacity",
    "Decision",
    "Duty",
    "OfArrival",
    "OfInstallation",
    "OfMessage",
    "OfTask",
    "Policy",
    "RequestFacts",
    "Role",
    "Subject",
    "permit",
    "permitted_actions",
]


def permit(  # noqa: PLR0913 - a question has these parts
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    capacity: Capacity,
    action: Action,
    subject: Subject,
    request: RequestFacts | None = None,
) -> Decision:
    """Decide whether this capacity may perform this action on this subject, as of now.

    Decided in the caller's transaction.

    A subject that is not there is a no by the same work, so that nobody can tell it from one that
    is not theirs; so is one that the action is never about. The duties of a yes are still to be
    met: see `Decision.deny_unless_met`.
    """
    return permitted_actions(
        session,
        policy,
        now,
        capacity=capacity,
        subject=subject,
        actions=(action,),
        request=request,
    )[action]
