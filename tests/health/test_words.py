"""The words of conditions: there for every code that can be found, in both languages."""

import re
from pathlib import Path

import pytest

import inbox
from inbox.health.condition import HealthCondition, Level
from inbox.health.conditions_document import text
from inbox.health.report import json_of, lines_of
from inbox.health.words import Language, codes, nearest_code, words_of
from inbox.line.task_kinds import TaskKind

SOURCE = Path(inbox.__file__).parent
PAGE = SOURCE.parent / "docs" / "conditions.md"
FAILED = (("arrivals", "missed"), ("receipts", "failed"), ("receipts", "impossible"))
UNCONNECTED = ("unresolved", "certificate", "tls")
"""What `connection_fault` says, which ends the codes of several neighbours."""


def _product_files() -> list[Path]:
    return [path for path in SOURCE.rglob("*.py") if "simulator" not in path.parts]


def _condition(code: str, subject: str = "gateway:ip", count: int | None = 3) -> HealthCondition:
    return HealthCondition(subject=subject, code=code, level=Level.WRONG, count=count)


@pytest.mark.parametrize("language", Language)
def test_every_code_says_what_it_means_what_follows_who_mends_it_and_how(
    language: Language,
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
    known = words_of(_condition("gateway.silent", count=3), Language.ENGLISH)
    unknown = words_of(_condition("gateway.silent", count=None), Language.ENGLISH)

    assert "(3 wait here)" in known.otherwise
    assert "wait here" not in unknown.otherwise


def test_name_that_is_not_shown_is_a_noun() -> None:
    hidden = words_of(_condition("webhook.refused", subject="case_system"), Language.BOKMAAL)

    assert hidden.means == "Et fagsystem avviser hendelsene sine"


def test_lines_and_json_say_the_same() -> None:
    condition = HealthCondition(
        subject="gateway:ip", code="gateway.slow", level=Level.UNREADY, status=504, reason="why"
    )

    told, value = "\n".join(lines_of(condition)), json_of(condition)

    for key in ("level", "subject", "code", "means", "otherwise", "do", "who", "status", "reason"):
        assert str(value[key]) in told, key


def test_page_of_conditions_is_made_from_the_table() -> None:
    assert PAGE.read_text() == text()
