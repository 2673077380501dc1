"""Explain, who-can, what-can: for whoever may read about access, and noted in the audit."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from inbox.access import Role
from inbox.store import create_engine
from tests.access.town import Town
from tests.cli.database_edits import change, leaves_of
from tests.cli.installation import Answer, Installed


@pytest.fixture
def message(installed: Installed) -> str:
    """Kari handles in bv and has it assigned; Lise leads; Ola handles and has nothing."""
    engine = create_engine(f"sqlite:///{installed.folder}/inbox.db")
    with Session(engine.execution_options(inbox_writes=True)) as session:
        town = Town(session)
        made = town.message()
        made.sealed_archive = b"sealed"
        for person, role in (("kari", Role.HANDLER), ("ola", Role.HANDLER), ("lise", Role.LEADER)):
            town.capacity(person, role, "bv")
        town.assign(made, "kari")
        message_id = made.id
        session.commit()
    engine.dispose()
    return message_id


AS = {"bjorn": "security_reviewer", "anne": "archivist"}


def ask(installed: Installed, *words: str, by: str = "bjorn", code: str | None = None) -> Answer:
    typed = installed.codes[by] if code is None else code
    who = ("--by", by, "--as", AS[by], "--code-from-stdin")
    return installed.ask("policy", *words, *who, stdin=f"{typed}\n")


def explain(installed: Installed, person: str, message: str, *words: str) -> Answer:
    asked = ("explain", "--person", person, "--message", message, "--action", "open", *words)
    return ask(installed, *asked)


def test_policy_explain_of_an_allowed_action_gives_rule_facts_and_duties(
    installed: Installed, message: str
) -> None:
    told = explain(installed, "kari", message, "--json")

    assert told.code == 0
    (capacity,) = json.loads(told.out)
    assert (capacity["allowed"], capacity["rule"], capacity["duties"]) == (True, "A09", ["log"])
    assert capacity["facts"]["assigned"] is True
    assert capacity["facts"]["conflict"] is False
    assert {rule["rule"] for rule in capacity["rules"] if rule["matched"]} == {"A09"}


def test_policy_explain_prints_the_legal_basis_of_the_deciding_rule_in_either_language(
    installed: Installed, message: str
) -> None:
    english = explain(installed, "kari", message, "--language", "en")
    bokmaal = explain(installed, "kari", message)
    (value,) = json.loads(explain(installed, "kari", message, "--json").out)

    assert "Public Administration Act section 13 (fvl-13);" in english.out
    assert "forvaltningsloven § 13 (fvl-13);" in bokmaal.out
    assert "fvl-13" in {basis["basis"] for basis in value["basis"]}
    (rule,) = (each for each in value["rules"] if each["rule"] == "A09")
    assert rule["basis"] == [basis["basis"] for basis in value["basis"]]
    assert value["decided_as"] is None


def test_policy_explain_of_a_denied_action_lists_missing_facts_and_exits_1(
    installed: Installed, message: str
) -> None:
    told = explain(installed, "ola", message)

    assert told.code == 1
    assert told.out.startswith("Som saksbehandler i bv: kan ikke lese innholdet (open)\n")
    _, _, about_a09 = told.out.partition("A09: saksbehandler kan lese innholdet (open)\n")
    assert about_a09.splitlines()[0] == (
        "  passer ikke, det mangler: meldingen er tildelt personen (assigned)"
    )
    assert "hjemmel: forvaltningsloven § 13 b" in about_a09


def test_who_can_lists_each_person_with_unit_role_and_rule(
    installed: Installed, message: str
) -> None:
    told = ask(installed, "who-can", "open", message, "--json")
    as_markdown = ask(installed, "who-can", "open", message, "--markdown")
    as_table = ask(installed, "who-can", "list", message)

    assert told.code == 0
    assert told.value == [
        {
            "person": "kari",
            "unit": "bv",
            "role": "handler",
            "rule": "A09",
            "also": None,
            "takes": None,
            "emergency": None,
        },
        *(
            {
                "person": person,
                "unit": "bv",
                "role": role,
                "rule": "A21",
                "also": None,
                "takes": "has_breakglass and strong_auth",
                "emergency": "A20: reason_given and strong_auth",
            }
            for person, role in (("lise", "leader"), ("ola", "handler"))
        ),
    ]
    assert "| kari | bv | saksbehandler | A09 |  |  |  |" in as_markdown.out
    assert "- A09: saksbehandler kan lese innholdet (open)" in as_markdown.out
    assert "lise" in as_table.out
    assert "A16" in as_table.out


@pytest.mark.parametrize(
    "words",
    [
        ("what-can", "nobody"),
        ("explain", "--person", "nobody", "--message", "MESSAGE", "--action", "open"),
        ("who-can", "assign", "MESSAGE", "--to", "nobody"),
    ],
)
def test_question_about_an_unknown_person_is_not_found_and_exits_1(
    installed: Installed, message: str, words: tuple[str, ...]
) -> None:
    told = ask(installed, *(message if word == "MESSAGE" else word for word in words), "--json")

    assert (told.code, told.out) == (1, "")
    assert told.err.startswith("inbox: not_found")


def test_who_can_names_nobody_by_emergency_for_an_action_that_it_does_not_give(
    installed: Installed, message: str
) -> None:
    told = ask(installed, "who-can", "assign", message, "--json")

    assert [each["emergency"] for each in json.loads(told.out)] == [None]


def test_who_can_on_an_earlier_date_lists_nobody(installed: Installed, message: str) -> None:
    assert ask(installed, "who-can", "open", message, "--on", "2020-01-01", "--json").value == []
    assert ask(installed, "who-can", "open", message, "--on", "2020-01-01").out == "ingen\n"
    later = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
    found = json.loads(ask(installed, "who-can", "open", message, "--on", later, "--json").out)
    assert [each["person"] for each in found if each["emergency"] is None] == ["kari"]


@pytest.mark.parametrize(
    ("on", "until", "named"),
    [
        ("2030-12-01", "11:30", ["kari"]),
        ("2030-12-01", "11:00", []),
        ("2030-07-01", "10:30", ["kari"]),
        ("2030-07-01", "10:00", []),
    ],
)
def test_who_can_on_a_date_asks_at_noon_in_norway(
    installed: Installed, message: str, on: str, until: str, named: list[str]
) -> None:
    change(
        installed,
        f"UPDATE capacity SET active_until = '{on} {until}:00.000000' WHERE person = 'kari'",  # noqa: S608
    )

    found = json.loads(ask(installed, "who-can", "open", message, "--on", on, "--json").out)

    assert [each["person"] for each in found if each["emergency"] is None] == named


def test_who_can_and_what_can_report_requirements_and_who_can_checks_the_target(
    installed: Installed, message: str
) -> None:
    to_another = "target_cleared and target_in_unit and not target_conflict and not target_is_self"

    anybody = ask(installed, "who-can", "assign", message, "--json")
    to_ola = ask(installed, "who-can", "assign", message, "--to", "ola", "--json")
    to_lise = ask(installed, "who-can", "assign", message, "--to", "lise", "--json")
    hers = ask(installed, "what-can", "lise", "--json")

    assert [(each["person"], each["takes"]) for each in json.loads(anybody.out)] == [
        ("lise", to_another)
    ]
    assert [(each["person"], each["takes"]) for each in json.loads(to_ola.out)] == [("lise", None)]
    assert to_lise.value == []
    counted = {each["action"]: (each["messages"], each["takes"]) for each in json.loads(hers.out)}
    assert counted["assign"] == (1, to_another)
    assert counted["refuse"] == (1, "proposed_by_other and strong_auth")


def test_what_can_counts_messages_per_action(installed: Installed, message: str) -> None:
    told = ask(installed, "what-can", "kari", "--json")

    assert told.code == 0
    counted = {row["action"]: row["messages"] for row in json.loads(told.out)}
    assert counted["open"] == 1
    assert "place" not in counted
    assert message not in told.out


@pytest.mark.parametrize(
    "words",
    [
        ("who-can", "open", "MESSAGE"),
        ("what-can", "kari"),
        ("explain", "--person", "kari", "--message", "MESSAGE", "--action", "open"),
    ],
)
def test_unauthorised_explain_who_can_and_what_can_reveal_nothing(
    installed: Installed, message: str, words: tuple[str, ...]
) -> None:
    """Anne is an archivist: neither a reviewer, nor has she the message in a list."""
    named = [message if word == "MESSAGE" else word for word in words]
    absent = ["not-there" if word == "MESSAGE" else word for word in words]

    refused, nothing = ask(installed, *named, by="anne"), ask(installed, *absent, by="anne")

    assert (refused.code, refused.out) == (1, "")
    assert "not_found" in refused.err
    assert (nothing.code, nothing.out, nothing.err) == (refused.code, refused.out, refused.err)
    wrong = ask(installed, *named, code="wrong")
    assert (wrong.code, wrong.out, "code.wrong" in wrong.err) == (1, "", True)


def test_what_can_is_allowed_only_in_the_reviewer_capacity(installed: Installed) -> None:
    words, code = (
        ("policy", "what-can", "anne", "--on", "2020-01-01", "--by", "bjorn"),
        f"{installed.codes['bjorn']}\n",
    )

    chosen, other, none = (
        installed.ask(*words, *as_, "--code-from-stdin", stdin=code)
        for as_ in (("--as", "security_reviewer"), ("--as", "archivist@dokumentsenteret"), ())
    )

    assert (chosen.code, chosen.out) == (0, "ingenting\n")
    assert (other.code, other.out, "not_found" in other.err) == (1, "", True)
    assert (none.code, none.out, "capacity.choose" in none.err) == (2, "", True)


def test_explain_who_can_and_what_can_are_audited(installed: Installed, message: str) -> None:
    ask(installed, "who-can", "open", message)
    ask(installed, "what-can", "kari")
    explain(installed, "kari", message)

    leaves = [json.loads(leaf) for leaf in leaves_of(installed)]
    noted = [(leaf["event"], leaf["subject"], leaf["rule"]) for leaf in leaves][-3:]
    assert noted == [
        ("access:who_asked", message, "A45"),
        ("access:what_asked", "kari", "A45"),
        ("access:explained", message, "A45"),
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("who-can", "fly", "m"),
        ("who-can", "open", "m", "--on", "yesterday"),
        ("what-can", "kari", "--on", "24.11.2026"),
        ("what-can", "kari", "--on", "20261124"),
        ("what-can", "kari", "--on", "2026-W48-2"),
    ],
)
def test_who_can_and_what_can_with_invalid_action_or_date_exit_2(
    installed: Installed, words: tuple[str, ...]
) -> None:
    assert ask(installed, *words).code == 2
