"""What one person may do to rules alone: take a change back, or switch one row or rule off.

A step that gains anything needs two people, however it is called. The program decides by the exact
difference from what is active: a roll-back that would gain something becomes a proposal.
"""

from dataclasses import dataclass

from sqlmodel import Session

from inbox.access.files import versions
from inbox.access.files.versions import FilesByName, FilesOfVersion, files_of, unpack_files
from inbox.access.question import Capacity, RequestFacts
from inbox.domain import new_id
from inbox.errors import Conflict, InboxError, Invalid, PolicyError
from inbox.language import TextLanguage
from inbox.line import Line
from inbox.line.proposals.policy_or_rule_book import Comparison, VersionedRules, compare
from inbox.line.proposals.proposal_phrases import PROPOSAL_PHRASES
from inbox.line.proposals.rule_permissions import authorize_edit
from inbox.line.proposals.version_steps import (
    ProposedVersion,
    check_active_unchanged,
    check_readable,
    check_units,
    keep_proposal,
    new_version,
    record_version,
    set_active,
)
from inbox.strict.phrases import Phrase
from inbox.tables import PolicyVersion


@dataclass(frozen=True, kw_only=True)
class RollBack:
    """What a roll-back came to: a version is active again, or another person must approve it."""

    digest: str
    """Of the version that is active again, or of the one that was proposed."""
    proposed: ProposedVersion | None
    why: tuple[Phrase, ...]
    """Why it needs two people, where it does."""


@dataclass(frozen=True, kw_only=True)
class _Plan:
    files: FilesByName
    compared: Comparison
    why: tuple[Phrase, ...]
    target: PolicyVersion | None = None


def roll_back(line: Line, capacity: Capacity, rules: VersionedRules, *, reason: str) -> RollBack:
    """Return to the version that the active one replaced: at once, if that gains nothing.

    If it gains anything, it becomes a proposal that another person must approve. What is rolled
    back is never active again without being proposed anew.
    """
    _check_reason(reason)
    with line.store.reading() as tx:
        plan = _plan_roll_back(tx, rules)
    with line.store.transaction() as tx:
        authorized = authorize_edit(line, tx, capacity, rules, RequestFacts(reason_given=True))
        active = check_active_unchanged(tx, rules, plan.compared)
        assert active is not None
        assert plan.target is not None
        if plan.why:
            check_units(authorized, rules.read(FilesOfVersion(files=plan.files)))
            made = keep_proposal(line, authorized, rules, plan.files, plan.compared, reason)
            return RollBack(digest=plan.compared.new_digest, proposed=made, why=plan.why)
        version = tx.get_one(PolicyVersion, plan.target.id)
        active.rolled_back_at = tx.now
        tx.add(active)
        set_active(authorized, rules, version)
        record_version(authorized, rules, "rolled_back", version, active, reason=reason)
        return RollBack(digest=version.digest, proposed=None, why=())


def switch_off(
    line: Line, capacity: Capacity, rules: VersionedRules, name: str, *, reason: str
) -> Comparison:
    """Switch off one row that allows something, or one routing rule; returns what that changes.

    It is a version of its own, active at once. Two people must agree to switch it on again.

    Raises:
        NotFound: nothing has this name.
        Conflict: it is off already, or switching it off needs two people.
        PolicyError: what is left breaks an invariant: another row must go first.
    """
    _check_reason(reason)
    plan, refusal = None, None
    try:
        with line.store.reading() as tx:
            plan = _plan_switch_off(tx, rules, name)
    except InboxError as error:
        refusal = error  # A person who may not edit these rules hears that, and nothing else.
    with line.store.transaction() as tx:
        authorized = authorize_edit(line, tx, capacity, rules, RequestFacts(reason_given=True))
        if plan is None:
            assert refusal is not None
            raise refusal
        active = check_active_unchanged(tx, rules, plan.compared)
        version = new_version(authorized, rules, plan.files, plan.compared, version_id=new_id())
        version.activated_by, version.activated_at = version.proposed_by, tx.now
        set_active(authorized, rules, version)
        record_version(authorized, rules, "switched_off", version, active, reason=reason)
    return plan.compared


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("reason.missing", "say why")


def _plan_roll_back(session: Session, rules: VersionedRules) -> _Plan:
    active = versions.active_version(session, rules.kind)
    before = None
    if active is not None and active.replaces is not None:
        before = session.get(PolicyVersion, active.replaces)
    if active is None or before is None or before.activated_at is None:
        raise Conflict(
            f"{rules.proposal_kind}.nothing_before", "no version was active before this one"
        )
    check_readable(rules, before)
    try:
        why = rules.why_two_people(files_of(active), files_of(before))
    except PolicyError:
        why = (PROPOSAL_PHRASES("why.unreadable"),)
    files = unpack_files(before.files)
    return _Plan(
        files=files, compared=_compare_files(session, rules, files), why=why, target=before
    )


def _plan_switch_off(session: Session, rules: VersionedRules, name: str) -> _Plan:
    code = rules.proposal_kind
    active = versions.active_version(session, rules.kind)
    if active is None:
        raise Conflict(f"{code}.nothing_active", "nothing is active that could be switched off")
    check_readable(rules, active)
    old = files_of(active)
    files = rules.switch_off(old.files, name)
    compared = _compare_files(session, rules, files)
    if why := rules.why_two_people(old, FilesOfVersion(files=files)):
        raise Conflict(f"{code}.takes_two", "; ".join(each.text(TextLanguage.EN) for each in why))
    return _Plan(files=files, compared=compared, why=())


def _compare_files(session: Session, rules: VersionedRules, files: FilesByName) -> Comparison:
    version = FilesOfVersion(files=files)
    return compare(session, rules, version, new_digest=rules.read(version).digest)
