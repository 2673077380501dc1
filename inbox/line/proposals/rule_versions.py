"""Change the policy or a rule book: propose, review, approve by another, activate, roll back.

Each step is one transaction. The text of the difference is worked out before it, and what it was
worked out against is compared inside it.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlmodel import Session, col, select

from inbox.access.files import versions
from inbox.access.files.versions import Files, packed, unpacked
from inbox.access.question import Capacity, Given
from inbox.domain import new_id
from inbox.errors import Conflict, Invalid, NotFound, PolicyError
from inbox.line import Line
from inbox.line.active_rule_books import check_units
from inbox.line.authorize import Turn
from inbox.line.proposals.proposal import approved, open_proposal, take_back
from inbox.line.proposals.rule_permissions import turn_to_approve, turn_to_edit
from inbox.line.proposals.versioned_rules import Compared, Rules, compare
from inbox.routing.rule_book import RuleBook
from inbox.tables import PolicyVersion, Proposal

APPROVAL_LIFE: Final = timedelta(days=30)
"""How long an approval waits for activation; after that it must be proposed anew."""


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """A new proposal, and what it would change."""

    proposal_id: str
    compared: Compared


def propose(line: Line, capacity: Capacity, rules: Rules, files: Files) -> Proposed:
    """Store the files as a proposed version that another person must approve.

    Decisions do not change yet.

    What the same person proposed before is taken back. Raises `PolicyError` where the files are
    refused: they are read as strictly as when they decide.
    """
    read = rules.read(files)
    with line.store.reading() as (session, _):
        compared = compare(session, rules, files, becomes=read.digest)
    with line.store.transaction() as (session, now):
        turn = turn_to_edit(line, session, now, capacity, rules)
        active = _same_active(session, rules, compared)
        if active is not None and active.files == packed(files):
            raise Conflict(f"{rules.proposal}.active", "that is what is active now")
        if isinstance(read, RuleBook):
            check_units(session, now, read)
        take_back(turn, kind=rules.proposal, subject_id=rules.subject)
        proposal_id = new_id()
        open_proposal(
            turn,
            proposal_id=proposal_id,
            kind=rules.proposal,
            subject_id=rules.subject,
            life=line.terms.proposal_life,
        )
        assert capacity.person is not None
        version = PolicyVersion(
            id=proposal_id,
            kind=rules.kind,
            digest=read.digest,
            files=packed(files),
            replaces=compared.active,
            diff_digest=compared.digest,
            proposed_by=capacity.person,
            proposed_at=now,
        )
        session.add(version)
        _note(turn, rules, "proposed", version, active)
    return Proposed(proposal_id=proposal_id, compared=compared)


def review(line: Line, capacity: Capacity, rules: Rules, proposal_id: str) -> Compared:
    """Compare the proposal with the active version, for the person who may approve it.

    That it was shown is in the audit, with the digest of what was shown.
    """
    compared = _compare_proposed(line, rules, proposal_id)
    with line.store.transaction() as (session, now):
        turn = turn_to_approve(line, session, now, capacity, rules, proposal_id)
        active = _same_active(session, rules, compared)
        version = session.get_one(PolicyVersion, proposal_id)
        version.diff_digest = compared.digest
        session.add(version)
        _note(turn, rules, "shown", version, active)
    return compared


def approve(
    line: Line, capacity: Capacity, rules: Rules, proposal_id: str, *, acknowledge: str
) -> str:
    """Approve what another person proposed; returns the version's digest.

    The version is not active yet.

    `acknowledge` is the digest of the difference, as `review` gives it: the person has had those
    words before them. The first of two approvals wins; the second is a `Conflict`.
    """
    compared = _compare_proposed(line, rules, proposal_id)
    with line.store.transaction() as (session, now):
        turn = turn_to_approve(line, session, now, capacity, rules, proposal_id)
        version = _approved(turn, rules, proposal_id, compared, acknowledge)
    return version.digest


def approve_and_activate(
    line: Line, capacity: Capacity, rules: Rules, proposal_id: str, *, acknowledge: str
) -> str:
    """Approve the version and activate it in the same transaction; returns its digest."""
    compared = _compare_proposed(line, rules, proposal_id)
    with line.store.transaction() as (session, now):
        turn = turn_to_approve(line, session, now, capacity, rules, proposal_id)
        version = _approved(turn, rules, proposal_id, compared, acknowledge)
        _make_active(turn, rules, version)
    return version.digest


def activate(line: Line, capacity: Capacity, rules: Rules, digest: str) -> None:
    """Make an approved version the active one: every process uses it from its next transaction on.

    Raises:
        NotFound: nothing of this digest waits for activation.
        Conflict: the approval has lapsed, or another version became active since.
        PolicyError: this program cannot read it, so it would deny everything.
    """
    with line.store.reading() as (session, _):
        if (waiting := _waiting(session, rules, digest)) is not None:
            _check_readable(rules, waiting)
    with line.store.transaction() as (session, now):
        turn = turn_to_edit(line, session, now, capacity, rules)
        version = _waiting(session, rules, digest)
        if version is None or waiting is None or version.id != waiting.id:
            raise NotFound(f"{rules.proposal}.no_approved", "nothing approved has this digest")
        _make_active(turn, rules, version)


def roll_back(line: Line, capacity: Capacity, rules: Rules, *, reason: str) -> str:
    """Return at once to the version that the active one replaced; returns its digest.

    One person may do it: narrowing must not wait. What is rolled back is never active again
    without being proposed anew, so nobody goes forth and back alone.
    """
    if not reason.strip():
        raise Invalid("reason.missing", "say why it is rolled back")
    with line.store.reading() as (session, _):
        before = _before(session, rules)
        _check_readable(rules, before)
    with line.store.transaction() as (session, now):
        turn = turn_to_edit(line, session, now, capacity, rules, Given(reason_given=True))
        version = _before(session, rules)
        active = versions.named(session, rules.kind)
        if version.id != before.id or active is None:
            raise Conflict(f"{rules.proposal}.moved_on", "another became active: look again")
        active.rolled_back_at = now
        _name(turn, rules, version)
        _note(turn, rules, "rolled_back", version, active, reason=reason)
    return version.digest


def _compare_proposed(line: Line, rules: Rules, proposal_id: str) -> Compared:
    """Before the transaction that acts on it: to read and prove takes a while."""
    with line.store.reading() as (session, _):
        version = session.get(PolicyVersion, proposal_id)
        if version is None or version.kind != rules.kind:
            raise NotFound
        files = unpacked(version.files)
        return compare(session, rules, files, becomes=rules.read(files).digest)


def _same_active(session: Session, rules: Rules, compared: Compared) -> PolicyVersion | None:
    active = versions.named(session, rules.kind)
    if (None if active is None else active.id) != compared.active:
        raise Conflict(f"{rules.proposal}.moved_on", "another became active meanwhile: look again")
    return active


def _approved(
    turn: Turn, rules: Rules, proposal_id: str, compared: Compared, acknowledge: str
) -> PolicyVersion:
    active = _same_active(turn.session, rules, compared)
    version = turn.session.get_one(PolicyVersion, proposal_id)
    if acknowledge != compared.digest:
        raise Conflict(
            f"{rules.proposal}.acknowledge", "that is not the digest of what it changes now"
        )
    if compared.becomes != version.digest:
        raise PolicyError("policy.damaged", "the files that are kept are not what was proposed")
    approved(turn, turn.session.get_one(Proposal, proposal_id))
    version.replaces, version.diff_digest = compared.active, acknowledge
    version.approved_by, version.approved_at = turn.capacity.person, turn.now
    turn.session.add(version)
    _note(turn, rules, "approved", version, active)
    return version


def _waiting(session: Session, rules: Rules, digest: str) -> PolicyVersion | None:
    """The newest of this digest that was approved and never active."""
    return session.exec(
        select(PolicyVersion)
        .where(
            col(PolicyVersion.kind) == rules.kind,
            col(PolicyVersion.digest) == digest,
            col(PolicyVersion.approved_at).is_not(None),
            col(PolicyVersion.activated_at).is_(None),
        )
        .order_by(col(PolicyVersion.approved_at).desc())
    ).first()


def _before(session: Session, rules: Rules) -> PolicyVersion:
    active = versions.named(session, rules.kind)
    found = None
    if active is not None and active.replaces is not None:
        found = session.get(PolicyVersion, active.replaces)
    if found is None or found.activated_at is None:
        raise Conflict(f"{rules.proposal}.nothing_before", "no version was active before this one")
    return found


def _check_readable(rules: Rules, version: PolicyVersion) -> None:
    if rules.read(unpacked(version.files)).digest != version.digest:
        raise PolicyError("policy.damaged", "the files that are kept are not what was approved")


def _make_active(turn: Turn, rules: Rules, version: PolicyVersion) -> None:
    """Name it, if its approval stands: by another person, not too old, against what is active."""
    code = rules.proposal
    if version.approved_at is None or version.approved_by in {None, version.proposed_by}:
        raise Conflict(f"{code}.not_approved", "another person must approve it first")
    if version.approved_at + APPROVAL_LIFE <= turn.now:
        raise Conflict(f"{code}.lapsed", "its approval is older than 30 days: propose it anew")
    active = versions.named(turn.session, rules.kind)
    if (None if active is None else active.id) != version.replaces:
        raise Conflict(f"{code}.moved_on", "another became active since: propose it anew")
    version.activated_by, version.activated_at = turn.capacity.person, turn.now
    _name(turn, rules, version)
    _note(turn, rules, "activated", version, active)


def _name(turn: Turn, rules: Rules, version: PolicyVersion) -> None:
    turn.session.add(version)
    versions.activate(
        turn.session,
        turn.now,
        version.digest,
        version.approved_by,
        kind=rules.kind,
        version=version.id,
    )


def _note(
    turn: Turn,
    rules: Rules,
    happened: str,
    version: PolicyVersion,
    before: PolicyVersion | None,
    *,
    reason: str = "",
) -> None:
    """Audit it with the digests before and after, and that of the difference."""
    turn.note(
        event=f"{rules.proposal}:{happened}",
        subject=version.id,
        message_id=None,
        was=None if before is None else before.digest,
        became=version.digest,
        by=rules.kind,
        code=version.diff_digest,
        reason=reason,
    )
