"""Who may know about the access of others: decided in one capacity, audited before it is read."""

from dataclasses import dataclass
from typing import Final

from inbox import audit
from inbox.access import permit
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Decision, Duty
from inbox.access.question import Capacity, OfInstallation, Subject
from inbox.errors import NotFound
from inbox.store import Transaction

ActionOnSubject = tuple[Action, Subject]
READ_ACCESS: Final[ActionOnSubject] = (Action.ACCESS_READ, OfInstallation())
"""What it takes to know about the access of others."""


@dataclass(frozen=True, kw_only=True)
class AccessReader:
    """A transaction of somebody who has signed in and asks about access."""

    tx: Transaction
    policy: Policy
    capacity: Capacity

    def check_allowed(self, event: str, *wanted: ActionOnSubject, about: str) -> None:
        """Raise `NotFound` unless the capacity may do one of these actions; the success is audited.

        A caller who may not know does not learn whether there is something to know.
        """
        for action, subject in wanted:
            decision = permit(
                self.tx,
                self.policy,
                self.tx.now,
                capacity=self.capacity,
                action=action,
                subject=subject,
            ).deny_unless_met({Duty.LOG})
            if decision.allowed:
                self._record(event, decision, about)
                return
        raise NotFound

    def _record(self, event: str, decision: Decision, about: str) -> None:
        entry = audit.Entry(
            event=event,
            who=self.capacity.id,
            subject=about,
            rule=decision.rule,
            policy=decision.digest,
        )
        audit.record(self.tx, entry)
