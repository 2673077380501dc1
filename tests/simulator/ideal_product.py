"""A product that does everything right, and the journals that its case systems would keep."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from inbox.simulator.casesystem.registry import HandJournal, JournalEntry, Registry
from inbox.simulator.demo_mail.expectations import BY_HAND, SYSTEMS, Answered, Fate
from inbox.simulator.demo_mail.judge import Found, Journal, Judgement, judge
from inbox.simulator.demo_mail.letters import Letter
from inbox.simulator.demo_mail.postman import Postman, others_mail
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.packages.envelopes import receipt_json
from tests.simulator.conftest import Clock

STARTED = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
FILTERS = {
    "process": "urn:no:difi:profile:arkivmelding:taushetsbelagt:ver1.0",
    "receiverIdentifier": "910075918",
}


@dataclass
class Kept:
    """A case system's journal without the case system."""

    name: str
    registry: Registry

    @property
    def registered(self) -> list[JournalEntry]:
        return self.registry.entries()


@dataclass
class Run:
    """A product that does everything right, except for what a test tells it to do otherwise."""

    letters: list[Letter]
    gateway: GatewaySimulator
    http: httpx.Client
    clock: Clock
    hand: HandJournal = field(default_factory=HandJournal)
    kept: dict[str, Kept] = field(
        default_factory=lambda: {each.name: Kept(each.name, Registry()) for each in SYSTEMS}
    )
    registers: Callable[[Letter], bool] = lambda _: True
    answers: Callable[[Letter], bool] = lambda _: True

    def go(self) -> None:
        """Until the gateway has nothing more for us."""
        postman = Postman(self.gateway, self.letters)
        while True:
            brought = postman.bring()
            taken = list(self._take("DPO")) + list(self._take("DPF"))
            self.clock.passes(seconds=1)
            if not brought and not taken:
                return

    def found(self, name: str) -> Found:
        return next(each for each in self.judged().letters if each.name == name)

    def judged(self) -> Judgement:
        systems: list[Journal] = [*self.kept.values(), self.hand]
        return judge(self.gateway, systems, self.letters, others_mail(STARTED))

    def named(self, name: str) -> Letter:
        return next(letter for letter in self.letters if letter.name == name)

    def answer(self, message_id: str, kind: str, reference: str) -> None:
        """Send a kvittering, as often as asked."""
        letter = next(each for each in self.letters if each.message_id == message_id)
        body = receipt_json(
            related_to=message_id,
            receipt_type=kind,
            receiver=letter.plan.sender,
            message_id=str(uuid.uuid4()),
            messages=(("ID", reference),) if kind == "OK" else (),
        )
        created = self.http.post("/api/messages/out", json=body).raise_for_status().json()
        header = created["standardBusinessDocumentHeader"]
        receipt_id = header["documentIdentification"]["instanceIdentifier"]
        self.http.post(f"/api/messages/out/{receipt_id}").raise_for_status()

    def _take(self, service: str) -> Iterator[str]:
        while True:
            query = {**FILTERS, "serviceIdentifier": service}
            peeked = self.http.get("/api/messages/in/peek", params=query)
            if peeked.status_code == 204:
                return
            header = peeked.json()["standardBusinessDocumentHeader"]
            message_id = header["documentIdentification"]["instanceIdentifier"]
            letter = next(each for each in self.letters if each.message_id == message_id)
            if letter.expect.fate is Fate.MISSED:
                assert self.http.get(f"/api/messages/in/pop/{message_id}").status_code == 404
            else:
                first = "INNKOMMENDE_LEVERT" not in self.gateway.statuses(message_id)
                self.http.delete(f"/api/messages/in/{message_id}").raise_for_status()
                if first:
                    self._see_to(letter)
            yield message_id

    def _see_to(self, letter: Letter) -> None:
        reference = self._register(letter) if self.registers(letter) else "2026/999999-9"
        if letter.expect.answered in (Answered.OK, Answered.ERROR) and self.answers(letter):
            self.answer(letter.message_id, letter.expect.answered.value, reference)

    def _register(self, letter: Letter) -> str:
        held_by = letter.expect.held_by
        if held_by is None:
            repeated = letter.plan.resends
            known = "" if repeated is None else self.named(repeated).message_id
            entries = [each for kept in self.kept.values() for each in kept.registered]
            return next((each.reference for each in entries if each.message_id == known), "")
        if held_by == BY_HAND:
            reference = f"2026/by-hand-{letter.name}"
            self.hand.note(letter.message_id, reference=reference, at=STARTED)
            return reference
        registry = self.kept[held_by].registry
        entry = registry.enter(message_id=letter.message_id, sha256=letter.name, at=STARTED)
        return entry.reference
