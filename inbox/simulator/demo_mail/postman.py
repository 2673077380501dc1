"""Brings the mailbag to the gateway: most at the start, the rest when its time comes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from inbox.simulator.demo_mail.letters import Letter
from inbox.simulator.demo_mail.plan import Comes, Packing
from inbox.simulator.demo_mail.senders import GOVERNOR, NAV, OWN, SORVAG
from inbox.simulator.gateway.queue import Package
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.packages import envelopes
from inbox.simulator.packages.envelopes import ADMINISTRASJON, Envelope, receipt_json, sbd_json

_OF_OURS = "5d0c7a0e-2f0b-4f5c-9a53-0b1f2c3d4e5f"
"""A message that the municipality itself once sent."""


@dataclass(frozen=True, kw_only=True)
class OthersLetter:
    """Something in the same queue that is another consumer's, and must be left alone."""

    name: str
    envelope: Envelope = field(repr=False)
    package: Package = field(repr=False)

    @property
    def message_id(self) -> str:
        """The id under which it waits."""
        return envelopes.message_id_of(self.envelope)


def others_mail(now: datetime) -> list[OthersLetter]:
    """Another process, another receiver, and a kvittering for the municipality's own mail."""
    ids = [f"0a0b0c0d-0000-4000-8000-00000000000{number}" for number in (1, 2, 3)]
    return [
        OthersLetter(
            name="another-process",
            envelope=sbd_json(
                sender=GOVERNOR,
                receiver=OWN,
                message_id=ids[0],
                process=ADMINISTRASJON,
                created_at=now,
            ),
            package=b"PK, not for us",
        ),
        OthersLetter(
            name="another-receiver",
            envelope=sbd_json(sender=NAV, receiver=SORVAG, message_id=ids[1], created_at=now),
            package=b"PK, not for us either",
        ),
        OthersLetter(
            name="receipt-for-our-own-mail",
            envelope=receipt_json(
                related_to=_OF_OURS, sender=GOVERNOR, receiver=OWN, message_id=ids[2]
            ),
            package=None,
        ),
    ]


class Postman:
    """Puts each letter into the gateway once, and once more what is to be redelivered."""

    def __init__(self, gateway: GatewaySimulator, letters: Sequence[Letter]) -> None:
        self._gateway = gateway
        self._ids: Mapping[str, str] = {each.name: each.message_id for each in letters}
        self._waiting = list(letters)
        self._again = [letter for letter in letters if letter.plan.again]

    def bring(self) -> list[str]:
        """Deliver what is due by now; gives its names. To be called until `done`."""
        answered = {
            str(receipt["relatedToMessageId"]) for receipt in self._gateway.receipts_at_sender()
        }
        brought = []
        for letter in [each for each in self._waiting if self._is_due(each, answered)]:
            self._put(letter)
            self._waiting.remove(letter)
            brought.append(letter.name)
        for letter in [each for each in self._again if self._taken(each.message_id)]:
            self._gateway.redeliver(letter.message_id)
            self._again.remove(letter)
            brought.append(f"{letter.name}, once more")
        return brought

    @property
    def done(self) -> bool:
        """Whether everything has been delivered."""
        return not self._waiting and not self._again

    def _is_due(self, letter: Letter, answered: set[str]) -> bool:
        if letter.plan.comes is Comes.AT_START or letter.plan.follows is None:
            return True
        before = self._ids[letter.plan.follows]
        if letter.plan.comes is Comes.WHEN_TAKEN:
            return self._taken(before)
        return before in answered

    def _put(self, letter: Letter) -> None:
        if letter.plan.packing is Packing.OTHER_BYTES:
            self._gateway.redeliver(letter.message_id, letter.package)
        else:
            self._gateway.put(letter.envelope, letter.package, service=letter.service)

    def _taken(self, message_id: str) -> bool:
        return "INNKOMMENDE_LEVERT" in self._gateway.statuses(message_id)
