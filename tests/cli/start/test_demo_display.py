"""The demo at a terminal of 80 columns and 24 rows: the outcome, whom to be, and how it ends."""

import json
import re
import shlex
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from inbox.cli.demo.display import LetterResult, show_results
from inbox.cli.demo.outcome import Aside, DemoOutcome, show_outcome
from inbox.simulator.demo_mail.expectations import Fate
from inbox.simulator.demo_mail.judge import Judgement
from tests.cli.installation import PROGRAM, clean_environment, program, python
from tests.cli.start.terminal import at_a_terminal

STYLE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
NORWEGIAN = re.compile(r"[æøåÆØÅ]|\b(og|meldinger|venter|ikke|kvittering)\b")
PAGES = re.compile(r"\b(Fordeler|Dokumentsenteret|Til fordeling|Angre|Bjørn)\b")
"""Names of pages and people, which are Norwegian in any language."""
LONGEST = "municipality-to-child-welfare"


def _console() -> Console:
    return Console(width=80, height=24, record=True, quiet=False, highlight=False)


def _result(**changes: object) -> LetterResult:
    values: dict[str, object] = {
        "name": LONGEST,
        "fate": Fate.PLACED_BY_HAND,
        "state": "ANSWERED",
        "unit": "dokumentsenteret",
        "rule": None,
        "code": None,
        "receipt": "OK",
        "wrong": (),
    }
    return LetterResult(**{**values, **changes})  # type: ignore[arg-type] # as it is declared


def _outcome(*, wrong: int) -> DemoOutcome:
    judgement = Judgement(
        announced=40,
        receipts_at_sender={"OK": 31},
        lost=0,
        duplicates=0,
        left_alone=True,
        letters=(),
    )
    return DemoOutcome(
        judgement=judgement,
        messages=40,
        wrong=wrong,
        waits={"QUARANTINED": 5},
        verified=True,
        in_time=True,
        seconds=31,
    )


def test_results_of_the_demo_at_80_columns_have_every_name_and_what_is_wrong() -> None:
    console = _console()
    failed = _result(name="x", fate=Fate.QUARANTINED, state="OPENED", wrong=("ended in OPENED",))

    show_results(console, [_result(), failed])

    text = console.export_text()
    assert f"  {LONGEST}  ANSWERED     OK  dokumentsenteret\n" in text
    assert "! ended in OPENED" in text
    assert max(map(len, text.splitlines())) <= 80


def test_code_of_a_waiting_message_fits_on_its_line_at_80_columns() -> None:
    console = _console()
    codes = ("arkivmelding.protective_grade", "signer.supplier_unknown")

    show_results(
        console,
        [_result(fate=Fate.QUARANTINED, state="QUARANTINED", receipt=None, code=c) for c in codes],
    )

    lines = console.export_text().splitlines()
    assert [line.endswith(code) for code, line in zip(codes, lines[-2:], strict=True)] == [
        True,
        True,
    ]
    assert [LONGEST in line for line in lines[-2:]] == [True, True]


@pytest.mark.parametrize(("wrong", "colour"), [(0, "\x1b[32m"), (3, "\x1b[31m")])
def test_outcome_of_the_demo_is_a_box_in_its_colour(wrong: int, colour: str) -> None:
    console = Console(width=80, record=True, force_terminal=True, color_system="standard")

    show_outcome(console, _outcome(wrong=wrong))

    text = console.export_text(styles=True)
    assert f"{40 - wrong} of 40 messages ended as they should" in text
    assert f"{colour}╭" in text
    assert "5 QUARANTINED" in text


def test_demo_imports_its_parts_only_after_its_first_line() -> None:
    source = (
        "import sys\nimport inbox.cli.demo.command\n"
        "print([n for n in ('sqlalchemy', 'lxml', 'inbox.cli.demo.stage') if n in sys.modules])"
    )
    assert python(source).out.strip() == "[]"


def test_outcome_with_letters_aside_is_red_unless_they_are_as_planned() -> None:
    planned = Aside(held=6, proposed=12)

    fine = replace(_outcome(wrong=0), aside=planned, aside_expected=planned)
    other = replace(fine, aside=Aside(held=5, proposed=12))

    console = _console()
    show_outcome(console, other)
    assert (fine.is_fine, other.is_fine) == (True, False)
    assert "5 on hold, 12 proposed" in console.export_text()


