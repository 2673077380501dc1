"""What gains anything takes two people, whatever it is called; what narrows takes one."""

import hashlib
from dataclasses import replace
from functools import partial

import pytest

from inbox import audit
from inbox.access.files.active import POLICY_KIND, ActivePolicies
from inbox.access.files.versions import (
    DigestRule,
    FilesByName,
    activate,
    active_version,
    digest_over,
    history,
    unpack_files,
)
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.domain import MessageState, ProposalState
from inbox.errors import Conflict, InboxError, Invalid, NotFound, PolicyError
from inbox.language import TextLanguage
from inbox.line import Line
from inbox.line.proposals import one_person, rule_versions
from inbox.line.proposals.one_person import RollBack
from inbox.line.proposals.policy_or_rule_book import POLICY_RULES
from inbox.store import Store, Transaction
from inbox.tables import Proposal
from tests.databases import SQLITE_SOON
from tests.line.proposals.rule_people import (
    BOOK,
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
from tests.worlds import World

NARROWER = routes('"barnevern"', '"barnevernet"')
"""Fewer titles go to bv."""


def back(two: Two, by: Capacity | None = None) -> RollBack:
    return one_person.roll_back(two.line, by or two.bjorn, ROUTES, reason="for lite kommer fram")


def off(two: Two, rule: str, by: Capacity | None = None, reason: str = "feil enhet") -> str:
    compared = one_person.switch_off(two.line, by or two.bjorn, ROUTES, rule, reason=reason)
    return compared.new_digest


def active_files(line: Line, kind: str) -> FilesByName:
    with line.store.reading() as tx:
        active = active_version(tx, kind)
        assert active is not None
        return unpack_files(active.files)


# Back


def test_rolling_back_rules_that_narrowed_is_only_a_proposal(two: Two) -> None:
    narrow = two.change(NARROWER)

    made = back(two)

    assert made.proposed is not None
    assert two.active() == narrow
    assert any("bv-straks" in why.text(TextLanguage.EN) for why in made.why)
    assert said(two.line, "route:rolled_back") == []


def test_rolling_back_rules_that_narrowed_takes_another_person(two: Two) -> None:
    first = two.active()
    two.change(NARROWER)
    made = back(two)
    assert made.proposed is not None
    refused(Conflict("proposal.own"), partial(two.approve, made.proposed, by=two.bjorn))

    two.approve(made.proposed, by=two.anne)
    two.activate(made.digest)

    assert (made.digest, two.active()) == (first, first)


def test_rolling_back_rules_that_widened_takes_one_person_at_once(two: Two) -> None:
    first = two.active()
    two.change(WIDER)

    made = back(two)

    assert (made.proposed, made.digest, two.active()) == (None, first, first)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('to = "ppt"', 'to = "skole"'),
        ('unit = "desk"', 'unit = "skole"'),
        ('release = "at once"\nbefore', 'release = "by a person"\nbefore'),
    ],
    ids=["another unit", "another desk", "a person first"],
)
def test_rolling_back_rules_to_other_units_or_an_earlier_release_is_only_a_proposal(
    two: Two, was: str, becomes: str
) -> None:
    two.change(routes(was, becomes))

    assert back(two).proposed is not None


# One rule off


def test_switched_off_rule_matches_in_its_place_and_its_mail_is_unrouted(
    small_world: World,
) -> None:
    two = two_of(small_world.line, small_world.clock)
    digest = off(two, "bv-straks")
    small_world.send("Barnevern og sakkyndig")
    small_world.send("Sakkyndig")
    small_world.collect()
    small_world.work()

    states = {m.rule: (m.state, m.code, m.unit, m.book) for m in small_world.messages()}

    assert states["bv-straks"] == (MessageState.UNROUTED, "route.rule_off", None, digest)
    assert states["ppt"][2] == "ppt"


