"""What all proposals share: one open at a time about a thing, and another person who approves."""

from collections.abc import Callable
from datetime import timedelta

from sqlmodel import col, select

from inbox.errors import Conflict
from inbox.line.moves.asking import Turn
from inbox.message import ProposalState, new_id
from inbox.tables import Proposal


def open_proposal(  # noqa: PLR0913 - the columns of a proposal
    turn: Turn,
    *,
    kind: str,
    subject_id: str,
    life: timedelta,
    message_id: str | None = None,
    reason: str = "",
    payload: str = "",
    seal: Callable[[str], bytes] = lambda _: b"",
) -> str:
    """Write it, and that it was opened; gives its id. Another one that stands is a `Conflict`.

    `seal` gives the payload sealed for the proposal's id; the audit only commits to it.
    """
    _lapse_or_refuse(turn, kind, subject_id)
    assert turn.capacity.person is not None
    proposal_id = new_id()
    turn.session.add(
        Proposal(
            id=proposal_id,
            kind=kind,
            subject_id=subject_id,
            state=ProposalState.OPEN,
            proposer=turn.capacity.person,
            sealed_payload=seal(proposal_id),
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
    return proposal_id


def _lapse_or_refuse(turn: Turn, kind: str, subject_id: str) -> None:
    """One whose time is over lapses here, so that an approval still on its way finds it gone."""
    for proposal in _standing(turn, kind, subject_id):
        if proposal.expires_at > turn.now:
            raise Conflict("proposal.open", "it has been proposed already")
        lapse(turn, proposal)


def take_back(turn: Turn, *, kind: str, subject_id: str) -> None:
    """Who proposes anew takes back what they proposed before; what others proposed stands."""
    for proposal in _standing(turn, kind, subject_id):
        if proposal.proposer == turn.capacity.person:
            lapse(turn, proposal)


def lapse(turn: Turn, proposal: Proposal) -> None:
    """OPEN to LAPSED: nobody can approve it any more."""
    turn.settle(row=proposal, became=ProposalState.LAPSED, by="lapse")


def approved(turn: Turn, proposal: Proposal, *, reason: str = "") -> None:
    """OPEN to APPROVED. The turn is the policy's yes to this person about this proposal."""
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
