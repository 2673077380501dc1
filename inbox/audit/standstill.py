"""Whether this process holds still, because the database is older than what was signed of it.

An old database gives leavers their access back and opens what was erased; a log that goes on from
it would contradict the one that was signed. So mail is still taken into custody, and nothing else
is done, until the newest database is put in place or two people have accepted the gap.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from inbox.audit.gap import AuditGap, find_gap
from inbox.errors import Unavailable
from inbox.keys import Keyring

WAY_OUT: Final = (
    "put the newest database in place and start again, or, if it is lost, see `inbox restore`"
)


@dataclass(kw_only=True)
class Standstill:
    """What this process found when it last compared; None if the database is the newest."""

    gap: AuditGap | None = None

    def compare(self, session: Session, keyring: Keyring, files: Sequence[str]) -> AuditGap | None:
        """Compare the database with the checkpoint files, whose texts were read before."""
        self.gap = find_gap(session, keyring, files)
        return self.gap

    def check(self) -> None:
        """Raise `Unavailable` with the code of the gap while there is one."""
        if self.gap is not None:
            raise Unavailable(self.gap.code, f"{self.gap.in_words()}; {WAY_OUT}")
