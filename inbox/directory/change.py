"""A change of the directory: one person proposes what widens access, another approves it as shown.

What only narrows access takes one person, so that nobody waits for a second to take access away.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from inbox import audit
from inbox.access.subject import Given, OfInstallation, OfProposal, Subject
from inbox.access.words import Action
from inbox.directory.changes import Change, digest_of
from inbox.directory.file import read_directory, written
from inbox.directory.listed import Directory
from inbox.directory.people import capacities_of
from inbox.directory.taking import Authority, Keys, carry_out, hold, keyed, plan
from inbox.errors import Conflict, NotFound, NotPermitted
from inbox.line import Line
from inbox.line.moves.asking import Turn, ask
from inbox.line.moves.registering import data_key
from inbox.line.settle import lock
from inbox.message import OrgNumber, ProposalState, new_id
from inbox.tables import Proposal, Unit, WrappedKey

KIND: Final = "directory"


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A person, and the personal code that proves it."""

    person: str
    code: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a directory changes, and what became of it: proposed, or done."""

    changes: tuple[Change, ...]
    digest: str = ""
    """What the approver acknowledges; only of a proposal."""
    proposal_id: str | None = None
    """It waits for another person."""
    keys: Keys = field(default_factory=dict, repr=False)


def bring(line: Line, by: Signed, directory: Directory) -> Result:
    """Take in what only narrows access; propose the rest, all of it.

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
    """Propose and approve in one go, two people being there: by the same two decisions."""
    with line.store.transaction() as (session, now):
        turn = acting(line, session, now, by, Action.DIRECTORY_EDIT, OfInstallation())
        changes, directory = _planned(line, turn, directory)
        if not changes:
            return Result(changes=())
        proposal_id, _ = _open(line, turn, directory, changes)
        session.flush()
        return _approve(line, session, now, with_, proposal_id, acknowledged=None)


def look(line: Line, by: Signed, proposal_id: str) -> Result:
    """What a proposal would change now, for somebody who may approve it."""
    with line.store.transaction() as (session, now):
        proposal = _proposal(session, proposal_id)
        subject = OfProposal(proposal_id=proposal_id)
        acting(line, session, now, by, Action.DIRECTORY_APPROVE, subject)
        directory, _ = _payload(line, session, proposal)
        changes = plan(line, session, now, directory)
    digest = digest_of(changes, salt=proposal_id)
    return Result(changes=changes, digest=digest, proposal_id=proposal_id)


def approve(line: Line, by: Signed, proposal_id: str, *, acknowledged: str) -> Result:
    """Take in what another person proposed, as it was proposed and as it was shown.

    Raises `Conflict`: `directory.changed` if it would change something else by now than when it
    was proposed, `directory.not_acknowledged` if what was acknowledged is something else.
    """
    with line.store.transaction() as (session, now):
        return _approve(line, session, now, by, proposal_id, acknowledged=acknowledged)


def acting(
    line: Line, session: Session, now: datetime, by: Signed, action: Action, subject: Subject
) -> Turn:
    """A turn in whichever of the person's capacities may do it. Raises `NotPermitted` if none."""
    for capacity in capacities_of(session, now, by.person, by.code):
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
    """The own one, or one that has no units yet."""
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
    """An open proposal, sealed under a key of its own; the proposer's earlier one lapses."""
    assert turn.capacity.person is not None
    subject_id = str(turn.capacity.organisation)
    _check_none_open(turn, subject_id)
    proposal_id = new_id()
    digest = digest_of(changes, salt=proposal_id)
    key, wrapped = line.keyring.new_data_key()
    payload = json.dumps({"file": written(directory), "digest": digest}).encode()
    turn.session.add(
        WrappedKey(
            id=_owner(proposal_id),
            kek_id=wrapped.kek_id,
            wrapped=wrapped.wrapped,
            created_at=turn.now,
        )
    )
    turn.session.add(
        Proposal(
            id=proposal_id,
            kind=KIND,
            subject_id=subject_id,
            state=ProposalState.OPEN,
            proposer=turn.capacity.person,
            sealed_payload=key.seal(
                payload, table="proposal", column="sealed_payload", row=proposal_id
            ),
            created_at=turn.now,
            expires_at=turn.now + line.terms.proposal_life,
        )
    )
    _note(turn, proposal_id, digest)
    return proposal_id, digest


def _note(turn: Turn, proposal_id: str, digest: str) -> None:
    entry = audit.Entry(
        event="proposal:opened",
        who=turn.capacity.id,
        subject=proposal_id,
        by=KIND,
        rule=turn.decision.rule,
        policy=turn.decision.digest,
        committed={"digest": digest},
    )
    audit.record(turn.session, entry)


def _check_none_open(turn: Turn, subject_id: str) -> None:
    standing = turn.session.exec(
        select(Proposal).where(
            col(Proposal.kind) == KIND,
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
    proposal = _proposal(session, proposal_id)
    subject = OfProposal(proposal_id=proposal_id)
    turn = acting(line, session, now, by, Action.DIRECTORY_APPROVE, subject)
    hold(session)
    directory, digest = _payload(line, session, proposal)
    changes = plan(line, session, now, directory)
    if digest_of(changes, salt=proposal_id) != digest:
        raise Conflict("directory.changed", "it would change something else now: propose it again")
    if acknowledged not in (None, digest):
        raise Conflict("directory.not_acknowledged", "what was acknowledged is something else")
    turn.settle(
        row=proposal,
        became=ProposalState.APPROVED,
        by="approve",
        values={"approver": turn.capacity.person},
    )
    _destroy_key(session, now, proposal_id)
    return _done(line, turn, directory, changes)


def _proposal(session: Session, proposal_id: str) -> Proposal:
    proposal = session.get(Proposal, proposal_id)
    if proposal is None or proposal.kind != KIND:
        raise NotFound
    return proposal


def _payload(line: Line, session: Session, proposal: Proposal) -> tuple[Directory, str]:
    """The directory as it was proposed, and the digest of what it changed then."""
    key = data_key(session, line, _owner(proposal.id))
    payload = json.loads(
        key.unseal(
            proposal.sealed_payload, table="proposal", column="sealed_payload", row=proposal.id
        )
    )
    return read_directory(payload["file"].encode()), payload["digest"]


def _owner(proposal_id: str) -> str:
    return f"proposal:{proposal_id}"


def _destroy_key(session: Session, now: datetime, proposal_id: str) -> None:
    """Names are not kept a second time once it is decided."""
    key = session.get_one(WrappedKey, _owner(proposal_id))
    key.kek_id, key.wrapped, key.destroyed_at = None, None, now
