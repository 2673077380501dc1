"""Access besides an assignment: grants, emergency access, substitutes, and ending access."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from inbox.access.policy.vocabulary import Action, Role
from inbox.access.question import Capacity, Given, OfUnit
from inbox.domain import GrantKind, PersonId, UnitId, new_id
from inbox.errors import Conflict, Invalid
from inbox.line import Line
from inbox.line.authorize import Turn, ask, of_message
from inbox.line.moves.registration import data_key
from inbox.line.settle import open_task
from inbox.line.task_kinds import TaskKind
from inbox.line.unusual_use import count_breakglass
from inbox.tables import AccessGrant, Assignment, Delegation, Message, Unit
from inbox.tables import Capacity as CapacityRow
from inbox.tables.periods import is_over, lasts, not_over

_LONGEST_REASON: Final = 1000
_Access = AccessGrant | Assignment | Delegation


def grant(
    line: Line,
    capacity: Capacity,
    message_id: str,
    *,
    to: PersonId,
    lasts: timedelta,
    reason: str,
) -> AccessGrant:
    """Grant a case handler access to one message for some days (*innsyn*).

    Nobody can grant it to themselves.
    """
    check_reason(reason)
    terms = line.terms
    if not terms.grant_shortest <= lasts <= terms.grant_longest:
        raise Invalid("access.period", f"from {terms.grant_shortest} to {terms.grant_longest}")
    with line.store.transaction() as (session, now):
        given = Given(target=to, reason_given=True, period_given=True)
        turn = ask(line, session, now, capacity, Action.GRANT, of_message(message_id), given)
        message = session.get_one(Message, message_id)
        units = _handles(session, now, to, message.organisation)
        home = message.unit if message.unit in units else units[0]
        row = _write(line, turn, message, GrantKind.GIVEN, to=to, lasts=lasts, reason=reason)
        turn.tell(TaskKind.GRANTED, subject=row.id, message_id=message_id, unit=home)
        _note(turn, "access:granted", row, reason)
    return row


def breakglass(line: Line, capacity: Capacity, message_id: str, *, reason: str) -> AccessGrant:
    """Use emergency access (*nødtilgang*) to a message for `Terms.breakglass_lasts`.

    The leader of the message's unit is told, and a review stands open, in the same transaction.
    """
    check_reason(reason)
    with line.store.transaction() as (session, now):
        given = Given(reason_given=True)
        turn = ask(line, session, now, capacity, Action.BREAKGLASS, of_message(message_id), given)
        message = session.get_one(Message, message_id)
        assert capacity.person is not None
        lasts, to = line.terms.breakglass_lasts, capacity.person
        row = _write(line, turn, message, GrantKind.BREAKGLASS, to=to, lasts=lasts, reason=reason)
        open_task(session, now, kind=TaskKind.REVIEW, subject=row.id, message_id=message_id)
        turn.tell(TaskKind.EMERGENCY, subject=row.id, message_id=message_id, unit=message.unit)
        _note(turn, "access:taken", row, reason)
        count_breakglass(line, session, now, row)
    return row


def check_reason(reason: str) -> None:
    """Raise `Invalid` unless a reason is given and is not too long."""
    if not 0 < len(reason.strip()) <= _LONGEST_REASON:
        raise Invalid("access.reason", f"a reason has 1 to {_LONGEST_REASON} characters")


def _handles(session: Session, now: datetime, person: str, organisation: str) -> Sequence[str]:
    """The units here in which the person handles cases. Raises `Invalid` if there are none."""
    units = session.exec(
        select(CapacityRow.unit)
        .join(Unit, col(Unit.id) == col(CapacityRow.unit))
        .where(
            col(Unit.organisation) == organisation,
            col(CapacityRow.person) == person,
            col(CapacityRow.role) == Role.HANDLER.value,
            lasts(CapacityRow, now),
        )
        .order_by(col(CapacityRow.unit))
    ).all()
    if not units:
        raise Invalid("access.no_handler", "the person handles no cases here")
    return units


def _write(  # noqa: PLR0913 - the columns of a grant
    line: Line,
    turn: Turn,
    message: Message,
    kind: GrantKind,
    *,
    to: str,
    lasts: timedelta,
    reason: str,
) -> AccessGrant:
    """The row itself, under the message's lock. Raises `Conflict` where such access stands."""
    standing = turn.session.exec(
        select(AccessGrant.id).where(
            col(AccessGrant.message_id) == message.id,
            col(AccessGrant.person) == to,
            col(AccessGrant.kind) == kind,
            not_over(AccessGrant, turn.now),
        )
    ).first()
    if standing is not None:
        raise Conflict("access.stands", "the person has such access already")
    assert message.unit is not None
    assert turn.capacity.person is not None
    row_id = new_id()
    row = AccessGrant(
        id=row_id,
        kind=kind,
        message_id=message.id,
        unit=message.unit,
        person=to,
        given_by=turn.capacity.person,
        sealed_reason=data_key(turn.session, line, message.id).seal(
            reason.encode(), table="access_grant", column="sealed_reason", row=row_id
        ),
        active_from=turn.now,
        active_until=turn.now + lasts,
    )
    turn.session.add(row)
    turn.session.flush()
    return row


