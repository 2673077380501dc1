"""The rows that ship: each has its legal basis, no denial can be undone, and four fields differ."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from inbox.access import Action, Policy, Role
from inbox.access.facts.registry import FACTS
from inbox.access.files.cases import run_cases
from inbox.access.files.folder import load_policy
from inbox.access.files.invariants import read_invariants
from inbox.access.files.proofs import check_invariants, violated_invariants
from inbox.access.policy.conditions import dnf_of
from inbox.access.policy.legal_basis import LegalBasis
from inbox.access.policy.names import MeaningLanguage
from inbox.access.policy.vocabulary import Effect, PolicyRule
from inbox.cli import run
from inbox.errors import PolicyError
from tests.access.town import POLICIES, allow

EXAMPLES = POLICIES / "examples"
FIELDS = ("barnevern", "helse", "naering", "personal")
SAME = ("policy.toml", "shielding.toml")
FOLDERS = (POLICIES, *(EXAMPLES / field for field in FIELDS))
BASE = frozenset({"own_organisation", "active_capacity", "active_person", "strong_auth"})
ACTS = {
    "anskaffelsesforskriften": "Public Procurement Regulations",
    "arkivlova": "Archives Act",
    "barnevernsloven": "Child Welfare Act",
    "eForvaltningsforskriften": "eGovernment Regulations",
    "forretningshemmelighetsloven": "Trade Secrets Act",
    "forvaltningsloven": "Public Administration Act",
    "helse- og omsorgstjenesteloven": "Health and Care Services Act",
    "helsepersonelloven": "Health Personnel Act",
    "kommuneloven": "Local Government Act",
    "Noark 5": "Noark 5",
    "offentleglova": "Freedom of Information Act",
    "opplæringslova": "Education Act",
    "pasientjournalloven": "Patient Records Act",
    "personvernforordningen": "GDPR",
}


@cache
def policy_of(folder: Path) -> Policy:
    return load_policy(folder)


def said(policy: Policy, role: str, held: str, action: Action) -> str:
    """The rule that decides when these facts hold beside those of an ordinary request."""
    facts = dict.fromkeys(policy.facts, False) | dict.fromkeys(BASE | set(held.split()), True)
    decision = policy.decide(Role(role), facts, action)
    return decision.rule if decision.allowed else "no"


def wrong_with(basis: LegalBasis) -> str | None:
    """Why a legal basis does not say the same in two languages; None if it does."""
    norwegian, english = (basis.text[each] for each in (MeaningLanguage.NB, MeaningLanguage.EN))
    if basis.act not in ACTS or not english.startswith(ACTS[basis.act]):
        return f"{norwegian!r} is not {english!r}"
    if norwegian != f"{basis.act} {basis.section}".rstrip():
        return f"{norwegian!r} is not {basis.act!r}, {basis.section!r}"
    if places(norwegian) != places(english):
        return f"{norwegian!r} is elsewhere than {english!r}"
    return None


def places(basis: str) -> list[str]:
    """The numbers of a reference, with the letter of a paragraph such as 13 b."""
    return re.findall(r"\d+(?:[-.]\d+)*(?: [a-g]\b)?", basis)


def test_legal_basis_check_detects_bases_that_differ_in_two_languages() -> None:
    good = policy_of(POLICIES).bases["fvl-13b-1-2"]
    nb, en = good.text[MeaningLanguage.NB], good.text[MeaningLanguage.EN]

    def spoilt(old: str, new: str) -> LegalBasis:
        texts = {MeaningLanguage.NB: nb, MeaningLanguage.EN: en.replace(old, new)}
        return replace(good, text=texts)

    assert wrong_with(good) is None
    assert wrong_with(spoilt("13 b", "13 c")) is not None
    assert wrong_with(spoilt("Administration", "Records")) is not None
    assert wrong_with(replace(good, act="forvaltingsloven")) is not None
    assert wrong_with(replace(good, section="§ 13 c")) is not None


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_shipped_row_names_its_legal_basis_in_two_languages(folder: Path) -> None:
    policy = policy_of(folder)

    assert len(policy.rules) > 60
    assert [rule.id for rule in policy.rules if not rule.bases] == []
    assert {each for rule in policy.rules for each in rule.bases} == policy.bases.keys()
    wrong = {basis.id: wrong for basis in policy.bases.values() if (wrong := wrong_with(basis))}
    assert wrong == {}


def test_one_id_means_one_legal_basis_in_every_shipped_folder() -> None:
    everywhere = {
        basis for folder in FOLDERS for basis in map(str, policy_of(folder).bases.values())
    }

    assert len(everywhere) == len({each for folder in FOLDERS for each in policy_of(folder).bases})


def test_every_example_policy_folder_is_covered_by_these_tests() -> None:
    assert sorted(path.name for path in EXAMPLES.iterdir()) == list(FIELDS)


@pytest.mark.parametrize("field", FIELDS)
def test_example_policy_loads_with_the_header_and_shieldings_of_the_base(
    field: str,
) -> None:
    folder = EXAMPLES / field

    assert policy_of(folder).rules
    for file in SAME:
        assert (folder / file).read_bytes() == (POLICIES / file).read_bytes(), file


@pytest.mark.parametrize("field", FIELDS)
def test_route_lint_and_route_test_pass_for_each_example_policy(
    field: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["route", "lint", "--policies", str(EXAMPLES / field)]) == 0
    assert run(["route", "test", "--policies", str(EXAMPLES / field)]) == 0

    assert re.search(r"[4-9] tilfeller, 0 feil", capsys.readouterr().out)


SAID_TWICE = {"barnevern": {"A20", "A08c", "A21", "A52d"}, "helse": {"A20"}}
"""Rows of a field that say for their reader what its D10 says for every row."""
STANDS_GUARD = {"helse": {"D10"}, "naering": {"D10", "A20"}}
"""Beside D06 and D07 denials of what no row allows today, and what they would keep denied."""
READS, SEES = "in_unit assigned cleared routed readable", "in_unit leads routed readable"
OUTSIDE = "has_grant cleared routed readable"
GLASS = "has_breakglass strong_auth reason_given routed readable"
SHARED = "in_unit cleared routed unit_shares unassigned"
MEANT = "target_in_unit target_cleared reason_given period_given"


@pytest.mark.parametrize(
    ("field", "role", "held", "action", "before", "here"),
    [
        # Nobody in child welfare sees or takes what is assigned to nobody.
        ("barnevern", "handler", SHARED, Action.LIST, "A08", "no"),
        ("barnevern", "handler", SHARED, Action.TAKE, "A12", "no"),
        ("barnevern", "handler", READS, Action.OPEN, "A09", "A09"),
        # Its leader sees a title only when cleared for the shielding.
        ("barnevern", "leader", SEES, Action.LIST, "A16", "no"),
        ("barnevern", "leader", SEES + " cleared", Action.LIST, "A16", "A16"),
        # Nobody outside the service reads, whatever they were given or took.
        ("barnevern", "handler", OUTSIDE, Action.OPEN, "A11", "no"),
        ("barnevern", "leader", GLASS + " in_parent_unit", Action.OPEN, "A21", "no"),
        ("barnevern", "handler", GLASS + " in_unit", Action.OPEN, "A21", "A21"),
        # Reading in health takes a reason each time.
        ("helse", "handler", READS, Action.OPEN, "A09", "no"),
        ("helse", "handler", READS + " reason_given", Action.OPEN, "A09", "A09"),
        # Emergency access is for handlers, from the unit above too, and never for leaders.
        ("helse", "handler", GLASS + " in_parent_unit", Action.OPEN, "A21", "A21"),
        ("helse", "leader", GLASS + " in_unit leads", Action.OPEN, "A21", "no"),
        # Management sees a title only when cleared.
        ("helse", "leader", SEES, Action.LIST, "A16", "no"),
        # Nobody outside the personnel unit sees it, and its leader does not break glass.
        ("personal", "handler", OUTSIDE, Action.LIST, "A08b", "no"),
        ("personal", "leader", GLASS + " in_unit leads", Action.BREAKGLASS, "A20", "no"),
        ("personal", "handler", GLASS + " in_unit", Action.BREAKGLASS, "A20", "A20"),
        # The unit shares its work as elsewhere.
        ("personal", "handler", SHARED, Action.TAKE, "A12", "A12"),
        # There is no emergency access to business secrets.
        ("naering", "handler", GLASS + " in_unit", Action.BREAKGLASS, "A20", "no"),
        ("naering", "handler", GLASS + " in_unit", Action.OPEN, "A21", "no"),
        # Access is given inside the one unit only.
        ("naering", "leader", SEES + " " + MEANT, Action.GRANT, "A18", "A18"),
        (
            "naering",
            "leader",
            SEES + " target_cleared reason_given period_given",
            Action.GRANT,
            "A18",
            "no",
        ),
        ("naering", "handler", OUTSIDE, Action.OPEN, "A11", "no"),
        # Its handlers share and read as elsewhere.
        ("naering", "handler", READS, Action.OPEN, "A09", "A09"),
    ],
)
def test_example_policy_decides_as_listed_beside_the_base_policy(
    field: str, role: str, held: str, action: Action, before: str, here: str
) -> None:
    assert said(policy_of(POLICIES), role, held, action) == before
    assert said(policy_of(EXAMPLES / field), role, held, action) == here


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
@pytest.mark.parametrize(
    ("role", "held", "action", "rule"),
    [
        ("archivist", "mailbox unrouted unopened", Action.PLACE, "A02"),
        ("archivist", "mailbox quarantined", Action.RECHECK, "A32"),
        ("archivist", "mailbox receipt_failed", Action.RESEND, "A34"),
        ("leader", "in_unit leads routed", Action.END_ACCESS, "A38"),
    ],
)
def test_conflict_of_interest_denies_what_the_role_may_do_otherwise(
    folder: Path, role: str, held: str, action: Action, rule: str
) -> None:
    assert said(policy_of(folder), role, held, action) == rule
    assert said(policy_of(folder), role, held + " conflict", action) == "no"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_conflict_of_interest_leaves_hand_back_and_delegate(folder: Path) -> None:
    held = "in_unit leads routed conflict target_in_unit period_given"

    assert said(policy_of(folder), "leader", held, Action.HAND_BACK) == "A13"
    assert said(policy_of(folder), "leader", held, Action.DELEGATE) == "A19"


NEEDS_REVIEWER = "quarantined waivable needs_reviewer proposed_by_other"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
@pytest.mark.parametrize("role", Role)
def test_only_a_security_reviewer_releases_what_needs_one_from_quarantine(
    folder: Path, role: Role
) -> None:
    held = f"{NEEDS_REVIEWER} mailbox in_unit leads assigned cleared own_task refusable"

    approves = "A04b" if role is Role.SECURITY_REVIEWER else "no"
    assert said(policy_of(folder), role, held, Action.QUARANTINE_RELEASE) == approves


@pytest.mark.parametrize(
    "missing", ["quarantined", "waivable", "needs_reviewer", "proposed_by_other"]
)
def test_security_reviewer_releases_nothing_else_from_quarantine(missing: str) -> None:
    held = " ".join(fact for fact in NEEDS_REVIEWER.split() if fact != missing)

    assert said(policy_of(POLICIES), "security_reviewer", held, Action.QUARANTINE_RELEASE) == "no"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
@pytest.mark.parametrize(
    ("rule_id", "without", "roles"),
    [
        ("A04", " and not needs_reviewer", "archivist"),
        ("A04b", " and needs_reviewer", "security_reviewer"),
        ("A04b", " and strong_auth", "security_reviewer"),
        ("A04b", " and waivable", "security_reviewer"),
        ("A04b", "quarantined and ", "security_reviewer"),
        ("A04b", "", "archivist security_reviewer"),
        ("A04b", "", "leader"),
        ("A04b", "", "operator"),
    ],
)
def test_loosened_release_of_what_needs_a_reviewer_breaks_an_invariant(
    folder: Path, rule_id: str, without: str, roles: str
) -> None:
    invariants = read_invariants((folder / "invariants.txt").read_bytes(), FACTS)
    (row,) = (rule for rule in policy_of(folder).rules if rule.id == rule_id)
    loose = replace(row, when=row.when.replace(without, ""), roles=roles)
    assert loose != row

    rules = [loose if rule is row else rule for rule in policy_of(folder).rules]

    assert violated_invariants(Policy(rules, facts=FACTS, digest="d"), invariants)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_allow_rule_for_everybody_cannot_override_a_shipped_deny(folder: Path) -> None:
    shipped = policy_of(folder)
    rules = [
        *shipped.rules,
        *(allow(f"Z{n}", action, " ".join(Role), "always") for n, action in enumerate(Action)),
    ]
    open_to_all = Policy(rules, facts=FACTS, digest="d")
    facts = dict.fromkeys(FACTS, False)
    denied = 0
    for rule in shipped.rules:
        if rule.effect is Effect.ALLOW:
            continue
        for way in dnf_of(shipped.conditions[rule.when]):
            for action, role in concerned_by(rule):
                decision = open_to_all.decide(role, facts | dict(way), action)
                assert not decision.allowed, (rule.id, action, role)
                assert rule.id in decision.matching
                denied += 1

    everything = facts | dict.fromkeys(
        BASE | {"proposed_by_other", "in_unit"}, True
    )  # No deny of any folder holds here.
    assert open_to_all.decide(Role.ARCHIVIST, everything, Action.LIST).allowed
    assert denied > 200


def concerned_by(rule: PolicyRule) -> Iterator[tuple[Action, Role]]:
    for action in Action:
        yield from ((action, role) for role in Role if rule.applies_to(action, role))


def faults_in(policy: Policy) -> Iterator[tuple[str, Policy]]:
    """What widens a field: a row of the base's instead of its own, or a denial of it gone."""
    base = {rule.id: replace(rule, bases=()) for rule in policy_of(POLICIES).rules}
    own = {rule.id: replace(rule, bases=()) for rule in policy.rules}
    for rule_id, rule in (base | own).items():
        if base.get(rule_id) == own.get(rule_id) and rule.effect is Effect.ALLOW:
            continue
        rest = [one for one in policy.rules if one.id != rule_id]
        is_deny = rule.effect is Effect.DENY
        planted = rest if is_deny or rule_id not in base else [*rest, base[rule_id]]
        yield rule_id, Policy(planted, facts=FACTS, digest="d")


@pytest.mark.parametrize(
    "field", [FIELDS[0], *(pytest.param(field, marks=pytest.mark.long) for field in FIELDS[1:])]
)
def test_widened_example_policy_fails_a_case_except_for_listed_rows(field: str) -> None:
    cases = (EXAMPLES / field / "tests" / "access.toml").read_bytes()
    planted = dict(faults_in(policy_of(EXAMPLES / field)))

    assert len(planted) >= 15
    unnoticed = {name for name, faulty in planted.items() if not run_cases(faulty, cases)}
    assert unnoticed == SAID_TWICE.get(field, set())


@pytest.mark.long
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_widened_shipped_policy_breaks_an_invariant_except_for_listed_rows(folder: Path) -> None:
    invariants = (folder / "invariants.txt").read_bytes()
    unnoticed = set()
    for name, faulty in faults_in(policy_of(folder)):
        try:
            check_invariants(faulty, read_invariants(invariants, FACTS))
        except PolicyError:
            continue
        unnoticed.add(name)

    guards = STANDS_GUARD.get(folder.name, set()) | {"D06", "D07"}
    assert unnoticed == SAID_TWICE.get(folder.name, set()) | guards
