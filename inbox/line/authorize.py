"""Authorize before anything is changed: every move of a person or a case system begins here.

The problem: between the question "may I" and the deed another person may have changed the answer
(time of check to time of use), and a yes has conditions: an audit entry, a reason, a task that
informs somebody.

The method: a reference monitor in the transaction of the deed. First the row that the action is
about is locked, then the policy is asked, then the caller acts; the lock lasts until the commit.
The conditions are obligations, as XACML calls them: before the commit it is looked at what the
transaction has done. An obligation that is not met turns the yes into a no, and nothing stays.

An example: Kari, who leads the unit, and Ola, its handler, release one ROUTED message at once.

    Kari  locks the row; it is routed, so the answer is yes; sets RELEASED; audit entry; commit
    Ola   waits for the lock; reads the row again; it is not routed any more; NotPermitted

Without the audit entry Kari's commit would raise `NotPermitted` too: the rule (A14) owes `log`.

Not done here: no fact is evaluated (`access.permit`), no state is set (`settle`). A caller that may
not know that something exists hears `NotFound`, the same as of what does not exist.
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
from inbox.tables import AccessGrant, Arrival, Message, Task, Unit
from inbox.tables.periods import active_on

_NOTHING_GIVEN: Final = RequestFacts()
V = TypeVar("V", Arrival, Message)
_VISIBILITY_ACTIONS: Final[Mapping[type[Subject], tuple[Action, ...]]] = {
    OfMessage: (Action.ROUTE, Action.LIST),
    OfArrival: (Action.ROUTE,),
    OfUnit: (Action.END_ACCESS,),
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

    def _mark_logged(self, reason: str) -> None:
        self.tx.met_duties.update({Duty.LOG, Duty.REASON} if reason else {Duty.LOG})

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

        For a request that repeats an earlier one, or that waits for people by an audited task.
        """
        self.tx.met_duties.update(self.decision.duties)

    def close_tasks(self, subject: str, *kinds: TaskKind) -> None:
        """Close the open tasks of these kinds about a subject."""
        close_tasks(self.tx, subject=subject, kinds=list(kinds), who=self.capacity.id)


def _reason_commitment(reason: str) -> dict[str, str]:
    """Personal text for the audit: only a commitment of it is kept."""
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
    """The transaction of one move: lock the subject, decide, act, keep the duties, commit.

    The caller reads what it depends on inside, by `Authorized.seen` where a version was seen. All
    of it is committed at the end, or nothing: raises as `authorize`, and `NotPermitted` for a duty
    that was not met.
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

    The row it is about is locked first: of two who would move it at once, the second is asked about
    what the first has left. So read what it depends on after this.

    The duties of the yes are looked at before the commit: see `DUTY_CHECKS`.

    Raises:
        NotFound: not there, or not to be known by this capacity.
        NotPermitted: known to this capacity, but not this action.
        Unavailable: this process cannot have the active policy, so everything is denied.
    """
    # Lock first, ask then: the answer is about the row as it stays until the commit.
    _lock_subject(tx, subject)
    policy = active_policy(line, tx)

    def decide(one: Action) -> Decision:
        return permit(
            tx, policy, tx.now, capacity=capacity, action=one, subject=subject, request=given
        )

    # A reading transaction never commits, so it could meet no duty: a yes that owes one is a no.
    decision = decide(action).deny_unless_met(tuple(Duty) if tx.writes else ())
    if decision.allowed:
        authorized = Authorized(tx=tx, capacity=capacity, subject=subject, decision=decision)
        # Before the commit, not at the end of a `with`: what is never committed needs no duty met.
        tx.check_before_commit(lambda: _check_duties_met(authorized))
        return authorized
    # NotPermitted tells that it exists, so only those hear it who may see it somewhere else.
    if any(decide(showing).allowed for showing in _VISIBILITY_ACTIONS.get(type(subject), ())):
        raise NotPermitted("not_permitted", f"{action.value}: {decision.rule}")
    raise NotFound


def active_policy(line: Line, session: Session) -> Policy:
    """The policy that is active in this transaction.

    Raises `Unavailable` if there is none, or the database is older than what was signed of it: then
    nobody may do anything.
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
"""Each duty, and whether the transaction has met it: its audit entry is written, its reason is
sealed or committed to, its task is there, its review stands open. What is not here is never met."""


def check_version(version: int, expected_version: int) -> None:
    """Raise `Conflict` unless the row still has the version that the caller saw."""
    if version != expected_version:
        raise Conflict("stale", "it has changed since it was read")
