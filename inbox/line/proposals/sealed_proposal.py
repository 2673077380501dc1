"""Stores proposals that are about no message, encrypted under a key of their own."""

import json
from collections.abc import Mapping

from sqlmodel import Session

from inbox.errors import NotFound
from inbox.keys import DataKey
from inbox.line import Line
from inbox.line.authorize import Authorized
from inbox.line.moves.registration import data_key
from inbox.line.proposals import proposal as proposing
from inbox.store import Transaction
from inbox.tables import Proposal, WrappedKey


def open_sealed_proposal(  # noqa: PLR0913 - the columns of a proposal
    line: Line,
    authorized: Authorized,
    *,
    kind: str,
    subject_id: str,
    payload: Mapping[str, str],
    proposal_id: str,
    reason: str = "",
) -> None:
    """Open a proposal, and withdraw the proposer's own earlier one about the same.

    Only one proposal of a kind may be open about a subject. Raises `Conflict` (`proposal.open`)
    while another person's stands.
    """
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
        reason=reason,
        payload=text,
        sealed=_seal(key, proposal_id, text),
    )
    authorized.tx.add(owner)


def proposal_of(session: Session, proposal_id: str, kind: str) -> Proposal:
    """The proposal with this id and kind. Raises `NotFound` if there is none of that kind."""
    proposal = session.get(Proposal, proposal_id)
    if proposal is None or proposal.kind != kind:
        raise NotFound
    return proposal


def payload_of(line: Line, session: Session, proposal: Proposal) -> Mapping[str, str]:
    """The decrypted content. Raises `Conflict` once it was approved or taken back."""
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


def close_declined(line: Line, authorized: Authorized, proposal: Proposal, *, reason: str) -> None:
    """Mark the proposal declined; the reason is sealed with what was proposed."""
    payload = {**payload_of(line, authorized.tx, proposal), "declined": reason}
    key = data_key(authorized.tx, line, _key_id(proposal.id))
    sealed = _seal(key, proposal.id, json.dumps(payload))
    proposing.mark_declined(authorized, proposal, reason=reason, sealed=sealed)


def close_taken_back(authorized: Authorized, proposal: Proposal) -> None:
    """Take back the person's own proposal, and destroy its key. Raises as `lapse_own`."""
    proposal_id = proposal.id
    proposing.lapse_own(authorized, proposal)
    _destroy_key(authorized.tx, proposal_id)


def _seal(key: DataKey, proposal_id: str, text: str) -> bytes:
    return key.seal(text.encode(), table="proposal", column="sealed_payload", row=proposal_id)


def _key_id(proposal_id: str) -> str:
    return f"proposal:{proposal_id}"


def _destroy_key(tx: Transaction, proposal_id: str) -> None:
    key = tx.get_one(WrappedKey, _key_id(proposal_id))
    key.kek_id, key.wrapped, key.destroyed_at = None, None, tx.now
