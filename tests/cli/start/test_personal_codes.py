"""Personal codes: seen by one person at a time, wiped away, replaced by whoever has one."""

import json
import re
import stat

import pytest
from typer.testing import CliRunner

from inbox.cli import run
from tests.cli.database_edits import leaves_of
from tests.cli.installation import OURS, Installed
from tests.cli.start.terminal import at_a_terminal

CODE = re.compile(r"(?:[0-9a-f]{4}-){4}[0-9a-f]{4}")
OWN_SCREEN, SCREEN_BEFORE = "\x1b[?1049h", "\x1b[?1049l"
PEOPLE = ("--person", "anne=Anne Arkivar", "--person", "bjorn=Bjorn Arkivar")
INIT = ("init", "--organisation", OURS, *PEOPLE, "--desk", "dokumentsenteret=Dokumentsenteret")


@pytest.fixture
def prepared(empty: Installed) -> Installed:
    assert empty.ask("keys", "create").code == 0
    assert empty.ask("database", "upgrade").code == 0
    return empty


def _events(installed: Installed) -> list[tuple[str, str]]:
    return [(leaf["event"], leaf["who"]) for leaf in map(json.loads, leaves_of(installed))]


def _may_sign_in(installed: Installed, person: str, code: str) -> bool:
    words = ("message", "list", "--by", person, "--as", "archivist", "--action", "route")
    return installed.ask(*words, "--code-from-stdin", stdin=f"{code}\n").code == 0


def test_init_shows_each_code_on_a_screen_of_its_own_and_wipes_it(prepared: Installed) -> None:
    typed = [
        ("Press Enter when nobody else", "\r"),
        ("press Enter to wipe it", "\r"),
        ("code of bjorn comes next", "\r"),
        ("press Enter to wipe it", "\r"),
    ]

    code, said = at_a_terminal("--config", prepared.config, *INIT, typed=typed)

    assert code == 0, said
    screens = [part.partition(SCREEN_BEFORE)[0] for part in said.split(OWN_SCREEN)[1:]]
    assert [len(CODE.findall(screen)) for screen in screens] == [1, 1]
    assert ["anne" in screens[0], "bjorn" in screens[1]] == [True, True]
    for screen in screens:
        said = said.replace(screen, "")
    assert CODE.findall(said) == []
    assert _may_sign_in(prepared, "bjorn", CODE.findall(screens[1])[0])


def test_init_interrupted_before_both_have_seen_their_codes_enrols_nobody(
    prepared: Installed,
) -> None:
    typed = [("Press Enter when nobody else", "\r"), ("press Enter to wipe it", "\x03")]

    code, said = at_a_terminal("--config", prepared.config, *INIT, typed=typed)

    assert code != 0
    assert said.rstrip().endswith(("Aborted.", SCREEN_BEFORE)) or "Traceback" not in said
    assert prepared.ask(*INIT, "--json").code == 0


def test_init_never_prints_codes_without_a_place_of_their_own(prepared: Installed) -> None:
    answer = prepared.ask(*INIT)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("inbox: init.codes: ")
    assert "--codes FOLDER" in answer.err


def test_init_json_at_a_terminal_is_refused(prepared: Installed) -> None:
    code, said = at_a_terminal("--config", prepared.config, *INIT, "--json")

    assert (code, CODE.findall(said)) == (2, [])
    assert "init.codes" in said


def test_init_writes_each_code_to_a_closed_file_of_its_own(prepared: Installed) -> None:
    folder = prepared.folder / "codes"

    answer = prepared.ask(*INIT, "--codes", str(folder))

    assert answer.code == 0, answer.err
    files = sorted(folder.iterdir())
    assert [path.name for path in files] == ["anne.code", "bjorn.code"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, *files)} == {0o700, 0o600}
    assert CODE.findall(answer.out) == []
    assert _may_sign_in(prepared, "anne", files[0].read_text().strip())


def test_person_with_a_code_replaces_it_and_the_old_one_ends(installed: Installed) -> None:
    old = installed.codes["anne"]

    answer = installed.ask(
        "directory", "own-code", "--by", "anne", "--code-from-stdin", stdin=f"{old}\n"
    )

    assert answer.code == 0, answer.err
    fresh = answer.out.strip()
    assert CODE.fullmatch(fresh)
    assert [_may_sign_in(installed, "anne", code) for code in (old, fresh)] == [False, True]
    assert ("person:code_replaced", "anne") in _events(installed)


def test_wrong_code_replaces_nothing_and_is_audited(installed: Installed) -> None:
    answer = installed.ask(
        "directory", "own-code", "--by", "anne", "--code-from-stdin", stdin="0000\n"
    )

    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("inbox: code.wrong: ")
    assert "person:code_replaced" not in [event for event, _ in _events(installed)]
    assert "person:code_refused" in [event for event, _ in _events(installed)]
    assert _may_sign_in(installed, "anne", installed.codes["anne"])


def test_person_is_asked_and_shown_the_new_code_in_the_language_that_was_chosen(
    installed: Installed,
) -> None:
    typed = [
        ("Personleg kode for anne: ", f"{installed.codes['anne']}\r"),
        ("Trykk Enter når ingen andre kan sjå han.", "\r"),
        ("trykk Enter for å fjerne han frå skjermen.", "\r"),
    ]
    words = ("directory", "own-code", "--by", "anne", "--language", "nn")

    code, said = at_a_terminal("--config", installed.config, *words, typed=typed)

    assert code == 0, said
    assert "dette er den personlege koden din" in said
    assert "den gamle koden gjeld ikkje lenger" in said


@pytest.mark.parametrize(
    ("language", "asked"),
    [
        ((), ("Personlig kode for anne", "Hvorfor")),
        (("--language", "nn"), ("Personleg kode for anne", "Kvifor")),
        (("--language", "en"), ("Personal code of anne", "Why")),
    ],
)
def test_code_and_reason_are_asked_for_in_the_language_that_was_chosen(
    installed: Installed, language: tuple[str, ...], asked: tuple[str, str]
) -> None:
    words = ["--config", str(installed.config), "policy", "roll-back", "--by", "anne", *language]

    with CliRunner().isolation(input=f"{installed.codes['anne']}\nbecause\n") as streams:
        run(words)
        said = streams[1].getvalue().decode()

    assert [text in said for text in asked] == [True, True]
    assert "policy.nothing_before" in said
