"""Whether the database's clock may be believed for what nothing can mend afterwards: erasing.

Somebody else's clock must agree: a gateway's; without any gateway that tells the time, the
monotonic clock of this process and the newest entry of the audit.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlmodel import col, select

from inbox.audit.leaf import read_leaf
from inbox.domain import OrgNumber
from inbox.errors import Unavailable
from inbox.gateway import Gateway
from inbox.line import Line
from inbox.line.throttle.erasure_pace import TOLERANCE
from inbox.store import SteadyClock
from inbox.tables import AuditEntry

_QUIET: Final = timedelta(days=1)
"""Longer without an entry in the audit, and the audit confirms no clock."""


def check_clock(line: Line, organisation: OrgNumber) -> None:
    """Raise `Unavailable` unless another clock agrees with the database's."""
    with line.store.reading() as tx:
        newest = tx.exec(
            select(AuditEntry.leaf).order_by(col(AuditEntry.seq).desc()).limit(1)
        ).first()
    if line.erasure_pace.is_confirmed(tx.now):
        return
    told = [_time_of(gateway, organisation) for gateway in line.gateways.values()]
    times = [moment for moment in told if moment is not None]
    with line.store.reading() as tx:
        pass
    if any(abs(moment - tx.now) > TOLERANCE for moment in times):
        raise Unavailable("clock.gateway_differs", "a gateway tells another time")
    clock = line.store.clock
    if not times:
        if isinstance(clock, SteadyClock) and clock.ahead:
            raise Unavailable("clock.jumped", "the database's clock ran ahead of this process")
        _check_audit_time(newest, tx.now)
    elif isinstance(clock, SteadyClock):
        clock.confirm()
    line.erasure_pace.confirm(tx.now)


def _time_of(gateway: Gateway, organisation: OrgNumber) -> datetime | None:
    """The gateway's time, by the answer to a question that only reads; None if it tells none.

    Asked anew: an older difference was measured by a clock that may have jumped since. Raises
    `Unavailable`: while a gateway that could tell the time is away, erasing waits.
    """
    gateway.receipt_route(organisation)
    skew = gateway.clock_skew()
    return None if skew is None else datetime.now(UTC) + skew


def _check_audit_time(leaf: bytes | None, now: datetime) -> None:
    facts = read_leaf(leaf)
    try:
        at = datetime.fromisoformat(facts.at if facts is not None and facts.at else "")
    except ValueError:
        raise Unavailable("clock.audit_unread", "the newest entry has no time") from None
    if not -TOLERANCE <= now - at <= _QUIET:
        raise Unavailable("clock.audit_differs", "the newest entry is of another time")
