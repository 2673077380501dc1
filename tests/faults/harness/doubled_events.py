"""Events of deliveries that a case system should not have heard: of no row, or again too soon."""

from collections.abc import Collection
from itertools import pairwise

from sqlmodel import col, select

from inbox.line import Line
from inbox.tables import Outbox


def doubled_events(line: Line, heard: Collection[str]) -> list[str]:
    """What is wrong with the events heard, by webhook id; a reminder after its wait is right."""
    with line.store.reading() as tx:
        rows = tx.exec(select(Outbox).order_by(col(Outbox.created_at))).all()
    by_delivery: dict[str, list[Outbox]] = {}
    for row in rows:
        by_delivery.setdefault(row.delivery_id, []).append(row)
    unknown = set(heard) - {row.id for row in rows}
    return [f"event {each} is of no row" for each in sorted(unknown)] + [
        f"delivery {delivery} has two events without a reminder's wait"
        for delivery, mine in by_delivery.items()
        for row, later in pairwise(mine)
        if later.created_at - row.created_at < line.terms.first_reminder
    ]
