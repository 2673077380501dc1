"""How many messages a unit has, by state, for the records manager: counts, and nothing of any."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import col

from inbox.access.facts.message import is_escalated
from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, OfUnit
from inbox.domain import PLACED_STATES, MessageState, UnitId
from inbox.line import Line
from inbox.line.authorize import authorized_transaction
from inbox.tables import Message


@dataclass(frozen=True, kw_only=True)
class UnitFigures:
    """The figures of one unit."""

    unit: UnitId
    states: Mapping[MessageState, int]
    """How many of its messages are in each state in which people still look for their place."""
    escalated: int
    """How many of these were placed for the third time or more."""


def unit_figures(line: Line, capacity: Capacity, unit: UnitId) -> UnitFigures:
    """The figures of one unit; the audit says that they were shown.

    Raises `NotFound` for a unit of another organisation, and for who may not see figures.
    """
    subject = OfUnit(unit_id=unit)
    with authorized_transaction(line, capacity, Action.FIGURES, subject) as authorized:
        of_unit = (col(Message.unit) == unit, col(Message.state).in_(PLACED_STATES))
        counted = authorized.tx.execute(
            sa.select(col(Message.state), sa.func.count()).where(*of_unit).group_by(Message.state)
        ).all()
        climbed = authorized.tx.execute(
            sa.select(sa.func.count()).select_from(Message).where(*of_unit, is_escalated())
        ).scalar_one()
        authorized.record(event="unit:figures_shown", subject=unit, message_id=None)
    return UnitFigures(unit=unit, states={row[0]: row[1] for row in counted}, escalated=climbed)
