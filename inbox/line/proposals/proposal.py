"""What all proposals share: one open at a time about a subject, approved by another person."""

from datetime import timedelta

from sqlmodel import col, select

from inbox.domain import ProposalState
from inbox.errors import Conflict
from inbox.line.authorize import Authorized
from inbox.tables import Proposal


def open_proposal(  # noqa: PLR0913 - the columns of a proposal
    authorized: Authorized,
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
    _check_none_open(authorized, kind, subject_id)
    assert authorized.capacity.person is not None
    authorized.tx.add(
        Proposal(
            id=proposal_id,
            kind=kind,
            subject_id=subject_id,
            state=ProposalState.OPEN,
            proposer=authorized.capacity.person,
            sealed_payload=sealed,
            created_at=authorized.tx.now,
            expires_at=authorized.tx.now + life,
        )
    )
    authorized.record(
        event="proposal:opened",
        subject=proposal_id,
        message_id=message_id,
        by=kind,
        reason=reason,
        committed={"payload": payload} if payload else {},
    )


def _check_none_open(authorized: Authorized, kind: str, subject_id: str) -> None:
    """An expired one lapses here, so that an approval still on its way finds it gone."""
    for proposal in _find_open(authorized, kind, subject_id):
        if proposal.expires_at > authorized.tx.now:
            raise Conflict("proposal.open", "it has been proposed already")
        _lapse(authorized, proposal)


def withdraw_own_proposals(
    authorized: Authorized, *, kind: str, subject_id: str
) -> tuple[str, ...]:
    """Withdraw the person's own open proposals before a new one; those of other people stay open.

    What is too old lapses with it. Gives the ids of what nobody can approve any more.
    """
    gone = [
        proposal
        for proposal in _find_open(authorized, kind, subject_id)
        if proposal.proposer == authorized.capacity.person
        or proposal.expires_at <= authorized.tx.now
    ]
    ids = tuple(proposal.id for proposal in gone)
    for proposal in gone:
        _lapse(authorized, proposal)
    return ids


def _lapse(authorized: Authorized, proposal: Proposal) -> None:
    """OPEN to LAPSED: nobody can approve it any more."""
    authorized.settle(row=proposal, became=ProposalState.LAPSED, by="lapse")


def mark_approved(authorized: Authorized, proposal: Proposal, *, reason: str = "") -> None:
    """Move the proposal from OPEN to APPROVED. The caller has been authorized to approve it."""
    authorized.settle(
        row=proposal,
        became=ProposalState.APPROVED,
        by="approve",
        values={"approver": authorized.capacity.person},
        reason=reason,
    )


def mark_declined(
    authorized: Authorized, proposal: Proposal, *, reason: str, sealed: bytes
) -> None:
    """Move the proposal from OPEN to DECLINED, with a payload that also says why."""
    authorized.settle(
        row=proposal,
        became=ProposalState.DECLINED,
        by="decline",
        values={"approver": authorized.capacity.person, "sealed_payload": sealed},
        reason=reason,
    )


def lapse_own(authorized: Authorized, proposal: Proposal) -> None:
    """Take back the person's own proposal: OPEN to LAPSED. Raises `Conflict` for another's."""
    if proposal.proposer != authorized.capacity.person:
        raise Conflict("proposal.of_another", "its proposer takes it back; others decline it")
    _lapse(authorized, proposal)


def check_open(authorized: Authorized, proposal: Proposal) -> None:
    """Raise `Conflict` unless the proposal still waits for somebody."""
    if proposal.state is not ProposalState.OPEN or proposal.expires_at <= authorized.tx.now:
        raise Conflict("proposal.not_open", "it was decided or taken back, or it has expired")


def _find_open(authorized: Authorized, kind: str, subject_id: str) -> list[Proposal]:
    return list(
        authorized.tx.exec(
            select(Proposal).where(
                col(Proposal.kind) == kind,
                col(Proposal.subject_id) == subject_id,
                col(Proposal.state) == ProposalState.OPEN,
            )
        )
    )
