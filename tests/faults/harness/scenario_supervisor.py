"""The stage of the story: what senders, gateway and case systems do, chapter by chapter."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from inbox.domain import RESPONSE_PROCESS
from inbox.receipt_document import receipt_id
from inbox.simulator.casesystem.webhook_check import (
    HOOK,
    HookApp,
    HookRefused,
    check_signature,
    read_event,
)
from inbox.simulator.gateway.simulator import OtherEnd
from inbox.simulator.http.faults import Does, Fault, On
from inbox.simulator.http.server import serve
from inbox.simulator.packages.builder import Tamper
from inbox.simulator.packages.envelopes import sbd_json
from inbox.tables import CaseSystem
from tests.faults.harness import outside_world, scenario_driver
from tests.faults.harness.crash_points import NONE
from tests.faults.harness.external_archive import ArchiveFile
from tests.faults.harness.gateway_monitor import GatewayMonitor
from tests.faults.harness.line_process import LineProcess
from tests.faults.harness.scenario import FAILING, LATER, MENDED, PARTS, POLITI
from tests.worlds import OURS

Errand = Callable[[LineProcess], None]
_AGAIN = ("again later", "goes missing, comes again")
"""What the transport delivers once more."""


class FlakyWebhook:
    """The case system's end of the webhooks: it fails each event once, and keeps what it took."""

    def __init__(self, folder: Path, secret: bytes, clock: Callable[[], Any]) -> None:
        self.events: dict[str, set[str]] = {}
        """The ids under which each delivery was told of."""
        self.taken: set[str] = set()
        """The deliveries of which it has heard."""
        self._told, self._secret, self._clock = folder / "told", secret, clock
        self._lock, self._tries = threading.Lock(), Counter[str]()

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        """The status that the sender of the event gets."""
        try:
            event = check_signature(self._secret, headers, body, self._clock())
        except HookRefused as refused:
            return refused.status
        with self._lock:
            self._tries[event] += 1
            delivery = read_event(body)
            self.events.setdefault(delivery, set()).add(event)
            if self._tries[event] == 1:
                return 500
            self.taken.add(delivery)
            with self._told.open("a") as file:
                file.write(f"{delivery}\n")
        return 204


@dataclass(kw_only=True)
class ScenarioRun:
    """One telling of the story, with all that is outside the line."""

    outside: outside_world.OutsideWorld
    witness: GatewayMonitor
    hook: FlakyWebhook
    hook_url: str
    names: Sequence[str]
    wire_ids: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    """Of the packages as they were sent, by the sender's id."""
    deaths: int = 0

    @property
    def archive(self) -> ArchiveFile:
        return ArchiveFile(self.outside.folder)

    def tell(
        self,
        *,
        die: str = NONE,
        errand: Errand = scenario_driver.run_scenario,
        upset: Callable[[int], bool] = lambda exit_code: exit_code == -9,
    ) -> None:
        """Chapter by chapter; whoever dies is followed by another, until one comes to the end.

        `upset` says which ends of a process are the ones that were asked for.
        """
        for chapter in sorted(_chapters(self.names)):
            self._open(chapter)
            while (ran := self._run(chapter, errand, die)).exit_code != 0:
                assert upset(ran.exit_code), (ran.exit_code, ran.effects[-3:])
                self.deaths += 1

    def noted(self, what: str) -> list[str]:
        """What the processes wrote down: `deaths` and `passed` (points with rows), or `steps`."""
        path = self.outside.folder / what
        return path.read_text().splitlines() if path.exists() else []

    def _run(self, chapter: int, errand: Errand, die: str) -> outside_world.Ran:
        words = {
            "die": die,
            "chapter": str(chapter),
            "wire_ids": json.dumps(self.wire_ids),
            "hook_url": self.hook_url,
        }
        return self.outside.run(errand, die_at=None, **words)

    def _open(self, chapter: int) -> None:
        gateway = self.witness
        gateway.other_end(OtherEnd.FAILS if chapter == FAILING else OtherEnd.TAKES)
        for name in self.names:
            if PARTS[name].chapter == chapter:
                self._send(name)
        if chapter == FAILING:
            gateway.registry(POLITI, {RESPONSE_PROCESS: "DPV"})
        if chapter == MENDED:
            gateway.calm()
            gateway.registry(POLITI, {RESPONSE_PROCESS: "DPO"})
            for name in self.names:
                if PARTS[name].odd in _AGAIN:
                    gateway.redeliver(self.wire_ids[name])
        if chapter == LATER:
            self.outside.clock.advance(timedelta(days=15))

    def _send(self, name: str) -> None:
        part, world = PARTS[name], self.outside
        parcel: dict[str, Any] = {}
        if part.odd == "broken signature":
            parcel["tamper"] = Tamper.BROKEN_SIGNATURE
        if part.odd == "unknown supplier":
            parcel["signer"] = world.authority.issue("910076787")
        envelope = sbd_json(
            sender=part.sender,
            receiver=OURS,
            conversation_id="samtale" if part.odd == "no conversation" else None,
            created_at=world.clock.now,
            life=timedelta(days=60),
        )
        content = {"content": name.encode(), **part.send}
        package = world.package(part.title, sender=part.sender, parcel=parcel, **content)
        wire_id = self.wire_ids[name] = self.witness.put(envelope, package)
        self.digests[wire_id] = sha256(package).hexdigest()
        if part.odd.startswith("goes missing"):
            self.witness.stage(Fault(on=On.POP, does=Does.GO_MISSING, nth=1, message_id=wire_id))
        if part.odd == "send refused":
            kvittering = receipt_id(
                organisation=OURS, channel="eformidling", wire_id=wire_id, outcome="OK", number=1
            )
            refuse = Fault(on=On.SEND, does=Does.ANSWER, status=400, message_id=kvittering)
            self.witness.stage(refuse)


def _chapters(names: Sequence[str]) -> set[int]:
    """Those in which something happens to these parts."""
    parts = [PARTS[name] for name in names]
    chapters = {part.chapter for part in parts} | {LATER}
    chapters |= {step.from_chapter for part in parts for step in part.steps} - {FAILING}
    return chapters | ({MENDED} if any(part.odd in _AGAIN for part in parts) else set())


@contextmanager
def scenario_run(
    url: str, folder: Path, names: Sequence[str] = tuple(PARTS)
) -> Iterator[ScenarioRun]:
    """All that is outside, on a database that has the schema and nothing in it."""
    with outside_world.outside_world(url, folder, kind=GatewayMonitor) as world:
        witness = world.gateway
        assert isinstance(witness, GatewayMonitor)
        hook = FlakyWebhook(folder, world.keys["sak"][1], world.clock.sim)
        with serve(HookApp(hook.take)) as base:
            with world.line.store.transaction() as tx:
                tx.get_one(CaseSystem, "sak").webhook_url = base + HOOK
            made = ScenarioRun(
                outside=world, witness=witness, hook=hook, hook_url=base, names=names
            )
            yield made
