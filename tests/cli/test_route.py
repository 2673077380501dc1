"""Routing rules from the command line: lint, test, show, diff, explain and simulate."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from inbox.access import Role
from inbox.cli.route.counts_view import TOO_FEW
from inbox.migrations import shipped_folder
from tests.cli.database_edits import change
from tests.cli.installation import Installed, installation_of
from tests.cli.rule_edits import EXCEPT_DPF, RULE_FILE, replace_in_file
from tests.routing.routed_mail import Post
from tests.rows import audited
from tests.worlds import World

ADDED = (
    "INSERT INTO unit (id, organisation, name, shares_unassigned, active_from)"
    " VALUES ('{}', '910075918', 'n', 0, '2026-01-01 00:00:00.000000')"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A policy folder of one's own, the same as the shipped one."""
    return Path(shutil.copytree(shipped_folder("policies"), tmp_path / "own"))


def of(folder: Path) -> tuple[str, str]:
    return ("--policies", str(folder))


def test_route_lint_and_test_pass_for_the_shipped_rules(empty: Installed) -> None:
    lint, test = empty.ask("route", "lint"), empty.ask("route", "test")

    assert (lint.code, test.code) == (0, 0)
    assert "1 filer, 0 feil, 0 merknader" in lint.out
    assert "0 feil" in test.out


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ('release = "at once"', 'release = "soon"', ("soon", "by a person")),
        ('to = "bv"', 'to = "bvv"', ("bvv", "the units bv", "nearest: bv")),
        (
            'sender = "group:politi"',
            'sneder = "group:politi"',
            ("sneder", "signer", "nearest: sender"),
        ),
        ("# rows: 10", "# rows: 9", ("10 rows", "the 9")),
    ],
)
def test_route_lint_reports_line_and_allowed_values_of_an_invalid_rule(
    empty: Installed, folder: Path, was: str, becomes: str, said: tuple[str, ...]
) -> None:
    replace_in_file(folder / RULE_FILE, was, becomes)
    lines = (folder / RULE_FILE).read_text().splitlines()
    number = next(n for n, line in enumerate(lines, 1) if becomes in line)

    told = empty.ask("route", "lint", *of(folder), "--json")

    assert told.code == 1
    (found,) = json.loads(told.out)["findings"]
    place = (found["finding"], found["file"], found["line"])
    assert place == ("WRONG", "910075918.toml", number)
    for part in ("read ", "; allowed: ", *said):
        assert part in found["text"]


@pytest.mark.parametrize(
    ("language", "refused", "noted"),
    [
        ("nb", "leste «bvv»; tillatt: enhetene", "ingen regel bruker gruppen «tilsyn»"),
        ("nn", "las «bvv»; lov: einingane", "ingen regel bruker gruppa «tilsyn»"),
        ("en", "read «bvv»; allowed: the units", "no rule uses the group «tilsyn»"),
    ],
)
def test_route_lint_says_refusals_and_findings_in_the_chosen_language(
    empty: Installed, folder: Path, language: str, refused: str, noted: str
) -> None:
    replace_in_file(folder / RULE_FILE, '"group:tilsyn"', '"312122111"')
    note = empty.ask("route", "lint", *of(folder), "--language", language)
    replace_in_file(folder / RULE_FILE, 'to = "bv"', 'to = "bvv"')

    wrong = empty.ask("route", "lint", *of(folder), "--language", language)

    assert noted in note.out
    assert refused in wrong.out


def test_route_lint_prints_findings_as_text_json_and_markdown(
    empty: Installed, folder: Path
) -> None:
    replace_in_file(folder / RULE_FILE, '"group:tilsyn"', '"312122111"')

    plain, as_json, markdown = (
        empty.ask("route", "lint", *of(folder), *more) for more in ([], ["--json"], ["--markdown"])
    )

    assert (plain.code, as_json.code, markdown.code) == (1, 1, 1)
    assert "routing.group_unused" in plain.out
    assert [(f["finding"], f["line"]) for f in json.loads(as_json.out)["findings"]] == [
        ("note", 19)
    ]
    assert "| merknad | 910075918.toml | 19 | routing.group_unused |" in markdown.out


def test_route_lint_with_database_checks_units_and_desk_people(installed: Installed) -> None:
    told = installed.ask("route", "lint", "--database", "--json")
    codes = {f["code"] for f in json.loads(told.out)["findings"]}

    assert told.code == 1
    assert codes == {"routing.unit_not_living"}
    change(installed, "UPDATE person SET active_until = active_from WHERE id = 'bjorn'")
    told = installed.ask("route", "lint", "--database", "--json")
    assert "routing.desk_people" in {f["code"] for f in json.loads(told.out)["findings"]}


