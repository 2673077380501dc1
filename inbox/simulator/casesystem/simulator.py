"""A stand-in for a case system (fagsystem): it collects, and registers or refuses."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Self

from inbox.simulator.casesystem.api_client import DeliveryDescription, ProductApi, Trouble
from inbox.simulator.casesystem.clerk import Behaviour, Clerk, SentAcknowledgement
from inbox.simulator.casesystem.registry import HandJournal, JournalEntry, Registry
from inbox.simulator.casesystem.retries import Errands
from inbox.simulator.casesystem.webhook_check import (
    HOOK,
    NO_CONTENT,
    HookApp,
    HookRefused,
    Memory,
    check_signature,
    read_event,
    read_secret,
)

__all__ = [
    "HOOK",
    "Behaviour",
    "CaseSystemSimulator",
    "DeliveryDescription",
    "HandJournal",
    "JournalEntry",
    "SentAcknowledgement",
]

_LOOK_AROUND = 1.0
"""Seconds after which it looks around even if nothing seems to have happened."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class CaseSystemSimulator:
    """One case system: `app` is for `server.serve`, a `with` is the time in which it works.

    It gets events by webhook (`HOOK`), or asks by itself where `pull_every` is given. One that gets
    events lists now and then all the same (`lists_every`), and takes what no event named. It works
    only once it is connected. All of it may be called from any thread.
    """

    def __init__(
        self,
        name: str,
        *,
        pull_every: timedelta | None = None,
        lists_every: timedelta | None = timedelta(seconds=20),
        behaviour: Behaviour | None = None,
        first_number: int = 1,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self.name = name
        self.app = HookApp(self._take)
        asks_every = pull_every or lists_every
        self._asks_every = None if asks_every is None else asks_every.total_seconds()
        self._asks_first = time.monotonic() + (0 if pull_every else self._asks_every or 0)
        self._clock = clock
        self._registry = Registry(first_number)
        self._memory = Memory()
        self._errands = Errands()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.RLock()
        self._behaviour = behaviour or Behaviour()
        self._failing = self._behaviour.failing_webhooks
        self._forgetting = self._behaviour.forgotten_webhooks
        self._clerk: Clerk | None = None
        self._apis: list[ProductApi] = []
        self._secret = b""
        self._said: list[SentAcknowledgement] = []
        self._troubles: list[tuple[str, str]] = []
        self._hooks: list[int] = []

    def connect(self, base_url: str, *, key: str, secret: bytes | str = b"") -> None:
        """Where the product is, our key there, and what its webhooks are signed with."""
        clerk = Clerk(
            api=ProductApi(base_url, key),
            registry=self._registry,
            clock=self._clock,
            stopping=self._stopping,
            note=self._note,
        )
        with self._lock:
            self._secret, self._clerk = read_secret(secret), clerk
            self._apis.append(clerk.api)
        self._errands.wake()

    def behave(self, behaviour: Behaviour) -> None:
        """Behave like this from now on; failing webhooks are counted anew."""
        with self._lock:
            self._behaviour, self._failing = behaviour, behaviour.failing_webhooks
            self._forgetting = behaviour.forgotten_webhooks
        self._errands.wake()

    def __enter__(self) -> Self:
        """Start working."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._work, name=f"case {self.name}", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop; what is not done stays undone."""
        self._stopping.set()
        self._errands.wake()
        if self._thread is not None:
            self._thread.join(timeout=60)
        self.close()

    def close(self) -> None:
        """Close the connections to the product, also those to where it was before."""
        with self._lock:
            apis = list(self._apis)
        for api in apis:
            api.close()

    def catch_up(self) -> None:
        """List what waits and see to it at once, in this thread: instead of a `with`."""
        with self._lock:
            clerk, behaviour = self._clerk, self._behaviour
        if clerk is None:
            return
        self._ask(clerk)
        while (delivery_id := self._errands.next(time.monotonic())) is not None:
            self._see_to(clerk, delivery_id, behaviour)

    # What can be seen from outside

    @property
    def registered(self) -> list[JournalEntry]:
        """Its journal, oldest first."""
        return self._registry.entries()

    @property
    def said(self) -> list[SentAcknowledgement]:
        """Every word it said, in order."""
        with self._lock:
            return list(self._said)

    @property
    def refused(self) -> list[SentAcknowledgement]:
        """The words with which it refused."""
        return [each for each in self.said if each.word == "refused"]

    @property
    def troubles(self) -> list[tuple[str, str]]:
        """What did not work, as delivery and code; what it managed later is here too."""
        with self._lock:
            return list(self._troubles)

    @property
    def hooks(self) -> list[int]:
        """How it answered each webhook."""
        with self._lock:
            return list(self._hooks)

    def idle(self) -> bool:
        """Whether it has nothing left to do that it knows of."""
        return self._errands.none_left()

    # Events

    def _take(self, headers: Mapping[str, str], body: bytes) -> int:
        with self._lock:
            try:
                status = self._believe(headers, body)
            except HookRefused as refused:
                status = refused.status
            self._hooks.append(status)
        return status

    def _believe(self, headers: Mapping[str, str], body: bytes) -> int:
        if self._behaviour.away or not self._secret:
            return 503
        if self._failing > 0:
            self._failing -= 1
            return 500
        event_id = check_signature(self._secret, headers, body, self._clock())
        delivery_id = read_event(body)
        self._memory.check(event_id, body)
        if self._forgetting > 0:
            self._forgetting -= 1
            return NO_CONTENT
        self._errands.add(delivery_id)
        return NO_CONTENT

    # Working

    def _work(self) -> None:
        asks_at = self._asks_first
        while not self._stopping.is_set():
            with self._lock:
                clerk, behaviour = self._clerk, self._behaviour
            if clerk is None or behaviour.away:
                self._stopping.wait(0.05)
                continue
            if self._asks_every is not None and time.monotonic() >= asks_at:
                self._ask(clerk)
                asks_at = time.monotonic() + self._asks_every
            until = time.monotonic() + _LOOK_AROUND
            delivery_id = self._errands.next(
                until if self._asks_every is None else min(until, asks_at)
            )
            if delivery_id is not None:
                self._see_to(clerk, delivery_id, behaviour)

    def _ask(self, clerk: Clerk) -> None:
        try:
            for delivery_id in clerk.api.waiting():
                self._errands.add(delivery_id)
        except Trouble as trouble:
            self._note_trouble("", trouble)

    def _see_to(self, clerk: Clerk, delivery_id: str, behaviour: Behaviour) -> None:
        try:
            clerk.see_to(delivery_id, behaviour)
        except Trouble as trouble:
            self._note_trouble(delivery_id, trouble)
            if trouble.again:
                self._errands.put_off(delivery_id)
                return
        self._errands.finish(delivery_id)

    def _note(self, said: SentAcknowledgement) -> None:
        with self._lock:
            self._said.append(said)

    def _note_trouble(self, delivery_id: str, trouble: Trouble) -> None:
        with self._lock:
            self._troubles.append((delivery_id, trouble.code))
