"""The words of conditions: there for every code that can be found, in three languages."""

import re
import tomllib
from pathlib import Path

import pytest

import inbox
from inbox.health.condition import HealthCondition, Level
from inbox.health.conditions_document import text
from inbox.health.report import json_of, lines_of
from inbox.health.words import Mender, codes, nearest_code, words_of
from inbox.language import TextLanguage
from inbox.line.task_kinds import TaskKind
from tests.prose.norwegian import BOKMAAL, NYNORSK

SOURCE = Path(inbox.__file__).parent
PAGE = SOURCE.parent / "docs" / "conditions.md"
FAILED = (("arrivals", "missed"), ("receipts", "failed"), ("receipts", "impossible"))
UNCONNECTED = ("unresolved", "certificate", "tls")
"""What `connection_fault` says, which ends the codes of several neighbours."""
KEPT = re.compile(r"\{\w+\}|«[^»]*»|\[\[.*?\]\]|\d+|[\w*]*[._/=][\w*./=-]*\w")
"""What a translation keeps to the letter: what is filled in, commands, numbers, files, settings."""
ENTRIES = tomllib.loads((SOURCE / "health" / "conditions.toml").read_text("utf-8"))
SAME_IN_NYNORSK = {
    "Be leverandøren svare først og arbeide etterpå.",
    "Den som er på nettverket imellom, kan lese dekryptert post.",
    "Eldre database enn revisjonssporet",
    "Etterkontroll av nødtilgang",
    "Etterkontroller nødtilgangen.",
    "Fordele",
    "Frigi til fagsystemet",
    "I retur",
    "Ingen er innført",
    "Ingen kan logge inn.",
    "Ingen kan tildele eller ta posten.",
    "Innsyn gitt",
    "Karantene",
    "Les det som det er gitt innsyn i.",
    "Ny måte å logge inn på",
    "Posten står stille.",
    "Sjekk porten i url, og om det er https der.",
    "Sjekk url og organisations.",
    "Sjekk user og password_file mot difi.security.user i integrasjonspunktet.",
    "Står fast",
    "Tildelt",
}
"""Every word of these is the same in bokmål and in nynorsk."""


def _product_files() -> list[Path]:
    return [path for path in SOURCE.rglob("*.py") if "simulator" not in path.parts]


def _condition(code: str, subject: str = "gateway:ip", count: int | None = 3) -> HealthCondition:
    return HealthCondition(subject=subject, code=code, level=Level.WRONG, count=count)


@pytest.mark.parametrize("code", ENTRIES)
def test_every_entry_has_its_three_texts_in_three_languages(code: str) -> None:
    entry = ENTRIES[code]

    assert set(entry) == {"who", *TextLanguage}
    assert all(set(entry[each]) == {"means", "otherwise", "do"} for each in TextLanguage)
    assert all(text.strip() for each in TextLanguage for text in entry[each].values())


@pytest.mark.parametrize("code", ENTRIES)
def test_nynorsk_texts_are_nynorsk_and_keep_names_and_commands(code: str) -> None:
    bokmaal, nynorsk = ENTRIES[code]["nb"], ENTRIES[code]["nn"]

    for key in nynorsk:
        assert BOKMAAL.findall(nynorsk[key]) == []
        assert NYNORSK.findall(bokmaal[key]) == []
        assert sorted(KEPT.findall(nynorsk[key])) == sorted(KEPT.findall(bokmaal[key]))


def test_nynorsk_text_is_the_bokmaal_one_only_where_every_word_is_the_same() -> None:
    same = {
        entry["nn"][key]
        for entry in ENTRIES.values()
        for key in entry["nn"]
        if entry["nn"][key] == entry["nb"][key]
    }

    assert same == SAME_IN_NYNORSK


@pytest.mark.parametrize("mender", Mender)
def test_english_word_for_who_mends_it_is_the_one_that_machines_read(mender: Mender) -> None:
    code = next(code for code in codes() if ENTRIES[code]["who"] == mender)

    assert json_of(_condition(code))["who"] == mender.value


@pytest.mark.parametrize("language", TextLanguage)
def test_every_code_says_what_it_means_what_follows_who_mends_it_and_how(
    language: TextLanguage,
) -> None:
    for code in codes():
        words = words_of(_condition(code), language)
        for said in (words.means, words.otherwise, words.who, words.how):
            assert said.strip(), code
            assert "{" not in said, code


def test_every_kind_of_task_has_words_of_its_own() -> None:
    assert [kind for kind in TaskKind if f"task.{kind}" not in codes()] == []


def test_every_code_with_words_can_be_found_by_the_program() -> None:
    source = "\n".join(path.read_text() for path in _product_files())
    raised = set(re.findall(r'"([a-z_]+\.[a-z_]+)"', source))
    raised |= {f"{who}.{what}" for who in ("gateway", "webhook") for what in UNCONNECTED}
    counted = {f"task.{kind}" for kind in TaskKind} | {f"{kind}.{state}" for kind, state in FAILED}

    unused = [
        code
        for code in codes()
        if code not in counted and not any(each.startswith(code) for each in raised)
    ]

    assert unused == []


@pytest.mark.parametrize(
    ("code", "nearest"),
    [
        ("database.password", "database"),
        ("gateway.unauthorised", "gateway.unauthorised"),
        ("gateway.truncated", "gateway"),
        ("trust.list_status", "trust.list"),
        ("vault.io", "vault"),
        ("statuses.gateway.unavailable", "statuses"),
        ("something.new", "program"),
    ],
)
def test_code_without_words_has_those_of_its_nearest_beginning(code: str, nearest: str) -> None:
    assert nearest_code(code) == nearest


def test_every_code_of_a_neighbour_that_the_program_raises_has_words_of_its_family() -> None:
    family = re.compile(r'"((?:gateway|webhook|trust|vault|keys)\.[a-z_]+)"')
    raised = {code for path in _product_files() for code in family.findall(path.read_text())}

    assert len(raised) > 30
    assert [code for code in raised if nearest_code(code) == "program"] == []


def test_number_that_is_not_known_is_not_said() -> None:
    known = words_of(_condition("gateway.silent", count=3), TextLanguage.EN)
    unknown = words_of(_condition("gateway.silent", count=None), TextLanguage.EN)

    assert "(3 wait here)" in known.otherwise
    assert "wait here" not in unknown.otherwise


@pytest.mark.parametrize(
    ("language", "means"),
    [
        (TextLanguage.NB, "Et fagsystem avviser hendelsene sine"),
        (TextLanguage.NN, "Eit fagsystem avviser hendingane sine"),
        (TextLanguage.EN, "a case system refuses its events"),
    ],
)
def test_name_that_is_not_shown_is_a_noun(language: TextLanguage, means: str) -> None:
    hidden = words_of(_condition("webhook.refused", subject="case_system"), language)

    assert hidden.means == means


def test_lines_and_json_say_the_same() -> None:
    condition = HealthCondition(
        subject="gateway:ip", code="gateway.slow", level=Level.UNREADY, status=504, reason="why"
    )

    told, value = "\n".join(lines_of(condition)), json_of(condition)

    for key in ("level", "subject", "code", "means", "otherwise", "do", "who", "status", "reason"):
        assert str(value[key]) in told, key


def test_page_of_conditions_is_made_from_the_table() -> None:
    assert PAGE.read_text() == text()
