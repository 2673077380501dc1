"""The salts of commitments held against the leaves that they are of.

Without a salt nobody can show what a commitment spoke of, so that a changed one is damage. An
empty one is as it must be where the audit itself says that its message was erased.
"""

from collections.abc import Iterator, Sequence

from sqlmodel import Session, col, func, select

from inbox.audit.leaf import salt_mark
from inbox.audit.spoken import Spoken
from inbox.tables import AuditSalt


class Salts:
    """Checks batch by batch; what was emptied is judged at the end, by what was erased by then."""

    def __init__(self) -> None:
        self._count = 0
        self._emptied: dict[int, str | None] = {}
        self._erased: set[str | None] = set()

    def wrong(self, session: Session, leaves: Sequence[Spoken]) -> Iterator[int]:
        """The numbers of those of these leaves whose salts are not the ones that they name."""
        self._erased |= {leaf.message_id for leaf in leaves if leaf.erases}
        stored: dict[int, dict[str, tuple[object, str | None]]] = {}
        for seq, name, salt, message_id in session.exec(
            select(AuditSalt.seq, AuditSalt.name, AuditSalt.salt, AuditSalt.message_id).where(
                col(AuditSalt.seq).between(leaves[0].seq, leaves[-1].seq)
            )
        ):
            stored.setdefault(seq, {})[name] = salt, message_id
        for leaf in leaves:
            found = stored.get(leaf.seq, {})
            self._count += len(leaf.salts)
            if found.keys() != leaf.salts.keys() or not all(
                self._fits(leaf, mark, *found[name]) for name, mark in leaf.salts.items()
            ):
                yield leaf.seq

    def missing(self, session: Session, size: int) -> Iterator[int]:
        """What is left to say after the last leaf: emptied without erasure, or of no leaf."""
        yield from (seq for seq, of in self._emptied.items() if of not in self._erased)
        if self._count != session.exec(select(func.count()).select_from(AuditSalt)).one():
            yield size

    def _fits(self, leaf: Spoken, mark: str, salt: object, message_id: str | None) -> bool:
        if salt == b"":
            self._emptied[leaf.seq] = leaf.message_id
        elif not isinstance(salt, bytes) or salt_mark(salt) != mark:
            return False
        return message_id == leaf.message_id
