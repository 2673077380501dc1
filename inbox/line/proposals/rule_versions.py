"""Change the policy or a rule book: propose, review, approve by another, activate.

What one person may do alone is in `one_person`.

Each step is one transaction. The text of the difference is worked out before it, and what it was
worked out against is compared inside it.
"""

from datetime import timedelta
from typing import Final

from sqlmodel import Session, col, select

from inbox.access.files import versions
from inbox.access.files.versions import FilesByName, FilesOfVersion, files_of, is_active
from inbox.access.question import Capacity
from inbox.errors import Conflict, NotFound, PolicyError
from inbox.line import Line
from inbox.line.authorize import Authorized
from inbox.line.proposals.policy_or_rule_book import Comparison, VersionedRules, compare
from inbox.line.proposals.proposal import mark_approved
from inbox.line.proposals.rule_permissions import authorize_approval, authorize_edit
from inbox.line.proposals.version_steps import (
    ProposedVersion,
    check_active_unchanged,
    check_readable,
    check_units,
    keep_proposal,
    record_version,
    set_active,
)
from inbox.tables import PolicyVersion, Proposal

APPROVAL_LIFE: Final = timedelta(days=30)
"""How long an approval waits for activation; after that it must be proposed anew."""


def propose(
    line: Line, capacity: Capacity, rules: VersionedRules, files: FilesByName
) -> ProposedVersion:
    """Store the files as a proposed version that another person must approve.

    Decisions do not change yet.

    What the same person proposed before is taken back. Raises `PolicyError` where the files are
    refused: they are read as strictly as when they decide.
    """
    version = FilesOfVersion(files=files)
    read = rules.read(version)
    with line.store.reading() as tx:
        compared = compare(tx, rules, version, new_digest=read.digest)
    with line.store.transaction() as tx:
        authorized = authorize_edit(line, tx, capacity, rules)
        if is_active(tx, rules.kind, files):
            raise Conflict(f"{rules.proposal_kind}.active", "that is what is active now")
        check_units(authorized, read)
        return keep_proposal(line, authorized, rules, files, compared)


def review(line: Line, capacity: Capacity, rules: VersionedRules, proposal_id: str) -> Comparison:
    """Compare the proposal with the active version, for the person who may approve it.

    That it was shown is in the audit, with the digest of what was shown.
    """
    compared = _compare_proposed(line, rules, proposal_id)
    with line.store.transaction() as tx:
        authorized = authorize_approval(line, tx, capacity, rules, proposal_id)
        active = check_active_unchanged(tx, rules, compared)
        version = tx.get_one(PolicyVersion, proposal_id)
        version.diff_digest = compared.digest
        tx.add(version)
        record_version(authorized, rules, "shown", version, active)
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
    with line.store.transaction() as tx:
        authorized = authorize_approval(line, tx, capacity, rules, proposal_id)
        version = _approve_version(authorized, rules, proposal_id, compared, acknowledge)
    return version.digest


def approve_and_activate(
    line: Line, capacity: Capacity, rules: VersionedRules, proposal_id: str, *, acknowledge: str
) -> str:
    """Approve the version and activate it in the same transaction; returns its digest."""
    compared = _compare_proposed(line, rules, proposal_id)
    with line.store.transaction() as tx:
        authorized = authorize_approval(line, tx, capacity, rules, proposal_id)
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
    with line.store.reading() as tx:
        if (waiting := _find_awaiting_activation(tx, rules, digest)) is not None:
            check_readable(rules, waiting)
    with line.store.transaction() as tx:
        authorized = authorize_edit(line, tx, capacity, rules)
        version = _find_awaiting_activation(tx, rules, digest)
        if version is None or waiting is None or version.id != waiting.id:
            raise NotFound(f"{rules.proposal_kind}.no_approved", "nothing approved has this digest")
        _activate_approved(authorized, rules, version)


def _compare_proposed(line: Line, rules: VersionedRules, proposal_id: str) -> Comparison:
    """Before the transaction that acts on it: to read and prove takes a while."""
    with line.store.reading() as tx:
        version = tx.get(PolicyVersion, proposal_id)
        if version is None or version.kind != rules.kind:
            raise NotFound
        files = files_of(version)
        return compare(tx, rules, files, new_digest=rules.read(files).digest)


def _approve_version(
    authorized: Authorized,
    rules: VersionedRules,
    proposal_id: str,
    compared: Comparison,
    acknowledge: str,
) -> PolicyVersion:
    active = check_active_unchanged(authorized.tx, rules, compared)
    version = authorized.tx.get_one(PolicyVersion, proposal_id)
    if acknowledge != compared.digest:
        raise Conflict(
            f"{rules.proposal_kind}.acknowledge", "that is not the digest of what it changes now"
        )
    if compared.new_digest != version.digest:
        raise PolicyError("policy.damaged", "the files that are kept are not what was proposed")
    mark_approved(authorized, authorized.tx.get_one(Proposal, proposal_id))
    version.replaces, version.diff_digest = compared.active, acknowledge
    version.approved_by, version.approved_at = authorized.capacity.person, authorized.tx.now
    authorized.tx.add(version)
    record_version(authorized, rules, "approved", version, active)
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


def _activate_approved(
    authorized: Authorized, rules: VersionedRules, version: PolicyVersion
) -> None:
    """Name it, if its approval stands: by another person, not too old, against what is active."""
    code = rules.proposal_kind
    if version.approved_at is None or version.approved_by in {None, version.proposed_by}:
        raise Conflict(f"{code}.not_approved", "another person must approve it first")
    if version.approved_at + APPROVAL_LIFE <= authorized.tx.now:
        raise Conflict(f"{code}.lapsed", "its approval is older than 30 days: propose it anew")
    active = versions.active_version(authorized.tx, rules.kind)
    if (None if active is None else active.id) != version.replaces:
        raise Conflict(f"{code}.moved_on", "another became active since: propose it anew")
    version.activated_by, version.activated_at = authorized.capacity.person, authorized.tx.now
    set_active(authorized, rules, version)
    record_version(authorized, rules, "activated", version, active)