def test_switched_off_rule_is_a_version_with_its_person_and_an_audit_entry(two: Two) -> None:
    first = two.active()

    digest = off(two, "bv-straks", reason="Kari Nordmann")

    with two.line.store.reading() as tx:
        version = next(each for each in history(tx, ROUTES.kind) if each.digest != first)
    assert (version.digest, version.digest_rule) == (digest, DigestRule.EVERY_FILE)
    assert (version.proposed_by, version.approved_by, version.activated_by) == (
        "bjorn",
        None,
        "bjorn",
    )
    (leaf,) = said(two.line, "route:switched_off")
    assert (leaf["who"], leaf["was"], leaf["became"], leaf["code"]) == (
        two.bjorn.id,
        first,
        digest,
        version.diff_digest,
    )
    assert "Nordmann" not in str(leaf)
    assert "reason" in str(leaf["committed"])


def test_switched_off_rule_is_on_again_only_by_two(two: Two) -> None:
    first = two.active()
    narrow = off(two, "bv-straks")

    made = back(two)

    assert made.proposed is not None
    assert two.active() == narrow
    two.approve(made.proposed, by=two.anne)
    two.activate(first)
    assert two.active() == first


def test_rule_goes_off_although_its_written_cases_expect_it(two: Two) -> None:
    cases = (
        'receiver = "910075918"\non = 2026-11-24\n[[case]]\nname = "x"\n'
        'metadata = { sender = "910076787", public_title = "Barnevern" }\n'
        'expect = { unit = "bv", rule = "bv-straks", release = "at once" }\n'
    )
    two.change({BOOK: RULES, "tests/routing.toml": cases.encode()})

    digest = off(two, "bv-straks")

    assert two.active() == digest


@pytest.mark.parametrize(
    ("rule", "error"),
    [("none", NotFound("route.no_rule_id")), ("", NotFound("route.no_rule_id"))],
)
def test_switching_off_an_unknown_rule_is_not_found(two: Two, rule: str, error: InboxError) -> None:
    before = rows(two.line)

    refused(error, partial(off, two, rule))
    assert rows(two.line) == before


def test_switching_off_a_rule_twice_is_a_conflict(two: Two) -> None:
    off(two, "ppt")

    refused(Conflict("route.off"), partial(off, two, "ppt"))


@pytest.mark.parametrize("reason", ["", " \n"])
def test_switching_off_a_rule_requires_a_reason(two: Two, reason: str) -> None:
    refused(Invalid("reason.missing"), partial(off, two, "ppt", reason=reason))


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ARCHIVIST, Role.CASE_SYSTEM}))
def test_routing_rules_are_switched_off_by_archivists_only(two: Two, role: Role) -> None:
    other = two.stands_for("olga", role)
    before = rows(two.line)

    for rule in ("ppt", "none"):
        refused(NotFound(), partial(off, two, rule, by=other))
    assert rows(two.line) == before


def test_switching_off_requires_strong_sign_in(two: Two) -> None:
    refused(NotFound(), partial(off, two, "ppt", by=replace(two.bjorn, strong_auth=False)))


def test_rules_approved_before_a_rule_went_off_are_proposed_anew(two: Two) -> None:
    waits = two.approve(two.propose(WIDER))
    narrow = off(two, "ppt")

    refused(Conflict("route.moved_on"), partial(two.activate, waits))
    assert two.active() == narrow


class _Killed(Exception):
    """The process ends here."""


def test_narrowing_killed_before_the_commit_writes_nothing(two: Two) -> None:
    two.change(NARROWER)

    def killed(tx: Transaction) -> None:
        audit.seal(tx)
        raise _Killed

    store = Store(two.line.store.engine, seal=killed, clock=two.line.store.clock)
    dying = replace(two, line=replace(two.line, store=store))
    before = rows(two.line)

    for step in (partial(off, dying, "ppt"), partial(back, dying)):
        with pytest.raises(_Killed):
            step()
        assert rows(two.line) == before


# At once