def test_route_lint_accepts_a_passive_unit_only_with_a_successor_in_its_organisation(
    installed: Installed,
) -> None:
    units = ("bv", "ppt", "helse", "nav", "skole", "bygg", "jurist")
    change(
        installed,
        *(ADDED.format(unit) for unit in units),
    )
    assert installed.ask("route", "lint", "--database").code == 0
    change(installed, "UPDATE unit SET active_until = active_from WHERE id = 'bv'")
    assert "«bv»" in installed.ask("route", "lint", "--database").out
    change(installed, "UPDATE unit SET successor = 'ppt' WHERE id = 'bv'")
    assert installed.ask("route", "lint", "--database").code == 0
    change(installed, "UPDATE unit SET organisation = '910077473' WHERE id = 'ppt'")
    told = installed.ask("route", "lint", "--database").out
    assert "«bv»" in told
    assert "«ppt»" in told


def test_route_test_and_explain_report_a_failed_case_with_its_line(
    own: Installed,
) -> None:
    replace_in_file(
        own.folder / "policies" / "tests" / "routing.toml", '{ unit = "ppt"', '{ unit = "bv"'
    )
    name = "svar på en sak hos PPT går til PPT, også når tittelen ligner barnevern"

    tried, as_json = own.ask("route", "test"), own.ask("route", "test", "--json")
    explained = own.ask("route", "explain", "--case", name)

    assert (tried.code, as_json.code, explained.code) == (1, 1, 1)
    assert name in tried.out
    wrong = json.loads(as_json.out)["wrong"]
    assert [(w["case"], w["expected"].split(",")[0], w["got"].split(",")[0]) for w in wrong] == [
        (name, "bv", "ppt")
    ]
    lines = (own.folder / "policies" / "tests" / "routing.toml").read_text().splitlines()
    assert lines[wrong[0]["line"]].startswith("name = ")
    assert "ventet bv" in explained.out


def test_route_explain_of_a_case_shows_the_matching_rule(empty: Installed) -> None:
    name = "politiets bekymringsmelding går til barneverntjenesten"

    told = empty.ask("route", "explain", "--case", name)

    assert told.code == 0
    assert "bekymring-fra-politi: passer" in told.out


def test_route_explain_of_an_unknown_case_is_refused(empty: Installed) -> None:
    told = empty.ask("route", "explain", "--case", "nothing")

    assert told.code == 1
    assert "tests/routing" in told.err


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--case", "a", "--sender", "312100010"),
        ("--message", "a"),
        ("--sender", "312100010", "--receiver", "910077473"),
        ("--sender", "312100011"),
        ("--sender", "312100010", "--service", "dpo"),
    ],
)
def test_route_explain_with_invalid_or_conflicting_options_exits_2(
    empty: Installed, words: tuple[str, ...]
) -> None:
    assert empty.ask("route", "explain", *words).code == 2


def test_route_explain_of_typed_metadata_never_prints_the_title(empty: Installed) -> None:
    words = ("route", "explain", "--sender", "312100010", "--public-title")

    typed = empty.ask(*words, "Bekymringsmelding om Kari", "--json")
    piped = empty.ask(*words, "-", "--json", stdin="Bekymringsmelding om Kari\n")
    other = empty.ask(*words, "Om Kari", "--service", "DPF", "--sender-unknown", "--json")

    assert (typed.code, other.code) == (0, 0)
    assert typed.out == piped.out
    assert json.loads(typed.out)["rule"] == "bekymring-fra-politi"
    assert json.loads(other.out)["rule"] is None
    assert all("Kari" not in f"{told.out}{told.err}" for told in (typed, piped, other))


def test_route_explain_on_a_date_uses_the_rules_in_force_that_day(empty: Installed) -> None:
    words = ("route", "explain", "--sender", "312100010", "--public-title", "barnevern", "--json")

    before, after = (
        json.loads(empty.ask(*words, "--on", day).out) for day in ("2025-12-31", "2026-01-01")
    )

    assert (before["rule"], after["rule"]) == (None, "bekymring-fra-politi")
    assert not before["rules"][1]["in_period"]


def test_route_show_lists_the_rules_in_order_of_evaluation(empty: Installed) -> None:
    told, as_json = empty.ask("route", "show"), empty.ask("route", "show", "--json")

    assert (told.code, as_json.code) == (0, 0)
    assert told.out.index("svar-paa-vaar-sak") < told.out.index("bekymring-fra-politi")
    (book,) = json.loads(as_json.out)
    lines = (shipped_folder("policies") / RULE_FILE).read_text().splitlines()
    assert lines[book["rules"][0]["line"]] == 'id = "svar-paa-vaar-sak"'


