"""Need to know (*tjenstlig behov*): one question, one decision, over the facts of this moment."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from inbox.access.facts.lookup import facts_about
from inbox.access.facts.registry import SUBJECTS
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import NO_RULE, Action, Decision, Duty, Role
from inbox.access.question import (
    Capacity,
    Given,
    OfArrival,
    OfInstallation,
    OfMessage,
    OfTask,
    Subject,
)

__all__ = [
    "Action",
    "Capacity",
    "Decision",
    "Duty",
    "Given",
    "OfArrival",
    "OfInstallation",
    "OfMessage",
    "OfTask",
    "Policy",
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
    given: Given | None = None,
) -> Decision:
    """Decide whether this capacity may perform this action on this subject, as of now.

    Decided in the caller's transaction.

    A subject that is not there is a no by the same work, so that nobody can tell it from one that
    is not theirs; so is one that the action is never about. The duties of a yes are still to be
    met: see `Decision.fulfilled_by`.
    """
    asked = policy.asks(action, capacity.role)
    facts = facts_about(session, now, capacity, subject, given or Given(), asked)
    if facts is not None and type(subject) in SUBJECTS[action]:
        return policy.decide(capacity.role, facts, action)
    decision = policy.decide(capacity.role, dict.fromkeys(asked, False), action)
    return replace(
        decision, allowed=False, rule=NO_RULE, matching=(), misses=(), duties=frozenset()
    )