@SQLITE_SOON
def test_concurrent_switching_off_of_one_rule_ends_in_one_version(
    two_on_each_database: Two,
) -> None:
    two = two_on_each_database

    ended = at_once(*(partial(off, two, "ppt", each) for each in (two.anne, two.bjorn)))

    assert ended[0] == "done"
    assert ended[1] in {"route.moved_on", "route.off"}
    assert len(said(two.line, "route:switched_off")) == 1


@SQLITE_SOON
def test_concurrent_activation_and_switching_off_never_undo_each_other(
    two_on_each_database: Two,
) -> None:
    two = two_on_each_database
    waits = two.approve(two.propose(WIDER))

    ended = at_once(partial(two.activate, waits, two.anne), partial(off, two, "ppt"))

    switched = said(two.line, "route:switched_off")
    assert ended in (["done", "done"], ["done", "route.moved_on"])
    is_off = b"off = true" in active_files(two.line, ROUTES.kind)[BOOK]
    assert is_off is bool(switched)


@SQLITE_SOON
def test_concurrent_roll_back_and_switching_off_never_gain_anything(
    two_on_each_database: Two,
) -> None:
    two = two_on_each_database
    two.change(WIDER)

    ended = at_once(partial(back, two, two.anne), partial(off, two, "ppt"))

    assert ended in (["done", "done"], ["done", "route.moved_on"])
    files = active_files(two.line, ROUTES.kind)[BOOK]
    if said(two.line, "route:switched_off"):
        assert b"off = true" in files
    else:
        assert b'"elev-"' not in files


# Policies


@pytest.fixture
def editor(two: Two) -> Capacity:
    return two.stands_for("edda", Role.POLICY_EDITOR)


@pytest.fixture
def reviewer(two: Two) -> Capacity:
    return two.stands_for("rolf", Role.SECURITY_REVIEWER)


A12 = (
    b"p, A12, take, handler, in_unit and unassigned and cleared and unit_shares"
    b" and (routed or released or offered or returned), log, allow"
)


def policy_now(two: Two) -> Policy:
    with two.line.store.reading() as tx:
        return ActivePolicies().current(tx)


def change_policy(two: Two, editor: Capacity, reviewer: Capacity, was: bytes, new: bytes) -> str:
    files = active_files(two.line, POLICY_KIND)
    assert was in files["allow.csv"]
    changed = {**files, "allow.csv": files["allow.csv"].replace(was, new)}
    proposed = rule_versions.propose(two.line, editor, POLICY_RULES, changed)
    return rule_versions.approve_and_activate(
        two.line,
        reviewer,
        POLICY_RULES,
        proposed.proposal_id,
        acknowledge=proposed.compared.digest,
    )


def test_one_editor_cannot_roll_back_a_policy_that_two_people_narrowed(
    two: Two, editor: Capacity, reviewer: Capacity
) -> None:
    first = policy_now(two)
    narrow = change_policy(
        two, editor, reviewer, A12, A12.replace(b", log", b" and not quarantined, log")
    )

    made = one_person.roll_back(two.line, editor, POLICY_RULES, reason="r")

    assert made.proposed is not None
    assert made.why[0].text(TextLanguage.EN).startswith("it gains: case handler may ")
    assert "(take)" in made.why[0].text(TextLanguage.EN)
    assert policy_now(two).digest == narrow
    refused(
        Conflict("proposal.own"),
        lambda: rule_versions.approve_and_activate(
            two.line,
            two.stands_for("edda", Role.SECURITY_REVIEWER),
            POLICY_RULES,
            made.proposed.proposal_id if made.proposed else "",
            acknowledge=made.proposed.compared.digest if made.proposed else "",
        ),
    )
    rule_versions.approve_and_activate(
        two.line,
        reviewer,
        POLICY_RULES,
        made.proposed.proposal_id,
        acknowledge=made.proposed.compared.digest,
    )
    assert policy_now(two).digest == first.digest


def test_one_editor_rolls_back_a_policy_that_widened_or_changed_no_decision(
    two: Two, editor: Capacity, reviewer: Capacity
) -> None:
    first = policy_now(two).digest
    change_policy(two, editor, reviewer, A12, A12 + b"\n# one more word")

    made = one_person.roll_back(two.line, editor, POLICY_RULES, reason="r")

    assert (made.proposed, made.digest, policy_now(two).digest) == (None, first, first)


