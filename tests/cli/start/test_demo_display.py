"""The demo at a terminal of 80 columns: whole names, the outcome first, codes, addresses."""

import re
import shlex
from pathlib import Path

import pytest
from rich.console import Console

from inbox.cli.demo.display import LetterResult, show_results
from inbox.cli.demo.outcome import DemoOutcome, show_outcome
from inbox.simulator.demo_mail.expectations import Fate
from inbox.simulator.demo_mail.judge import Judgement
from tests.cli.installation import program, python
from tests.cli.start.terminal import at_a_terminal

STYLE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
NORWEGIAN = re.compile(r"[æøåÆØÅ]|\b(og|meldinger|venter|ikke|kvittering)\b")
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


@pytest.mark.long
def test_demo_at_a_terminal_says_the_outcome_first_and_what_to_try(tmp_path: Path) -> None:
    folder = tmp_path / "demo"

    code, said = at_a_terminal("demo", "--once", "--folder", folder)

    plain = STYLE.sub("", said)
    end = plain[plain.rindex("messages ended as they should") - 20 :]
    assert code == 0, plain
    assert LONGEST in end
    assert NORWEGIAN.search(plain) is None
    assert said.count("\x1b[") > 100
    codes = dict(line.split(" ") for line in (folder / "people.txt").read_text().splitlines())
    assert [person for person in ("anne", "bjorn") if codes[person] not in end] == []
    assert "http://127.0.0.1:" in (folder / "addresses.txt").read_text()
    tries = re.findall(r"^ +(\S*inbox --config .*) \\\r?\n +(.*)$", end, re.MULTILINE)
    assert len(tries) == 2
    for first, second in tries:
        words = shlex.split(f"{first} {second}")[1:]
        if "--by" in words:
            continue  # it asks for a code, as `tests/cli/message/test_message_lists.py` does
        assert program(*words).code == 0
