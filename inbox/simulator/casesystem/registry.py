"""What was registered (journalført): by a case system, or by a person in the journal beside it."""

import threading
from dataclasses import dataclass
from datetime import datetime

BY_HAND = ""
"""The digest of what a person registered: nobody computed one."""


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """One journal entry."""

    message_id: str
    """The sender's id of the message."""
    sha256: str
    """Of the whole package, in hexadecimal digits."""
    reference: str
    at: datetime


class Registry:
    """A journal with running references; may be shared by threads."""

    def __init__(self, first_number: int = 1) -> None:
        self._lock = threading.Lock()
        self._next = first_number
        self._entries: list[JournalEntry] = []

    def enter(self, *, message_id: str, sha256: str, at: datetime) -> JournalEntry:
        """One entry per package: the same bytes again are the entry that they have."""
        with self._lock:
            for entry in self._entries:
                if entry.sha256 == sha256:
                    return entry
            reference = f"{at.year}/{self._next:06}-1"
            self._next += 1
            entry = JournalEntry(message_id=message_id, sha256=sha256, reference=reference, at=at)
            self._entries.append(entry)
            return entry

    def entries(self) -> list[JournalEntry]:
        """Every entry, oldest first."""
        with self._lock:
            return list(self._entries)


class HandJournal:
    """What people registered by hand, under references of their own choice."""

    name = "by hand"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[JournalEntry] = []

    def note(self, message_id: str, *, reference: str, at: datetime) -> None:
        """One more line; what is written twice stands twice, and is judged so."""
        entry = JournalEntry(message_id=message_id, sha256=BY_HAND, reference=reference, at=at)
        with self._lock:
            self._entries.append(entry)

    @property
    def registered(self) -> list[JournalEntry]:
        """Every line, oldest first."""
        with self._lock:
            return list(self._entries)
