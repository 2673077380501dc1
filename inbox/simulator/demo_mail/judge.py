"""Judges a run by the simulator alone: lost, doubled, falsely answered, not left alone."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from inbox.simulator.casesystem.registry import JournalEntry
from inbox.simulator.demo_mail.expectations import REGISTERED, Answered, Fate
from inbox.simulator.demo_mail.letters import Letter
from inbox.simulator.demo_mail.postman import OthersLetter
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.asgi import Seen
from inbox.simulator.packages.envelopes import look, text_at

_PEEK, _DELETE = "/api/messages/in/peek", "/api/messages/in/{messageId}"
_OK = 200


class Journal(Protocol):
    """A case system's registry, or the journal that people keep by hand."""

    @property
    def name(self) -> str:
        """Whose it is, as expectations name it."""

    @property
    def registered(self) -> list[JournalEntry]:
        """Its entries."""


class Surprise(StrEnum):
    """In what way a letter's end is not the expected one."""

    NOT_ANNOUNCED = "never shown to us"
    LOST = "lost"
    TWICE = "registered or answered more than once"
    STILL_WAITS = "still waits at the gateway"
    NOT_HELD = "in no journal"
    HELD_ELSEWHERE = "in another journal than expected"
    UNANSWERED = "its sender has no kvittering"
    OTHER_ANSWER = "its sender has another answer than expected"
    UNTRUE = "its sender has OK under a reference that no journal has for it"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the simulator knows of one letter."""

    name: str
    expected: Fate
    announced: bool
    taken: bool
    """A DELETE of ours was carried out: custody is ours."""
    waits: bool
    held_by: tuple[str, ...]
    """Whose journals have it, once per entry."""
    receipts: tuple[str, ...]
    """Types of the kvitteringer that its sender holds."""
    surprises: tuple[Surprise, ...]


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A whole run, counted by the simulator alone."""

    announced: int
    """Letters of ours that the gateway has shown us; a redelivery is not one more."""
    receipts_at_sender: Mapping[str, int]
    lost: int
    duplicates: int
    left_alone: bool
    """Other consumers' mail was neither locked nor popped nor deleted."""
    letters: tuple[Found, ...]


def judge(
    gateway: GatewaySimulator,
    systems: Iterable[Journal],
    letters: Sequence[Letter],
    others: Sequence[OthersLetter] = (),
) -> Judgement:
    """Judge at the end: a letter that is still on its way through the line counts as lost."""
    seen = _Evidence(gateway, systems, letters)
    found = tuple(seen.found(letter) for letter in letters)
    receipts = Counter(kind for kinds in seen.receipts.values() for kind in kinds)
    return Judgement(
        announced=sum(each.announced for each in found),
        receipts_at_sender=dict(sorted(receipts.items())),
        lost=sum(Surprise.LOST in each.surprises for each in found),
        duplicates=sum(Surprise.TWICE in each.surprises for each in found),
        left_alone=all(seen.untouched(each.message_id) for each in others),
        letters=found,
    )


