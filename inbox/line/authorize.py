"""Authorize before anything is changed: every move of a person or a case system begins here.

The problem: between the question "may I" and the deed another person may have changed the answer
(time of check to time of use), and a yes has conditions: an audit entry, a reason, a task that
informs somebody.

The method: a reference monitor in the transaction of the deed. First the row that the action is
about is locked, then the policy is asked, then the caller acts; the lock lasts until the commit.
The conditions are obligations, as XACML calls them; here they are called duties. Before the commit,
the transaction is checked for what it has done. A duty that is not met turns the yes into a no, and
everything is rolled back.

An example: Kari, who leads the unit, and Ola, its handler, release one ROUTED message at once.

    Kari  locks the row; it is routed, so the answer is yes; sets RELEASED; audit entry; commit
    Ola   waits for the lock; reads the row again; it is not routed any more; NotPermitted

Without the audit entry Kari's commit would raise `NotPermitted` too: her rule, A14, has the duty
`log`. A caller that may not know that something exists gets `NotFound`, as for what does not exist.

Not done here: no fact is evaluated (`access.permit`), no state is set (`settle`).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from sqlmodel import Session, SQLModel, col, select

from inbox import audit
from inbox.access import permit
from inbox.access.policy.engine import Decision, Policy
from inbox.access.policy.vocabulary import Action, Duty
from inbox.access.question import (
    Capacity,
    OfArrival,
    OfConflict,
    OfGrant,
    OfMessage,
    OfUnit,
    RequestFacts,
    Subject,
)
from inbox.domain import ArrivalId, DeliveryId, GrantKind, MessageId, State, TaskState
from inbox.errors import Conflict, NotFound, NotPermitted, Unavailable
from inbox.line import Line
from inbox.line.settle import StatefulRow, Step, close_tasks, lock_row, open_task, settle
from inbox.line.task_kinds import TaskKind
from inbox.store import Transaction
from inbox.tables import AccessGrant, Arrival, ConflictOfInterest, Message, Task, Unit
from inbox.tables.periods import active_on

_NOTHING_GIVEN: Final = RequestFacts()
V = TypeVar("V", Arrival, Message)
_VISIBILITY_ACTIONS: Final[Mapping[type[Subject], tuple[Action, ...]]] = {
    OfMessage: (Action.ROUTE, Action.LIST),
    OfArrival: (Action.ROUTE,),
    OfUnit: (Action.END_ACCESS,),
    OfConflict: (Action.PROPOSE,),
}
"""A capacity that may do one of these knows that the subject exists; others hear `NotFound`."""


@dataclass(frozen=True, kw_only=True)
class Authorized:
    """An action that the policy has permitted, with the transaction in which it is carried out."""

    tx: Transaction
    capacity: Capacity
    subject: Subject
    decision: Decision

    def seen(self, kind: type[V], row_id: str, expected_version: int) -> V:
        """The row, if it is as the caller saw it. Raises `Conflict` (`stale`) if it has changed."""
        row = self.tx.get_one(kind, row_id)
        check_version(row.version, expected_version)
        return row

    def mark_logged(self) -> None:
        """Count it as audited: it goes on with what an earlier entry says."""
        self.tx.met_duties.add(Duty.LOG)

    def mark_reason_given(self) -> None:
        """Count the reason as given: an earlier entry commits to it, and it still holds."""
        self.tx.met_duties.add(Duty.REASON)

    def _mark_logged(self, reason: str) -> None:
        self.mark_logged()
        if reason:
            self.mark_reason_given()

    def settle(  # noqa: PLR0913 - the fields of a step
        self,
        *,
        row: StatefulRow,
        became: State,
        by: str,
        code: str | None = None,
        values: Mapping[str, object] | None = None,
        due_at: datetime | None = None,
        reason: str = "",
    ) -> None:
        """Set the row's state as authorized.

        The reason is personal text: the audit holds only a commitment to it.
        """
        step = Step(
            row=row,
            became=became,
            by=by,
            who=self.capacity.id,
            code=code,
            values=values or {},
            due_at=due_at,
            rule=self.decision.rule,
            policy=self.decision.digest,
            duties=self.decision.duties,
            committed=_reason_commitment(reason),
        )
        settle(self.tx, step)
        self._mark_logged(reason)

    def record(  # noqa: PLR0913 - the fields of an entry
        self,
        *,
        event: str,
        subject: str,
        message_id: str | None,
        by: str | None = None,
        code: str | None = None,
        was: str | None = None,
        became: str | None = None,
        reason: str = "",
        committed: Mapping[str, str] | None = None,
    ) -> None:
        """Write an audit entry for something that changes no state.

        Person and reason are personal data: the audit holds only commitments to them.
        """
        entry = audit.Entry(
            event=event,
            who=self.capacity.id,
            subject=subject,
            message_id=message_id,
            was=was,
            became=became,
            by=by,
            code=code,
            rule=self.decision.rule,
            policy=self.decision.digest,
            duties=self.decision.duties,
            committed={**_reason_commitment(reason), **(committed or {})},
        )
        audit.record(self.tx, entry)
        self._mark_logged(reason)

    def notify(self, kind: TaskKind, *, subject: str, message_id: str, unit: str | None) -> None:
        """Notify the people of a unit by a task, which they see once it is committed."""
        open_task(self.tx, kind=kind, subject=subject, message_id=message_id, unit=unit)
        self.tx.met_duties.add(Duty.NOTIFY)

    def mark_duties_met(self) -> None:
        """Count all duties as fulfilled.

        This is for a request that repeats an earlier one, or that becomes an audited task and waits
        for people.
        """
        self.tx.met_duties.update(self.decision.duties)

    def close_tasks(self, subject: str, *kinds: TaskKind) -> None:
        """Close the open tasks of these kinds about a subject."""
        close_tasks(self.tx, subject=subject, kinds=list(kinds), who=self.capacity.id)


def _reason_commitment(reason: str) -> dict[str, str]:
    """The reason as the `committed` of an audit entry, which stores only a commitment to it."""
    return {"reason": reason} if reason else {}


def message_subject(
    message_id: str, *, delivery_id: str | None = None, proposal_id: str | None = None
) -> OfMessage:
    """The message as the subject of an authorization, from ids as stored in the tables."""
    return OfMessage(
        message_id=MessageId(message_id),
        delivery_id=None if delivery_id is None else DeliveryId(delivery_id),
        proposal_id=proposal_id,
    )


def arrival_subject(arrival_id: str, *, proposal_id: str | None = None) -> OfArrival:
    """The arrival as the subject of an authorization."""
    return OfArrival(arrival_id=ArrivalId(arrival_id), proposal_id=proposal_id)


@contextmanager
def authorized_transaction(
    line: Line,
    capacity: Capacity,
    action: Action,
    subject: Subject,
    given: RequestFacts = _NOTHING_GIVEN,
) -> Iterator[Authorized]:
    """The transaction of one move: lock the subject, decide, act, check the duties, commit.

    The caller reads inside it all rows that the move depends on, with `Authorized.seen` if a
    version was seen before. At the end everything is committed, or nothing. Raises what `authorize`
    raises, and `NotPermitted` for a duty that was not met.
    """
    with line.store.transaction() as tx:
        yield authorize(line, tx, capacity, action, subject, given)


def authorize(
    line: Line,
    tx: Transaction,
    capacity: Capacity,
    action: Action,
    subject: Subject,
    given: RequestFacts,
) -> Authorized:
    """Authorize the action in the transaction that carries it out; returns the authorized action.

    The row that the action is about is locked first. If two callers move it at once, the decision
    about the second is made on what the first has left. So read the row after this call.

    The duties of the decision are checked before the commit, see `DUTY_CHECKS`.

    Raises:
        NotFound: it does not exist, or this capacity may not know that it exists.
        NotPermitted: this capacity may know that it exists, but may not do this.
        Unavailable: there is no policy to decide by, see `active_policy`.
    """
    decision = check_permitted(line, tx, capacity, action, subject, given)
    authorized = Authorized(tx=tx, capacity=capacity, subject=subject, decision=decision)
    # This runs before the commit and not at the end of a `with`, because a transaction that is
    # never committed need not meet any duty.
    tx.check_before_commit(lambda: _check_duties_met(authorized))
    return authorized


def check_permitted(
    line: Line,
    tx: Transaction,
    capacity: Capacity,
    action: Action,
    subject: Subject,
    given: RequestFacts,
) -> Decision:
    """The decision, where it is a yes; raises what `authorize` raises where it is not.

    For an action that is asked about and not carried out: its duties are not checked.
    """
    # Lock first, then ask: so the answer is about the row as it stays until the commit.
    _lock_subject(tx, subject)
    policy = active_policy(line, tx)

    def decide(one: Action) -> Decision:
        return permit(
            tx, policy, tx.now, capacity=capacity, action=one, subject=subject, request=given
        )

    # A reading transaction never commits, so it can meet no duty: a yes with a duty becomes a no.
    decision = decide(action).deny_unless_met(tuple(Duty) if tx.writes else ())
    if decision.allowed:
        return decision
    # NotPermitted reveals that it exists, so only a capacity that may see it elsewhere gets it.
    if any(decide(showing).allowed for showing in _VISIBILITY_ACTIONS.get(type(subject), ())):
        raise NotPermitted("not_permitted", f"{action.value}: {decision.rule}")
    raise NotFound


def active_policy(line: Line, session: Session) -> Policy:
    """The policy that is active in this transaction.

    Raises `Unavailable` if no policy is active, or if the database is older than the last signed
    checkpoint (`audit.standstill`). Then nobody may do anything.
    """
    line.standstill.check()
    policy = line.policies.current(session)
    if not policy.rules:
        raise Unavailable("policy.not_active", "nobody may do anything until it is")
    return policy


def _lock_subject(session: Session, subject: Subject) -> None:
    rows: tuple[type[SQLModel], str]
    match subject:
        case OfMessage():
            rows = (Message, subject.message_id)
        case OfArrival():
            rows = (Arrival, subject.arrival_id)
        case OfUnit():
            rows = (Unit, subject.unit_id)
        case OfGrant():
            rows = (AccessGrant, subject.grant_id)
        case OfConflict():
            rows = (ConflictOfInterest, subject.conflict_id)
        case _:
            return
    lock_row(session, *rows)


def _check_duties_met(authorized: Authorized) -> None:
    """Raise `NotPermitted`, so that nothing is committed, unless every duty of the yes was met."""
    met = [
        duty
        for duty in authorized.decision.duties
        if duty in DUTY_CHECKS and DUTY_CHECKS[duty](authorized)
    ]
    decision = authorized.decision.deny_unless_met(met)
    if not decision.allowed:
        raise NotPermitted("not_permitted", f"{decision.action}: {decision.rule}")


def _has_open_review(authorized: Authorized) -> bool:
    """An open review of emergency access that this person has to this message now."""
    if not isinstance(authorized.subject, OfMessage):
        return False
    # The review must be of this very access: an older one, or a colleague's, does not count.
    review = (
        select(Task.id)
        .join(AccessGrant, col(AccessGrant.id) == col(Task.subject_id))
        .where(
            col(Task.kind) == TaskKind.REVIEW.value,
            col(Task.state) == TaskState.OPEN,
            col(AccessGrant.kind) == GrantKind.BREAKGLASS,
            col(AccessGrant.person) == authorized.capacity.person,
            col(AccessGrant.message_id) == authorized.subject.message_id,
            active_on(AccessGrant, authorized.tx.now),
        )
    )
    return authorized.tx.exec(review).first() is not None


DUTY_CHECKS: Final[Mapping[Duty, Callable[[Authorized], bool]]] = {
    Duty.LOG: lambda authorized: Duty.LOG in authorized.tx.met_duties,
    Duty.REASON: lambda authorized: Duty.REASON in authorized.tx.met_duties,
    Duty.NOTIFY: lambda authorized: Duty.NOTIFY in authorized.tx.met_duties,
    Duty.REVIEW: _has_open_review,
}
"""For each duty, how to see that the transaction has met it: it has written an audit entry, written
one with a commitment to a reason, or opened a task; or a review is open. A duty without a row here
is never met."""


def check_version(version: int, expected_version: int) -> None:
    """Raise `Conflict` unless the row still has the version that the caller saw."""
    if version != expected_version:
        raise Conflict("stale", "it has changed since it was read")
