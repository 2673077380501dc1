"""Decisions that need two people: one proposes, another *person*, not another capacity, approves.

Refusing a message, releasing one from quarantine, giving up an arrival, withdrawing what a case
system has collected, dismissing a late word.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlmodel import Session

from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, RequestFacts, Subject
from inbox.domain import (
    ArrivalState,
    DeliveryState,
    MessageState,
    PersonId,
    ProposalState,
    new_id,
)
from inbox.errors import Conflict, Invalid, NotFound, NotPermitted
from inbox.line import Line
from inbox.line.authorize import Authorized, arrival_subject, authorize, message_subject
from inbox.line.moves.registration import active_delivery, data_key
from inbox.line.proposals.proposal import mark_approved, open_proposal
from inbox.line.proposals.quarantine_release import (
    QUARANTINE_RELEASE,
    is_waivable,
    release_facts,
    sealed_waivers,
    unseal_proposal,
)
from inbox.line.receipts import choose_receipt
from inbox.line.settle import has_open_task
from inbox.line.task_kinds import TaskKind
from inbox.receipt_document import REFUSALS, ReceiptType
from inbox.store import Transaction
from inbox.tables import Arrival, Message, Proposal


class ProposalKind(StrEnum):
    """The decisions that may be proposed."""

    REFUSE = "refuse"
    QUARANTINE_RELEASE = QUARANTINE_RELEASE
    ABANDON = "abandon"
    WITHDRAW = "withdraw"
    DISMISS = "dismiss"


@dataclass(frozen=True, kw_only=True)
class _ApprovedProposal:
    authorized: Authorized
    subject: str
    code: str


_ACTION: Final[Mapping[ProposalKind, Action]] = {
    ProposalKind.REFUSE: Action.REFUSE,
    ProposalKind.QUARANTINE_RELEASE: Action.QUARANTINE_RELEASE,
    ProposalKind.ABANDON: Action.ABANDON,
    ProposalKind.WITHDRAW: Action.WITHDRAW,
    ProposalKind.DISMISS: Action.DISMISS,
}


def propose(
    line: Line,
    capacity: Capacity,
    kind: ProposalKind,
    subject_id: str,
    *,
    code: str = "",
    reason: str,
) -> str:
    """Propose a decision; returns the proposal's id.

    Raises `Conflict` if a proposal of the same kind is open, or there is nothing to withdraw or to
    dismiss.

    `code` is the refusal's code, or the waivers separated by spaces. The payload is sealed under
    the subject's data key.
    """
    _check_code(kind, code)
    with line.store.transaction() as tx:
        subject = _subject(kind, subject_id, None)
        waivers = _waivers(kind, code)
        message = _message_of(tx, kind, subject_id)
        policy = line.policies.current(tx)
        given = release_facts(policy, message, waivers, reason_given=bool(reason))
        authorized = authorize(line, tx, capacity, Action.PROPOSE, subject, given)
        _check_fits(tx, kind, subject_id)
        payload = json.dumps({"code": code, "reason": reason}).encode()
        key = data_key(tx, line, subject_id)
        proposal_id = new_id()
        open_proposal(
            authorized,
            proposal_id=proposal_id,
            kind=kind.value,
            subject_id=subject_id,
            life=line.terms.proposal_life,
            message_id=None if kind is ProposalKind.ABANDON else subject_id,
            reason=reason,
            payload=payload.decode(),
            sealed=key.seal(payload, table="proposal", column="sealed_payload", row=proposal_id),
        )
        if waivers and given.needs_reviewer:
            authorized.notify(TaskKind.WAIVER, subject=subject_id, message_id=subject_id, unit=None)
        return proposal_id


def _check_code(kind: ProposalKind, code: str) -> None:
    if kind is ProposalKind.REFUSE and code not in REFUSALS:
        raise Invalid("refusal.unknown", f"one of {', '.join(REFUSALS)}")
    if kind is ProposalKind.QUARANTINE_RELEASE:
        for waiver in code.split() or [""]:
            if not is_waivable(waiver):
                raise Invalid("waiver.unknown", "name the codes that are waived")


def _check_fits(session: Session, kind: ProposalKind, subject_id: str) -> None:
    """Raise `Conflict` where nobody could approve it, because there is nothing of that kind."""
    if kind is ProposalKind.WITHDRAW and active_delivery(session, subject_id) is None:
        raise Conflict("delivery.not_standing", "no delivery stands open")
    if kind is ProposalKind.DISMISS and not has_open_task(session, TaskKind.LATE_WORD, subject_id):
        raise Conflict("task.no_late_word", "no word came too late that is not settled")


def _waivers(kind: ProposalKind, code: str) -> Sequence[str]:
    return code.split() if kind is ProposalKind.QUARANTINE_RELEASE else ()


def _message_of(session: Session, kind: ProposalKind, subject_id: str) -> Message | None:
    return None if kind is ProposalKind.ABANDON else session.get(Message, subject_id)


def _subject(kind: ProposalKind, subject_id: str, proposal_id: str | None) -> Subject:
    if kind is ProposalKind.ABANDON:
        return arrival_subject(subject_id, proposal_id=proposal_id)
    return message_subject(subject_id, proposal_id=proposal_id)


@dataclass(frozen=True, kw_only=True)
class MessageProposal:
    """A proposal as it is shown to those who may know of its subject, or may approve it."""

    id: str
    kind: ProposalKind
    subject_id: str
    proposer: PersonId
    code: str
    """The refusal's code, or the waivers."""
    reason: str = field(repr=False)
    created_at: datetime
    expires_at: datetime


