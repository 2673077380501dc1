"""A change of the directory: one person proposes what widens access, another approves it as shown.

What only narrows access takes one person, so that nobody waits for a second to take access away.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from inbox.access.policy.vocabulary import Action
from inbox.access.question import Given, OfInstallation, OfProposal, Subject
from inbox.directory.apply import Authority, Keys, carry_out, hold, keyed, plan
from inbox.directory.diff import Change, digest_of
from inbox.directory.format.rows import Directory
from inbox.directory.format.toml_file import read_directory, written
from inbox.directory.people import give_code, proved_capacities
from inbox.directory.sealed_proposal import close_approved, open_proposal, payload_of, proposal_of
from inbox.domain import OrgNumber, new_id
from inbox.errors import Conflict, NotFound, NotPermitted
from inbox.line import Line
from inbox.line.authorize import Turn, ask
from inbox.line.settle import lock
from inbox.tables import Proposal, Unit

KIND: Final = "directory"
CODE_KIND: Final = "code"


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A person's id, with the personal code that proves who they are."""

    person: str
    code: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a directory changes, and whether that was applied or only proposed."""

    changes: tuple[Change, ...]
    digest: str = ""
    """What the approver acknowledges; only of a proposal."""
    proposal_id: str | None = None
    """It waits for another person."""
    keys: Keys = field(default_factory=dict, repr=False)


def bring(line: Line, by: Signed, directory: Directory) -> Result:
    """Apply the directory if it only narrows access; otherwise propose all of it.

    Raises `Invalid` where the directory does not fit, and `NotPermitted`.
    """
    with line.store.transaction() as (session, now):
        turn = acting(line, session, now, by, Action.DIRECTORY_EDIT, OfInstallation())
        changes, directory = _planned(line, turn, directory)
        if not any(change.widens for change in changes):
            return _done(line, turn, directory, changes)
        proposal_id, digest = _open(line, turn, directory, changes)
    return Result(changes=changes, digest=digest, proposal_id=proposal_id)


def bring_together(line: Line, by: Signed, with_: Signed, directory: Directory) -> Result:
    """Propose and approve in one command, with both people present; both decisions are made."""
    with line.store.transaction() as (session, now):
        turn = acting(line, session, now, by, Action.DIRECTORY_EDIT, OfInstallation())
        changes, directory = _planned(line, turn, directory)
        if not changes:
            return Result(changes=())
        proposal_id, _ = _open(line, turn, directory, changes)
        session.flush()
        return _approve(line, session, now, with_, proposal_id, acknowledged=None)


def look(line: Line, by: Signed, proposal_id: str) -> Result:
    """Show what a proposal would change now, to somebody who may approve it; this is audited."""
    with line.store.transaction() as (session, now):
        proposal = proposal_of(session, proposal_id, KIND)
        subject = OfProposal(proposal_id=proposal_id)
        turn = acting(line, session, now, by, Action.DIRECTORY_APPROVE, subject)
        turn.note(event="proposal:seen", subject=proposal_id, message_id=None)
        directory, _ = _payload(line, session, proposal)
        changes = plan(line, session, now, directory)
    digest = digest_of(changes, salt=proposal_id)
    return Result(changes=changes, digest=digest, proposal_id=proposal_id)


def approve(line: Line, by: Signed, proposal_id: str, *, acknowledged: str) -> Result:
    """Apply what another person proposed, exactly as it was proposed and shown.

    Raises `Conflict`: `directory.changed` if it would change something else by now than when it
    was proposed, `directory.not_acknowledged` if what was acknowledged is something else.
    """
    with line.store.transaction() as (session, now):
        return _approve(line, session, now, by, proposal_id, acknowledged=acknowledged)


def acting(
    line: Line, session: Session, now: datetime, by: Signed, action: Action, subject: Subject
) -> Turn:
    """Authorize the action in the first of the person's capacities that may perform it.

    Raises `NotPermitted` if none.
    """
    for capacity in proved_capacities(session, now, by.person, by.code):
        try:
            return ask(line, session, now, capacity, action, subject, Given())
        except (NotFound, NotPermitted):
            continue
    raise NotPermitted("not_permitted", f"{action.value}: in none of the capacities")


def _planned(line: Line, turn: Turn, directory: Directory) -> tuple[tuple[Change, ...], Directory]:
    hold(turn.session)
    _check_organisation(turn, directory.organisation)
    directory = keyed(line, directory)
    return plan(line, turn.session, turn.now, directory), directory


def _check_organisation(turn: Turn, organisation: OrgNumber) -> None:
    """The directory must be of the person's own organisation, or of one that has no units yet."""
    known = turn.session.exec(
        select(Unit.id).where(col(Unit.organisation) == organisation).limit(1)
    ).first()
    if organisation != turn.capacity.organisation and known is not None:
        raise NotPermitted("not_permitted", "the directory is another organisation's")


def _done(line: Line, turn: Turn, directory: Directory, changes: tuple[Change, ...]) -> Result:
    decision = turn.decision
    authority = Authority(who=turn.capacity.id, rule=decision.rule, policy=decision.digest)
    keys = carry_out(line, turn.session, turn.now, directory.organisation, changes, authority)
    return Result(changes=changes, keys=keys)


def _open(
    line: Line, turn: Turn, directory: Directory, changes: tuple[Change, ...]
) -> tuple[str, str]:
    """Open a proposal; returns its id and the digest of what it would change now."""
    proposal_id = new_id()
    digest = digest_of(changes, salt=proposal_id)
    payload = {"file": written(directory), "digest": digest}
    open_proposal(line, turn, kind=KIND, payload=payload, proposal_id=proposal_id)
    return proposal_id, digest


def _approve(
    line: Line,
    session: Session,
    now: datetime,
    by: Signed,
    proposal_id: str,
    *,
    acknowledged: str | None,
) -> Result:
    """None: the same two people see it come about, and there was nothing between."""
    lock(session, Proposal, proposal_id)
    proposal = proposal_of(session, proposal_id, KIND)
    subject = OfProposal(proposal_id=proposal_id)
    turn = acting(line, session, now, by, Action.DIRECTORY_APPROVE, subject)
    hold(session)
    directory, digest = _payload(line, session, proposal)
    changes = plan(line, session, now, directory)
    if digest_of(changes, salt=proposal_id) != digest:
        raise Conflict("directory.changed", "it would change something else now: propose it again")
    if acknowledged not in (None, digest):
        raise Conflict("directory.not_acknowledged", "what was acknowledged is something else")
    close_approved(turn, proposal)
    return _done(line, turn, directory, changes)


def _payload(line: Line, session: Session, proposal: Proposal) -> tuple[Directory, str]:
    """The directory as it was proposed, and the digest of its changes at that time."""
    payload = payload_of(line, session, proposal)
    return read_directory(payload["file"].encode()), payload["digest"]


def new_code(line: Line, by: Signed, with_: Signed, person: str) -> str:
    """A new personal code for somebody, by the same two decisions as a change that widens access.

    Whoever has the code is that person to us, so it takes no less.
    """
    with line.store.transaction() as (session, now):
        turn = acting(line, session, now, by, Action.DIRECTORY_EDIT, OfInstallation())
        proposal_id = new_id()
        open_proposal(
            line, turn, kind=CODE_KIND, payload={"person": person}, proposal_id=proposal_id
        )
        session.flush()
        subject = OfProposal(proposal_id=proposal_id)
        turn = acting(line, session, now, with_, Action.DIRECTORY_APPROVE, subject)
        close_approved(turn, proposal_of(session, proposal_id, CODE_KIND))
        return give_code(session, person)
