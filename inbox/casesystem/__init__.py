"""The interface by which the line notifies a case system that a delivery is open."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class DeliveryEvent:
    """A thin event: ids only, nothing from the message. Its id is the same at every attempt."""

    id: str
    kind: str
    organisation: str
    delivery_id: str
    occurred_at: datetime


class EventSender(Protocol):
    """Sends events to case systems that have a webhook."""

    def send(self, url: str, secret: bytes, event: DeliveryEvent, now: datetime) -> None:
        """Send once; safe to repeat. Raises `Unavailable` unless the answer was a 2xx."""
