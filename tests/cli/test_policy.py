"""The commands that look at policies: what they find, in three forms, and how they end."""

import json
import re
import shutil
from pathlib import Path

import pytest

from inbox.migrations import shipped_folder
from tests.cli.database_edits import change
from tests.cli.installation import Answer, Installed

A09 = "open, handler, in_unit and assigned and cleared and readable, log"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another policy folder, to change."""
    return Path(shutil.copytree(shipped_folder("policies"), tmp_path / "other"))


def edit(folder: Path, was: str, becomes: str, file: str = "allow.csv") -> None:
    text = (folder / file).read_text()
    assert was in text
    (folder / file).write_text(text.replace(was, becomes, 1))


def diff(at: Installed, other: Path, *more: str, stdin: str = "") -> Answer:
    return at.ask("policy", "diff", str(shipped_folder("policies")), str(other), *more, stdin=stdin)


@pytest.mark.parametrize("word", ["lint", "prove", "test", "show"])
def test_policy_lint_prove_test_and_show_work_without_a_database(
    empty: Installed, other: Path, word: str
) -> None:
    forms = [
        empty.ask("policy", word, "--policies", str(other), *form)
        for form in ([], ["--json"], ["--markdown"])
    ]

    assert [told.code for told in forms] == [0, 0, 0], forms
    assert isinstance(forms[1].value, dict)
    assert forms[1].value["digest"]
    assert "\x1b" not in "".join(told.out for told in forms)


def test_policy_prove_explains_a_broken_invariant_in_words(empty: Installed, other: Path) -> None:
    edit(other, A09, A09.replace("in_unit and ", ""))

    words = ("policy", "prove", "--policies", str(other))
    english = empty.ask(*words, "--language", "en", "--markdown")
    told, norwegian = empty.ask(*words, "--json"), empty.ask(*words, "--markdown")

    assert (english.code, told.code) == (1, 1)
    assert "case handler may: read the content (open) - when:" in english.out
    assert "although not:" in english.out
    assert "acts in the unit that the message is with (in_unit)" in english.out
    assert isinstance(told.value, dict)
    broken = told.value["broken"]
    assert {row["invariant"].split(" ")[0] for row in broken} == {"open"}
    assert len(broken) > 1
    assert "saksbehandler kan: lese innholdet (open) - når:" in norwegian.out
    assert "case handler may: read the content (open) - when:" in broken[0]["counterexample"]
    assert empty.ask("policy", "lint", "--policies", str(other)).code == 1


def test_policy_lint_reports_a_redundant_row(empty: Installed, other: Path) -> None:
    rows = re.search(r"# rows: (\d+)", (other / "allow.csv").read_text())
    assert rows is not None
    edit(other, rows[0], f"# rows: {int(rows[1]) + 1}")
    edit(other, "p, A09,", f"p, A99, {A09}, allow\np, A09,")

    told = empty.ask("policy", "lint", "--policies", str(other))

    assert told.code == 1
    assert re.search(r"FEIL +allow\.csv +\d+ +redundant +A99", told.out)


def test_policy_test_reports_a_failed_case_with_its_line(empty: Installed, other: Path) -> None:
    edit(other, 'open = "allow A09"', 'open = "no"', "tests/access.toml")

    told, value = (
        empty.ask("policy", "test", "--policies", str(other), *more) for more in ((), ("--json",))
    )

    assert (told.code, value.code) == (1, 1)
    assert re.search(r"tests/access\.toml, linje \d+: .*: open gir allow A09, ikke no", told.out)
    (wrong,) = json.loads(value.out)["wrong"]
    assert re.search(r"tests/access\.toml, line \d+: .*: open gives allow A09, not no", wrong)


def test_policy_diff_of_identical_folders_reports_the_same_decisions(
    empty: Installed, other: Path
) -> None:
    told = diff(empty, other)

    assert (told.code, told.err) == (0, "")
    assert "De samme avgjørelsene." in told.out


def test_policy_diff_exits_1_until_its_digest_is_acknowledged(
    empty: Installed, other: Path
) -> None:
    edit(other, A09, A09.replace("in_unit and ", ""))

    told = diff(empty, other)
    digest = told.out.strip().splitlines()[-1].removeprefix("acknowledge: ")

    assert told.code == 1
    assert "Nytt: saksbehandler kan lese innholdet (open)" in told.out
    assert diff(empty, other, "--acknowledge", digest).code == 0
    edit(other, "A09", "A19")
    assert diff(empty, other, "--acknowledge", digest).code == 1


def test_policy_diff_prints_markdown_and_json(empty: Installed, other: Path) -> None:
    edit(other, A09, A09.replace("in_unit and ", ""))

    markdown = diff(empty, other, "--markdown", "--language", "en")
    value = diff(empty, other, "--json").value

    assert markdown.out.startswith("```text\nfrom ")
    assert "- not: acts in the unit that the message is with (in_unit)" in markdown.out
    assert isinstance(value, dict)
    assert value["gains"] is True
    assert value["changes"][0]["action"] == "open"
    assert f"acknowledge: `{value['acknowledge']}`" in markdown.out


def test_policy_diff_reports_the_invalid_line_of_a_folder_that_fails_to_load(
    empty: Installed, other: Path
) -> None:
    edit(other, "A09, open", "A09, opens")

    told = diff(empty, other)

    assert (told.code, told.out) == (1, "")
    assert re.search(r"allow\.csv, line \d+: read «opens»", told.err)


def test_policy_commands_with_conflicting_or_incomplete_options_exit_2(
    empty: Installed, other: Path
) -> None:
    assert empty.ask("policy", "lint", "--json", "--markdown").code == 2
    assert diff(empty, other, "--people").code == 2
    assert diff(empty, other, "--names").code == 2
    assert empty.ask("policy", "lint", "--policies", str(other / "nothing")).code == 2


def people(at: Installed, other: Path, by: str, *more: str, code: str | None = None) -> Answer:
    as_ = {"bjorn": "security_reviewer", "anne": "policy_editor"}[by]
    words = ("--people", "--by", by, "--as", as_, "--code-from-stdin", *more)
    return diff(at, other, *words, stdin=(at.codes[by] if code is None else code) + "\n")


def audited(at: Installed) -> int:
    """How many entries the audit has; that there is no checkpoint yet does not matter here."""
    value = at.ask("audit", "verify", "--json").value
    assert isinstance(value, dict)
    return int(value["size"])


MESSAGE = (
    "INSERT INTO message (id, state, version, attempts, organisation, channel, service, wire_id,"
    " digest, size, received_at, shares_wire_id, waivers, urgent, transfers) VALUES"
    " ('m', 'UNROUTED', 0, 0, '910075918', 'ip', 'DPO', 'w', 'd', 1, '2026-01-01', 0, '', 0, 0)"
)


def test_policy_diff_people_shows_names_only_on_request_and_is_audited(
    installed: Installed, other: Path
) -> None:
    edit(other, "A01, route, archivist, mailbox", "A01, route, archivist, mailbox and routed")
    change(installed, MESSAGE)
    before = audited(installed)

    told, named = people(installed, other, "bjorn"), people(installed, other, "bjorn", "--names")
    value = people(installed, other, "bjorn", "--json").value

    assert (told.code, named.code) == (1, 1), told.err
    assert re.search(r"\(route\) +dokumentsenteret +arkivar +0 +0 +2 +1", told.out)
    assert "Bjorn" not in told.out
    assert "Bjorn Arkivar" in named.out
    assert isinstance(value, dict)
    assert {row["person"]: row["lost"] for row in value["people"]["people"]} == {
        "anne": ["m"],
        "bjorn": ["m"],
    }
    assert audited(installed) == before + 3


def test_policy_diff_people_without_permission_or_valid_code_prints_nothing(
    installed: Installed, other: Path
) -> None:
    edit(other, "A01, route, archivist, mailbox", "A01, route, archivist, mailbox and routed")

    editor, wrong = people(installed, other, "anne"), people(installed, other, "bjorn", code="x")

    assert (editor.code, editor.out) == (1, "")
    assert "not_permitted" in editor.err
    assert (wrong.code, wrong.out) == (1, "")
    assert "code.wrong" in wrong.err


def test_policy_diff_people_without_a_database_is_refused(empty: Installed, other: Path) -> None:
    told = diff(empty, other, "--people", "--by", "bjorn", "--code-from-stdin", stdin="x\n")

    assert told.code in {1, 2}
    assert told.out == ""
    assert "database" in told.err


def test_policy_show_json_contains_the_rules_and_active_digest(installed: Installed) -> None:
    value = json.loads(installed.ask("policy", "show", "--json").out)

    assert value["digest"] == value["active_digest"]
    assert {rule["rule"] for rule in value["rules"]} > {"A01", "D01"}


def test_policy_vocabulary_shows_names_with_their_meaning_in_three_languages(
    empty: Installed,
) -> None:
    told, nynorsk = (
        empty.ask("policy", "vocabulary", *words) for words in ((), ("--language", "nn"))
    )
    value = empty.ask("policy", "vocabulary", "--json").value

    for text in ("lese innholdet", "lese innhaldet", "read the content"):
        assert re.search(rf"^handling +open .*{text}", told.out, re.MULTILINE)
    assert "read the content" not in nynorsk.out
    assert told.out.strip().endswith("versjon 3 av ordlisten")
    assert isinstance(value, dict)
    names = {row["name"]: row for row in value["names"]}
    assert {row["kind"] for row in names.values()} == {"fact", "action", "role", "duty"}
    assert names["needs_reviewer"]["since"] == 2
    assert names["strong_auth"]["known_from"] == "request"
    assert names["cleared"]["known_from"] == "database"
    assert (value["version"], value["removed"]) == (3, [])


def test_policy_show_prints_the_legal_basis_of_each_row(empty: Installed, other: Path) -> None:
    said = empty.ask("policy", "show", "--policies", str(other), "--language", "en")
    rows = empty.ask("policy", "show", "--policies", str(other), "--markdown")
    value = empty.ask("policy", "show", "--policies", str(other), "--json").value

    _, _, about_a13 = said.out.partition("\nA13: ")
    assert "Public Administration Act section 8 (fvl-8)" in about_a13.partition("\nA")[0]
    assert re.search(r"^\| A13 .* fvl-13b-1-3 fvl-8 arkivlova \|$", rows.out, re.MULTILINE)
    assert isinstance(value, dict)
    assert {row["rule"]: row["basis"] for row in value["rules"]}["A13"].split()[1] == "fvl-8"
    assert value["bases"][0]["act"] == "arkivlova"
