"""`inbox new`: what it writes begins an installation, closed to others; so does the example."""

import json
import re
import shutil
import stat
from pathlib import Path

import pytest

from inbox.config import read_settings
from inbox.migrations import shipped_folder
from tests.cli.installation import OURS, Answer, Installed

PAGE = (Path(__file__).parents[3] / "docs" / "operators.md").read_text()
OTHER = "910077473"
PEOPLE = ("--person", "anne=Anne Arkivar", "--person", "bjorn=Bjorn Arkivar")
MISSING = {"trust", "gateway"}
"""What only the operator has: certificates, and a gateway that answers."""


def _new(folder: Path, *words: str) -> Installed:
    answer = Installed(folder).ask("new", str(folder), "--organisation", OTHER, *words)
    assert answer.code == 0, answer.err
    return Installed(folder)


def _begin(made: Installed, organisation: str) -> Installed:
    for words in (("keys", "create"), ("database", "upgrade")):
        assert made.ask(*words).code == 0
    answer = made.ask("init", "--organisation", organisation, *PEOPLE, "--json")
    assert answer.code == 0, answer.err
    assert isinstance(answer.value, dict)
    return Installed(made.folder, codes=answer.value["codes"])


def _wrong(answer: Answer) -> set[str]:
    found = json.loads(answer.out)
    levels = [(each["subject"].partition(":")[0], each["level"]) for each in found]
    assert {"database", "keys", "policies", "desk"} <= {subject for subject, _ in levels}
    return {subject for subject, level in levels if level in ("wrong", "unready")}


@pytest.fixture
def made(tmp_path: Path) -> Installed:
    return _new(tmp_path / "inbox")


# Gateways' clients are closed by the end of the process, as those of every command.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def test_new_folder_passes_doctor_but_for_trust_and_gateway(made: Installed) -> None:
    begun = _begin(made, OTHER)

    imported = begun.as_two("directory", "import", str(begun.folder / "directory.toml"))
    answer = begun.ask("doctor", "--json")

    assert imported.code == 0, imported.err
    assert _wrong(answer) == MISSING


def test_new_folder_is_closed_to_others(made: Installed) -> None:
    paths = [made.folder, *made.folder.rglob("*")]

    assert len(paths) > 15
    assert [path.name for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_new_routing_rules_name_the_desk_alone(tmp_path: Path) -> None:
    made = _new(tmp_path / "inbox", "--desk", 'arkiv=Arkivet "sentralt"')

    shown = made.ask("route", "show", "--json")
    cases = made.ask("route", "test")

    assert isinstance(shown.value, list)
    [book] = shown.value
    assert (book["organisation"], book["desk"], book["rules"]) == (OTHER, "arkiv", [])
    assert (cases.code, cases.out.split(",")[0]) == (0, "1 tilfeller")


def test_settings_that_are_commented_out_are_settings(made: Installed) -> None:
    (made.folder / "gateway.password").write_text("hemmelig\n")
    text = re.sub(r"^#(?=[a-z\[])", "", made.config.read_text(), flags=re.MULTILINE)
    text = text.replace('url = "http://127.0.0.1:9093"\n', "")
    made.config.write_text(text)

    settings = read_settings({}, made.config)

    assert settings.webhook_targets[0].port == 443
    assert settings.gateways[0].user == "inbox"
    assert settings.tls_ca_file == made.folder / "internal-ca.pem"
    assert settings.revocation.addresses


def test_directory_rows_that_are_commented_out_can_be_imported(made: Installed) -> None:
    begun = _begin(made, OTHER)
    path = begun.folder / "directory.toml"
    path.write_text(re.sub(r"^#(?=[a-z\[])", "", path.read_text(), flags=re.MULTILINE))

    answer = begun.as_two("directory", "import", str(path))

    assert answer.code == 0, answer.err
    assert _wrong(begun.ask("doctor", "--json")) == MISSING


def test_new_never_writes_over_what_is_there(made: Installed) -> None:
    before = made.config.read_bytes()

    answer = made.ask("new", str(made.folder), "--organisation", OTHER)

    assert answer.code == 1
    assert answer.err.startswith("inbox: new.folder: ")
    assert made.config.read_bytes() == before


def test_first_start_of_the_documentation_passes_doctor(tmp_path: Path) -> None:
    """The settings and the directory of the page, in folders as the page has them."""
    [settings] = re.findall(r"```toml\n(database = .*?)```", PAGE, re.DOTALL)
    [directory] = re.findall(r"```toml\n(organisation = .*?)```", PAGE, re.DOTALL)
    etc, var = tmp_path / "etc", tmp_path / "var"
    made = Installed(etc)
    assert made.ask("new", str(etc), "--organisation", OURS).code == 0
    (etc / "gateway.password").write_text("hemmelig\n")
    (var / "vault").mkdir(parents=True, mode=0o700)
    made.config.write_text(
        settings.replace("/etc/inbox", str(etc))
        .replace("/var/lib/inbox", str(var))
        # A name that no resolver knows would take its time to be refused.
        .replace("https://integrasjonspunkt.kommune.example", "https://127.0.0.1:1")
    )
    (tmp_path / "directory.toml").write_text(directory)

    begun = _begin(made, OURS)
    imported = begun.as_two("directory", "import", str(tmp_path / "directory.toml"))

    assert imported.code == 0, imported.err
    assert _wrong(begun.ask("doctor", "--json")) == MISSING


def _with_shipped_policies(empty: Installed) -> Path:
    folder = empty.folder / "policies"
    shutil.copytree(shipped_folder("policies"), folder)
    empty.config.write_text(f'policies = "policies"\n{empty.config.read_text()}')
    for words in (("keys", "create"), ("database", "upgrade")):
        assert empty.ask(*words).code == 0
    return folder


def test_init_counts_a_rule_that_was_added_to_the_shipped_policies(empty: Installed) -> None:
    folder = _with_shipped_policies(empty)
    deny, book = folder / "deny.csv", folder / "routing" / f"{OURS}.toml"
    deny.write_text(deny.read_text() + "p, D90, end_access, operator, always, none, deny\n")
    cases = folder / "tests" / "access.toml"
    cases.write_text(
        cases.read_text() + '\n[[case]]\nname = "drift avslutter ikke tilgang"\n'
        'role = "operator"\nwith = []\nexpect = { end_access = "deny D90" }\n'
    )
    book.write_text(
        book.read_text() + '\n[[rule]]\nid = "ny"\nbecause = "Ny"\n'
        'when = { sender = "312113619", public_title_has = ["nytt-"] }\n'
        'except = { administrative_unit = "bv" }\nto = "jurist"\nrelease = "by a person"\n'
    )

    answer = empty.ask("init", "--organisation", OURS, *PEOPLE, "--json")

    assert answer.code == 0, answer.err
    assert "deny.csv has" in answer.err
    assert f"{OURS}.toml has 11 rows, stated 10: corrected" in answer.err
    assert empty.ask("policy", "lint").code in (0, 1)
    assert empty.ask("route", "lint").code == 0


def test_init_refuses_policies_that_have_lost_a_row(empty: Installed) -> None:
    folder = _with_shipped_policies(empty)
    deny = folder / "deny.csv"
    rows = deny.read_text().splitlines(keepends=True)
    last = max(n for n, row in enumerate(rows) if row.startswith("p,"))
    deny.write_text("".join(rows[:last] + rows[last + 1 :]))

    answer = empty.ask("init", "--organisation", OURS, *PEOPLE, "--json")

    assert answer.code == 2
    assert answer.err.startswith("inbox: policy.rows_differ: deny.csv, line 1: ")
