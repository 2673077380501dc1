"""Plays the demo to its end, and says what came of it: the outcome, every message, what to try."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from rich.console import Console
from sqlmodel import Session, col, func, select

from inbox.audit import verify
from inbox.audit.outside import unvouched_findings
from inbox.audit.state import verify_state
from inbox.cli.demo.display import ProgressView, count_waiting, letter_results, show_results
from inbox.cli.demo.outcome import (
    DemoOutcome,
    keep_codes_and_addresses,
    show_outcome,
    show_what_to_try,
)
from inbox.cli.demo.people import DemoPeople
from inbox.cli.demo.stage import Stage, open_stage
from inbox.domain import ArrivalState, DeliveryState, MessageState, OutboxState, ReceiptState
from inbox.errors import ConfigurationError
from inbox.simulator.demo_mail.judge import judge
from inbox.tables import Arrival, Delivery, Message, Outbox, Receipt

_POLL_SECONDS: Final = 0.2
_QUIET_SECONDS: Final = 2.0
_MAX_SECONDS: Final = 240.0


def run_demo(
    console: Console, folder: Path, *, as_json: bool, stay: Callable[[Console], None] | None
) -> bool:
    """Run the demo in a folder; `stay` keeps its pages open. Whether all ended as expected."""
    began = time.monotonic()
    with ExitStack() as closing:
        with console.status("Getting ready: keys, database, people and simulated neighbours"):
            play = closing.enter_context(open_stage(folder))
        keep_codes_and_addresses(play, folder)
        console.print(
            f"{len(play.letters)} messages wait at the simulated gateway, and others' mail beside"
            " them."
        )
        in_time = _run_until_quiet(play, console)
        judgement = judge(play.gateway, [*play.systems, play.hand], play.letters, play.others)
        ends = letter_results(play, judgement)
        outcome = DemoOutcome(
            judgement=judgement,
            wrong=sum(bool(end.wrong) for end in ends),
            messages=len(ends),
            waits=count_waiting(ends),
            verified=_verify_audit(play),
            in_time=in_time,
            seconds=time.monotonic() - began,
        )
        show_outcome(console, outcome)
        show_results(console, ends)
        show_what_to_try(console, play, folder, stays=stay is not None)
        if as_json:
            print(json.dumps(_summary(play, outcome)))
        if stay is not None:
            stay(console)
    return outcome.is_fine


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
            with play.line.store.reading() as tx:
                busy = brought or worked or _has_waiting_mail(play) or _has_work_in_progress(tx)
            if busy:
                still_since = None
            elif still_since is None:
                still_since = time.monotonic()
            elif time.monotonic() - still_since > _QUIET_SECONDS:
                return True
            time.sleep(_POLL_SECONDS)
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
    with play.line.store.transaction() as tx:
        note = verify.new_checkpoint(tx, play.line.keyring)
    if note is not None:
        verify.append_to_checkpoint_file(play.settings.checkpoints, note)
    outside = play.settings.checkpoints.read_text("utf-8")
    with play.line.store.reading() as tx:
        unvouched = unvouched_findings(tx, play.line.keyring, [outside])
        rows = verify_state(tx, play.line.keyring.row_key()).findings
        holds = verify.verify(tx, play.line.keyring, [outside]).holds
    return holds and not unvouched and not rows


def _summary(play: Stage, outcome: DemoOutcome) -> dict[str, object]:
    with play.line.store.reading() as tx:
        answered = tx.exec(
            select(func.count())
            .select_from(Message)
            .where(col(Message.state) == MessageState.ANSWERED)
        ).one()
    judgement = outcome.judgement
    return {
        "announced": judgement.announced,
        "answered": answered,
        "waiting_for_people": outcome.waits,
        "receipts_at_sender": dict(judgement.receipts_at_sender),
        "lost": judgement.lost,
        "duplicates": judgement.duplicates,
        "audit_verified": outcome.verified,
        "seconds": round(outcome.seconds, 1),
    }
