"""The demo's people: they look at their waiting messages and do what such people would do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlmodel import col, select

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.cli.demo.municipality import ARCHIVISTS, DESK, HANDLERS, LEADERS
from inbox.cli.demo.stage import Stage
from inbox.directory import sign_in_as
from inbox.domain import DeliveryState, MessageState, Mode, PersonId, ReceiptState
from inbox.errors import Conflict
from inbox.line.moves import archive_staff, content, unit
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.simulator.demo_mail.expectations import Fate
from inbox.simulator.demo_mail.letters import Letter
from inbox.tables import CaseSystem, Delivery, Message, Receipt

_RELEASED: Final = frozenset(
    {
        *(Fate.RULE_RELEASED, Fate.RULE_BY_HAND, Fate.PLACED, Fate.PLACED_BY_HAND, Fate.RETURNED),
        *(Fate.OFFERED, Fate.SENT_BACK, Fate.UNANSWERED),
    }
)
_PLACED: Final = frozenset({Fate.PLACED, Fate.PLACED_BY_HAND, Fate.UNANSWERED})


@dataclass(frozen=True, kw_only=True)
class _WaitingMessage:
    """A message that waits for somebody, and what it waits in."""

    message: Message
    letter: Letter
    by_hand: bool
    failed_receipt: bool


class DemoPeople:
    """Two archivists at the desk, and a leader and a handler in every unit.

    They know their mail, as such people do: what each letter is about stands in the mailbag.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._line = stage.line
        self._letters: Mapping[str, list[Letter]] = {}
        for letter in stage.letters:
            self._letters = {
                **self._letters,
                letter.message_id: [*self._letters.get(letter.message_id, []), letter],
            }
        self._done: set[tuple[str, int]] = set()
        self._signed_in: dict[tuple[str, Role, str], Capacity] = {}

    def work(self) -> bool:
        """Do everything that waits; returns whether there was anything.

        A message that changed meanwhile is tried again.
        """
        worked = False
        for seen in self._waiting_messages():
            key = (seen.message.id, seen.message.version)
            deed = self._action_for(seen)
            if deed is None or key in self._done:
                continue
            try:
                deed(seen)
            except Conflict:
                continue
            self._done.add(key)
            worked = True
        return worked

    def _waiting_messages(self) -> list[_WaitingMessage]:
        with self._line.store.reading() as tx:
            messages = tx.exec(select(Message).order_by(col(Message.received_at))).all()
            hand = set(
                tx.exec(
                    select(Delivery.message_id)
                    .join(CaseSystem, col(CaseSystem.id) == col(Delivery.case_system))
                    .where(
                        col(CaseSystem.mode) == Mode.BY_HAND,
                        col(Delivery.state).in_([DeliveryState.OPEN, DeliveryState.COLLECTED]),
                    )
                )
            )
            failed = set(
                tx.exec(
                    select(Receipt.message_id).where(
                        col(Receipt.state).in_([ReceiptState.FAILED, ReceiptState.IMPOSSIBLE]),
                        col(Receipt.settled_at).is_(None),
                    )
                )
            )
        return [
            _WaitingMessage(
                message=message,
                letter=self._letters[message.wire_id][-1 if message.shares_wire_id else 0],
                by_hand=message.id in hand,
                failed_receipt=message.id in failed,
            )
            for message in messages
        ]

    def _action_for(self, seen: _WaitingMessage) -> Callable[[_WaitingMessage], None] | None:
        """What somebody does about it; None: nothing, or not yet."""
        fate = seen.letter.expect.fate
        accepts = seen.failed_receipt and fate is not Fate.UNANSWERED
        deeds: dict[tuple[MessageState, bool], Callable[[_WaitingMessage], None]] = {
            (MessageState.UNROUTED, fate in _PLACED): self._place,
            (MessageState.UNROUTED, fate is Fate.REFUSED): self._refuse,
            (MessageState.UNROUTED, fate is Fate.DUPLICATE): self._duplicate,
            (MessageState.ROUTED, fate is Fate.DUPLICATE): self._duplicate,
            (MessageState.ROUTED, fate in _RELEASED): self._release,
            (MessageState.OFFERED, seen.by_hand): self._register,
            (MessageState.RETURNED, fate is Fate.RETURNED): self._register,
            (MessageState.REGISTERED, accepts): self._accept,
        }
        return deeds.get((seen.message.state, True))

    def _place(self, seen: _WaitingMessage) -> None:
        message, to = seen.message, seen.letter.expect.unit
        assert to is not None
        archive_staff.place(
            self._line,
            self.capacity_of("anne", Role.ARCHIVIST, DESK),
            message.id,
            unit=to,
            expected_version=message.version,
        )

    def _refuse(self, seen: _WaitingMessage) -> None:
        first, second = ARCHIVISTS
        code = seen.letter.expect.code
        assert code is not None
        proposal = message_proposals.propose(
            self._line,
            self.capacity_of(first, Role.ARCHIVIST, DESK),
            ProposalKind.REFUSE,
            seen.message.id,
            code=code,
            reason="Meldingen gjelder en annen kommune",
        )
        message_proposals.approve(
            self._line, self.capacity_of(second, Role.ARCHIVIST, DESK), proposal
        )

    def _duplicate(self, seen: _WaitingMessage) -> None:
        message = seen.message
        with self._line.store.reading() as tx:
            original = tx.exec(
                select(Message.id).where(
                    col(Message.documents_hash) == message.documents_hash,
                    col(Message.sender) == message.sender,
                    col(Message.id) != message.id,
                    col(Message.registered_at).is_not(None),
                )
            ).first()
        if original is None:
            raise Conflict("demo.not_yet", "its original is not registered yet")
        archive_staff.mark_duplicate(
            self._line,
            self.capacity_of("bjorn", Role.ARCHIVIST, DESK),
            message.id,
            original_id=original,
            expected_version=message.version,
        )

    def _release(self, seen: _WaitingMessage) -> None:
        message = seen.message
        assert message.unit is not None
        leader = self.capacity_of(LEADERS[message.unit], Role.LEADER, message.unit)
        unit.release(self._line, leader, message.id, expected_version=message.version)

    def _register(self, seen: _WaitingMessage) -> None:
        """The leader gives it to a handler, who reads it and registers it by hand."""
        message = seen.message
        assert message.unit is not None
        person = HANDLERS[message.unit]
        leader = self.capacity_of(LEADERS[message.unit], Role.LEADER, message.unit)
        handler = self.capacity_of(person, Role.HANDLER, message.unit)
        unit.assign(self._line, leader, message.id, to=PersonId(person))
        if seen.by_hand:
            content.collect_by_hand(self._line, handler, message.id)
        now = self._stage.clock.now()
        reference = f"{now.year}/9{len(self._stage.hand.registered) + 1:05}-1"
        unit.register(
            self._line, handler, message.id, reference=reference, expected_version=message.version
        )
        self._stage.hand.note(message.wire_id, reference=reference, at=now)

    def _accept(self, seen: _WaitingMessage) -> None:
        archivist = self.capacity_of("anne", Role.ARCHIVIST, DESK)
        reason = "Avsender er varslet på telefon"
        archive_staff.accept_failure(self._line, archivist, seen.message.id, reason=reason)

    def capacity_of(self, person: str, role: Role, unit_id: str) -> Capacity:
        """The person, signed in with the personal code in one capacity."""
        key = (person, role, unit_id)
        if key not in self._signed_in:
            code = self._stage.codes[person]
            with self._line.store.reading() as tx:
                self._signed_in[key] = sign_in_as(tx, person, role=role, unit=unit_id, code=code)
        return self._signed_in[key]
