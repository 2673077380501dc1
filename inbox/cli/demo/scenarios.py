"""The two demos: forty letters that travel while one looks, and three weeks that have passed."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Final, Protocol

from rich.console import Console
from sqlmodel import Session, col, func, select

from inbox.cli.demo.clock import DemoClock
from inbox.cli.demo.display import ProgressView
from inbox.cli.demo.outcome import Aside
from inbox.cli.demo.past import Past, begin_of_past, office_time
from inbox.cli.demo.people import DemoPeople
from inbox.cli.demo.stage import DemoMail, Stage, running_product
from inbox.domain import (
    STATIONS,
    ArrivalState,
    DeliveryState,
    MessageState,
    OutboxState,
    ProposalState,
    ReceiptState,
)
from inbox.errors import ConfigurationError
from inbox.simulator.demo_mail.letters import Letter, mailbag
from inbox.simulator.demo_mail.three_weeks import DatedLetter, new_letters, three_weeks
from inbox.simulator.packages.certificates import TestAuthority
from inbox.tables import Arrival, Delivery, Message, Outbox, Proposal, Receipt

_POLL_SECONDS: Final = 0.2
_QUIET_SECONDS: Final = 2.0
_MAX_SECONDS: Final = 240.0
_MOVING: Final = (
    *(MessageState.RECEIVED, MessageState.OPENED),
    *(MessageState.PLACING, MessageState.RELEASED),
)
"""States in which a message goes on by itself."""


class Mail(Protocol):
    """The mail of a demo."""

    clock: DemoClock
    aside_expected: Aside | None

    def make(self, authority: TestAuthority) -> DemoMail:
        """All letters."""

    def play(self, stage: Stage, console: Console, closing: ExitStack) -> bool:
        """Start the product, and go on until nothing more can happen; False if that never came."""

    def aside(self, stage: Stage) -> Aside | None:
        """What people have put on hold and proposed, if that is counted."""

    def new_letters(self, stage: Stage) -> Iterator[Letter]:
        """What comes while the pages are open."""


class Forty:
    """Forty letters of today, which travel while the product runs."""

    def __init__(self) -> None:
        self.clock = DemoClock()
        self.aside_expected: Aside | None = None

    def make(self, authority: TestAuthority) -> DemoMail:
        """Forty."""
        letters = mailbag(authority, self.clock.now())
        return DemoMail(letters=letters, brought=letters)

    def play(self, stage: Stage, console: Console, closing: ExitStack) -> bool:
        """The letters wait at the gateway, and everybody works until nothing more can happen."""
        stage.put_others_mail()
        stage.postman.bring()
        with console.status("Starting the product: inbox serve"):
            closing.enter_context(running_product(stage))
        console.print(
            f"{len(stage.letters)} messages wait at the simulated gateway, and others' mail beside"
            " them."
        )
        return _run_until_quiet(stage, console)

    def aside(self, stage: Stage) -> Aside | None:
        """Nobody puts any aside."""
        del stage
        return None

    def new_letters(self, stage: Stage) -> Iterator[Letter]:
        """None."""
        del stage
        return iter(())


class ThreeWeeks:
    """A hundred and twenty letters of three weeks, which have travelled when the product starts."""

    def __init__(self) -> None:
        now = datetime.now(UTC)
        self.clock = DemoClock(begin_of_past(now))
        self._office = office_time(now)
        self._mail: list[DatedLetter] = []
        self.aside_expected: Aside | None = None

    def make(self, authority: TestAuthority) -> DemoMail:
        """A hundred and twenty."""
        self._mail = three_weeks(authority, self._office)
        planned = [dated.planned for dated in self._mail]
        self.aside_expected = Aside(
            held=sum(each.held for each in planned),
            proposed=sum(each.proposed is not None for each in planned),
        )
        return DemoMail(
            letters=[dated.letter for dated in self._mail],
            left=frozenset(dated.letter.message_id for dated in self._mail if dated.planned.left),
        )

    def play(self, stage: Stage, console: Console, closing: ExitStack) -> bool:
        """Play the past, and start the product where it ends."""
        with ProgressView(stage, console) as view:
            Past(stage, self._mail, self._office).play(view.update)
        stage.put_others_mail()
        with console.status("Starting the product: inbox serve"):
            closing.enter_context(running_product(stage))
        return True

    def aside(self, stage: Stage) -> Aside | None:
        """What stands in the rows."""
        with stage.line.store.reading() as tx:
            held = tx.exec(
                select(func.count()).select_from(Message).where(col(Message.held_until) > tx.now)
            ).one()
            proposed = tx.exec(
                select(func.count())
                .select_from(Proposal)
                .where(col(Proposal.state) == ProposalState.OPEN)
            ).one()
        return Aside(held=held, proposed=proposed)

    def new_letters(self, stage: Stage) -> Iterator[Letter]:
        """Ever more."""
        return new_letters(stage.authority, stage.clock.now)


def product_ended() -> ConfigurationError:
    """The product's own process is gone."""
    return ConfigurationError("demo.serve", "`inbox serve` ended: see serve.log")


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
            if play.product is None or play.product.poll() is not None:
                raise product_ended()
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
        (Message, tuple(STATIONS[MessageState].keys() - {MessageState.ANSWERED})),
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
