"""The end of the demo: the outcome in a box, the address, whom to be and what to try."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from inbox.cli.demo.display import LetterResult
from inbox.cli.demo.installation import CONFIGURATION
from inbox.cli.demo.municipality import NAMES, SIGN_IN_AS
from inbox.cli.demo.stage import Stage
from inbox.simulator.demo_mail.judge import Judgement

_CODES: Final = "people.txt"
_ADDRESSES: Final = "addresses.txt"
_MESSAGES: Final = "messages.txt"
_COMMANDS: Final = "commands.txt"
_PAGES: Final = "people"
"""The listener of the staff inbox, as `inbox serve` prints it."""
_TRY: Final = (
    "Be Anne Arkivar, act as Fordeler, Dokumentsenteret, open Til fordeling, give a message its"
    " unit, and take it back with Angre."
)
_WIDEST: Final = 100


@dataclass(frozen=True, kw_only=True)
class Aside:
    """What people have put on hold, and proposed without an approval yet."""

    held: int
    proposed: int


@dataclass(frozen=True, kw_only=True)
class DemoOutcome:
    """What came of the demo as a whole."""

    judgement: Judgement
    messages: int
    wrong: int
    """How many messages did not end as expected."""
    waits: Mapping[str, int]
    """How many wait for people, as they should, by state."""
    verified: bool
    aside: Aside | None = None
    aside_expected: Aside | None = None
    in_time: bool
    seconds: float

    @property
    def is_fine(self) -> bool:
        """Whether everything ended as expected."""
        as_expected = not self.wrong and self.aside == self.aside_expected
        return self.in_time and self.verified and self.judgement.left_alone and as_expected


def show_outcome(console: Console, outcome: DemoOutcome) -> None:
    """Print the outcome in a box: green, or red with what is wrong."""
    right = outcome.messages - outcome.wrong
    title = f"{right} of {outcome.messages} messages ended as they should"
    if not outcome.in_time:
        title += ", and something never came to its end"
    console.print()
    console.print(
        Panel(
            _outcome_table(outcome),
            title=f"[bold]{title}[/bold]",
            title_align="left",
            border_style="green" if outcome.is_fine else "red",
            width=min(console.width, _WIDEST),
        )
    )


def _outcome_table(outcome: DemoOutcome) -> Table:
    table = Table.grid(padding=(0, 2))
    for what, found in _outcome_lines(outcome):
        table.add_row(what, found)
    return table


def _outcome_lines(outcome: DemoOutcome) -> Iterator[tuple[str, Text]]:
    judgement = outcome.judgement
    held = ", ".join(f"{n} {kind}" for kind, n in judgement.receipts_at_sender.items())
    waits = ", ".join(f"{n} {state}" for state, n in outcome.waits.items())
    yield _line("Receipts that senders hold", held or "none")
    yield _line("Waits for people, as it should", waits or "nothing")
    if outcome.aside is not None:
        said = f"{outcome.aside.held} on hold, {outcome.aside.proposed} proposed"
        yield _line("Of these", said, is_fine=outcome.aside == outcome.aside_expected)
    yield _line("Lost", str(judgement.lost), is_fine=not judgement.lost)
    yield _line("Doubled", str(judgement.duplicates), is_fine=not judgement.duplicates)
    yield _line(
        "Others' mail was left alone", _yes(judgement.left_alone), is_fine=judgement.left_alone
    )
    yield _line("The audit verifies", _yes(outcome.verified), is_fine=outcome.verified)
    yield _line("Took", f"{outcome.seconds:.0f} seconds")


def _line(what: str, found: str, *, is_fine: bool | None = None) -> tuple[str, Text]:
    style = {None: "", True: "green", False: "bold red"}[is_fine]
    return what, Text(found, style)


def _yes(holds: bool) -> str:
    return "yes" if holds else "NO"


def keep_for_later(stage: Stage, ends: Sequence[LetterResult]) -> None:
    """Write codes, addresses, results and commands to try into the folder, closed to others."""
    codes = (f"{person} {code}" for person, code in stage.codes.items())
    _write(stage.folder / _CODES, codes)
    _write(stage.folder / _ADDRESSES, (f"{name} {url}" for name, url in _addresses(stage).items()))
    _write(stage.folder / _MESSAGES, (_result_line(end) for end in ends))
    _write(stage.folder / _COMMANDS, _commands(stage.folder))


def _write(path: Path, lines: Iterable[str]) -> None:
    path.touch(mode=0o600)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _result_line(end: LetterResult) -> str:
    return "  ".join((end.name, end.fate.value, end.state, end.receipt or "-", end.code or "-"))


def _addresses(stage: Stage) -> dict[str, str]:
    pages = {"staff inbox": stage.addresses[_PAGES]} if _PAGES in stage.addresses else {}
    return pages | {
        "status page": stage.addresses["operator"],
        "API for case systems": stage.addresses["api"],
        "simulated gateway": stage.gateway_url,
    }


def _commands(folder: Path) -> Iterator[str]:
    inbox = f"{_program()} --config {folder / CONFIGURATION}"
    yield "# What waits for Anne to distribute; type her code:"
    yield f"{inbox} message list --by anne --as archivist --action route --state UNROUTED"
    yield "# Nothing in the audit was changed, by its copy outside the database:"
    yield f"{inbox} audit verify --checkpoints {folder / 'checkpoints.txt'}"


def show_what_to_try(console: Console, stage: Stage, *, stays: bool) -> None:
    """Print the address, whom to be and what to try: so little that the box above stays in view."""
    if stays:
        console.print()
        console.print(Text.assemble("Open ", (_first_address(stage), "bold cyan")), soft_wrap=True)
        console.print(Text(_TRY))
    names = ", ".join(NAMES[person] for person in SIGN_IN_AS)
    console.print(Text(f"People to be: {names}."))
    files = f"{_MESSAGES}, {_CODES}, {_ADDRESSES}, {_COMMANDS}"
    console.print(Text(f"In {stage.folder}: {files}."))


def _first_address(stage: Stage) -> str:
    return next(iter(_addresses(stage).values()))


def _program() -> str:
    """How this program was called, as it can be typed again."""
    path = Path(sys.argv[0])
    if path.name != "inbox":
        return "inbox"
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