def test_route_diff_reports_moved_messages_and_a_digest_to_acknowledge(
    empty: Installed, folder: Path
) -> None:
    ours = str(shipped_folder("policies"))
    same = empty.ask("route", "diff", ours, str(folder))
    replace_in_file(folder / RULE_FILE, EXCEPT_DPF, "")

    plain, as_json, markdown = (
        empty.ask("route", "diff", ours, str(folder), *more)
        for more in ([], ["--json"], ["--markdown"])
    )

    assert (same.code, plain.code, as_json.code, markdown.code) == (0, 1, 1, 1)
    assert "ingen melding går et annet sted" in same.out
    assert "ingen regel → bv (en person slipper den videre, haster; " in plain.out
    digest = json.loads(as_json.out)["acknowledge"]
    assert plain.out.endswith(f"acknowledge: {digest}\n")
    assert f"acknowledge: `{digest}`" in markdown.out
    assert "| ingen regel → bv" in markdown.out
    assert digest not in same.out


def test_route_diff_of_folders_for_different_organisations_exits_2(
    empty: Installed, folder: Path
) -> None:
    (folder / RULE_FILE).rename(folder / "routing" / "910077473.toml")

    assert empty.ask("route", "diff", str(shipped_folder("policies")), str(folder)).code == 2


# Of mail that is here


def test_route_explain_of_a_message_requires_an_archivist_and_is_audited(
    small_world: World,
) -> None:
    world = small_world
    wire_id = world.send("Melding om barnevern og Kari")
    world.collect()
    world.work()
    message = world.message(wire_id).id
    for person, role, unit in (("anne", "archivist", "desk"), ("kari", "leader", "bv")):
        world.person(person, Role(role), unit)
    program = installation_of(world)

    def ask(person: str, *more: str, code: str | None = None, about: str = message) -> Any:
        return program.ask(
            *("route", "explain", "--message", about, "--by", person, "--code-from-stdin", *more),
            stdin=f"{code or world.codes[person]}\n",
        )

    told = ask("anne", "--json")
    answers = [
        ask("kari", "--as", "leader@bv"),
        ask("anne", about="no-such-message"),
        ask("anne", code="wrong"),
        ask("anne", "--as", "leader@bv"),
        ask("kari"),
    ]

    assert told.code == 0
    assert all(set(rule) >= {"rule", "when", "matched"} for rule in json.loads(told.out)["rules"])
    assert "Kari" not in told.out
    assert [(a.code, a.err.split(":")[1].strip(), a.out) for a in answers] == [
        (1, "not_permitted", ""),
        (1, "not_found", ""),
        (1, "code.wrong", ""),
        (2, "capacity.choose", ""),
        (2, "capacity.choose", ""),
    ]
    with world.line.store.reading() as tx:
        entries = audited(tx)
    assert sum(b"message:route_explained" in entry for entry in entries) == 1
    assert not any(b"Kari" in entry for entry in entries)


def test_route_simulate_counts_per_rule_and_unit_and_hides_small_groups(
    small_world: World, folder: Path
) -> None:
    world, program = small_world, installation_of(small_world)
    world.person("anne", Role.ARCHIVIST, "desk")
    with world.line.store.transaction() as tx:
        post = Post(keyring=world.line.keyring, session=tx)
        post.receive(12, title="klage", sender="312113619", unit="skole", rule="gammel")
        post.receive(7, title="barnevern", sender="312100010")

    def ask(*more: str) -> Any:
        return program.ask(
            *("route", "simulate", "--days", "3650", "--by", "anne", "--code-from-stdin", *more),
            *of(folder),
            stdin=f"{world.codes['anne']}\n",
        )

    as_json, markdown = ask("--json"), ask("--markdown")

    assert (as_json.code, markdown.code) == (0, 0), as_json.err
    found = json.loads(as_json.out)
    assert {r["rule"]: r["would go"] for r in found["rules"]}["bekymring-fra-politi"] == TOO_FEW
    assert found["moves"] == [
        {"from": "skole", "to": "(a person)", "by_rule": "klage-fra-statsforvalteren",
         "messages": 12}
    ]  # fmt: skip
    units = {u["unit"]: u for u in found["units"]}
    assert units["skole"]["loses"] == 12
    assert units["(a person)"]["gains"] == 12
    assert units["bv"]["gains"] == TOO_FEW
    assert "| skole |" in markdown.out
    with world.line.store.reading() as tx:
        entries = audited(tx)
    assert sum(b"route:simulated" in entry for entry in entries) == 2
