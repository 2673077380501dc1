"""Puts letters when they are asked for, and follows each to the sender's kvittering."""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import sqlmodel
from sqlmodel import col

from inbox.cli.sandbox.installation import SYSTEM
from inbox.cli.sandbox.letters import LetterBox, PutLetter
from inbox.cli.sandbox.screen import Screen, note, right
from inbox.line import Line
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.tables import Delivery, Message

_LOOK_SECONDS: Final = 0.2
_MAX_READ: Final = 4096
_MOST_AT_ONCE: Final = 20
_HELP: Final = "Enter puts a letter, `q` and Enter ends"


@dataclass(kw_only=True)
class _Journey:
    """Where a letter is."""

    letter: PutLetter
    began: float
    done: bool = False


class LetterDesk:
    """Runs beside the service: puts letters at Enter, or every so many seconds."""

    def __init__(
        self,
        line: Line,
        gateway: GatewaySimulator,
        box: LetterBox,
        screen: Screen,
        *,
        every: float | None,
    ) -> None:
        self._line = line
        self._gateway = gateway
        self._box = box
        self._screen = screen
        self._every = every
        self._stop = threading.Event()
        self._reading = sys.stdin is not None and not sys.stdin.closed
        self._due = time.monotonic()
        self._journeys: dict[str, _Journey] = {}
        self._shown: set[str] = set()
        self._receipts = 0

    @property
    def answered(self) -> int:
        """How many letters the sender has a kvittering for."""
        return sum(journey.done for journey in self._journeys.values())

    @property
    def put(self) -> int:
        """How many letters were put."""
        return len(self._journeys)

    def run(self) -> None:
        """Put and follow letters, until `stop`."""
        while not self._stop.is_set():
            if self._every is not None and time.monotonic() >= self._due:
                self._due = time.monotonic() + self._every
                self._put()
            for _ in range(self._lines_typed()):
                self._put()
            self._show_deliveries()
            self._show_receipts()

    def stop(self) -> None:
        """Make `run` return."""
        self._stop.set()

    def _lines_typed(self) -> int:
        """How often Enter was hit; waits a little for it."""
        if not self._reading:
            self._stop.wait(_LOOK_SECONDS)
            return 0
        ready, _, _ = select.select([sys.stdin.fileno()], [], [], _LOOK_SECONDS)
        if not ready:
            return 0
        typed = os.read(sys.stdin.fileno(), _MAX_READ)
        if not typed:
            self._reading = False
            if self._every is None:
                self._screen.show("no more input", [note("use --every SECONDS without a keyboard")])
            return 0
        words = [word.strip().lower() for word in typed.splitlines()]
        if b"q" in words:
            os.kill(os.getpid(), signal.SIGTERM)
            return 0
        if any(words):
            self._screen.show("?", [note(_HELP)])
        return min(words.count(b""), _MOST_AT_ONCE)

    def _put(self) -> None:
        letter = self._box.put(datetime.now(UTC))
        self._journeys[letter.wire_id] = _Journey(letter=letter, began=time.monotonic())
        self._screen.show(f"letter {letter.number}: {letter.about}")
        places = self._line.case_system_places
        if SYSTEM in places.closed():
            with self._line.store.reading() as tx:
                places.remember_away({SYSTEM}, tx.now)

    def _show_deliveries(self) -> None:
        """Say under which id a letter stands open."""
        if len(self._shown) == len(self._journeys):
            return
        query = sqlmodel.select(Delivery.id, Message.wire_id).join(
            Message, col(Message.id) == col(Delivery.message_id)
        )
        with self._line.store.reading() as tx:
            found = tx.exec(query).all()
        for delivery_id, wire_id in found:
            journey = self._journeys.get(wire_id)
            if journey is not None and delivery_id not in self._shown:
                self._shown.add(delivery_id)
                self._screen.show(f"letter {journey.letter.number} waits for you: {delivery_id}")

    def _show_receipts(self) -> None:
        receipts = self._gateway.receipts_at_sender()
        for receipt in receipts[self._receipts :]:
            journey = self._journeys.get(str(receipt["relatedToMessageId"]))
            if journey is None:
                continue
            journey.done = True
            seconds = time.monotonic() - journey.began
            self._screen.show(
                f"letter {journey.letter.number} is done, {seconds:.0f} seconds after it came",
                [right(f"its sender has the kvittering: {_reference(receipt)}")],
            )
        self._receipts = len(receipts)


def _reference(receipt: Mapping[str, object]) -> str:
    """The reference in a kvittering, as its sender sees it."""
    body = receipt["body"]
    told = body.get("messages") if isinstance(body, Mapping) else None
    texts = [each.get("text") for each in told] if isinstance(told, list) else []
    return ", ".join(str(text) for text in texts) or str(receipt["receiptType"])