def test_long_list_of_what_waits_stays_in_its_column() -> None:
    console = _console()
    states = ("MISSED", "OFFERED", "QUARANTINED", "REGISTERED", "RETURNED", "UNROUTED")

    show_outcome(console, replace(_outcome(wrong=0), waits=dict.fromkeys(states, 10)))

    text = console.export_text()
    second = next(line for line in text.splitlines() if "10 UNROUTED" in line)
    assert second.startswith("│  ")
    assert max(map(len, text.splitlines())) <= 80


def test_results_of_very_many_letters_are_numbers_and_what_is_wrong() -> None:
    console = _console()
    failed = _result(name="x", wrong=("ended in OPENED",))

    show_results(console, [_result(), _result(), failed], each=False)

    text = console.export_text()
    assert f"{Fate.PLACED_BY_HAND.value}: 3" in text
    assert LONGEST not in text
    assert [line.split()[:2] for line in text.splitlines() if "ANSWERED" in line] == [
        ["x", "ANSWERED"]
    ]


def _screen(said: str) -> list[str]:
    """The last 24 lines, which is all that a terminal of 24 rows still shows."""
    return STYLE.sub("", said).replace("\r", "").rstrip("\n").split("\n")[-24:]


@pytest.mark.long
def test_demo_at_a_terminal_leaves_the_outcome_on_a_screen_of_24_lines(tmp_path: Path) -> None:
    folder = tmp_path / "demo"

    code, said = at_a_terminal("demo", "--once", "--folder", folder)

    plain, screen = STYLE.sub("", said), "\n".join(_screen(said))
    assert code == 0, plain
    assert "40 of 40 messages ended as they should" in screen
    assert "5 UNROUTED" in screen
    assert "Anne Arkivar" in screen
    assert NORWEGIAN.search(PAGES.sub("", plain)) is None
    assert said.count("\x1b[") > 100
    assert LONGEST in (folder / "messages.txt").read_text()
    assert "http://127.0.0.1:" in (folder / "addresses.txt").read_text()
    codes = dict(line.split(" ") for line in (folder / "people.txt").read_text().splitlines())
    assert {"anne", "bjorn"} < set(codes)
    audit = (folder / "commands.txt").read_text().splitlines()[-1]
    assert program(*shlex.split(audit)[1:]).code == 0


@pytest.mark.long
def test_demo_of_three_weeks_stays_until_ctrl_c_and_shows_where_to_go(tmp_path: Path) -> None:
    code, said = at_a_terminal(
        *("demo", "--folder", tmp_path / "demo"),
        typed=[("The pages stay open.", "\x03")],
        seconds=500,
    )

    screen = "\n".join(_screen(said))
    assert code == 0, STYLE.sub("", said)
    assert "120 of 120 messages ended as they should" in screen
    assert "70 OK" in screen
    assert re.search(r"Open http://127\.0\.0\.1:[0-9]+$", screen, re.MULTILINE)
    assert "Be Anne Arkivar" in screen
    assert "Ended." in screen


@pytest.mark.long
def test_demo_that_keeps_serving_says_where_and_ends_by_sigterm(tmp_path: Path) -> None:
    words = ("demo", "--once", "--json", "--keep-serving", "--folder", tmp_path / "demo")
    with subprocess.Popen(
        [PROGRAM, *words], stdout=subprocess.PIPE, text=True, env=clean_environment()
    ) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        page = httpx.get(said["pages"] + "/logg-inn", trust_env=False)
        process.send_signal(signal.SIGTERM)
        rest, code = process.stdout.read(), process.wait(timeout=60)

    assert (rest, code, page.status_code) == ("", 0, 200)
    assert said["waiting_for_people"]["UNROUTED"] >= 5
    people = {each["name"]: each["capacities"] for each in said["people"]}
    assert len(people) == 6
    assert "Fordeler, Dokumentsenteret" in people["Anne Arkivar"]
    assert len(people["Tove Toroller"]) == 2
    with pytest.raises(httpx.ConnectError):
        httpx.get(said["pages"], trust_env=False)
