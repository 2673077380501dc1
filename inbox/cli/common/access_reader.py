"""Reading about others' access: authorized in one capacity, audited before anything is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from inbox import audit
from inbox.access import permit
from inbox.access.files.active import ActivePolicies
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Decision, Duty
from inbox.access.question import Capacity, OfInstallation, Subject
from inbox.audit.gap import checkpoint_text
from inbox.audit.standstill import Standstill
from inbox.cli.common.context import keyring_of, store_of
from inbox.cli.common.sign_in import choose_capacity, read_code
from inbox.config import Settings
from inbox.domain import OrgNumber
from inbox.errors import NotFound, NotPermitted, Unavailable
from inbox.store import Transaction

ActionOnSubject = tuple[Action, Subject]
READ_ACCESS: Final[ActionOnSubject] = (Action.ACCESS_READ, OfInstallation())
"""What it takes to know about the access of others."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The caller: the personal code, and the chosen capacity if one was given."""

    person: str
    code: str = field(repr=False)
    chosen: str | None

    @classmethod
    def with_typed_code(cls, person: str, chosen: str | None, *, from_stdin: bool) -> "Caller":
        """Read the code now, without echo or from standard input."""
        return cls(person=person, code=read_code(person, from_stdin=from_stdin), chosen=chosen)


@dataclass(frozen=True, kw_only=True)
class AccessReader:
    """A transaction of a caller whose personal code has been verified."""

    tx: Transaction
    policy: Policy
    capacity: Capacity

    def check_allowed(self, event: str, *wanted: ActionOnSubject, about: str) -> None:
        """Raise `NotFound` unless the capacity may do one of these actions; the success is audited.

        Who may not know is not told whether there is something to know.
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


@contextmanager
def open_access_reader(settings: Settings, who: Caller) -> Iterator[AccessReader]:
    """Open such a transaction; its audit entries are committed at the end.

    Nothing is committed if the request was refused.

    Raises `Conflict` for a wrong code, `Invalid` where a capacity is to be chosen, `Unavailable`.
    """
    policies, store = ActivePolicies(), store_of(settings)
    keyring, standstill = keyring_of(settings, store), Standstill()
    signed = checkpoint_text(settings.checkpoints)
    with store.transaction() as tx:
        standstill.compare(tx, keyring, [signed])
        standstill.check()
        capacity = choose_capacity(tx, who.person, who.code, who.chosen)
        policy = policies.current(tx)
        if not policy.rules:
            raise Unavailable("policy.not_active", "nobody may do anything until it is")
        yield AccessReader(tx=tx, policy=policy, capacity=capacity)


def check_may_read_access(
    settings: Settings, who: Caller, event: str, of: OrgNumber | None = None
) -> OrgNumber:
    """Check that the caller may read about access in the organisation; returns the organisation.

    It takes no right to change anything, and the right to change something is not enough. That it
    was asked is in the audit when this returns: before anything is read. Without `of` it is the
    organisation of who asks.

    Raises as `open_access_reader`, and `NotPermitted`.
    """
    with open_access_reader(settings, who) as it:
        own = it.capacity.organisation
        if of not in {None, own}:
            raise NotPermitted("not_permitted", "it is another organisation's")
        try:
            it.check_allowed(event, READ_ACCESS, about=own)
        except NotFound:
            raise NotPermitted(
                "not_permitted", "it takes a capacity that may access_read"
            ) from None
    return own
