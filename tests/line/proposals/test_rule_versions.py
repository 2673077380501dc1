"""A change of rules takes two people, one step each; and one person can take it back."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from inbox import audit
from inbox.access.files.active import POLICY_KIND, ActivePolicies
from inbox.access.files.folder import read_draft, read_policy_files
from inbox.access.files.versions import (
    FilesByName,
    FilesOfVersion,
    activate,
    active_version,
    unpack_files,
)
from inbox.access.policy.vocabulary import Role
from inbox.access.review.diff import compare_policies
from inbox.domain import MessageState, ProposalState
from inbox.errors import Conflict, InboxError, Invalid, NotFound, PolicyError
from inbox.line import Line
from inbox.line.active_rule_books import read_rule_book_version
from inbox.line.proposals import message_proposals, one_person, rule_versions
from inbox.line.proposals.policy_or_rule_book import POLICY_RULES, compare, routing_rules_of
from inbox.migrations import shipped_folder
from inbox.routing.diff import diff_rule_books
from inbox.routing.diff_text import acknowledgement_digest, render_diff
from inbox.store import Store, Transaction
from inbox.tables import (
    ActivePolicy,
    PolicyVersion,
    Proposal,
    Unit,
    table_of,
)
from tests.databases import SQLITE_SOON
from tests.health.readiness import readiness_of
from tests.line.proposals.rule_people import (
    BOOK,
    HAVNES,
    ROUTES,
    WIDER,
    Two,
    at_once,
    refused,
    routes,
    rows,
    said,
    two_of,
)
from tests.municipality import RULES
from tests.rows import audited
from tests.worlds import OURS, World

# Two people


def test_approved_routing_rules_apply_only_once_activated(
    small_world: World,
) -> None:
    two = two_of(small_world.line, small_world.clock)
    small_world.send("Barnevernssak")
    proposed = two.propose()
    two.approve(proposed)
    small_world.collect()
    small_world.work()
    before = small_world.messages()[0]

    two.activate(proposed.compared.new_digest)
    small_world.send("Barnevernssak")
    small_world.collect()
    small_world.work()

    after = next(each for each in small_world.messages() if each.id != before.id)
    assert (before.state, before.code) == (MessageState.UNROUTED, "route.no_rule")
    assert (after.unit, after.book) == ("bv", proposed.compared.new_digest)
    assert two.active() == proposed.compared.new_digest


@pytest.mark.parametrize("role", [Role.ARCHIVIST, Role.SECURITY_REVIEWER])
def test_approving_ones_own_rule_proposal_is_a_conflict_in_any_capacity(
    two: Two, role: Role
) -> None:
    proposed = two.propose()
    anne = two.anne if role is Role.ARCHIVIST else two.stands_for("anne", role)

    refused(Conflict("proposal.own"), lambda: two.approve(proposed, by=anne))


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ARCHIVIST, Role.CASE_SYSTEM}))
def test_routing_rules_are_proposed_by_archivists_only(two: Two, role: Role) -> None:
    other = two.stands_for("olga", role)
    before = rows(two.line)

    refused(NotFound(), partial(two.propose, by=other))
    assert rows(two.line) == before


@pytest.mark.parametrize(
    "role", sorted(set(Role) - {Role.ARCHIVIST, Role.SECURITY_REVIEWER, Role.CASE_SYSTEM})
)
def test_routing_rules_are_approved_by_archivists_and_security_reviewers_only(
    two: Two, role: Role
) -> None:
    proposed = two.propose()
    other = two.stands_for("olga", role)
    before = rows(two.line)

    for step in (rule_versions.approve, rule_versions.approve_and_activate):
        refused(
            NotFound(),
            partial(
                step,
                two.line,
                other,
                ROUTES,
                proposed.proposal_id,
                acknowledge=proposed.compared.digest,
            ),
        )
    assert rows(two.line) == before


def test_every_step_of_a_rule_change_requires_strong_sign_in(two: Two) -> None:
    approved = two.approve(two.propose())
    weak = replace(two.bjorn, strong_auth=False)
    proposed = two.propose(routes('"sakkyndig"', '"logoped-"'))
    before = rows(two.line)

    for step in (
        partial(two.propose, routes('"elev"', '"elev-"'), by=weak),
        partial(rule_versions.review, two.line, weak, ROUTES, proposed.proposal_id),
        partial(two.approve, proposed, by=weak),
        partial(two.activate, approved, by=weak),
    ):
        refused(NotFound(), step)
    assert rows(two.line) == before


def test_rolling_back_rules_requires_strong_sign_in(two: Two) -> None:
    digest = two.change()
    weak = replace(two.bjorn, strong_auth=False)

    refused(NotFound(), partial(two.roll_back, by=weak))
    assert two.active() == digest


def test_rule_change_for_another_organisation_is_not_found(two: Two) -> None:
    with two.line.store.transaction() as tx:
        tx.add(Unit(id="havnes", organisation=HAVNES, name="x", active_from=tx.now))
    other = two.stands_for("olga", Role.ARCHIVIST, "havnes")
    reviewer = two.stands_for("petra", Role.SECURITY_REVIEWER, "havnes")
    proposed = two.propose()
    before = rows(two.line)

    refused(NotFound(), partial(two.propose, by=other))
    for each in (other, reviewer):
        for rules in (ROUTES, routing_rules_of(HAVNES), POLICY_RULES):
            refused(
                NotFound(),
                partial(
                    rule_versions.approve,
                    two.line,
                    each,
                    rules,
                    proposed.proposal_id,
                    acknowledge=proposed.compared.digest,
                ),
            )
    assert rows(two.line) == before


def test_rule_approval_of_a_proposal_of_another_kind_is_not_found(two: Two) -> None:
    with two.line.store.transaction() as tx:
        tx.add(
            Proposal(
                id="of-the-directory",
                kind="directory",
                subject_id=OURS,
                state=ProposalState.OPEN,
                proposer="anne",
                sealed_payload=b"",
                created_at=tx.now,
                expires_at=tx.now + timedelta(days=1),
            )
        )

    refused(
        NotFound(),
        lambda: rule_versions.approve(
            two.line, two.bjorn, ROUTES, "of-the-directory", acknowledge=""
        ),
    )


# What was read


def test_rule_approval_requires_the_digest_of_the_reviewed_difference(two: Two) -> None:
    proposed = two.propose()
    before = rows(two.line)

    for other in (" ", "0" * 64, proposed.compared.new_digest):
        refused(Conflict("route.acknowledge"), partial(two.approve, proposed, other))
    assert rows(two.line) == before
    shown = rule_versions.review(two.line, two.bjorn, ROUTES, proposed.proposal_id)
    assert (shown.text, shown.digest) == (proposed.compared.text, proposed.compared.digest)
    assert "barnevern-" in shown.text
    (leaf,) = said(two.line, "route:shown")
    assert (leaf["who"], leaf["code"]) == (two.bjorn.id, shown.digest)


def test_rule_difference_has_the_same_digest_as_the_printed_diff_of_folders(two: Two) -> None:
    policy = read_policy_files(shipped_folder("policies"))
    other = {**policy, "allow.csv": policy["allow.csv"].replace(b"A12, take", b"A92, take")}
    policies = compare_policies(read_draft(policy), read_draft(other))
    was, now = (
        read_rule_book_version(FilesOfVersion(files=files)) for files in ({BOOK: RULES}, routes())
    )
    books = render_diff(diff_rule_books(was, now))
    with two.line.store.reading() as tx:
        compared = compare(tx, POLICY_RULES, FilesOfVersion(files=other), new_digest="")

    assert compared.text.splitlines() == list(policies.lines)
    assert compared.digest == policies.digest
    proposed = two.propose().compared
    assert (proposed.text, proposed.digest) == (books, acknowledgement_digest(books))


def test_rule_approval_compares_with_the_rules_active_at_the_approval(two: Two) -> None:
    digest = two.approve(two.propose())
    second = two.propose(routes('"elev"', '"elev-"'))
    two.activate(digest)

    refused(Conflict("route.acknowledge"), partial(two.approve, second))
    shown = rule_versions.review(two.line, two.bjorn, ROUTES, second.proposal_id)
    assert two.approve(second, shown.digest) == second.compared.new_digest


def test_activation_refuses_rules_approved_against_other_active_rules(two: Two) -> None:
    waits = two.approve(two.propose())
    two.change(routes('"elev"', '"elev-"'))
    before = rows(two.line)

    refused(Conflict("route.moved_on"), partial(two.activate, waits))
    assert rows(two.line) == before


def test_proposing_the_active_rules_is_a_conflict(two: Two) -> None:
    refused(Conflict("route.active"), lambda: two.propose({BOOK: RULES}))


def test_proposed_rules_must_name_active_units(two: Two) -> None:
    with two.line.store.transaction() as tx:
        tx.get_one(Unit, "ppt").active_until = tx.now - timedelta(days=1)
    before = rows(two.line)

    refused(PolicyError("route.units"), two.propose)
    assert rows(two.line) == before


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "route.files"),
        ({BOOK: RULES, "routing/910076787.toml": RULES}, "route.files"),
        ({BOOK: RULES + b"x"}, "routing.toml"),
    ],
)
def test_rule_proposal_with_wrong_files_or_invalid_rules_is_refused(
    two: Two, files: FilesByName, code: str
) -> None:
    before = rows(two.line)

    refused(PolicyError(code), lambda: rule_versions.propose(two.line, two.anne, ROUTES, files))
    assert rows(two.line) == before


def test_rule_proposal_with_a_failing_routing_case_is_refused(two: Two) -> None:
    cases = (
        f'receiver = "{OURS}"\non = 2026-11-24\n[[case]]\nname = "x"\n'
        'metadata = { sender = "910076787" }\nexpect = { unit = "bv", rule = "ppt", '
        'release = "at once" }\n'
    )

    refused(
        PolicyError("route.case"),
        lambda: two.propose({**routes(), "tests/routing.toml": cases.encode()}),
    )


# Time


def test_rule_proposal_lapses_after_its_life(two: Two) -> None:
    proposed = two.propose()
    two.clock.advance(two.line.terms.proposal_life)

    refused(Conflict("proposal.lapsed"), partial(two.approve, proposed))


def test_rule_approval_lapses_after_thirty_days(two: Two) -> None:
    digest = two.approve(two.propose())
    two.clock.advance(timedelta(days=30))

    refused(Conflict("route.lapsed"), partial(two.activate, digest))


def test_lapsed_rules_require_a_new_proposal_and_approval(two: Two) -> None:
    digest = two.approve(two.propose())
    two.clock.advance(timedelta(days=31))
    proposed = two.propose()

    refused(Conflict("route.lapsed"), partial(two.activate, digest))
    two.approve(proposed)
    two.activate(digest)
    assert two.active() == digest


def test_new_rule_proposal_closes_the_earlier_proposal_of_its_author(two: Two) -> None:
    first = two.propose()
    second = two.propose(routes('"elev"', '"elev-"'))

    refused(Conflict("proposal.closed"), partial(two.approve, first))
    assert two.approve(second) == second.compared.new_digest


def test_rule_proposal_is_a_conflict_while_another_person_has_an_open_proposal(two: Two) -> None:
    two.propose()

    refused(
        Conflict("proposal.open"), lambda: two.propose(routes('"elev"', '"elev-"'), by=two.bjorn)
    )


def test_rule_proposal_cannot_be_approved_as_a_message_proposal(two: Two) -> None:
    proposed = two.propose()

    refused(
        NotFound(), lambda: message_proposals.approve(two.line, two.bjorn, proposed.proposal_id)
    )
    assert two.approve(proposed) == proposed.compared.new_digest


# At once


@SQLITE_SOON
def test_concurrent_rule_approvals_end_in_one_approval_and_one_conflict(
    two_on_each_database: Two,
) -> None:
    two = two_on_each_database
    proposed = two.propose()
    carl = two.stands_for("carl", Role.SECURITY_REVIEWER)

    ended = at_once(*(partial(two.approve, proposed, by=each) for each in (two.bjorn, carl)))

    assert ended == ["done", "proposal.closed"]
    assert len(said(two.line, "route:approved")) == 1


@SQLITE_SOON
def test_concurrent_rule_proposals_end_in_one_open_proposal(two_on_each_database: Two) -> None:
    two = two_on_each_database

    ended = at_once(*(partial(two.propose, by=each) for each in (two.anne, two.bjorn)))

    assert ended == ["done", "proposal.open"]


@SQLITE_SOON
def test_concurrent_rule_activations_end_in_one_activation(two_on_each_database: Two) -> None:
    two = two_on_each_database
    digest = two.approve(two.propose())

    ended = at_once(*(partial(two.activate, digest, by=each) for each in (two.anne, two.bjorn)))

    assert ended == ["done", "route.no_approved"]
    assert len(said(two.line, "route:activated")) == 1


class _Killed(Exception):
    """The process ends here."""


def test_rule_change_step_killed_before_the_commit_writes_nothing(two: Two) -> None:
    proposed = two.propose()

    def killed(tx: Transaction) -> None:
        audit.seal(tx)
        raise _Killed

    dying = replace(
        two.line, store=Store(two.line.store.engine, seal=killed, clock=two.line.store.clock)
    )
    before = rows(two.line)
    for step in (rule_versions.approve, rule_versions.approve_and_activate):
        with pytest.raises(_Killed):
            step(
                dying,
                two.bjorn,
                ROUTES,
                proposed.proposal_id,
                acknowledge=proposed.compared.digest,
            )
        assert rows(two.line) == before
    digest = two.approve(proposed)
    before = rows(two.line)
    with pytest.raises(_Killed):
        rule_versions.activate(dying, two.anne, ROUTES, digest)
    assert rows(two.line) == before
    two.activate(digest)
    before = rows(two.line)
    with pytest.raises(_Killed):
        one_person.roll_back(dying, two.anne, ROUTES, reason="r")
    assert rows(two.line) == before


# Back


def test_one_person_rolls_back_rules_to_the_version_active_before(two: Two) -> None:
    first = two.active()
    second = two.change(WIDER)
    third = two.change(routes('"elev"', '"elev-", "klasse"'))

    back = [two.roll_back() for _ in range(2)]

    assert back == [second, first]
    assert two.active() == first
    assert third not in back
    refused(Conflict("route.nothing_before"), two.roll_back)


def test_rolled_back_rules_cannot_be_activated_again_by_one_person(two: Two) -> None:
    second = two.change(WIDER)
    two.roll_back()

    refused(NotFound("route.no_approved"), partial(two.activate, second))
    assert two.change(WIDER) == second


@pytest.mark.parametrize("reason", ["", " \n"])
def test_rolling_back_rules_requires_a_reason(two: Two, reason: str) -> None:
    digest = two.change()

    refused(Invalid("reason.missing"), lambda: two.roll_back(reason=reason))
    assert two.active() == digest


def test_rules_that_were_never_approved_cannot_be_activated(two: Two) -> None:
    proposed = two.propose()

    refused(NotFound("route.no_approved"), partial(two.activate, proposed.compared.new_digest))


def test_activation_refuses_a_row_that_names_the_author_as_approver(two: Two) -> None:
    digest = two.approve(two.propose())
    with two.line.store.transaction() as tx:
        tx.execute(
            sa.update(table_of(PolicyVersion))
            .where(table_of(PolicyVersion).c.digest == digest)
            .values(approved_by="anne")
        )

    refused(Conflict("route.not_approved"), partial(two.activate, digest))


def _alter(two: Two, digest: str) -> None:
    """Other files in place of those that were proposed, as somebody with the database could."""
    versions = table_of(PolicyVersion)
    other = json.dumps({BOOK: routes('"elev"', '"elev-"')[BOOK].decode()}).encode()
    with two.line.store.transaction() as tx:
        tx.execute(sa.update(versions).where(versions.c.digest == digest).values(files=other))


def test_activation_refuses_files_altered_after_the_approval(two: Two) -> None:
    digest = two.approve(two.propose())
    _alter(two, digest)

    refused(PolicyError("policy.damaged"), partial(two.activate, digest))


def test_rule_approval_refuses_files_altered_after_the_proposal(two: Two) -> None:
    proposed = two.propose()
    _alter(two, proposed.compared.new_digest)
    shown = rule_versions.review(two.line, two.bjorn, ROUTES, proposed.proposal_id)

    refused(PolicyError("policy.damaged"), partial(two.approve, proposed, shown.digest))


# What is kept


def test_rule_change_audit_has_person_and_digests_but_not_the_reason(two: Two) -> None:
    first = two.active()
    proposed = two.propose(WIDER)
    two.approve(proposed)
    digest, difference = proposed.compared.new_digest, proposed.compared.digest
    two.activate(digest)
    two.roll_back(reason="Kari Nordmann fikk se for mye")

    steps = [
        said(two.line, f"route:{happened}")[0]
        for happened in ("proposed", "approved", "activated", "rolled_back")
    ]

    assert [(s["who"], s["was"], s["became"]) for s in steps] == [
        (two.anne.id, first, digest),
        (two.bjorn.id, first, digest),
        (two.anne.id, first, digest),
        (two.bjorn.id, digest, first),
    ]
    assert [s["code"] for s in steps] == [difference, difference, difference, None]
    assert {s["subject"] for s in steps[:3]} == {proposed.proposal_id}
    assert all(s["rule"] and s["policy"] for s in steps)
    with two.line.store.reading() as tx:
        leaves = audited(tx)
    assert not any(b"Nordmann" in leaf for leaf in leaves)
    assert "reason" in str(steps[3]["committed"])


# A book that cannot be had


def test_unreadable_rule_book_routes_nothing_and_is_reported_by_readiness(
    small_world: World,
) -> None:
    with small_world.line.store.transaction() as tx:
        active = active_version(tx, ROUTES.kind)
        assert active is not None
        activate(tx, "f" * 64, "bjorn", kind=ROUTES.kind, version=active.id)
    small_world.send()
    small_world.collect()
    small_world.work()

    message = small_world.messages()[0]
    needs = readiness_of(small_world.line)

    assert (message.state, message.code) == (MessageState.UNROUTED, "route.book_unread")
    assert "distribute" in small_world.open_tasks(message.id)
    assert needs["routing"] == "route.book_unread"


def test_first_rule_book_of_an_organisation_goes_through_the_same_steps(two: Two) -> None:
    books = table_of(ActivePolicy)
    with two.line.store.transaction() as tx:
        tx.execute(sa.delete(books).where(books.c.kind == ROUTES.kind))

    digest = two.change()

    assert two.active() == digest


# A policy that cannot be had


def _lose_the_policy(line: Line) -> None:
    """As after an upgrade that refuses the files of the policy that is active."""
    with line.store.transaction() as tx:
        active = active_version(tx, POLICY_KIND)
        assert active is not None
        activate(tx, "f" * 64, "bjorn", kind=POLICY_KIND, version=active.id)


def test_editor_and_reviewer_replace_a_policy_that_cannot_be_loaded(
    two: Two,
) -> None:
    editor = two.stands_for("edda", Role.POLICY_EDITOR)
    reviewer = two.stands_for("rolf", Role.SECURITY_REVIEWER)
    with two.line.store.reading() as tx:
        files = _files_of(tx)
    files = {**files, "allow.csv": files["allow.csv"] + b"# mended\n"}
    line = replace(two.line, policies=ActivePolicies())
    _lose_the_policy(line)

    with pytest.raises(InboxError, match=r"policy\.not_active"):
        rule_versions.propose(line, two.anne, ROUTES, routes())
    for other in (two.anne, reviewer, replace(editor, strong_auth=False)):
        with pytest.raises(NotFound):
            rule_versions.propose(line, other, POLICY_RULES, files)
    proposed = rule_versions.propose(line, editor, POLICY_RULES, files)
    digest = rule_versions.approve_and_activate(
        line,
        reviewer,
        POLICY_RULES,
        proposed.proposal_id,
        acknowledge=proposed.compared.digest,
    )

    with line.store.reading() as tx:
        current = line.policies.current(tx)
    assert (current.digest, bool(current.rules)) == (digest, True)


def _files_of(session: Session) -> Mapping[str, bytes]:
    active = active_version(session, POLICY_KIND)
    assert active is not None
    return unpack_files(active.files)
