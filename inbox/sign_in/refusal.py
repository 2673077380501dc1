"""Why a sign-in is refused, and how the audit gets to know without being filled by strangers."""

from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from inbox import audit
from inbox.errors import InboxError, Unavailable
from inbox.store import Transaction

STRANGER: Final = "stranger"
"""Who acted: all that is known is that nobody has been shown to act."""
_ENTRY_EVERY: Final = timedelta(minutes=1)


class SignInRefused(InboxError):
    """What came back from the provider, or from a browser, cannot be believed, or is nobody's."""


class ProviderAway(Unavailable):
    """The provider gave no answer that can be used: nothing is wrong with who asks."""


class RefusedSignIns:
    """Notes refusals in the audit: the first of a code at once, then their number once a minute."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._noted: dict[tuple[str, str], tuple[datetime, int]] = {}

    def note(self, tx: Transaction, *, provider: str, code: str) -> None:
        """Note that a sign-in was refused. Both are words of ours, never what was sent."""
        key = (provider, code)
        with self._lock:
            noted_at, more = self._noted.get(key, (None, 0))
            if noted_at is not None and abs(tx.now - noted_at) < _ENTRY_EVERY:
                self._noted[key] = (noted_at, more + 1)
                return
            self._noted[key] = (tx.now, 0)
        entry = audit.Entry(
            event="sign_in:refused",
            who=STRANGER,
            subject=provider,
            code=code,
            by=f"more.{more}" if more else None,
        )
        audit.record(tx, entry)
