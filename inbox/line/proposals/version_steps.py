"""What every step of a change of rules does: compare, keep a proposal, name a version, audit it."""

from dataclasses import dataclass

from sqlmodel import Session

from inbox.access.files import versions
from inbox.access.files.versions import (
    NEWEST_DIGEST_RULE,
    FilesByName,
    files_of,
    pack_files,
)
from inbox.domain import new_id
from inbox.errors import Conflict, PolicyError
from inbox.line import Line
from inbox.line.active_rule_books import check_units_are_active
from inbox.line.authorize import Authorized
from inbox.line.proposals.policy_or_rule_book import Comparison, VersionedRules
from inbox.line.proposals.proposal import open_proposal, withdraw_own_proposals
from inbox.routing.rule_book import RuleBook
from inbox.tables import PolicyVersion


@dataclass(frozen=True, kw_only=True)
class ProposedVersion:
    """A new proposal, and what it would change."""

    proposal_id: str
    compared: Comparison


def keep_proposal(
    line: Line,
    authorized: Authorized,
    rules: VersionedRules,
    files: FilesByName,
    compared: Comparison,
    reason: str = "",
) -> ProposedVersion:
    """Store the files as a version that another person must approve.

    What the same person proposed before is taken back.
    """
    active = check_active_unchanged(authorized.tx, rules, compared)
    withdraw_own_proposals(authorized, kind=rules.proposal_kind, subject_id=rules.subject)
    proposal_id = new_id()
    open_proposal(
        authorized,
        proposal_id=proposal_id,
        kind=rules.proposal_kind,
        subject_id=rules.subject,
        life=line.terms.proposal_life,
        reason=reason,
    )
    version = new_version(authorized, rules, files, compared, version_id=proposal_id)
    authorized.tx.add(version)
    record_version(authorized, rules, "proposed", version, active)
    return ProposedVersion(proposal_id=proposal_id, compared=compared)


def new_version(
    authorized: Authorized,
    rules: VersionedRules,
    files: FilesByName,
    compared: Comparison,
    *,
    version_id: str,
) -> PolicyVersion:
    """The row of a version that this person writes now, in place of what is active."""
    assert authorized.capacity.person is not None
    return PolicyVersion(
        id=version_id,
        kind=rules.kind,
        digest=compared.new_digest,
        digest_rule=NEWEST_DIGEST_RULE,
        files=pack_files(files),
        replaces=compared.active,
        diff_digest=compared.digest,
        proposed_by=authorized.capacity.person,
        proposed_at=authorized.tx.now,
    )


def check_units(authorized: Authorized, read: object) -> None:
    """Raise `PolicyError` if it is a rule book that sends mail to a unit that is not active."""
    if isinstance(read, RuleBook):
        check_units_are_active(authorized.tx, read)


def check_active_unchanged(
    session: Session, rules: VersionedRules, compared: Comparison
) -> PolicyVersion | None:
    """The version that is active. Raises `Conflict` unless it is the one compared with."""
    active = versions.active_version(session, rules.kind)
    if (None if active is None else active.id) != compared.active:
        raise Conflict(
            f"{rules.proposal_kind}.moved_on", "another became active meanwhile: look again"
        )
    return active


def check_readable(rules: VersionedRules, version: PolicyVersion) -> None:
    """Raise `PolicyError` unless the kept files can be read, and are those of the digest."""
    if rules.read(files_of(version)).digest != version.digest:
        raise PolicyError("policy.damaged", "the files that are kept are not what was approved")


def set_active(authorized: Authorized, rules: VersionedRules, version: PolicyVersion) -> None:
    """Name the version as the active one: every process uses it from its next transaction on."""
    authorized.tx.add(version)
    authorized.tx.flush()
    versions.activate(
        authorized.tx,
        version.digest,
        version.approved_by,
        kind=rules.kind,
        version=version.id,
    )


def record_version(
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
