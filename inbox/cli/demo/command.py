"""`inbox demo`: runs the whole line on this machine, with made-up mail and simulated neighbours."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from inbox.errors import ConfigurationError


def demo(
    once: Annotated[
        bool,
        typer.Option("--once", help="Forty messages; stop when nothing more can happen by itself."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object at the end; implies --once.")
    ] = False,
    keep_serving: Annotated[
        bool,
        typer.Option("--keep-serving", help="With --once: go on serving until a signal ends it."),
    ] = False,
    folder: Annotated[
        Path, typer.Option(help="The folder for everything the demo stores; it is emptied first.")
    ] = Path("var/demo"),
) -> None:
    """Run the program with made-up mail: SQLite, a folder vault, a simulated gateway and senders.

    Three weeks of mail, and a new message every half minute until Ctrl-C or SIGTERM; or forty
    messages, once. Ends with 1 unless every message ended as expected.
    """
    console = Console(stderr=as_json, highlight=False)
    console.print("[bold]inbox demo[/bold]: the whole program on this machine, with made-up mail")
    with _folder_lock(folder):
        # What runs it takes a second to import: something stands on the screen before that.
        with console.status("Getting ready"):
            from inbox.cli.demo.end_signals import EndSignals
            from inbox.cli.demo.play import DemoRun, run_demo
        once = once or as_json
        run = DemoRun(once=once, as_json=as_json, stays=keep_serving or not once)
        fine = run_demo(console, folder, run, EndSignals())
        if run.stays:
            console.print("Ended. Everything is kept in the folder until the next demo.")
    raise typer.Exit(0 if fine else 1)


@contextmanager
def _folder_lock(folder: Path) -> Iterator[None]:
    """One demo in a folder at a time."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigurationError(
                "demo.running", "another demo runs in this folder: end it, or name another"
            ) from error
        yield
