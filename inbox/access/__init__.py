"""Access by need to know (*tjenstlig behov*).

The function `permit` answers one question with one decision. It uses the facts as they are in the
database at this moment.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from inbox.access.facts.lookup import look_up_facts
from inbox.access.facts.registry import ACTION_SUBJECTS
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import NO_RULE, Action, Decision, Duty, Role
from inbox.access.question import (
    Capacity,
    OfArrival,
    OfInstallation,
    OfMessage,
    OfTask,
    RequestFacts,
    Subject,
)

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
    asked = policy.facts_used(action, capacity.role)
    facts = look_up_facts(session, now, capacity, subject, request or RequestFacts(), asked)
    if facts is not None and type(subject) in ACTION_SUBJECTS[action]:
        return policy.decide(capacity.role, facts, action)
    decision = policy.decide(capacity.role, dict.fromkeys(asked, False), action)
    return replace(
        decision, allowed=False, rule=NO_RULE, matching=(), near_misses=(), duties=frozenset()
    )
