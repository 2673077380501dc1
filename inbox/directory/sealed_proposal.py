"""Stores proposals that are about no message, encrypted under a key of their own."""

import json
from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from inbox.errors import NotFound
from inbox.line import Line
from inbox.line.authorize import Turn
from inbox.line.moves.registration import data_key
from inbox.line.proposals import proposal as proposing
from inbox.tables import Proposal, WrappedKey


def open_proposal(
    line: Line, turn: Turn, *, kind: str, payload: Mapping[str, str], proposal_id: str
) -> None:
    """One open at a time of a kind in an organisation: the proposer's own earlier one lapses.

    Raises `Conflict` (`proposal.open`) while another person's stands.
    """
    subject_id = str(turn.capacity.organisation)
    for gone in proposing.take_back(turn, kind=kind, subject_id=subject_id):
        _destroy_key(turn.session, turn.now, gone)
    key, wrapped = line.keyring.new_data_key()
    owner = WrappedKey(id=_owner(proposal_id), created_at=turn.now)
    owner.kek_id, owner.wrapped = wrapped.kek_id, wrapped.wrapped
    text = json.dumps(payload)
    proposing.open_proposal(
        turn,
        proposal_id=proposal_id,
        kind=kind,
        subject_id=subject_id,
        life=line.terms.proposal_life,
        payload=text,
        sealed=key.seal(text.encode(), table="proposal", column="sealed_payload", row=proposal_id),
    )
    turn.session.add(owner)


def proposal_of(session: Session, proposal_id: str, kind: str) -> Proposal:
    """The proposal with this id and kind. Raises `NotFound` if there is none of that kind."""
    proposal = session.get(Proposal, proposal_id)
    if proposal is None or proposal.kind != kind:
        raise NotFound
    return proposal


def payload_of(line: Line, session: Session, proposal: Proposal) -> Mapping[str, str]:
    """The decrypted content of an open proposal. Raises `Conflict` once it has been decided."""
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
    proposing.approved(turn, proposal)
    _destroy_key(turn.session, turn.now, proposal_id)


def _owner(proposal_id: str) -> str:
    return f"proposal:{proposal_id}"


def _destroy_key(session: Session, now: datetime, proposal_id: str) -> None:
    key = session.get_one(WrappedKey, _owner(proposal_id))
    key.kek_id, key.wrapped, key.destroyed_at = None, None, now