def test_one_editor_switches_an_allow_row_off_at_once(two: Two, editor: Capacity) -> None:
    compared = one_person.switch_off(two.line, editor, POLICY_RULES, "A46b", reason="misbrukt")

    policy = policy_now(two)
    assert policy.digest == compared.new_digest
    assert "A46b" not in {rule.id for rule in policy.rules}
    assert "row A46b switched off" in compared.text
    (leaf,) = said(two.line, "policy:switched_off")
    assert (leaf["who"], leaf["became"]) == (editor.id, policy.digest)


@pytest.mark.parametrize("row", ["A24", "A41", "A42", "A37", "A13", "D03"])
def test_rows_of_control_the_last_of_an_action_and_denials_are_never_switched_off_by_one(
    two: Two, editor: Capacity, row: str
) -> None:
    before = rows(two.line)

    refused(
        Conflict("policy.takes_two"),
        lambda: one_person.switch_off(two.line, editor, POLICY_RULES, row, reason="r"),
    )
    assert rows(two.line) == before


def test_row_that_an_invariant_needs_is_not_switched_off(two: Two, editor: Capacity) -> None:
    refused(
        PolicyError("policy.invariant"),
        lambda: one_person.switch_off(two.line, editor, POLICY_RULES, "A08", reason="r"),
    )


def test_rows_are_switched_off_by_policy_editors_only(two: Two, reviewer: Capacity) -> None:
    before = rows(two.line)

    for other in (reviewer, two.anne):
        for row in ("A46b", "A99", "D03"):
            refused(
                NotFound(),
                partial(one_person.switch_off, two.line, other, POLICY_RULES, row, reason="r"),
            )
    assert rows(two.line) == before


def test_roll_back_of_a_policy_that_cannot_be_loaded_takes_two(
    two: Two, editor: Capacity, reviewer: Capacity
) -> None:
    change_policy(two, editor, reviewer, A12, A12 + b"\n# one more word")
    with two.line.store.transaction() as tx:
        active = active_version(tx, POLICY_KIND)
        assert active is not None
        active.files = b"{}"
        tx.add(active)
        activate(tx, "f" * 64, "rolf", kind=POLICY_KIND, version=active.id)
    line = replace(two.line, policies=ActivePolicies())

    made = one_person.roll_back(line, editor, POLICY_RULES, reason="r")

    assert made.proposed is not None
    with line.store.reading() as tx:
        assert line.policies.current(tx).rules == ()
        proposal = tx.get_one(Proposal, made.proposed.proposal_id)
        assert proposal.state is ProposalState.OPEN


# Digests


def test_versions_that_differ_in_one_file_only_have_digests_of_their_own(two: Two) -> None:
    cases = b'receiver = "910075918"\non = 2026-11-24\n[[case]]\nname = "x"\n'
    cases += b'metadata = { sender = "910076787" }\nexpect = "unrouted"\n'
    with_cases = {BOOK: RULES, "tests/routing.toml": cases}
    first = two.active()

    second = two.change(with_cases)

    assert second != first
    assert second == digest_over(with_cases)


def test_version_of_digest_rule_1_stays_active_and_can_be_replaced(two: Two) -> None:
    old = hashlib.sha256(RULES).hexdigest()
    with two.line.store.transaction() as tx:
        active = active_version(tx, ROUTES.kind)
        assert active is not None
        active.digest, active.digest_rule = old, DigestRule.DECIDING_FILES
        tx.add(active)
        activate(tx, old, "bjorn", kind=ROUTES.kind, version=active.id)
    assert two.active() == old

    digest = two.change(WIDER)

    with two.line.store.reading() as tx:
        rules = {each.digest: each.digest_rule for each in history(tx, ROUTES.kind)}
    assert rules == {old: 1, digest: 2}
    assert two.roll_back() == old
