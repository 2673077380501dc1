"""When revocation lists are fetched from each address, by the first worker that finds it due.

Addresses are those that the operator lists, and those in certificates of the trust folder. Never
one out of a sender's certificate: nobody who writes to us says where we connect to.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import col, select

from inbox.errors import Unavailable
from inbox.package.inputs import Trust
from inbox.package.signature.revocation import distribution_points
from inbox.store import Store
from inbox.tables import ListAddress, table_of
from inbox.trust.crl_download import CrlDownloader, is_list_address
from inbox.trust.crl_store import delete_lists_from, store_list

_LEASE: Final = timedelta(minutes=5)
"""How long nobody else asks an address that a worker is asking; then its worker is dead."""
_RETRY_AFTER: Final = timedelta(minutes=5)
"""When an address that gave nothing is asked again."""


@dataclass(frozen=True, kw_only=True)
class FetchResult:
    """The result of one round over all due addresses."""

    new: int
    """Lists that are news."""
    failed: tuple[str, ...]
    """A code for each address that gave nothing."""


@dataclass(frozen=True, kw_only=True)
class CrlSchedule:
    """Which addresses are fetched from, how often, and with which client."""

    source: CrlDownloader
    listed: tuple[str, ...] = ()
    every: timedelta = timedelta(hours=1)

    def addresses(self, trust: Trust) -> tuple[str, ...]:
        """The addresses that lists are fetched from."""
        named = distribution_points((*trust.anchors, *trust.intermediates))
        return tuple(dict.fromkeys(a for a in (*self.listed, *named) if is_list_address(a)))

    def fetch_due(self, store: Store, trust: Trust) -> FetchResult:
        """Fetch from every address that is due, one after the other.

        Safe to repeat, and to interrupt.
        """
        _sync_addresses(store, self.addresses(trust))
        new, failed = 0, []
        while (address := _claim_address(store)) is not None:
            try:
                new += self._fetch(store, trust, address)
            except Unavailable as error:
                failed.append(error.code)
                _record_attempt(store, address, code=error.code, pause=_RETRY_AFTER)
        return FetchResult(new=new, failed=tuple(failed))

    def _fetch(self, store: Store, trust: Trust, address: str) -> bool:
        found = self.source.fetch(address)
        with store.transaction() as tx:
            is_new = store_list(tx, address=address, found=found, trust=trust)
        _record_attempt(store, address, code=None, pause=self.every)
        return is_new


def _sync_addresses(store: Store, addresses: Iterable[str]) -> None:
    """Bring the table in line with the addresses; it writes only where there is a difference."""
    wanted = set(addresses)
    with store.reading() as tx:
        if set(tx.exec(select(ListAddress.address))) == wanted:
            return
    with store.transaction() as tx:
        there = set(tx.exec(select(ListAddress.address)))
        over = sorted(there - wanted)
        tx.execute(sa.delete(table_of(ListAddress)).where(col(ListAddress.address).in_(over)))
        delete_lists_from(tx, over)
        tx.add_all(ListAddress(address=each, due_at=tx.now) for each in wanted - there)


def _claim_address(store: Store) -> str | None:
    """An address that is due, ours for a while; None if there is none."""
    due = select(ListAddress).order_by(col(ListAddress.due_at)).limit(1)
    with store.reading() as tx:
        if tx.exec(due.where(col(ListAddress.due_at) <= tx.now)).first() is None:
            return None
    with store.transaction() as tx:
        waiting = due.where(col(ListAddress.due_at) <= tx.now).with_for_update(skip_locked=True)
        row = tx.exec(waiting).first()
        if row is None:
            return None
        row.due_at = tx.now + _LEASE
        return row.address


def _record_attempt(store: Store, address: str, *, code: str | None, pause: timedelta) -> None:
    with store.transaction() as tx:
        row = tx.get(ListAddress, address)
        if row is None:
            return
        row.due_at, row.code = tx.now + pause, code
        if code is None:
            row.fetched_at = tx.now
