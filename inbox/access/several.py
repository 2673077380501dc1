"""Several actions on one subject, decided from one SELECT of facts: all that a page offers."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from inbox.access.facts.lookup import look_up_facts
from inbox.access.facts.registry import ACTION_SUBJECTS
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import NO_RULE, Action, Decision
from inbox.access.question import Capacity, RequestFacts, Subject

_NOTHING_ASSUMED: Final[Mapping[str, bool]] = {}


def permitted_actions(  # noqa: PLR0913 - a question has these parts
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    capacity: Capacity,
    subject: Subject,
    actions: Collection[Action],
    request: RequestFacts | None = None,
    as_if: Mapping[str, bool] = _NOTHING_ASSUMED,
) -> Mapping[Action, Decision]:
    """The decision about each of these actions on the subject: what `permit` says, one by one.

    `as_if` has facts that are assumed, such as those about a person who is not chosen yet.

    Decided in the caller's transaction. A decision about a page is not one about the deed: that is
    made anew, when somebody acts.
    """
    role = capacity.role
    asked = frozenset[str]().union(*(policy.facts_used(action, role) for action in actions))
    facts = look_up_facts(session, now, capacity, subject, request or RequestFacts(), asked)
    is_there = facts is not None
    known = dict.fromkeys(asked, False) if facts is None else dict(facts)
    known |= {name: holds for name, holds in as_if.items() if name in known}
    decisions = {}
    for action in actions:
        decision = policy.decide(role, known, action)
        if not is_there or type(subject) not in ACTION_SUBJECTS[action]:
            decision = _as_not_there(decision)
        decisions[action] = decision
    return decisions


def _as_not_there(decision: Decision) -> Decision:
    """A no by the same work, which tells nothing of why."""
    return replace(
        decision, allowed=False, rule=NO_RULE, matching=(), near_misses=(), duties=frozenset()
    )
