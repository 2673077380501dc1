"""The other end: what the senders know of what they sent, and what they were answered."""

from collections.abc import Mapping

from inbox.simulator.packages import envelopes
from inbox.simulator.packages.envelopes import Envelope

REFUSALS = ("ERROR", "NOTSUPPORTED")


class SenderSide:
    """Statuses and kvitteringer as the senders see them; the caller holds the lock."""

    def __init__(self) -> None:
        self._statuses: dict[str, list[str]] = {}
        self._receipts: list[dict[str, object]] = []

    def handed_over(self, message_id: str, service: str) -> None:
        """It lies at the receiver. On DPF the sender has LEVERT from the start (§0, fact 2)."""
        last = {"DPF": "LEVERT"}.get(service, "MOTTATT")
        for name in ("OPPRETTET", "SENDT", last):
            self.add(message_id, name)

    def add(self, message_id: str, name: str) -> None:
        """Statuses are deduplicated by name."""
        names = self._statuses.setdefault(message_id, [])
        if name not in names:
            names.append(name)

    def expired(self, message_id: str, service: str) -> None:
        """The time to live ran out at the receiver; on DPF nobody tells the sender."""
        if service != "DPF":
            self.add(message_id, "LEVETID_UTLOPT")

    def arrived(self, envelope: Envelope) -> None:
        """A message of ours reached a sender. Matching is on relatedToMessageId alone (§2.4)."""
        kind = envelopes.type_of(envelope)
        body = envelopes.look(envelope, kind)
        related = envelopes.text_at(body, "relatedToMessageId")
        receipt_type = envelopes.text_at(body, "receiptType")
        self._receipts.append(
            {
                "messageId": envelopes.message_id_of(envelope),
                "receiver": envelopes.org_of(envelope, "receiver"),
                "relatedToMessageId": related,
                "receiptType": receipt_type,
                "body": body if isinstance(body, Mapping) else {},
            }
        )
        if related in self._statuses:
            self.add(related, "FEIL" if receipt_type in REFUSALS else "LEST")

    def statuses(self, message_id: str) -> list[str]:
        """The names in the order they came; empty if this sender never sent it."""
        return list(self._statuses.get(message_id, ()))

    def receipts(self) -> list[dict[str, object]]:
        """The kvitteringer that really arrived, in order."""
        return [dict(receipt) for receipt in self._receipts]
