"""Rules, conditions and differences as sentences in three languages, with their legal basis."""

from dataclasses import replace
from typing import Any

import pytest

from inbox.access import Action, Capacity, Decision, Duty, Role
from inbox.access.files.folder import PolicyDraft, load_draft, read_draft
from inbox.access.policy.conditions import read_condition
from inbox.access.policy.legal_basis import LegalBasis
from inbox.access.policy.names import MeaningLanguage, program_vocabulary
from inbox.access.policy.vocabulary import Effect
from inbox.access.review.diff import compare_policies
from inbox.access.review.difference_sentences import difference_sentences
from inbox.access.review.explain import DecisionExplanation
from inbox.access.review.sentences import AccessSentences
from inbox.domain import PersonId, UnitId
from inbox.language import TextLanguage
from tests.access.town import BERGVIK, POLICIES, allow, deny, policy_files

NB, NN, EN = TextLanguage.NB, TextLanguage.NN, TextLanguage.EN
A11 = b"has_grant and cleared and readable, log, allow"


@pytest.fixture(scope="module")
def draft() -> PolicyDraft:
    return load_draft(POLICIES)


def sentences(language: TextLanguage = EN) -> AccessSentences:
    return AccessSentences(vocabulary=program_vocabulary(), language=language)


def rule_lines(draft: PolicyDraft, rule_id: str, language: TextLanguage) -> list[str]:
    (rule,) = (rule for rule in draft.rows if rule.id == rule_id)
    return [*sentences(language).rule(rule, draft.policy.bases)]


def test_rule_is_a_sentence_with_its_duty_and_legal_basis_in_each_language(
    draft: PolicyDraft,
) -> None:
    nb, nn, en = (rule_lines(draft, "A13", language) for language in (NB, NN, EN))

    assert nb[0] == "A13: saksbehandler eller leder kan gi tilbake til fordeling (hand_back)"
    assert nb[1:3] == ["  når alt dette gjelder:", "  - minst ett av dette:"]
    assert nb[-2] == "  plikt: krever en grunn (reason)"
    assert nb[-1].startswith("  hjemmel: forvaltningsloven § 13 b første ledd nr. 3 (fvl-13b-1-3)")
    assert nn[1:3] == ["  når alt dette gjeld:", "  - minst eitt av dette:"]
    assert nn[-1].startswith("  heimel: forvaltningsloven § 13 b")
    assert en == [
        "A13: case handler or unit leader may hand back to be distributed (hand_back)",
        "  when all of this holds:",
        "  - at least one of these:",
        "    - all of this:",
        "      - acts in the unit that the message is with (in_unit)",
        "      - the message is assigned to the person (assigned)",
        "    - leads the unit that the message is with (leads)",
        "  - at least one of these:",
        "    - the message is with a unit and waits to be released (routed)",
        "    - the case system said no (returned)",
        "    - all of this:",
        "      - the message is offered to the case system (offered)",
        "      - the delivery is to people of the unit, not to a case system (by_hand)",
        "      - the delivery stands open and is not collected (uncollected)",
        "  duty: requires a reason (reason)",
        (
            "  legal basis: Public Administration Act section 13 b first paragraph no. 3"
            " (fvl-13b-1-3); Public Administration Act section 8 (fvl-8); Archives Act and its"
            " regulations (arkivlova)"
        ),
    ]


@pytest.mark.parametrize("language", TextLanguage)
def test_every_shipped_rule_can_be_said_with_its_basis(
    draft: PolicyDraft, language: TextLanguage
) -> None:
    for rule in draft.rows:
        said = [*sentences(language).rule(rule, draft.policy.bases)]

        assert said[0].startswith(f"{rule.id}: ")
        assert all(f"({basis})" in said[-1] for basis in rule.bases)


def test_denial_for_every_role_says_nobody_and_a_rule_that_is_off_says_so() -> None:
    for_all = [*sentences().rule(deny("D01", "open", "*", "conflict"), {})]
    is_off = [*sentences().rule(allow("A01", "open", "handler", "always"), {}, is_off=True)]

    assert for_all[0] == "D01: nobody may read the content (open)"
    assert for_all[-1] == "  legal basis: not given"
    assert is_off[:2] == [
        "A01 is switched off. It said: case handler may read the content (open)",
        "  always",
    ]
    assert deny("D01", "open", "*", "conflict").effect is Effect.DENY


def test_only_a_denial_for_every_role_says_nobody() -> None:
    for_some = [*sentences().rule(deny("D01", "open", "handler", "conflict"), {})]
    allowed = [*sentences().rule(allow("A01", "open", "*", "always"), {})]

    assert for_some[0] == "D01: case handler may not read the content (open)"
    assert allowed == [
        "A01: every role may read the content (open)",
        "  always",
        "  legal basis: not given",
    ]


def test_duties_are_said_where_a_rule_that_allows_has_some() -> None:
    logged = replace(allow("A01", "open", "handler", "always"), duties=frozenset({Duty.REASON}))
    denied = replace(deny("D01", "open", "*", "always"), duties=frozenset({Duty.REASON}))
    gone = replace(logged, bases=("gone",))

    assert [*sentences().rule(logged, {})][-2:] == [
        "  duty: requires a reason (reason)",
        "  legal basis: not given",
    ]
    assert [*sentences().rule(denied, {})][1:] == ["  always", "  legal basis: not given"]
    assert [*sentences().rule(gone, {})] == [*sentences().rule(logged, {})]
    assert sentences().duties([]) == "none"


