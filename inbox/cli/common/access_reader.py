"""Reading about others' access: authorized in one capacity, audited before anything is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlmodel import Session

from inbox import audit
from inbox.access import permit
from inbox.access.files.active import ActivePolicies
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Decision, Duty
from inbox.access.question import Capacity, OfInstallation, Subject
from inbox.cli.common.context import store_of
from inbox.cli.common.sign_in import acting, one_code
from inbox.config import Settings
from inbox.domain import OrgNumber
from inbox.errors import NotFound, NotPermitted, Unavailable

Wanted = tuple[Action, Subject]
ACCESS: Final[Wanted] = (Action.ACCESS_READ, OfInstallation())
"""What it takes to know about the access of others."""


@dataclass(frozen=True, kw_only=True)
class Who:
    """The caller: the personal code, and the chosen capacity if one was given."""

    person: str
    code: str = field(repr=False)
    chosen: str | None

    @classmethod
    def typing(cls, person: str, chosen: str | None, *, from_stdin: bool) -> "Who":
        """Read the code now, without echo or from standard input."""
        return cls(person=person, code=one_code(person, from_stdin=from_stdin), chosen=chosen)


@dataclass(frozen=True, kw_only=True)
class Asking:
    """A transaction of a caller whose personal code has been verified."""

    session: Session
    now: datetime
    policy: Policy
    capacity: Capacity

    def check_allowed(self, event: str, *wanted: Wanted, about: str) -> None:
        """Raise `NotFound` unless the capacity may do one of these actions; the success is audited.

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
    """Open such a transaction; its audit entries are committed at the end.

    Nothing is committed if the request was refused.

    Raises `Conflict` for a wrong code, `Invalid` where a capacity is to be chosen, `Unavailable`.
    """
    policies = ActivePolicies()
    with store_of(settings).transaction() as (session, now):
        capacity = acting(session, now, who.person, who.code, who.chosen)
        policy = policies.current(session)
        if not policy.rules:
            raise Unavailable("policy.not_active", "nobody may do anything until it is")
        yield Asking(session=session, now=now, policy=policy, capacity=capacity)


def check_may_know(
    settings: Settings, who: Who, event: str, of: OrgNumber | None = None
) -> OrgNumber:
    """Check that the caller may read about access in the organisation; returns the organisation.

    It takes no right to change anything, and the right to change something is not enough. That it
    was asked is in the audit when this returns: before anything is read. Without `of` it is the
    organisation of who asks.

    Raises as `asking`, and `NotPermitted`.
    """
    with asking(settings, who) as it:
        own = it.capacity.organisation
        if of not in {None, own}:
            raise NotPermitted("not_permitted", "it is another organisation's")
        try:
            it.check_allowed(event, ACCESS, about=own)
        except NotFound:
            raise NotPermitted(
                "not_permitted", "it takes a capacity that may access_read"
            ) from None
    return own
