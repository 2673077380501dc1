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
from inbox.line.authorize import (
    Authorized,
    arrival_subject,
    authorize,
    check_permitted,
    message_subject,
)
from inbox.line.moves.registration import active_delivery, data_key
from inbox.line.proposals.proposal import (
    check_open,
    lapse_own,
    mark_approved,
    mark_declined,
    open_proposal,
)
from inbox.line.proposals.quarantine_release import (
    QUARANTINE_RELEASE,
    is_waivable,
    release_facts,
    sealed_waivers,
    unseal_decline,
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


ACTION_OF_PROPOSAL: Final[Mapping[ProposalKind, Action]] = {
    ProposalKind.REFUSE: Action.REFUSE,
    ProposalKind.QUARANTINE_RELEASE: Action.QUARANTINE_RELEASE,
    ProposalKind.ABANDON: Action.ABANDON,
    ProposalKind.WITHDRAW: Action.WITHDRAW,
    ProposalKind.DISMISS: Action.DISMISS,
}
"""The action that approves a proposal of each kind."""


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
    declined_because: str = field(default="", repr=False)
    """Why another person declined it; empty while it is open."""


def show_proposal(line: Line, capacity: Capacity, proposal_id: str) -> MessageProposal:
    """Show a proposal that is open, or was declined, with the reasons; the audit says so.

    For a person who may know of its subject, or may approve it. Raises `NotFound` for everybody
    else, and `Conflict` if it is neither.
    """
    with line.store.transaction() as tx:
        proposal, kind = _proposal_of_message(tx, proposal_id)
        authorized = _authorize_to_see(line, tx, capacity, proposal)
        if proposal.state is not ProposalState.DECLINED:
            check_open(authorized, proposal)
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
            declined_because=unseal_decline(tx, line, proposal)
            if proposal.state is ProposalState.DECLINED
            else "",
        )


def _authorize_to_see(
    line: Line, tx: Transaction, capacity: Capacity, proposal: Proposal
) -> Authorized:
    kind = ProposalKind(proposal.kind)
    subject = _subject(kind, proposal.subject_id, proposal.id)
    for action in (Action.ROUTE, Action.LIST):
        with suppress(NotFound, NotPermitted):
            return authorize(line, tx, capacity, action, subject, RequestFacts())
    message = _message_of(tx, kind, proposal.subject_id)
    waivers = sealed_waivers(tx, line, proposal)
    given = release_facts(line.policies.current(tx), message, waivers)
    return authorize(line, tx, capacity, ACTION_OF_PROPOSAL[kind], subject, given)


def approve(line: Line, capacity: Capacity, proposal_id: str) -> None:
    """Approve what another person proposed; it is carried out in the same transaction."""
    with line.store.transaction() as tx:
        proposal, kind = _proposal_of_message(tx, proposal_id)
        subject = _subject(kind, proposal.subject_id, proposal_id)
        waivers = sealed_waivers(tx, line, proposal)
        message = _message_of(tx, kind, proposal.subject_id)
        given = release_facts(line.policies.current(tx), message, waivers)
        authorized = authorize(line, tx, capacity, ACTION_OF_PROPOSAL[kind], subject, given)
        code, reason = unseal_proposal(tx, line, proposal)
        subject_id = proposal.subject_id
        mark_approved(authorized, proposal, reason=reason)
        _CARRY_OUT[kind](_ApprovedProposal(authorized=authorized, subject=subject_id, code=code))


def decline(line: Line, capacity: Capacity, proposal_id: str, *, reason: str) -> None:
    """Decline what another person proposed (*avslå*), with a reason; nothing else is changed.

    By a person who could approve it now: that is asked first, and then the action `decline`. The
    reason is sealed with the proposal, for those who may see it; the audit commits to it.
    """
    if not reason.strip():
        raise Invalid("reason.missing", "say why")
    with line.store.transaction() as tx:
        proposal, kind = _proposal_of_message(tx, proposal_id)
        subject = _subject(kind, proposal.subject_id, proposal_id)
        message = _message_of(tx, kind, proposal.subject_id)
        waivers = sealed_waivers(tx, line, proposal)
        given = release_facts(line.policies.current(tx), message, waivers)
        check_permitted(line, tx, capacity, ACTION_OF_PROPOSAL[kind], subject, given)
        authorized = authorize(line, tx, capacity, Action.DECLINE, subject, given)
        check_open(authorized, proposal)
        if proposal.proposer == capacity.person:
            raise Conflict("proposal.own", "take it back; another person declines it")
        code, proposed_because = unseal_proposal(tx, line, proposal)
        said = {"code": code, "reason": proposed_because, "declined": reason}
        sealed = data_key(tx, line, proposal.subject_id).seal(
            json.dumps(said).encode(), table="proposal", column="sealed_payload", row=proposal.id
        )
        mark_declined(authorized, proposal, reason=reason, sealed=sealed)
        _close_waiver(authorized, kind, proposal.subject_id)


def take_back(line: Line, capacity: Capacity, proposal_id: str) -> None:
    """Take back one's own proposal (*trekke tilbake*), as long as nobody has decided it.

    It gains nothing, so the person need only still know of its subject.
    """
    with line.store.transaction() as tx:
        proposal, kind = _proposal_of_message(tx, proposal_id)
        authorized = _authorize_to_see(line, tx, capacity, proposal)
        check_open(authorized, proposal)
        lapse_own(authorized, proposal)
        _close_waiver(authorized, kind, proposal.subject_id)


def _proposal_of_message(tx: Transaction, proposal_id: str) -> tuple[Proposal, ProposalKind]:
    proposal = tx.get(Proposal, proposal_id)
    if proposal is None or proposal.kind not in ACTION_OF_PROPOSAL:
        raise NotFound
    return proposal, ProposalKind(proposal.kind)


def _close_waiver(authorized: Authorized, kind: ProposalKind, subject_id: str) -> None:
    """Nobody need decide what is no longer proposed; the task of the message itself stands."""
    if kind is ProposalKind.QUARANTINE_RELEASE:
        authorized.close_tasks(subject_id, TaskKind.WAIVER)


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
