"""Proposals to change the directory.

If a change widens access, one person proposes it and another approves exactly what was shown.

One person may do what only narrows access, so that nobody waits for a second to take it away.
"""

from dataclasses import dataclass, field
from typing import Final

from sqlmodel import Session, col, select

from inbox.access.policy.vocabulary import Action
from inbox.access.question import OfInstallation, OfProposal, RequestFacts, Subject
from inbox.directory.apply import (
    Approval,
    NewSystemKeys,
    apply_changes,
    hash_references,
    lock_directory,
    plan_changes,
)
from inbox.directory.diff import RowChange, digest_of
from inbox.directory.format.rows import Directory
from inbox.directory.format.toml_file import directory_text, read_directory
from inbox.directory.people import issue_code, verified_capacities
from inbox.domain import OrgNumber, new_id
from inbox.errors import Conflict, NotFound, NotPermitted
from inbox.line import Line
from inbox.line.authorize import Authorized, authorize
from inbox.line.proposals.sealed_proposal import (
    close_approved,
    open_sealed_proposal,
    payload_of,
    proposal_of,
)
from inbox.line.settle import lock_row
from inbox.store import Transaction
from inbox.tables import Proposal, Unit

PROPOSAL_KIND: Final = "directory"
CODE_PROPOSAL_KIND: Final = "code"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """A person's id, with the personal code that proves who they are."""

    person: str
    code: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class SubmissionResult:
    """What a directory changes, and whether that was applied or only proposed."""

    changes: tuple[RowChange, ...]
    digest: str = ""
    """What the approver acknowledges; only of a proposal."""
    proposal_id: str | None = None
    """It waits for another person."""
    keys: NewSystemKeys = field(default_factory=dict, repr=False)


def submit(line: Line, by: Credentials, directory: Directory) -> SubmissionResult:
    """Apply the directory if it only narrows access; otherwise propose all of it.

    Raises `Invalid` where the directory does not fit, and `NotPermitted`.
    """
    with line.store.transaction() as tx:
        authorized = authorize_person(line, tx, by, Action.DIRECTORY_EDIT, OfInstallation())
        changes, directory = _lock_and_plan(line, authorized, directory)
        if not any(change.widens for change in changes):
            return _apply(line, authorized, directory, changes)
        proposal_id, digest = _open_proposal(line, authorized, directory, changes)
    return SubmissionResult(changes=changes, digest=digest, proposal_id=proposal_id)


def submit_with_approver(
    line: Line, by: Credentials, approver: Credentials, directory: Directory
) -> SubmissionResult:
    """Propose and approve in one command, with both people present; both decisions are made."""
    with line.store.transaction() as tx:
        authorized = authorize_person(line, tx, by, Action.DIRECTORY_EDIT, OfInstallation())
        changes, directory = _lock_and_plan(line, authorized, directory)
        if not changes:
            return SubmissionResult(changes=())
        proposal_id, _ = _open_proposal(line, authorized, directory, changes)
        tx.flush()
        return _approve(line, tx, approver, proposal_id, acknowledged=None)


def preview(line: Line, by: Credentials, proposal_id: str) -> SubmissionResult:
    """Show what a proposal would change now, to somebody who may approve it; this is audited."""
    with line.store.transaction() as tx:
        proposal = proposal_of(tx, proposal_id, PROPOSAL_KIND)
        subject = OfProposal(proposal_id=proposal_id)
        authorized = authorize_person(line, tx, by, Action.DIRECTORY_APPROVE, subject)
        authorized.record(event="proposal:seen", subject=proposal_id, message_id=None)
        directory, _ = _read_payload(line, tx, proposal)
        changes = plan_changes(line, tx, directory)
    digest = digest_of(changes, salt=proposal_id)
    return SubmissionResult(changes=changes, digest=digest, proposal_id=proposal_id)


def approve(
    line: Line, by: Credentials, proposal_id: str, *, acknowledged: str
) -> SubmissionResult:
    """Apply what another person proposed, exactly as it was proposed and shown.

    Raises `Conflict`: `directory.changed` if it would change something else by now than when it
    was proposed, `directory.not_acknowledged` if what was acknowledged is something else.
    """
    with line.store.transaction() as tx:
        return _approve(line, tx, by, proposal_id, acknowledged=acknowledged)