class _Evidence:
    """What can be seen from outside, sorted by the senders' ids."""

    def __init__(
        self, gateway: GatewaySimulator, systems: Iterable[Journal], letters: Sequence[Letter]
    ) -> None:
        self._journal = gateway.journal
        self._waiting = set(gateway.queue())
        self._letters = letters
        self._known = {each.message_id for each in letters if gateway.statuses(each.message_id)}
        self._ids = {letter.name: letter.message_id for letter in letters}
        self.entries: dict[str, list[tuple[str, JournalEntry]]] = {}
        for system in systems:
            for entry in system.registered:
                self.entries.setdefault(entry.message_id, []).append((system.name, entry))
        self.receipts: dict[str, list[str]] = {}
        self._told: dict[str, list[str]] = {}
        for receipt in gateway.receipts_at_sender():
            related = str(receipt["relatedToMessageId"])
            self.receipts.setdefault(related, []).append(str(receipt["receiptType"]))
            self._told.setdefault(related, []).extend(_references_in(receipt["body"]))

    def untouched(self, message_id: str) -> bool:
        """No call of ours named it, and no answer of the gateway's, as when it is locked."""
        return not any(call.message_id == message_id for call in self._journal)

    def found(self, letter: Letter) -> Found:
        """Everything about one letter."""
        turn = self._turn(letter)
        shown, taken = _shown_and_taken(self._journal, letter.message_id)
        first = turn == 0
        held = self.entries.get(letter.message_id, []) if first else []
        found = Found(
            name=letter.name,
            expected=letter.expect.fate,
            announced=shown > turn,
            taken=taken > turn,
            waits=letter.message_id in self._waiting and taken <= turn,
            held_by=tuple(name for name, _ in held),
            receipts=tuple(self.receipts.get(letter.message_id, ())) if first else (),
            surprises=(),
        )
        surprises = tuple(dict.fromkeys(self._surprises(letter, found)))
        return Found(**{**vars(found), "surprises": surprises})

    def _turn(self, letter: Letter) -> int:
        """How many of the same id came before it. Entries and receipts are the first's."""
        same = [each for each in self._letters if each.message_id == letter.message_id]
        return same.index(letter)

    def _surprises(self, letter: Letter, found: Found) -> Iterable[Surprise]:
        expect = letter.expect
        if not found.announced:
            yield Surprise.NOT_ANNOUNCED
        if self._is_lost(letter, found):
            yield Surprise.LOST
        copy = expect.fate is Fate.DUPLICATE and found.held_by
        if len(found.held_by) > 1 or len(found.receipts) > 1 or copy:
            yield Surprise.TWICE
        if found.waits or (letter.plan.again and letter.message_id in self._waiting):
            yield Surprise.STILL_WAITS
        if expect.held_by is not None and not found.held_by:
            yield Surprise.NOT_HELD
        elif set(found.held_by) - {expect.held_by}:
            yield Surprise.HELD_ELSEWHERE
        wanted = {expect.answered.value} & {Answered.OK, Answered.ERROR}
        if wanted and not found.receipts:
            yield Surprise.UNANSWERED
        if set(found.receipts) - wanted:
            yield Surprise.OTHER_ANSWER
        if Answered.OK in found.receipts and not self._is_true(letter):
            yield Surprise.UNTRUE

    def _is_lost(self, letter: Letter, found: Found) -> bool:
        """It left the gateway, and neither a journal has it nor its sender a kvittering."""
        fate = letter.expect.fate
        if not found.taken:
            delivered = found.announced or self._delivered(letter)
            return delivered and not found.waits and fate is not Fate.MISSED
        decided = fate in REGISTERED | {Fate.DUPLICATE, Fate.REFUSED}
        return decided and not found.held_by and not found.receipts

    def _delivered(self, letter: Letter) -> bool:
        """Whether the gateway ever had it; unknown of a second one with the same id."""
        return letter.message_id in self._known and self._turn(letter) == 0

    def _is_true(self, letter: Letter) -> bool:
        """Each reference that a sender has read is in a journal, for it or what it repeats."""
        held = self.entries.get(letter.message_id, [])
        if letter.plan.resends is not None:
            held = held + self.entries.get(self._ids[letter.plan.resends], [])
        known = {entry.reference for _, entry in held}
        return bool(known) and known.issuperset(self._told.get(letter.message_id, ()))


def _shown_and_taken(journal: Sequence[Seen], message_id: str) -> tuple[int, int]:
    """How often it was shown anew after it had been taken (or for the first time), and taken."""
    shown = taken = 0
    for call in journal:
        if call.message_id != message_id or call.effect != _OK:
            continue
        if call.path == _PEEK and shown == taken:
            shown += 1
        if (call.method, call.path) == ("DELETE", _DELETE):
            taken += 1
    return shown, taken


def _references_in(body: object) -> list[str]:
    """The archive's references in a kvittering."""
    messages = look(body, "messages")
    return [
        text_at(message, "text")
        for message in (messages if isinstance(messages, list) else [])
        if text_at(message, "code") == "ID"
    ]
