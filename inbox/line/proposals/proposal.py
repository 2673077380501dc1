"""What all proposals share: one open at a time about a subject, approved by another person."""

from datetime import timedelta

from sqlmodel import col, select

from inbox.domain import ProposalState
from inbox.errors import Conflict
from inbox.line.authorize import Turn
from inbox.tables import Proposal


def open_proposal(  # noqa: PLR0913 - the columns of a proposal
    turn: Turn,
    *,
    proposal_id: str,
    kind: str,
    subject_id: str,
    life: timedelta,
    message_id: str | None = None,
    reason: str = "",
    payload: str = "",
    sealed: bytes = b"",
) -> None:
    """Insert the proposal with its audit entry. Raises `Conflict` if another one is open.

    `sealed` is the payload, sealed for this proposal's id; the audit only commits to it.
    """
    _lapse_or_refuse(turn, kind, subject_id)
    assert turn.capacity.person is not None
    turn.session.add(
        Proposal(
            id=proposal_id,
            kind=kind,
            subject_id=subject_id,
            state=ProposalState.OPEN,
            proposer=turn.capacity.person,
            sealed_payload=sealed,
            created_at=turn.now,
            expires_at=turn.now + life,
        )
    )
    turn.note(
        event="proposal:opened",
        subject=proposal_id,
        message_id=message_id,
        by=kind,
        reason=reason,
        committed={"payload": payload} if payload else {},
    )


def _lapse_or_refuse(turn: Turn, kind: str, subject_id: str) -> None:
    """One whose time is over lapses here, so that an approval still on its way finds it gone."""
    for proposal in _standing(turn, kind, subject_id):
        if proposal.expires_at > turn.now:
            raise Conflict("proposal.open", "it has been proposed already")
        _lapse(turn, proposal)


def take_back(turn: Turn, *, kind: str, subject_id: str) -> tuple[str, ...]:
    """Withdraw the person's own open proposals before a new one; those of other people stay open.

    What is too old lapses with it. Gives the ids of what nobody can approve any more.
    """
    gone = [
        proposal
        for proposal in _standing(turn, kind, subject_id)
        if proposal.proposer == turn.capacity.person or proposal.expires_at <= turn.now
    ]
    ids = tuple(proposal.id for proposal in gone)
    for proposal in gone:
        _lapse(turn, proposal)
    return ids


def _lapse(turn: Turn, proposal: Proposal) -> None:
    """OPEN to LAPSED: nobody can approve it any more."""
    turn.settle(row=proposal, became=ProposalState.LAPSED, by="lapse")


def approved(turn: Turn, proposal: Proposal, *, reason: str = "") -> None:
    """Move the proposal from OPEN to APPROVED. The caller has been authorized to approve it."""
    turn.settle(
        row=proposal,
        became=ProposalState.APPROVED,
        by="approve",
        values={"approver": turn.capacity.person},
        reason=reason,
    )


def _standing(turn: Turn, kind: str, subject_id: str) -> list[Proposal]:
    return list(
        turn.session.exec(
            select(Proposal).where(
                col(Proposal.kind) == kind,
                col(Proposal.subject_id) == subject_id,
                col(Proposal.state) == ProposalState.OPEN,
            )
        )
    )
