"""The station of PLACING: when the grace has passed, the placing is decided again and carried out.

It calls nobody, and does all of it in one transaction under the row's lock, so it may be repeated:
either the person has undone the placing before, or the unit has the message.
"""

from dataclasses import replace

from inbox.access import permit
from inbox.access.facts.capacities import active_capacities_of
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Decision, Duty
from inbox.access.question import Capacity, RequestFacts
from inbox.domain import MessageState
from inbox.line import Outcome
from inbox.line.authorize import active_policy, message_subject
from inbox.line.moves.placement import (
    gave_reason,
    kept_traces,
    placed_values,
    signed_in_strongly,
    way_back,
)
from inbox.line.settle import close_tasks, lock_row
from inbox.line.stations.station import Settling
from inbox.line.task_kinds import PLACING_DENIED, PLACING_UNIT_PASSIVE, TaskKind
from inbox.store import Transaction
from inbox.tables import Message, Unit
from inbox.tables.periods import is_active_on


def place(settling: Settling[Message], found: None) -> None:
    """Give the message to its unit, if the person who placed it may still do that.

    If not, or if the unit has closed, it goes back to where it was, with a code and a task.
    """
    del found
    line, tx, row = settling.line, settling.tx, settling.job.row
    lock_row(tx, Message, row.id)
    decision = _decide_again(tx, active_policy(line, tx), row)
    if decision is None:
        settling.move(_taken_back(tx, row, PLACING_DENIED))
        return
    unit = tx.get(Unit, row.placing_unit)
    if unit is None or not is_active_on(unit, tx.now):
        settling.move(_taken_back(tx, row, PLACING_UNIT_PASSIVE))
        return
    is_released = row.placing_state is MessageState.RELEASED
    release = {**kept_traces(row), "released_by": row.moved_by} if is_released else {}
    settling.move(
        Outcome(
            became=MessageState.RELEASED if is_released else MessageState.ROUTED,
            values={**placed_values(row, unit.id), **release},
            due_at=tx.now + line.terms.undo_window if is_released else None,
            rule=decision.rule,
            policy=decision.digest,
        )
    )
    close_tasks(tx, subject=row.id, kinds=[TaskKind.NOT_PLACED], who="line")


def _taken_back(tx: Transaction, row: Message, code: str) -> Outcome:
    back = way_back(tx, row)
    return Outcome(became=back.became, code=code, values=back.values)


def _decide_again(tx: Transaction, policy: Policy, row: Message) -> Decision | None:
    """The decision by which the placing holds now; None if it does not.

    Asked for the capacity that placed it, with what that request gave, about the message in the
    state that it came from. Duties were met when it was placed.
    """
    capacity = _capacity_of_mover(tx, row)
    if capacity is None:
        return None
    given = RequestFacts(reason_given=gave_reason(row), in_state=row.from_state)
    met = {Duty.LOG, Duty.REASON} if given.reason_given else {Duty.LOG}
    asked = [Action.PLACE]
    if row.placing_state is MessageState.RELEASED:
        asked.append(Action.RELEASE)
    decisions = [
        permit(
            tx,
            policy,
            tx.now,
            capacity=capacity,
            action=action,
            subject=message_subject(row.id),
            request=given,
        ).deny_unless_met(met)
        for action in asked
    ]
    return decisions[-1] if all(decision.allowed for decision in decisions) else None


def _capacity_of_mover(tx: Transaction, row: Message) -> Capacity | None:
    """The very capacity that placed it, if it still stands."""
    for capacity in active_capacities_of(tx, tx.now, row.moved_by or ""):
        if capacity.id == row.moved_as:
            return replace(capacity, strong_auth=signed_in_strongly(row))
    return None
