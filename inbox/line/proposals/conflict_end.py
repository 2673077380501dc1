"""End a conflict of interest: a leader of the person proposes it, a security reviewer approves it.

The superior decides about a subordinate's conflict (Public Administration Act section 8), and
ending one gives access back, so two decide it, neither of them the person. What the conflict is
with is shown to nobody here: a sender or a case would tell more about the person than the decision
needs, and the reason says the rest.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlmodel import col, select

from inbox.access import permit
from inbox.access.policy.vocabulary import Action, Duty
from inbox.access.question import Capacity, OfConflict, OfUnit, RequestFacts
from inbox.domain import PersonId, ProposalState, UnitId, new_id
from inbox.errors import Conflict, Invalid, NotFound, NotPermitted
from inbox.line import Line
from inbox.line.authorize import (
    Authorized,
    active_policy,
    authorize,
    authorized_transaction,
    check_permitted,
)
from inbox.line.moves.conflicts import ConflictAbout
from inbox.line.proposals.proposal import check_open
from inbox.line.proposals.sealed_proposal import (
    close_approved,
    close_declined,
    close_taken_back,
    open_sealed_proposal,
    payload_of,
    proposal_of,
)
from inbox.line.settle import lock_row, open_task
from inbox.line.task_kinds import TaskKind
from inbox.store import Transaction
from inbox.tables import CapacityRow, ConflictOfInterest, Proposal, Unit, UnitAbove
from inbox.tables.periods import active_on, has_ended

KIND: Final = "end_conflict"
_NOTHING_GIVEN: Final = RequestFacts()


@dataclass(frozen=True, kw_only=True)
class StaffConflict:
    """A conflict of interest of somebody in the leader's unit, or in a unit below it."""

    id: str
    person: PersonId
    about: ConflictAbout
    since: datetime


@dataclass(frozen=True, kw_only=True)
class EndProposal:
    """A proposal to end a conflict of interest, for who proposed it or may decide it."""

    id: str
    conflict_id: str
    person: PersonId
    about: ConflictAbout
    proposer: PersonId
    reason: str = field(repr=False)
    created_at: datetime
    expires_at: datetime
    declined_because: str = field(default="", repr=False)
    """Why a reviewer declined it; empty while it is open."""


def staff_conflicts(line: Line, capacity: Capacity) -> Sequence[StaffConflict]:
    """The conflicts that stand and that this leader may propose to end; looking is audited.

    By person and beginning. Nobody's own are among them. Raises `NotFound` for everybody else.
    """
    assert capacity.unit is not None
    unit = OfUnit(unit_id=UnitId(capacity.unit))
    with authorized_transaction(line, capacity, Action.END_ACCESS, unit) as authorized:
        authorized.record(event="conflict:listed", subject=capacity.unit, message_id=None)
        tx, policy = authorized.tx, active_policy(line, authorized.tx)
        return [
            _staff_conflict(row)
            for row in _conflicts_below(tx, capacity.unit)
            if permit(
                tx,
                policy,
                tx.now,
                capacity=capacity,
                action=Action.PROPOSE,
                subject=OfConflict(conflict_id=row.id),
            )
            .deny_unless_met(tuple(Duty))
            .allowed
        ]


def _conflicts_below(tx: Transaction, unit: str) -> Sequence[ConflictOfInterest]:
    below = select(UnitAbove.unit).where(col(UnitAbove.above) == unit, active_on(UnitAbove, tx.now))
    staff = (
        select(CapacityRow.person)
        .join(Unit, col(Unit.id) == col(CapacityRow.unit))
        .where(
            active_on(CapacityRow, tx.now),
            (col(Unit.id) == unit) | col(Unit.id).in_(below),
        )
    )
    return tx.exec(
        select(ConflictOfInterest)
        .where(col(ConflictOfInterest.person).in_(staff), active_on(ConflictOfInterest, tx.now))
        .order_by(
            col(ConflictOfInterest.person),
            col(ConflictOfInterest.active_from),
            col(ConflictOfInterest.id),
        )
    ).all()


def _staff_conflict(row: ConflictOfInterest) -> StaffConflict:
    return StaffConflict(
        id=row.id, person=PersonId(row.person), about=_about(row), since=row.active_from
    )


def _about(row: ConflictOfInterest) -> ConflictAbout:
    if row.message_id is not None:
        return ConflictAbout.MESSAGE
    return ConflictAbout.CASE if row.sender is None else ConflictAbout.SENDER


