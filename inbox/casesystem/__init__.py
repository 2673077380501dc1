"""What the line asks of whatever tells a case system that a delivery stands open."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Event:
    """A thin event: ids only, never a word about the message. Its id is the same at every try."""

    id: str
    kind: str
    organisation: str
    delivery_id: str
    occurred_at: datetime


class EventSender(Protocol):
    """Sends events to case systems that have a webhook."""

    def send(self, url: str, secret: bytes, event: Event, now: datetime) -> None:
        """Send once; safe to repeat. Raises `Unavailable` unless the answer was a 2xx."""
