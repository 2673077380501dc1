"""The end of the demo: the outcome in a box, the people's codes, the addresses, what to try."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from inbox.cli.demo.stage import ARCHIVISTS, Stage
from inbox.simulator.demo_mail.judge import Judgement

_PEOPLE: Final = "people.txt"
_ADDRESSES: Final = "addresses.txt"
_WIDEST: Final = 100


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
    in_time: bool
    seconds: float

    @property
    def is_fine(self) -> bool:
        """Whether everything ended as expected."""
        return self.in_time and self.verified and self.judgement.left_alone and not self.wrong


def show_outcome(console: Console, outcome: DemoOutcome) -> None:
    """Print the outcome in a box: green, or red with what is wrong."""
    right = outcome.messages - outcome.wrong
    title = f"{right} of {outcome.messages} messages ended as they should"
    if not outcome.in_time:
        title += ", and something never came to its end"
    console.print()
    console.print(
        Panel(
            Text("\n").join(_outcome_lines(outcome)),
            title=f"[bold]{title}[/bold]",
            title_align="left",
            border_style="green" if outcome.is_fine else "red",
            width=min(console.width, _WIDEST),
        )
    )


def _outcome_lines(outcome: DemoOutcome) -> Iterator[Text]:
    judgement = outcome.judgement
    held = ", ".join(f"{n} {kind}" for kind, n in judgement.receipts_at_sender.items())
    waits = ", ".join(f"{n} {state}" for state, n in outcome.waits.items())
    yield _line("Receipts that senders hold", held or "none")
    yield _line("Waits for people, as it should", waits or "nothing")
    yield _line("Lost", str(judgement.lost), is_fine=not judgement.lost)
    yield _line("Doubled", str(judgement.duplicates), is_fine=not judgement.duplicates)
    yield _line(
        "Others' mail was left alone", _yes(judgement.left_alone), is_fine=judgement.left_alone
    )
    yield _line("The audit verifies", _yes(outcome.verified), is_fine=outcome.verified)
    yield _line("Took", f"{outcome.seconds:.0f} seconds")


def _line(what: str, found: str, *, is_fine: bool | None = None) -> Text:
    style = {None: "", True: "green", False: "bold red"}[is_fine]
    return Text.assemble(f"{what:<32}", (found, style))


def _yes(holds: bool) -> str:
    return "yes" if holds else "NO"


def keep_codes_and_addresses(play: Stage, folder: Path) -> None:
    """Write the people's codes and all addresses into the demo's folder, closed to others."""
    _write(folder / _PEOPLE, (f"{person} {code}" for person, code in play.codes.items()))
    _write(folder / _ADDRESSES, (f"{name} {url}" for name, url in _addresses(play).items()))


def _write(path: Path, lines: Iterator[str]) -> None:
    path.touch(mode=0o600)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _addresses(play: Stage) -> dict[str, str]:
    return {
        "status page": play.operator_url,
        "API for case systems": play.api_url,
        "simulated gateway": play.gateway_url,
    }


def show_what_to_try(console: Console, play: Stage, folder: Path, *, stays: bool) -> None:
    """Print the archivists' codes, the addresses while they answer, and three things to try."""
    console.print("\n[bold]People[/bold] (made up), with their personal codes:")
    for person in ARCHIVISTS:
        console.print(f"  {person:<8} {play.codes[person]}", style="cyan")
    console.print(Text(f"  and {len(play.codes) - len(ARCHIVISTS)} in {folder / _PEOPLE}"))
    if stays:
        console.print("\n[bold]Addresses[/bold], also in the folder as addresses.txt:")
        for name, url in _addresses(play).items():
            console.print(Text.assemble(f"  {name:<22}", (url, "cyan")), soft_wrap=True)
    console.print("\n[bold]Three things to try[/bold]")
    page = f"open {play.operator_url}" if stays else "make demo, and open the page it names"
    inbox = f"{_program()} --config {folder / 'inbox.toml'} \\\n       "
    tries = (
        ("the operators' status page", page),
        (
            "what waits for anne to distribute it (type her code)",
            f"{inbox} message list --by anne --as archivist --action route --state UNROUTED",
        ),
        (
            "nothing in the audit was changed, by its copy outside the database",
            f"{inbox} audit verify --checkpoints {folder / 'checkpoints.txt'}",
        ),
    )
    for number, (what, how) in enumerate(tries, 1):
        console.print(f"  {number}. {what}:", markup=False)
        console.print(Text(f"     {how}", style="cyan"), soft_wrap=True)


def _program() -> str:
    """How this program was called, as it can be typed again."""
    path = Path(sys.argv[0])
    if path.name != "inbox":
        return "inbox"
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
