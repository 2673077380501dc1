"""`inbox demo`: runs the whole line on this machine, with made-up mail and simulated neighbours."""

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from sqlmodel import Session, col, func, select

from inbox.audit import verify
from inbox.audit.outside import unvouched_findings
from inbox.audit.state import verify_state
from inbox.cli.demo.display import ProgressView, count_waiting, letter_results, show_results
from inbox.cli.demo.people import DemoPeople
from inbox.cli.demo.stage import Stage, open_stage
from inbox.domain import ArrivalState, DeliveryState, MessageState, OutboxState, ReceiptState
from inbox.errors import ConfigurationError
from inbox.simulator.demo_mail.judge import Judgement, judge
from inbox.tables import Arrival, Delivery, Message, Outbox, Receipt

_POLL_SECONDS: Final = 0.2
_QUIET_SECONDS: Final = 2.0
_MAX_SECONDS: Final = 240.0


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Stop when nothing more can happen by itself.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object at the end; implies --once.")
    ] = False,
    folder: Annotated[
        Path, typer.Option(help="The folder for everything the demo stores; it is emptied first.")
    ] = Path("var/demo"),
) -> None:
    """Run the program with made-up mail: SQLite, a folder vault, a simulated gateway and senders.

    Ends with 1 unless every message ended as expected.
    """
    console = Console(stderr=as_json)
    with _folder_lock(folder):
        fine = _run(console, folder, once=once or as_json, as_json=as_json)
    raise typer.Exit(0 if fine else 1)


def _run(console: Console, folder: Path, *, once: bool, as_json: bool) -> bool:
    began = time.monotonic()
    with open_stage(folder) as play:
        waits = len(play.letters)
        console.print(
            f"{waits} meldinger venter hos integrasjonspunktet, og andres post ved siden."
        )
        in_time = _run_until_quiet(play, console)
        judgement = judge(play.gateway, [*play.systems, play.hand], play.letters, play.others)
        ends = letter_results(play, judgement)
        seconds = time.monotonic() - began
        show_results(console, ends, judgement)
        verified = _verify_audit(play)
        console.print(f"Loggen er hel: {'ja' if verified else 'NEI'}. {seconds:.0f} sekunder.")
        fine = in_time and verified and judgement.left_alone and not any(e.wrong for e in ends)
        if as_json:
            print(json.dumps(_summary(play, judgement, count_waiting(ends), verified, seconds)))
        if not once:
            console.print(f"Åpne {play.operator_url} for å se driftssiden.")
            _wait_for_interrupt(console)
    return fine


def _run_until_quiet(play: Stage, console: Console) -> bool:
    """Until nothing more can happen by itself; False if that never came."""
    people = DemoPeople(play)
    until = time.monotonic() + _MAX_SECONDS
    still_since: float | None = None
    with ProgressView(play, console) as walk:
        while time.monotonic() < until:
            brought = play.postman.bring()
            worked = people.work()
            walk.update()
            if play.product.poll() is not None:
                raise ConfigurationError("demo.serve", "`inbox serve` ended: see serve.log")
            with play.line.store.reading() as (session, _):
                busy = (
                    brought or worked or _has_waiting_mail(play) or _has_work_in_progress(session)
                )
            if busy:
                still_since = None
            elif still_since is None:
                still_since = time.monotonic()
            elif time.monotonic() - still_since > _QUIET_SECONDS:
                return True
            time.sleep(_POLL_SECONDS)
    console.print("Noe ble ikke ferdig i tide.")
    return False


def _has_waiting_mail(play: Stage) -> bool:
    """Whether the gateway or the postman still has mail of ours."""
    others = {other.message_id for other in play.others}
    return not play.postman.done or bool(set(play.gateway.queue()) - others)


def _has_work_in_progress(session: Session) -> bool:
    """Whether something is on its way by itself, or with a case system."""
    busy = (
        (Arrival, (ArrivalState.ANNOUNCED, ArrivalState.STORED, ArrivalState.ABANDONING)),
        (Message, (MessageState.RECEIVED, MessageState.OPENED, MessageState.RELEASED)),
        (Receipt, (ReceiptState.CHOSEN, ReceiptState.CREATED, ReceiptState.SENT)),
        (Delivery, (DeliveryState.OPEN, DeliveryState.COLLECTED)),
        (Outbox, (OutboxState.PENDING,)),
    )
    return any(
        session.exec(
            select(func.count()).select_from(table).where(col(table.state).in_(states))
        ).one()
        for table, states in busy
    )


def _verify_audit(play: Stage) -> bool:
    with play.line.store.transaction() as (session, now):
        note = verify.new_checkpoint(session, now, play.line.keyring)
    if note is not None:
        verify.append_to_checkpoint_file(play.settings.checkpoints, note)
    outside = play.settings.checkpoints.read_text("utf-8")
    with play.line.store.reading() as (session, now):
        unvouched = unvouched_findings(session, play.line.keyring, [outside], now)
        rows = verify_state(session, play.line.keyring.row_key()).findings
        holds = verify.verify(session, play.line.keyring, [outside]).holds
    return holds and not unvouched and not rows


def _summary(
    play: Stage,
    judgement: Judgement,
    waits: dict[str, int],
    verified: bool,
    seconds: float,
) -> dict[str, object]:
    with play.line.store.reading() as (session, _):
        answered = session.exec(
            select(func.count())
            .select_from(Message)
            .where(col(Message.state) == MessageState.ANSWERED)
        ).one()
    return {
        "announced": judgement.announced,
        "answered": answered,
        "waiting_for_people": waits,
        "receipts_at_sender": dict(judgement.receipts_at_sender),
        "lost": judgement.lost,
        "duplicates": judgement.duplicates,
        "audit_verified": verified,
        "seconds": round(seconds, 1),
    }


def _wait_for_interrupt(console: Console) -> None:
    console.print("Avslutt med Ctrl-C.")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("Ferdig.")


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
