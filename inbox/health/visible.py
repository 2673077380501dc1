"""The conditions that a capacity may see: the one table, without what says something of mail.

Read as the worker notes it, by a fixed number of statements: a page does not look for itself. What
is counted over mail is not for people who may not see all of it: what of that concerns them stands
in their own figures and tasks.
"""

from dataclasses import replace
from typing import Final

from sqlmodel import select

from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, OfInstallation
from inbox.access.several import permitted_actions
from inbox.health.condition import HealthCondition, Level
from inbox.health.current import in_order
from inbox.health.summary import without_names
from inbox.health.work import MAX_SILENCE
from inbox.line import Line
from inbox.line.people_lists import listing_snapshot
from inbox.line.pulses import WORKER
from inbox.tables import HealthConditionRow, Pulse

_OF_MAIL: Final = frozenset({"task", "arrivals", "receipts"})
"""Kinds of subjects that say something of messages."""
_SILENT: Final = "worker.silent"


def visible_conditions(line: Line, capacity: Capacity) -> tuple[HealthCondition, ...]:
    """What is wrong, the worst first, as far as somebody in this capacity may know.

    A capacity that may `operate` sees everything. Everybody else hears of neighbours and of the
    machinery, without the names of units and case systems, and without counts.
    """
    with listing_snapshot(line) as (tx, policy):
        operates = permitted_actions(
            tx,
            policy,
            tx.now,
            capacity=replace(capacity, strong_auth=True),
            subject=OfInstallation(),
            actions=(Action.OPERATE,),
        )[Action.OPERATE]
        rows = tx.exec(select(HealthConditionRow)).all()
        pulse = tx.get(Pulse, WORKER)
    found = [_condition(row) for row in rows if row.code != _SILENT]
    at = None if pulse is None else pulse.at
    if at is None or tx.now - at > MAX_SILENCE:
        # What the worker has noted may be over by now; that it is silent nobody else can note.
        found.append(HealthCondition(subject=WORKER, code=_SILENT, level=Level.WARNING, since=at))
    if operates.allowed:
        return in_order(found)
    seen = [replace(each, count=None) for each in found if each.kind not in _OF_MAIL]
    return without_names(in_order(seen))


def _condition(row: HealthConditionRow) -> HealthCondition:
    return HealthCondition(
        subject=row.subject,
        code=row.code,
        level=Level.WARNING if row.level is None else Level(row.level),
        since=row.since,
    )
