"""Who may know who has access: asked in one capacity, audited, then read."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from inbox import audit
from inbox.access import permit
from inbox.access.active import ActivePolicies
from inbox.access.policy import Policy
from inbox.access.subject import Capacity, Subject
from inbox.access.words import Action, Decision, Duty
from inbox.cli.acting import acting
from inbox.cli.opening import store_of
from inbox.config import Settings
from inbox.errors import NotFound, Unavailable


@dataclass(frozen=True, kw_only=True)
class Who:
    """Somebody who asks: the personal code, and the capacity that was chosen, if one was."""

    person: str
    code: str
    chosen: str | None


@dataclass(frozen=True, kw_only=True)
class Asking:
    """A transaction in which somebody asks, the personal code proved."""

    session: Session
    now: datetime
    policy: Policy
    capacity: Capacity

    def check_allowed(self, event: str, *wanted: tuple[Action, Subject], about: str) -> None:
        """Raise `NotFound` unless the capacity may do one of these; noted in the audit.

        Who may not know is not told whether there is something to know.
        """
        for action, subject in wanted:
            decision = permit(
                self.session,
                self.policy,
                self.now,
                capacity=self.capacity,
                action=action,
                subject=subject,
            ).fulfilled_by({Duty.LOG})
            if decision.allowed:
                self._note(event, decision, about)
                return
        raise NotFound

    def _note(self, event: str, decision: Decision, about: str) -> None:
        entry = audit.Entry(
            event=event,
            who=self.capacity.id,
            subject=about,
            rule=decision.rule,
            policy=decision.digest,
        )
        audit.record(self.session, entry)


@contextmanager
def asking(settings: Settings, who: Who) -> Iterator[Asking]:
    """What is noted is committed at the end, and nothing if it was refused.

    Raises `Conflict` for a wrong code, `Invalid` where a capacity is to be chosen, `Unavailable`.
    """
    policies = ActivePolicies()
    with store_of(settings).transaction() as (session, now):
        capacity = acting(session, now, who.person, who.code, who.chosen)
        policy = policies.current(session)
        if not policy.rules:
            raise Unavailable("policy.not_active", "nobody may do anything until it is")
        yield Asking(session=session, now=now, policy=policy, capacity=capacity)
