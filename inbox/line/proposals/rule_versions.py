"""Change the policy or a rule book: propose, review, approve by another, activate, roll back.

Each step is one transaction. The text of the difference is worked out before it, and what it was
worked out against is compared inside it.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlmodel import Session, col, select

from inbox.access.files import versions
from inbox.access.files.versions import FilesByName, pack_files, unpack_files
from inbox.access.question import Capacity, RequestFacts
from inbox.domain import new_id
from inbox.errors import Conflict, Invalid, NotFound, PolicyError
from inbox.line import Line
from inbox.line.active_rule_books import check_units_are_active
from inbox.line.authorize import Authorized
from inbox.line.proposals.policy_or_rule_book import Comparison, VersionedRules, compare
from inbox.line.proposals.proposal import mark_approved, open_proposal, withdraw_own_proposals
from inbox.line.proposals.rule_permissions import authorize_approval, authorize_edit
from inbox.routing.rule_book import RuleBook
from inbox.tables import PolicyVersion, Proposal

APPROVAL_LIFE: Final = timedelta(days=30)
"""How long an approval waits for activation; after that it must be proposed anew."""


@dataclass(frozen=True, kw_only=True)
class ProposedVersion:
    """A new proposal, and what it would change."""

    proposal_id: str
    compared: Comparison


def propose(
    line: Line, capacity: Capacity, rules: VersionedRules, files: FilesByName
) -> ProposedVersion:
    """Store the files as a proposed version that another person must approve.

    Decisions do not change yet.

    What the same person proposed before is taken back. Raises `PolicyError` where the files are
    refused: they are read as strictly as when they decide.
    """
    read = rules.read(files)
    with line.store.reading() as (session, _):
        compared = compare(session, rules, files, new_digest=read.digest)
    with line.store.transaction() as (session, now):
        authorized = authorize_edit(line, session, now, capacity, rules)
        active = _check_active_unchanged(session, rules, compared)
        if active is not None and active.files == pack_files(files):
            raise Conflict(f"{rules.proposal_kind}.active", "that is what is active now")
        if isinstance(read, RuleBook):
            check_units_are_active(session, now, read)
        withdraw_own_proposals(authorized, kind=rules.proposal_kind, subject_id=rules.subject)
        proposal_id = new_id()
        open_proposal(
            authorized,
            proposal_id=proposal_id,
            kind=rules.proposal_kind,
            subject_id=rules.subject,
            life=line.terms.proposal_life,
        )
        assert capacity.person is not None
        version = PolicyVersion(
            id=proposal_id,
            kind=rules.kind,
            digest=read.digest,
            files=pack_files(files),
            replaces=compared.active,
            diff_digest=compared.digest,
            proposed_by=capacity.person,
            proposed_at=now,
        )
        session.add(version)
        _record_version(authorized, rules, "proposed", version, active)
    return ProposedVersion(proposal_id=proposal_id, compared=compared)


def review(line: Line, capacity: Capacity, rules: VersionedRules, proposal_id: str) -> Comparison:
    """Compare the proposal with the active version, for the person who may approve it.

    That it was shown is in the audit, with the digest of what was shown.
    """
    compared = _compare_proposed(line, rules, proposal_id)
    with line.store.transaction() as (session, now):
        authorized = authorize_approval(line, session, now, capacity, rules, proposal_id)
        active = _check_active_unchanged(session, rules, compared)
        version = session.get_one(PolicyVersion, proposal_id)
        version.diff_digest = compared.digest
        session.add(version)
        _record_version(authorized, rules, "shown", version, active)
    return compared


def approve(
    line: Line, capacity: Capacity, rules: VersionedRules, proposal_id: str, *, acknowledge: str
) -> str:
    """Approve what another person proposed; returns the version's digest.

    The version is not active yet.

    `acknowledge` is the digest of the difference, as `review` gives it: the person has had those
    words before them. The first of two approvals wins; the second is a `Conflict`.
    """
    compared = _compare_proposed(line, rules, proposal_id)
    with line.store.transaction() as (session, now):
        authorized = authorize_approval(line, session, now, capacity, rules, proposal_id)
        version = _approve_version(authorized, rules, proposal_id, compared, acknowledge)
    return version.digest


def approve_and_activate(
    line: Line, capacity: Capacity, rules: VersionedRules, proposal_id: str, *, acknowledge: str
) -> str:
    """Approve the version and activate it in the same transaction; returns its digest."""
    compared = _compare_proposed(line, rules, proposal_id)
    with line.store.transaction() as (session, now):
        authorized = authorize_approval(line, session, now, capacity, rules, proposal_id)
        version = _approve_version(authorized, rules, proposal_id, compared, acknowledge)
        _activate_approved(authorized, rules, version)
    return version.digest


def activate(line: Line, capacity: Capacity, rules: VersionedRules, digest: str) -> None:
    """Make an approved version the active one: every process uses it from its next transaction on.

    Raises:
        NotFound: nothing of this digest waits for activation.
        Conflict: the approval has lapsed, or another version became active since.
        PolicyError: this program cannot read it, so it would deny everything.
    """
    with line.store.reading() as (session, _):
        if (waiting := _find_awaiting_activation(session, rules, digest)) is not None:
            _check_readable(rules, waiting)
    with line.store.transaction() as (session, now):
        authorized = authorize_edit(line, session, now, capacity, rules)
        version = _find_awaiting_activation(session, rules, digest)
        if version is None or waiting is None or version.id != waiting.id:
            raise NotFound(f"{rules.proposal_kind}.no_approved", "nothing approved has this digest")
        _activate_approved(authorized, rules, version)


def roll_back(line: Line, capacity: Capacity, rules: VersionedRules, *, reason: str) -> str:
    """Return at once to the version that the active one replaced; returns its digest.

    One person may do it: narrowing must not wait. What is rolled back is never active again
    without being proposed anew, so nobody goes forth and back alone.
    """
    if not reason.strip():
        raise Invalid("reason.missing", "say why it is rolled back")
    with line.store.reading() as (session, _):
        before = _previous_version(session, rules)
        _check_readable(rules, before)
    with line.store.transaction() as (session, now):
        authorized = authorize_edit(
            line, session, now, capacity, rules, RequestFacts(reason_given=True)
        )
        version = _previous_version(session, rules)
        active = versions.active_version(session, rules.kind)
        if version.id != before.id or active is None:
            raise Conflict(f"{rules.proposal_kind}.moved_on", "another became active: look again")
        active.rolled_back_at = now
        _set_active(authorized, rules, version)
        _record_version(authorized, rules, "rolled_back", version, active, reason=reason)
    return version.digest


def _compare_proposed(line: Line, rules: VersionedRules, proposal_id: str) -> Comparison:
    """Before the transaction that acts on it: to read and prove takes a while."""
    with line.store.reading() as (session, _):
        version = session.get(PolicyVersion, proposal_id)
        if version is None or version.kind != rules.kind:
            raise NotFound
        files = unpack_files(version.files)
        return compare(session, rules, files, new_digest=rules.read(files).digest)


def _check_active_unchanged(
    session: Session, rules: VersionedRules, compared: Comparison
) -> PolicyVersion | None:
    active = versions.active_version(session, rules.kind)
    if (None if active is None else active.id) != compared.active:
        raise Conflict(
            f"{rules.proposal_kind}.moved_on", "another became active meanwhile: look again"
        )
    return active


def _approve_version(
    authorized: Authorized,
    rules: VersionedRules,
    proposal_id: str,
    compared: Comparison,
    acknowledge: str,
) -> PolicyVersion:
    active = _check_active_unchanged(authorized.session, rules, compared)
    version = authorized.session.get_one(PolicyVersion, proposal_id)
    if acknowledge != compared.digest:
        raise Conflict(
            f"{rules.proposal_kind}.acknowledge", "that is not the digest of what it changes now"
        )
    if compared.new_digest != version.digest:
        raise PolicyError("policy.damaged", "the files that are kept are not what was proposed")
    mark_approved(authorized, authorized.session.get_one(Proposal, proposal_id))
    version.replaces, version.diff_digest = compared.active, acknowledge
    version.approved_by, version.approved_at = authorized.capacity.person, authorized.now
    authorized.session.add(version)
    _record_version(authorized, rules, "approved", version, active)
    return version


def _find_awaiting_activation(
    session: Session, rules: VersionedRules, digest: str
) -> PolicyVersion | None:
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


def _previous_version(session: Session, rules: VersionedRules) -> PolicyVersion:
    active = versions.active_version(session, rules.kind)
    found = None
    if active is not None and active.replaces is not None:
        found = session.get(PolicyVersion, active.replaces)
    if found is None or found.activated_at is None:
        raise Conflict(
            f"{rules.proposal_kind}.nothing_before", "no version was active before this one"
        )
    return found


def _check_readable(rules: VersionedRules, version: PolicyVersion) -> None:
    if rules.read(unpack_files(version.files)).digest != version.digest:
        raise PolicyError("policy.damaged", "the files that are kept are not what was approved")


def _activate_approved(
    authorized: Authorized, rules: VersionedRules, version: PolicyVersion
) -> None:
    """Name it, if its approval stands: by another person, not too old, against what is active."""
    code = rules.proposal_kind
    if version.approved_at is None or version.approved_by in {None, version.proposed_by}:
        raise Conflict(f"{code}.not_approved", "another person must approve it first")
    if version.approved_at + APPROVAL_LIFE <= authorized.now:
        raise Conflict(f"{code}.lapsed", "its approval is older than 30 days: propose it anew")
    active = versions.active_version(authorized.session, rules.kind)
    if (None if active is None else active.id) != version.replaces:
        raise Conflict(f"{code}.moved_on", "another became active since: propose it anew")
    version.activated_by, version.activated_at = authorized.capacity.person, authorized.now
    _set_active(authorized, rules, version)
    _record_version(authorized, rules, "activated", version, active)


def _set_active(authorized: Authorized, rules: VersionedRules, version: PolicyVersion) -> None:
    authorized.session.add(version)
    versions.activate(
        authorized.session,
        authorized.now,
        version.digest,
        version.approved_by,
        kind=rules.kind,
        version=version.id,
    )


def _record_version(
    authorized: Authorized,
    rules: VersionedRules,
    event: str,
    version: PolicyVersion,
    before: PolicyVersion | None,
    *,
    reason: str = "",
) -> None:
    """Audit it with the digests before and after, and that of the difference."""
    authorized.record(
        event=f"{rules.proposal_kind}:{event}",
        subject=version.id,
        message_id=None,
        was=None if before is None else before.digest,
        became=version.digest,
        by=rules.kind,
        code=version.diff_digest,
        reason=reason,
    )