def authorize_person(
    line: Line, tx: Transaction, by: Credentials, action: Action, subject: Subject
) -> Authorized:
    """Authorize the action in the first of the person's capacities that may perform it.

    Raises `NotPermitted` if none.
    """
    for capacity in verified_capacities(tx, by.person, by.code):
        try:
            return authorize(line, tx, capacity, action, subject, RequestFacts())
        except (NotFound, NotPermitted):
            continue
    raise NotPermitted("not_permitted", f"{action.value}: in none of the capacities")


def _lock_and_plan(
    line: Line, authorized: Authorized, directory: Directory
) -> tuple[tuple[RowChange, ...], Directory]:
    lock_directory(authorized.tx)
    _check_organisation(authorized, directory.organisation)
    directory = hash_references(line, directory)
    return plan_changes(line, authorized.tx, directory), directory


def _check_organisation(authorized: Authorized, organisation: OrgNumber) -> None:
    """The directory must be of the person's own organisation, or of one that has no units yet."""
    known = authorized.tx.exec(
        select(Unit.id).where(col(Unit.organisation) == organisation).limit(1)
    ).first()
    if organisation != authorized.capacity.organisation and known is not None:
        raise NotPermitted("not_permitted", "the directory is another organisation's")


def _apply(
    line: Line, authorized: Authorized, directory: Directory, changes: tuple[RowChange, ...]
) -> SubmissionResult:
    decision = authorized.decision
    authority = Approval(who=authorized.capacity.id, rule=decision.rule, policy=decision.digest)
    keys = apply_changes(line, authorized.tx, directory.organisation, changes, authority)
    return SubmissionResult(changes=changes, keys=keys)


def _open_proposal(
    line: Line, authorized: Authorized, directory: Directory, changes: tuple[RowChange, ...]
) -> tuple[str, str]:
    """Open a proposal; returns its id and the digest of what it would change now."""
    proposal_id = new_id()
    digest = digest_of(changes, salt=proposal_id)
    payload = {"file": directory_text(directory), "digest": digest}
    open_sealed_proposal(
        line,
        authorized,
        kind=PROPOSAL_KIND,
        subject_id=str(authorized.capacity.organisation),
        payload=payload,
        proposal_id=proposal_id,
    )
    return proposal_id, digest


def _approve(
    line: Line,
    tx: Transaction,
    by: Credentials,
    proposal_id: str,
    *,
    acknowledged: str | None,
) -> SubmissionResult:
    """Approve the proposal and make its changes.

    The parameter `acknowledged` is None when both people act in one command. There is then no
    earlier preview to compare with.
    """
    lock_row(tx, Proposal, proposal_id)
    proposal = proposal_of(tx, proposal_id, PROPOSAL_KIND)
    subject = OfProposal(proposal_id=proposal_id)
    authorized = authorize_person(line, tx, by, Action.DIRECTORY_APPROVE, subject)
    lock_directory(tx)
    directory, digest = _read_payload(line, tx, proposal)
    changes = plan_changes(line, tx, directory)
    if digest_of(changes, salt=proposal_id) != digest:
        raise Conflict("directory.changed", "it would change something else now: propose it again")
    if acknowledged not in (None, digest):
        raise Conflict("directory.not_acknowledged", "what was acknowledged is something else")
    close_approved(authorized, proposal)
    return _apply(line, authorized, directory, changes)


def _read_payload(line: Line, session: Session, proposal: Proposal) -> tuple[Directory, str]:
    """The directory as it was proposed, and the digest of its changes at that time."""
    payload = payload_of(line, session, proposal)
    return read_directory(payload["file"].encode()), payload["digest"]


def issue_code_with_approver(
    line: Line, by: Credentials, approver: Credentials, person: str
) -> str:
    """Issue a new personal code for somebody.

    It requires the same two decisions as a change that widens access.

    To the program the holder of the code is that person, so it requires no less.
    """
    with line.store.transaction() as tx:
        authorized = authorize_person(line, tx, by, Action.DIRECTORY_EDIT, OfInstallation())
        proposal_id = new_id()
        open_sealed_proposal(
            line,
            authorized,
            kind=CODE_PROPOSAL_KIND,
            subject_id=str(authorized.capacity.organisation),
            payload={"person": person},
            proposal_id=proposal_id,
        )
        tx.flush()
        subject = OfProposal(proposal_id=proposal_id)
        authorized = authorize_person(line, tx, approver, Action.DIRECTORY_APPROVE, subject)
        close_approved(authorized, proposal_of(tx, proposal_id, CODE_PROPOSAL_KIND))
        return issue_code(tx, person)