def test_sentence_of_a_decision_has_its_rule_duties_bases_and_earlier_action() -> None:
    kari = Capacity(
        id="k", role=Role.LEADER, organisation=BERGVIK, person=PersonId("k"), unit=UnitId("bv")
    )
    no = Decision(allowed=False, action="open", rule="none", digest="d")
    yes = replace(no, allowed=True, rule="A11", duties=frozenset({Duty.REASON}))
    basis = LegalBasis(
        id="x",
        act="a",
        section="",
        valid_from=None,
        valid_until=None,
        successor=None,
        text=dict.fromkeys(MeaningLanguage, "Act"),
    )

    def said(decision: Decision, **more: Any) -> list[str]:
        explained = DecisionExplanation(decision=decision, facts={}, rules=(), **more)
        return [*sentences().decision(kari, explained)]

    assert said(no) == [
        "As unit leader in bv: may not read the content (open)",
        "  No rule allows it.",
        "  policy: d",
    ]
    assert said(yes, bases=(basis,), stands_for=(Action.LIST,))[1:5] == [
        "  That follows from A11.",
        "  duty: requires a reason (reason)",
        "  legal basis: Act (x)",
        *said(yes, stands_for=(Action.LIST,))[3:4],
    ]
    assert [len(said(yes)), len(said(yes, stands_for=(Action.LIST,)))] == [4, 5]
    assert said(yes)[0] == "As unit leader in bv: may read the content (open)"


@pytest.mark.parametrize(
    ("when", "lines"),
    [
        ("assigned", ["when this holds:", "- A"]),
        ("not assigned", ["when this holds:", "- not: A"]),
        ("not (assigned or leads)", ["when this holds:", "- none of these:", "  - A", "  - L"]),
        (
            "leads and not (assigned and leads)",
            ["when all of this holds:", "- L", "- not all of this at once:", "  - A", "  - L"],
        ),
        ("not (not assigned)", ["when this holds:", "- none of these:", "  - not: A"]),
        ("leads and not always", ["when all of this holds:", "- L", "- not: always"]),
    ],
)
def test_condition_says_its_groups_and_what_must_not_hold(when: str, lines: list[str]) -> None:
    condition = read_condition(when, program_vocabulary().facts)
    short = {
        "the message is assigned to the person (assigned)": "A",
        "leads the unit that the message is with (leads)": "L",
    }

    said = "\n".join(sentences().condition(condition))

    for long, letter in short.items():
        said = said.replace(long, letter)
    assert said.splitlines() == lines


def test_requirements_say_each_way_with_its_facts() -> None:
    said = sentences(NB).requirements("nothing or strong_auth and not target_is_self")

    signed_in = "er logget inn på høyt sikkerhetsnivå (strong_auth)"
    assert said.startswith(f"ingenting – eller: {signed_in}; ")
    assert "; ikke: " in said


def test_difference_says_what_is_gained_and_how_the_row_was_and_is(draft: PolicyDraft) -> None:
    files = policy_files()
    assert A11 in files["allow.csv"]
    files["allow.csv"] = files["allow.csv"].replace(A11, b"has_grant, log reason, allow")
    other = read_draft(files)
    found = compare_policies(draft, other)

    nb, nn = ([*difference_sentences(found, draft, other, each)] for each in (NB, NN))

    assert "Nytt: saksbehandler kan lese innholdet (open)" in nb
    changed = nb.index("Rad A11 er endret: vilkåret, plikten.")
    assert nb[changed + 1] == "  Før:"
    assert nb[changed + 2] == "    A11: saksbehandler kan lese innholdet (open)"
    assert nb[-1].startswith("      hjemmel: forvaltningsloven § 13 b")
    assert "Rad A11 er endra: vilkåret, plikta." in nn
    assert len(nb) == len(nn)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("invariants.txt", "open implies not conflict", "open implies always",
         "Dette loves ikke lenger: open implies not conflict"),
        ("shielding.toml", '"§ 24"', '"§ 2"',
         "Skjermingen §2 får en annen kode: den var ?, og blir 24."),
        ("bases.csv", "fvl-8, forvaltningsloven, § 8, , , , forvaltningsloven § 8,",
         "fvl-8, forvaltningsloven, § 8, , 2027-01-01, , forvaltningsloven § 8,",
         "Hjemmelen fvl-8 er endret: siste dag var ingenting, og er nå 2027-01-01."),
        ("allow.csv", "p, A09,", "p, A99,", "Rad A09 heter nå A99."),
    ],
)  # fmt: skip
def test_difference_says_each_kind_of_written_change(
    draft: PolicyDraft, file: str, old: str, new: str, said: str
) -> None:
    files = policy_files()
    assert old.encode() in files[file]
    files[file] = files[file].replace(old.encode(), new.encode(), 1)
    other = read_draft(files)

    lines = [*difference_sentences(compare_policies(draft, other), draft, other, NB)]

    assert said in lines
