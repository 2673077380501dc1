"""Stores proposals that are about no message, encrypted under a key of their own."""

import json
from collections.abc import Mapping

from sqlmodel import Session

from inbox.errors import NotFound
from inbox.line import Line
from inbox.line.authorize import Authorized
from inbox.line.moves.registration import data_key
from inbox.line.proposals import proposal as proposing
from inbox.store import Transaction
from inbox.tables import Proposal, WrappedKey


def open_sealed_proposal(
    line: Line, authorized: Authorized, *, kind: str, payload: Mapping[str, str], proposal_id: str
) -> None:
    """Open a proposal, and withdraw the proposer's own earlier one.

    Only one proposal of a kind may be open in an organisation.

    Raises `Conflict` (`proposal.open`) while another person's stands.
    """
    subject_id = str(authorized.capacity.organisation)
    for gone in proposing.withdraw_own_proposals(authorized, kind=kind, subject_id=subject_id):
        _destroy_key(authorized.tx, gone)
    key, wrapped = line.keyring.new_data_key()
    owner = WrappedKey(id=_key_id(proposal_id), created_at=authorized.tx.now)
    owner.kek_id, owner.wrapped = wrapped.kek_id, wrapped.wrapped
    text = json.dumps(payload)
    proposing.open_proposal(
        authorized,
        proposal_id=proposal_id,
        kind=kind,
        subject_id=subject_id,
        life=line.terms.proposal_life,
        payload=text,
        sealed=key.seal(text.encode(), table="proposal", column="sealed_payload", row=proposal_id),
    )
    authorized.tx.add(owner)


def proposal_of(session: Session, proposal_id: str, kind: str) -> Proposal:
    """The proposal with this id and kind. Raises `NotFound` if there is none of that kind."""
    proposal = session.get(Proposal, proposal_id)
    if proposal is None or proposal.kind != kind:
        raise NotFound
    return proposal


def payload_of(line: Line, session: Session, proposal: Proposal) -> Mapping[str, str]:
    """The decrypted content of an open proposal. Raises `Conflict` once it has been decided."""
    key = data_key(session, line, _key_id(proposal.id))
    payload: Mapping[str, str] = json.loads(
        key.unseal(
            proposal.sealed_payload, table="proposal", column="sealed_payload", row=proposal.id
        )
    )
    return payload


def close_approved(authorized: Authorized, proposal: Proposal) -> None:
    """Mark the proposal approved and destroy its key.

    Names are therefore not stored twice after the decision.
    """
    proposal_id = proposal.id
    proposing.mark_approved(authorized, proposal)
    _destroy_key(authorized.tx, proposal_id)


def _key_id(proposal_id: str) -> str:
    return f"proposal:{proposal_id}"


def _destroy_key(tx: Transaction, proposal_id: str) -> None:
    key = tx.get_one(WrappedKey, _key_id(proposal_id))
    key.kek_id, key.wrapped, key.destroyed_at = None, None, tx.now
