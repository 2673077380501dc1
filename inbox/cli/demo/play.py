"""Plays the demo to its end, and says what came of it: the outcome, every message, what to try."""

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from sqlmodel import col, func, select

from inbox.audit import verify
from inbox.audit.outside import unvouched_findings
from inbox.audit.state import verify_state
from inbox.cli.demo.display import count_waiting, letter_results, show_results
from inbox.cli.demo.end_signals import EndSignals
from inbox.cli.demo.municipality import capacities_of_people
from inbox.cli.demo.outcome import DemoOutcome, keep_for_later, show_outcome, show_what_to_try
from inbox.cli.demo.past import sign_audit
from inbox.cli.demo.scenarios import Forty, Mail, ThreeWeeks, product_ended
from inbox.cli.demo.stage import Stage, open_stage
from inbox.cli.demo.stay import stay
from inbox.domain import MessageState
from inbox.simulator.demo_mail.judge import judge
from inbox.tables import Message


@dataclass(frozen=True, kw_only=True)
class DemoRun:
    """What kind of demo it is, and how it ends."""

    once: bool
    """Forty letters that come while the product runs; otherwise three weeks of mail, and more."""
    as_json: bool
    stays: bool
    """Serve after the outcome until a signal comes."""


def run_demo(console: Console, folder: Path, run: DemoRun, signals: EndSignals) -> bool:
    """Run the demo in a folder. Whether all ended as expected."""
    began = time.monotonic()
    with ExitStack() as closing:
        mail: Mail = Forty() if run.once else ThreeWeeks()
        with console.status("Getting ready: keys, database, people and simulated neighbours"):
            stage = closing.enter_context(open_stage(folder, mail.clock, mail.make))
        in_time = mail.play(stage, console, closing)
        judgement = judge(
            stage.gateway, [*stage.systems.values(), stage.hand], stage.letters, stage.others
        )
        ends = letter_results(stage, judgement)
        outcome = DemoOutcome(
            judgement=judgement,
            wrong=sum(bool(end.wrong) for end in ends),
            messages=len(ends),
            waits=count_waiting(ends),
            aside=mail.aside(stage),
            aside_expected=mail.aside_expected,
            verified=_verify_audit(stage),
            in_time=in_time,
            seconds=time.monotonic() - began,
        )
        keep_for_later(stage, ends)
        show_results(console, ends, each=run.once)
        show_outcome(console, outcome)
        show_what_to_try(console, stage, stays=run.stays)
        if run.stays:
            signals.expect()
        if run.as_json:
            pages = _pages(stage) if run.stays else {}
            print(json.dumps(_summary(stage, outcome) | pages, ensure_ascii=False), flush=True)
        if run.stays:
            console.print("The pages stay open. [bold]End with Ctrl-C.[/bold]")
            if not stay(stage, signals, mail.new_letters(stage)):
                raise product_ended()
    return outcome.is_fine


def _pages(stage: Stage) -> dict[str, object]:
    """Where the staff inbox is, and whom to be there."""
    people = capacities_of_people(stage.line)
    return {
        "pages": stage.addresses["people"],
        "people": [{"name": name, "capacities": each} for name, each in people.items()],
    }


def _verify_audit(play: Stage) -> bool:
    sign_audit(play)
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
