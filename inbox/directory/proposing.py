"""A proposal about what belongs to no message: opened by one, sealed under a key of its own."""

import json
from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session, col, select

from inbox import audit
from inbox.errors import Conflict, NotFound
from inbox.line import Line
from inbox.line.moves.asking import Turn
from inbox.line.moves.registering import data_key
from inbox.message import ProposalState
from inbox.tables import Proposal, WrappedKey


def open_proposal(
    line: Line, turn: Turn, *, kind: str, payload: Mapping[str, str], proposal_id: str
) -> None:
    """One open at a time of a kind in an organisation: the proposer's own earlier one lapses.

    Raises `Conflict` (`proposal.open`) while another person's stands.
    """
    assert turn.capacity.person is not None
    subject_id = str(turn.capacity.organisation)
    _check_none_open(turn, kind, subject_id)
    key, wrapped = line.keyring.new_data_key()
    text = json.dumps(payload).encode()
    owner = WrappedKey(id=_owner(proposal_id), created_at=turn.now)
    owner.kek_id, owner.wrapped = wrapped.kek_id, wrapped.wrapped
    proposal = Proposal(
        id=proposal_id,
        kind=kind,
        subject_id=subject_id,
        state=ProposalState.OPEN,
        proposer=turn.capacity.person,
        sealed_payload=key.seal(text, table="proposal", column="sealed_payload", row=proposal_id),
        created_at=turn.now,
        expires_at=turn.now + line.terms.proposal_life,
    )
    turn.session.add_all([owner, proposal])
    audit.record(
        turn.session,
        audit.Entry(
            event="proposal:opened",
            who=turn.capacity.id,
            subject=proposal_id,
            by=kind,
            rule=turn.decision.rule,
            policy=turn.decision.digest,
            committed={"payload": text.decode()},
        ),
    )


def _check_none_open(turn: Turn, kind: str, subject_id: str) -> None:
    standing = turn.session.exec(
        select(Proposal).where(
            col(Proposal.kind) == kind,
            col(Proposal.subject_id) == subject_id,
            col(Proposal.state) == ProposalState.OPEN,
        )
    ).all()
    for proposal in standing:
        if proposal.expires_at > turn.now and proposal.proposer != turn.capacity.person:
            raise Conflict("proposal.open", "somebody else has proposed a change already")
        proposal_id = proposal.id
        turn.settle(row=proposal, became=ProposalState.LAPSED, by="lapse")
        _destroy_key(turn.session, turn.now, proposal_id)


def proposal_of(session: Session, proposal_id: str, kind: str) -> Proposal:
    """The proposal. Raises `NotFound` if there is none of that kind."""
    proposal = session.get(Proposal, proposal_id)
    if proposal is None or proposal.kind != kind:
        raise NotFound
    return proposal


def payload_of(line: Line, session: Session, proposal: Proposal) -> Mapping[str, str]:
    """What was proposed. Raises `Conflict` once it has been decided."""
    key = data_key(session, line, _owner(proposal.id))
    payload: Mapping[str, str] = json.loads(
        key.unseal(
            proposal.sealed_payload, table="proposal", column="sealed_payload", row=proposal.id
        )
    )
    return payload


def close_approved(turn: Turn, proposal: Proposal) -> None:
    """Approved in this turn; names are not kept a second time once it is decided."""
    proposal_id = proposal.id
    turn.settle(
        row=proposal,
        became=ProposalState.APPROVED,
        by="approve",
        values={"approver": turn.capacity.person},
    )
    _destroy_key(turn.session, turn.now, proposal_id)


def _owner(proposal_id: str) -> str:
    return f"proposal:{proposal_id}"


def _destroy_key(session: Session, now: datetime, proposal_id: str) -> None:
    key = session.get_one(WrappedKey, _owner(proposal_id))
    key.kek_id, key.wrapped, key.destroyed_at = None, None, now
