"""The fetched revocation lists in the database: parsed once, replaced only by newer ones.

One is kept for each address and each authority: what comes from an address under another
authority's name never takes the place of what is needed from there.
"""

from hashlib import sha256
from threading import Lock

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inbox.errors import Unavailable
from inbox.package.inputs import RevocationList, Trust
from inbox.package.signature.revocation import crl_number_of, issuer_of
from inbox.store import Transaction
from inbox.tables import FetchedList, table_of


class FetchedListCache:
    """A cache of the fetched lists; a list is parsed again only if its digest has changed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[str, RevocationList] = {}

    def current(self, session: Session) -> tuple[RevocationList, ...]:
        """All fetched lists."""
        digests = list(session.exec(select(FetchedList.digest).order_by(FetchedList.digest)))
        with self._lock:
            known = self._known
        if missing := [digest for digest in digests if digest not in known]:
            read = session.exec(select(FetchedList).where(col(FetchedList.digest).in_(missing)))
            known = known | {row.digest: _revocation_list_of(row) for row in read}
        known = {digest: known[digest] for digest in digests if digest in known}
        with self._lock:
            self._known = known
        return tuple(known.values())


def _revocation_list_of(row: FetchedList) -> RevocationList:
    return RevocationList(
        der=row.der,
        fetched_at=row.fetched_at,
        this_update=row.this_update,
        next_update=row.next_update,
    )


def store_list(tx: Transaction, *, address: str, found: RevocationList, trust: Trust) -> bool:
    """Store a list that a trusted authority signed; returns whether it is new.

    Raises `Unavailable` for one that nobody believed signed (`trust.list_issuer`), that is dated
    ahead (`trust.list_future`: no later one could replace it) or is older than the one at hand
    (`trust.list_older`). What is at hand stays in every such case.
    """
    authority = issuer_of(found, trust)
    if authority is None:
        raise Unavailable("trust.list_issuer", "no believed authority signed it")
    if found.this_update > tx.now:
        raise Unavailable("trust.list_future")
    key = (address, sha256(authority).hexdigest())
    row = tx.get(FetchedList, key, with_for_update=True)
    digest = sha256(found.der).hexdigest()
    if row is None:
        tx.add(
            FetchedList(
                address=address,
                authority=key[1],
                digest=digest,
                der=found.der,
                this_update=found.this_update,
                next_update=found.next_update,
                fetched_at=tx.now,
            )
        )
        return True
    if row.digest == digest:
        return False
    if not _is_newer(found, _revocation_list_of(row)):
        raise Unavailable("trust.list_older")
    row.digest, row.der, row.fetched_at = digest, found.der, tx.now
    row.this_update, row.next_update = found.this_update, found.next_update
    return True


def _is_newer(found: RevocationList, at_hand: RevocationList) -> bool:
    """By its time and its number: either alone can be wrong."""
    later = found.this_update >= at_hand.this_update
    return later and crl_number_of(found) >= crl_number_of(at_hand)


def delete_lists_from(session: Session, addresses: list[str]) -> None:
    """Delete the lists from addresses that are no longer used."""
    table = table_of(FetchedList)
    session.execute(sa.delete(table).where(col(FetchedList.address).in_(addresses)))