def _note(turn: Turn, event: str, row: AccessGrant, reason: str) -> None:
    committed = {"person": row.person, "until": row.active_until.isoformat()}
    turn.note(
        event=event, subject=row.id, message_id=row.message_id, reason=reason, committed=committed
    )


def delegate(  # noqa: PLR0913 - who stands in for whom, where, and when
    line: Line,
    capacity: Capacity,
    *,
    unit: UnitId,
    absent: PersonId,
    substitute: PersonId,
    until: datetime,
    since: datetime | None = None,
) -> Delegation:
    """Let one case handler substitute (*vikar*) for an absent one in one unit.

    Nobody can appoint themselves.

    It covers what is assigned to the absent one, from `since`, or now if that is later.
    """
    if absent == substitute:
        raise Invalid("access.same_person", "nobody stands in for themselves")
    with line.store.transaction() as (session, now):
        since = max(since or now, now)
        if not since < until <= since + line.terms.delegation_longest:
            raise Invalid("access.period", f"at most {line.terms.delegation_longest}, from now on")
        given = Given(target=substitute, period_given=True)
        turn = ask(line, session, now, capacity, Action.DELEGATE, OfUnit(unit_id=unit), given)
        if unit not in _handles(session, now, absent, capacity.organisation):
            raise Invalid("access.no_handler", "the absent person handles no cases in the unit")
        _check_no_other(session, unit, absent, substitute, (since, until))
        assert capacity.person is not None
        row = Delegation(
            id=new_id(),
            unit=unit,
            absent=absent,
            substitute=substitute,
            given_by=capacity.person,
            active_from=since,
            active_until=until,
        )
        session.add(row)
        committed = {
            "absent": absent,
            "substitute": substitute,
            "since": since.isoformat(),
            "until": until.isoformat(),
        }
        turn.note(event="access:delegated", subject=row.id, message_id=None, committed=committed)
    return row


def _check_no_other(
    session: Session, unit: str, absent: str, substitute: str, period: tuple[datetime, datetime]
) -> None:
    since, until = period
    other = session.exec(
        select(Delegation.id).where(
            col(Delegation.unit) == unit,
            col(Delegation.absent) == absent,
            col(Delegation.substitute) == substitute,
            col(Delegation.active_from) < until,
            col(Delegation.active_until) > since,
        )
    ).first()
    if other is not None:
        raise Conflict("access.stands", "one stands in for the other already")


def end_access(line: Line, capacity: Capacity, access_id: str, *, reason: str = "") -> None:
    """End an assignment, a grant, emergency access or a substitution before its time.

    What it gave is gone at the next request. Not there and not one's own are one answer.
    """
    with line.store.transaction() as (session, now):
        row = _standing(session, access_id)
        given = Given(reason_given=bool(reason))
        if isinstance(row, Delegation):
            unit = OfUnit(unit_id=UnitId(row.unit))
            turn = ask(line, session, now, capacity, Action.END_ACCESS, unit, given)
        else:
            of = of_message(access_id if row is None else row.message_id)
            turn = ask(line, session, now, capacity, Action.END_ACCESS, of, given)
        assert row is not None
        session.refresh(row)
        if is_over(row.active_until, now):
            raise Conflict("access.over", "it has ended already")
        finish(turn, row)
        turn.note(
            event="access:ended",
            subject=access_id,
            message_id=None if isinstance(row, Delegation) else row.message_id,
            reason=reason,
        )


def _standing(session: Session, access_id: str) -> _Access | None:
    """Whichever it is of; all are looked at, whether or not there is one."""
    grant_row = session.get(AccessGrant, access_id)
    assignment = session.get(Assignment, access_id)
    delegation = session.get(Delegation, access_id)
    return grant_row or assignment or delegation


def finish(turn: Turn, row: _Access) -> None:
    """End the access now; if it has not begun, its period becomes empty."""
    row.active_until = turn.now
    row.active_from = min(row.active_from, turn.now)
    if isinstance(row, AccessGrant):
        turn.close(row.id, TaskKind.GRANTED)
    if isinstance(row, Assignment):
        turn.close(row.message_id, TaskKind.ASSIGNED)