def propose_end(line: Line, capacity: Capacity, conflict_id: str, *, reason: str) -> str:
    """Propose to end a conflict of interest of one's staff; returns the proposal's id.

    A security reviewer gets a task. The reason is sealed with the proposal; the audit commits to
    it. Raises `Conflict` while it is proposed already, or where the conflict has ended.
    """
    _check_reason(reason)
    subject, given = OfConflict(conflict_id=conflict_id), RequestFacts(reason_given=True)
    with authorized_transaction(line, capacity, Action.PROPOSE, subject, given) as authorized:
        _standing(authorized, conflict_id)
        proposal_id = new_id()
        open_sealed_proposal(
            line,
            authorized,
            kind=KIND,
            subject_id=conflict_id,
            payload={"reason": reason},
            proposal_id=proposal_id,
            reason=reason,
        )
        open_task(authorized.tx, kind=TaskKind.END_CONFLICT, subject=conflict_id)
        return proposal_id


def show_end(line: Line, capacity: Capacity, proposal_id: str) -> EndProposal:
    """Show a proposal that is open, or was declined, to who may decide or make it; audited.

    Raises `NotFound` for everybody else, and `Conflict` if it is neither.
    """
    with line.store.transaction() as tx:
        proposal, subject = _proposal(tx, proposal_id)
        authorized = _authorize_to_see(line, tx, capacity, subject)
        if proposal.state is not ProposalState.DECLINED:
            check_open(authorized, proposal)
        said = payload_of(line, tx, proposal)
        row = tx.get_one(ConflictOfInterest, subject.conflict_id)
        authorized.record(event="proposal:shown", subject=proposal_id, message_id=None)
        authorized.mark_reason_given()
        return EndProposal(
            id=proposal.id,
            conflict_id=row.id,
            person=PersonId(row.person),
            about=_about(row),
            proposer=PersonId(proposal.proposer),
            reason=said["reason"],
            created_at=proposal.created_at,
            expires_at=proposal.expires_at,
            declined_because=said.get("declined", ""),
        )


def approve_end(line: Line, capacity: Capacity, proposal_id: str) -> None:
    """End the conflict of interest that another person proposed to end, from now on.

    What it had ended stays ended: a leader may assign the messages anew.
    """
    with line.store.transaction() as tx:
        proposal, subject = _proposal(tx, proposal_id)
        authorized = authorize(line, tx, capacity, Action.END_CONFLICT, subject, _NOTHING_GIVEN)
        check_open(authorized, proposal)
        row = _standing(authorized, subject.conflict_id)
        close_approved(authorized, proposal)
        row.active_until = tx.now
        authorized.record(
            event="conflict:ended",
            subject=row.id,
            message_id=None,
            committed={"person": row.person},
        )
        authorized.close_tasks(row.id, TaskKind.END_CONFLICT)


def decline_end(line: Line, capacity: Capacity, proposal_id: str, *, reason: str) -> None:
    """Decline the proposal, with a reason: the conflict stands.

    By a person who could approve it now, as `message_proposals.decline`.
    """
    _check_reason(reason)
    with line.store.transaction() as tx:
        proposal, subject = _proposal(tx, proposal_id)
        given = RequestFacts(reason_given=True)
        check_permitted(line, tx, capacity, Action.END_CONFLICT, subject, given)
        authorized = authorize(line, tx, capacity, Action.DECLINE, subject, given)
        check_open(authorized, proposal)
        close_declined(line, authorized, proposal, reason=reason)
        authorized.close_tasks(subject.conflict_id, TaskKind.END_CONFLICT)


def take_back_end(line: Line, capacity: Capacity, proposal_id: str) -> None:
    """Take back one's own proposal, as long as nobody has decided it."""
    with line.store.transaction() as tx:
        proposal, subject = _proposal(tx, proposal_id)
        authorized = _authorize_to_see(line, tx, capacity, subject)
        check_open(authorized, proposal)
        close_taken_back(authorized, proposal)
        authorized.mark_reason_given()
        authorized.close_tasks(subject.conflict_id, TaskKind.END_CONFLICT)


def _proposal(tx: Transaction, proposal_id: str) -> tuple[Proposal, OfConflict]:
    lock_row(tx, Proposal, proposal_id)
    proposal = proposal_of(tx, proposal_id, KIND)
    return proposal, OfConflict(conflict_id=proposal.subject_id, proposal_id=proposal_id)


def _authorize_to_see(
    line: Line, tx: Transaction, capacity: Capacity, subject: OfConflict
) -> Authorized:
    """By the right to decide it, or by that to propose it."""
    with suppress(NotFound, NotPermitted):
        return authorize(line, tx, capacity, Action.END_CONFLICT, subject, _NOTHING_GIVEN)
    return authorize(line, tx, capacity, Action.PROPOSE, subject, _NOTHING_GIVEN)


def _standing(authorized: Authorized, conflict_id: str) -> ConflictOfInterest:
    """The conflict. Raises `Conflict` where it has ended."""
    row = authorized.tx.get_one(ConflictOfInterest, conflict_id)
    if has_ended(row.active_until, authorized.tx.now):
        raise Conflict("conflict.over", "it has ended already")
    return row


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("reason.missing", "say why")