def show_proposal(line: Line, capacity: Capacity, proposal_id: str) -> MessageProposal:
    """Show an open proposal with its reason; the audit says that it was shown.

    For a person who may know of its subject, or may approve it. Raises `NotFound` for everybody
    else, and `Conflict` if it is not open any more.
    """
    with line.store.transaction() as tx:
        proposal = tx.get(Proposal, proposal_id)
        if proposal is None or proposal.kind not in _ACTION:
            raise NotFound
        kind = ProposalKind(proposal.kind)
        authorized = _authorize_to_see(line, tx, capacity, proposal)
        if proposal.state is not ProposalState.OPEN or proposal.expires_at <= tx.now:
            raise Conflict("proposal.not_open", "it was approved, or it has expired")
        code, reason = unseal_proposal(tx, line, proposal)
        authorized.record(
            event="proposal:shown",
            subject=proposal_id,
            message_id=None if kind is ProposalKind.ABANDON else proposal.subject_id,
        )
        return MessageProposal(
            id=proposal.id,
            kind=kind,
            subject_id=proposal.subject_id,
            proposer=PersonId(proposal.proposer),
            code=code,
            reason=reason,
            created_at=proposal.created_at,
            expires_at=proposal.expires_at,
        )


def _authorize_to_see(
    line: Line, tx: Transaction, capacity: Capacity, proposal: Proposal
) -> Authorized:
    kind = ProposalKind(proposal.kind)
    message = _message_of(tx, kind, proposal.subject_id)
    waivers = sealed_waivers(tx, line, proposal)
    given = release_facts(line.policies.current(tx), message, waivers)
    subject = _subject(kind, proposal.subject_id, proposal.id)
    for action in (Action.ROUTE, Action.LIST):
        with suppress(NotFound, NotPermitted):
            return authorize(line, tx, capacity, action, subject, RequestFacts())
    return authorize(line, tx, capacity, _ACTION[kind], subject, given)


def approve(line: Line, capacity: Capacity, proposal_id: str) -> None:
    """Approve what another person proposed; it is carried out in the same transaction."""
    with line.store.transaction() as tx:
        proposal = tx.get(Proposal, proposal_id)
        if proposal is None or proposal.kind not in _ACTION:
            raise NotFound
        kind = ProposalKind(proposal.kind)
        subject = _subject(kind, proposal.subject_id, proposal_id)
        waivers = sealed_waivers(tx, line, proposal)
        message = _message_of(tx, kind, proposal.subject_id)
        given = release_facts(line.policies.current(tx), message, waivers)
        authorized = authorize(line, tx, capacity, _ACTION[kind], subject, given)
        code, reason = unseal_proposal(tx, line, proposal)
        subject_id = proposal.subject_id
        mark_approved(authorized, proposal, reason=reason)
        _CARRY_OUT[kind](_ApprovedProposal(authorized=authorized, subject=subject_id, code=code))


def _refuse(it: _ApprovedProposal) -> None:
    tx = it.authorized.tx
    message = tx.get_one(Message, it.subject)
    it.authorized.settle(
        row=message,
        became=MessageState.REFUSED,
        by="refuse",
        code=it.code,
        values={"refused_at": tx.now},
    )
    choose_receipt(tx, message, ReceiptType.ERROR)


def _quarantine_release(it: _ApprovedProposal) -> None:
    message = it.authorized.tx.get_one(Message, it.subject)
    it.authorized.settle(
        row=message,
        became=MessageState.RECEIVED,
        by="quarantine_release",
        values={"waivers": it.code},
    )


def _abandon(it: _ApprovedProposal) -> None:
    arrival = it.authorized.tx.get_one(Arrival, it.subject)
    it.authorized.settle(
        row=arrival, became=ArrivalState.ABANDONING, by="abandon", code=arrival.code
    )


def _withdraw(it: _ApprovedProposal) -> None:
    delivery = active_delivery(it.authorized.tx, it.subject)
    message = it.authorized.tx.get_one(Message, it.subject)
    if delivery is None:
        raise Conflict("delivery.not_standing", "no delivery stands open")
    collected = delivery.state is DeliveryState.COLLECTED
    it.authorized.settle(
        row=delivery,
        became=DeliveryState.SUPERSEDED if collected else DeliveryState.WITHDRAWN,
        by="withdraw",
        values={"settled_at": it.authorized.tx.now},
    )
    it.authorized.settle(row=message, became=MessageState.ROUTED, by="withdraw")


def _dismiss(it: _ApprovedProposal) -> None:
    it.authorized.close_tasks(it.subject, TaskKind.LATE_WORD)


_CARRY_OUT: Final[Mapping[ProposalKind, Callable[[_ApprovedProposal], None]]] = {
    ProposalKind.REFUSE: _refuse,
    ProposalKind.QUARANTINE_RELEASE: _quarantine_release,
    ProposalKind.ABANDON: _abandon,
    ProposalKind.WITHDRAW: _withdraw,
    ProposalKind.DISMISS: _dismiss,
}
