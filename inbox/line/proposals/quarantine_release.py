"""What a release from quarantine takes, and what is shown to those who decide about one.

They decide by the envelope and the verdict: nobody is shown the content of a message in quarantine,
so nobody has to read what may be graded to say that it may pass.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter
from sqlmodel import Session, col, select

from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Role
from inbox.access.question import Capacity, RequestFacts
from inbox.domain import MessageState, OrgNumber, PersonId, ProposalState, Service
from inbox.errors import Conflict, IntegrityError, NotFound, PackageRejected
from inbox.line import Line
from inbox.line.authorize import Authorized, authorize, message_subject
from inbox.line.moves.registration import data_key
from inbox.package.codes.registry import CODES
from inbox.package.envelope import read_envelope
from inbox.package.verdict import Verdict
from inbox.store import Transaction
from inbox.tables import Message, Proposal

QUARANTINE_RELEASE: Final = "quarantine_release"
"""The kind of a proposal to let a message pass."""
_VERDICT: Final = TypeAdapter(Verdict)


@dataclass(frozen=True, kw_only=True)
class ReleaseProposal:
    """An open proposal to let a message pass."""

    id: str
    proposer: PersonId
    waivers: tuple[str, ...]
    """The codes that would be waived."""
    reason: str = field(repr=False)
    """What the proposer wrote, who has not seen the content either."""
    needs_reviewer: bool
    """Whether a security reviewer must approve it."""
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class HeldMessage:
    """A message in quarantine as it is shown to those who decide: no content, no name of a file."""

    id: str
    code: str | None
    organisation: OrgNumber
    service: Service
    sender: OrgNumber | None
    process: str | None
    document_type: str | None
    sent_at: datetime | None
    received_at: datetime
    total_bytes: int
    verdict: Verdict
    proposal: ReleaseProposal | None


def is_waivable(code: str) -> bool:
    """Whether two people may let a message with this code pass."""
    return code in CODES and CODES[code].waivable


def takes_reviewer(codes: Sequence[str]) -> bool:
    """Whether one of these codes needs a security reviewer to waive it."""
    return any(CODES[code].needs_reviewer for code in codes if code in CODES)


def release_facts(
    policy: Policy, message: Message | None, waivers: Sequence[str], *, reason_given: bool = True
) -> RequestFacts:
    """The facts about waiving: by the code of the message, and by each that would be waived."""
    code = None if message is None else message.code
    return release_facts_of_code(policy, code, waivers, reason_given=reason_given)


def release_facts_of_code(
    policy: Policy, code: str | None, waivers: Sequence[str], *, reason_given: bool = True
) -> RequestFacts:
    """The same by the code that a message is held for.

    Under a policy that was written before that fact existed nobody may waive what needs a reviewer:
    such a policy would let an archivist approve it.
    """
    held_for = () if code is None else (code,)
    needs_reviewer = takes_reviewer((*held_for, *waivers))
    return RequestFacts(
        reason_given=reason_given,
        waivable=any(map(is_waivable, held_for))
        and (not needs_reviewer or _asks_for_reviewers(policy)),
        needs_reviewer=needs_reviewer,
    )


def _asks_for_reviewers(policy: Policy) -> bool:
    action = Action.QUARANTINE_RELEASE
    return any("needs_reviewer" in policy.facts_used(action, role) for role in Role)


def unseal_proposal(session: Session, line: Line, proposal: Proposal) -> tuple[str, str]:
    """The code and the reason of a proposal. Raises `Conflict` once its subject is erased."""
    said = _unseal(session, line, proposal)
    return str(said["code"]), str(said["reason"])


def unseal_decline(session: Session, line: Line, proposal: Proposal) -> str:
    """Why the proposal was declined; empty if it was not. Raises as `unseal_proposal`."""
    return str(_unseal(session, line, proposal).get("declined", ""))


def _unseal(session: Session, line: Line, proposal: Proposal) -> Mapping[str, object]:
    payload = data_key(session, line, proposal.subject_id).unseal(
        proposal.sealed_payload, table="proposal", column="sealed_payload", row=proposal.id
    )
    said: Mapping[str, object] = json.loads(payload)
    return said


def sealed_waivers(session: Session, line: Line, proposal: Proposal) -> Sequence[str]:
    """What a release would waive, to decide who may approve it.

    Empty where it cannot be read: nobody learns of that before it is known who asks.
    """
    if proposal.kind != QUARANTINE_RELEASE:
        return ()
    try:
        return unseal_proposal(session, line, proposal)[0].split()
    except (Conflict, IntegrityError):
        return ()


def show_held_message(line: Line, capacity: Capacity, message_id: str) -> HeldMessage:
    """Show a message in quarantine to somebody who distributes mail, or may approve its release.

    It is audited that it was shown. Raises `NotFound` for everybody else, and `Conflict` if the
    message is not in quarantine.
    """
    with line.store.transaction() as tx:
        proposal = _open_release(tx, message_id)
        authorized = _authorize_to_decide(line, tx, capacity, message_id, proposal)
        message = tx.get_one(Message, message_id)
        if message.state is not MessageState.QUARANTINED:
            raise Conflict("message.not_quarantined", "it is not in quarantine")
        authorized.record(
            event="message:verdict_shown",
            subject=message_id,
            message_id=message_id,
            code=message.code,
        )
        return _held_message(tx, line, message, proposal)


def _authorize_to_decide(
    line: Line,
    tx: Transaction,
    capacity: Capacity,
    message_id: str,
    proposal: Proposal | None,
) -> Authorized:
    """By the right to distribute, or by that to approve the proposal that is open."""
    subject = message_subject(message_id)
    try:
        return authorize(line, tx, capacity, Action.ROUTE, subject, RequestFacts())
    except NotFound:
        if proposal is None:
            raise
    waivers = sealed_waivers(tx, line, proposal)
    policy = line.policies.current(tx)
    given = release_facts(policy, tx.get(Message, message_id), waivers)
    subject = message_subject(message_id, proposal_id=proposal.id)
    return authorize(line, tx, capacity, Action.QUARANTINE_RELEASE, subject, given)


def _open_release(tx: Transaction, message_id: str) -> Proposal | None:
    return tx.exec(
        select(Proposal).where(
            col(Proposal.kind) == QUARANTINE_RELEASE,
            col(Proposal.subject_id) == message_id,
            col(Proposal.state) == ProposalState.OPEN,
            col(Proposal.expires_at) > tx.now,
        )
    ).first()


def _release_proposal(
    session: Session, line: Line, message: Message, row: Proposal
) -> ReleaseProposal:
    code, reason = unseal_proposal(session, line, row)
    waivers = tuple(code.split())
    return ReleaseProposal(
        id=row.id,
        proposer=PersonId(row.proposer),
        waivers=waivers,
        reason=reason,
        needs_reviewer=takes_reviewer(
            (*(() if message.code is None else (message.code,)), *waivers)
        ),
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def _held_message(
    session: Session, line: Line, message: Message, proposal: Proposal | None
) -> HeldMessage:
    process, document_type = _envelope_words(session, line, message)
    return HeldMessage(
        id=message.id,
        code=message.code,
        organisation=OrgNumber(message.organisation),
        service=message.service,
        sender=None if message.sender is None else OrgNumber(message.sender),
        process=process,
        document_type=document_type,
        sent_at=message.sent_at,
        received_at=message.received_at,
        total_bytes=message.size,
        verdict=_VERDICT.validate_json(message.verdict or "{}"),
        proposal=None if proposal is None else _release_proposal(session, line, message, proposal),
    )


def _envelope_words(
    session: Session, line: Line, message: Message
) -> tuple[str | None, str | None]:
    """Process and document type; neither where there is no envelope that can be read."""
    if message.sealed_envelope is None:
        return None, None
    raw = data_key(session, line, message.id).unseal(
        message.sealed_envelope, table="message", column="sealed_envelope", row=message.id
    )
    try:
        envelope = read_envelope(raw)
    except PackageRejected:
        return None, None
    return envelope.process, envelope.document_type
