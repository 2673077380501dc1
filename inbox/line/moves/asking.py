"""Ask the policy before anything moves: every move of a person or a case system begins here."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from inbox import audit
from inbox.access import permit
from inbox.access.policy import Decision
from inbox.access.subject import Capacity, Given, OfArrival, OfMessage, Subject
from inbox.access.words import Action, Duty
from inbox.errors import Conflict, NotFound, NotPermitted, Unavailable
from inbox.line import Line
from inbox.line.settle import Settled, Step, close_tasks, lock, settle
from inbox.line.waiting import TaskKind
from inbox.message import ArrivalId, DeliveryId, MessageId, State
from inbox.tables import Arrival, Message

_SHOWING = (Action.ROUTE, Action.LIST)
"""Whoever may do one of these knows that the message exists."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A yes of the policy, and the transaction in which it is acted on."""

    session: Session
    now: datetime
    capacity: Capacity
    decision: Decision

    def settle(  # noqa: PLR0913 - the fields of a step
        self,
        *,
        row: Settled,
        became: State,
        by: str,
        code: str | None = None,
        values: Mapping[str, object] | None = None,
        due_at: datetime | None = None,
        reason: str = "",
    ) -> None:
        """Make the step that was allowed. The reason is personal text: only committed to."""
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
            committed=_committed(reason),
        )
        settle(self.session, self.now, step)

    def note(
        self,
        *,
        event: str,
        subject: str,
        message_id: str | None,
        code: str | None = None,
        reason: str = "",
    ) -> None:
        """Audit something that moves no state."""
        entry = audit.Entry(
            event=event,
            who=self.capacity.id,
            subject=subject,
            message_id=message_id,
            code=code,
            rule=self.decision.rule,
            policy=self.decision.digest,
            committed=_committed(reason),
        )
        audit.record(self.session, entry)

    def close(self, subject: str, *kinds: TaskKind) -> None:
        """Close the open tasks of these kinds about a subject."""
        close_tasks(
            self.session, self.now, subject=subject, kinds=list(kinds), who=self.capacity.id
        )


def _committed(reason: str) -> dict[str, str]:
    """Personal text for the audit: only a commitment of it is kept."""
    return {"reason": reason} if reason else {}


def of_message(
    message_id: str, *, delivery_id: str | None = None, proposal_id: str | None = None
) -> OfMessage:
    """A message as the subject of a question, by ids as the tables hold them."""
    return OfMessage(
        message_id=MessageId(message_id),
        delivery_id=None if delivery_id is None else DeliveryId(delivery_id),
        proposal_id=proposal_id,
    )


def of_arrival(arrival_id: str, *, proposal_id: str | None = None) -> OfArrival:
    """An arrival as the subject of a question."""
    return OfArrival(arrival_id=ArrivalId(arrival_id), proposal_id=proposal_id)


def ask(  # noqa: PLR0913, PLR0917 - who, what, on what, with what, when
    line: Line,
    session: Session,
    now: datetime,
    capacity: Capacity,
    action: Action,
    subject: Subject,
    given: Given,
    *,
    notified: Collection[Duty] = (),
) -> Turn:
    """A turn, if the decision is yes; asked in the transaction that acts on it.

    The row it is about is locked first: of two who would move it at once, the second is asked about
    what the first has left. So read what it depends on after this.

    Every move is audited in its own transaction, which is the duty `log`; a move that also writes
    the task that its `notify` asks for says so in `notified`.

    Raises:
        NotFound: not there, or not to be known by this capacity.
        NotPermitted: known to this capacity, but not this action.
        Unavailable: this process cannot have the active policy, so everything is denied.
    """
    _lock(session, subject)
    policy = line.policies.current(session)
    if not policy.rules:
        raise Unavailable("policy.not_active", "nobody may do anything until it is")

    def decide(one: Action) -> Decision:
        return permit(
            session, policy, now, capacity=capacity, action=one, subject=subject, given=given
        )

    met = {Duty.LOG, *notified, *({Duty.REASON} if given.reason_given else ())}
    decision = decide(action).fulfilled_by(met)
    if decision.allowed:
        return Turn(session=session, now=now, capacity=capacity, decision=decision)
    if any(decide(showing).allowed for showing in _SHOWING):
        raise NotPermitted("not_permitted", f"{action.value}: {decision.rule}")
    raise NotFound


def _lock(session: Session, subject: Subject) -> None:
    if isinstance(subject, OfMessage):
        lock(session, Message, subject.message_id)
    elif isinstance(subject, OfArrival):
        lock(session, Arrival, subject.arrival_id)


def check_seen(version: int, seen: int) -> None:
    """Raise `Conflict` unless the caller saw the row as it is now."""
    if version != seen:
        raise Conflict("stale", "it has changed since it was read")
