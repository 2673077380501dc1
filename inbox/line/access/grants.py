"""Access besides an assignment: grants, emergency access, substitutes, and ending access."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from inbox.access.policy.vocabulary import Action, Role
from inbox.access.question import Capacity, OfUnit, RequestFacts
from inbox.days import later
from inbox.domain import GrantKind, PersonId, UnitId, new_id
from inbox.errors import Conflict, Invalid
from inbox.line import Line
from inbox.line.authorize import Authorized, authorize, authorized_transaction, message_subject
from inbox.line.moves.registration import data_key
from inbox.line.settle import open_task
from inbox.line.task_kinds import TaskKind
from inbox.line.unusual_use import count_breakglass
from inbox.store import Transaction
from inbox.tables import AccessGrant, Assignment, CapacityRow, Delegation, Message, Unit
from inbox.tables.periods import active_on, has_ended, not_ended

_LONGEST_REASON: Final = 1000
_AccessRow = AccessGrant | Assignment | Delegation


def grant(
    line: Line,
    capacity: Capacity,
    message_id: str,
    *,
    to: PersonId,
    duration: timedelta,
    reason: str,
) -> AccessGrant:
    """Grant a case handler access to one message for some days (*innsyn*).

    Nobody can grant it to themselves.
    """
    check_reason(reason)
    check_duration(line, duration)
    given = RequestFacts(target=to, reason_given=True, period_given=True)
    with authorized_transaction(
        line, capacity, Action.GRANT, message_subject(message_id), given
    ) as authorized:
        return grant_authorized(
            line, authorized, message_id, to=to, duration=duration, reason=reason
        )


def check_duration(line: Line, duration: timedelta) -> None:
    """Raise `Invalid` unless access may be granted for so long."""
    terms = line.terms
    if not terms.grant_shortest <= duration <= terms.grant_longest:
        raise Invalid("access.period", f"from {terms.grant_shortest} to {terms.grant_longest}")


def grant_authorized(
    line: Line,
    authorized: Authorized,
    message_id: str,
    *,
    to: PersonId,
    duration: timedelta,
    reason: str,
) -> AccessGrant:
    """What `grant` does once it is authorized; the caller has checked reason and duration."""
    message = authorized.tx.get_one(Message, message_id)
    units = _handler_units(authorized.tx, to, message.organisation)
    home = message.unit if message.unit in units else units[0]
    row = _insert_grant(
        line, authorized, message, GrantKind.GIVEN, to=to, duration=duration, reason=reason
    )
    authorized.notify(TaskKind.GRANTED, subject=row.id, message_id=message_id, unit=home)
    _audit_grant(authorized, "access:granted", row, reason)
    return row


def breakglass(line: Line, capacity: Capacity, message_id: str, *, reason: str) -> AccessGrant:
    """Use emergency access (*nødtilgang*) to a message for `Terms.breakglass_duration`.

    The same transaction opens a task for the leader of the message's unit, and a review.
    """
    check_reason(reason)
    given = RequestFacts(reason_given=True)
    with authorized_transaction(
        line, capacity, Action.BREAKGLASS, message_subject(message_id), given
    ) as authorized:
        message = authorized.tx.get_one(Message, message_id)
        assert capacity.person is not None
        lasts, to = line.terms.breakglass_duration, capacity.person
        row = _insert_grant(
            line, authorized, message, GrantKind.BREAKGLASS, to=to, duration=lasts, reason=reason
        )
        open_task(authorized.tx, kind=TaskKind.REVIEW, subject=row.id, message_id=message_id)
        authorized.notify(
            TaskKind.EMERGENCY, subject=row.id, message_id=message_id, unit=message.unit
        )
        _audit_grant(authorized, "access:taken", row, reason)
        count_breakglass(line, authorized.tx, row)
    return row


def check_reason(reason: str) -> None:
    """Raise `Invalid` unless a reason is given and is not too long."""
    if not 0 < len(reason.strip()) <= _LONGEST_REASON:
        raise Invalid("access.reason", f"a reason has 1 to {_LONGEST_REASON} characters")


def _handler_units(tx: Transaction, person: str, organisation: str) -> Sequence[str]:
    """The units here in which the person handles cases. Raises `Invalid` if there are none."""
    units = tx.exec(
        select(CapacityRow.unit)
        .join(Unit, col(Unit.id) == col(CapacityRow.unit))
        .where(
            col(Unit.organisation) == organisation,
            col(CapacityRow.person) == person,
            col(CapacityRow.role) == Role.HANDLER.value,
            active_on(CapacityRow, tx.now),
        )
        .order_by(col(CapacityRow.unit))
    ).all()
    if not units:
        raise Invalid("access.no_handler", "the person handles no cases here")
    return units


def _insert_grant(  # noqa: PLR0913 - the columns of a grant
    line: Line,
    authorized: Authorized,
    message: Message,
    kind: GrantKind,
    *,
    to: str,
    duration: timedelta,
    reason: str,
) -> AccessGrant:
    """The row itself, under the message's lock. Raises `Conflict` where such access stands."""
    standing = authorized.tx.exec(
        select(AccessGrant.id).where(
            col(AccessGrant.message_id) == message.id,
            col(AccessGrant.person) == to,
            col(AccessGrant.kind) == kind,
            not_ended(AccessGrant, authorized.tx.now),
        )
    ).first()
    if standing is not None:
        raise Conflict("access.stands", "the person has such access already")
    assert message.unit is not None
    assert authorized.capacity.person is not None
    row_id = new_id()
    row = AccessGrant(
        id=row_id,
        kind=kind,
        message_id=message.id,
        unit=message.unit,
        person=to,
        given_by=authorized.capacity.person,
        sealed_reason=data_key(authorized.tx, line, message.id).seal(
            reason.encode(), table="access_grant", column="sealed_reason", row=row_id
        ),
        active_from=authorized.tx.now,
        active_until=later(authorized.tx.now, duration),
    )
    authorized.tx.add(row)
    authorized.tx.flush()
    return row


def _audit_grant(authorized: Authorized, event: str, row: AccessGrant, reason: str) -> None:
    committed = {"person": row.person, "until": row.active_until.isoformat()}
    authorized.record(
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
    with line.store.transaction() as tx:
        since = max(since or tx.now, tx.now)
        if not since < until <= later(since, line.terms.delegation_longest):
            raise Invalid("access.period", f"at most {line.terms.delegation_longest}, from now on")
        given = RequestFacts(target=substitute, period_given=True)
        authorized = authorize(line, tx, capacity, Action.DELEGATE, OfUnit(unit_id=unit), given)
        if unit not in _handler_units(tx, absent, capacity.organisation):
            raise Invalid("access.no_handler", "the absent person handles no cases in the unit")
        _check_no_overlap(tx, unit, absent, substitute, (since, until))
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
        tx.add(row)
        committed = {
            "absent": absent,
            "substitute": substitute,
            "since": since.isoformat(),
            "until": until.isoformat(),
        }
        authorized.record(
            event="access:delegated", subject=row.id, message_id=None, committed=committed
        )
    return row


def _check_no_overlap(
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
    with line.store.transaction() as tx:
        row = _find_access(tx, access_id)
        given = RequestFacts(reason_given=bool(reason))
        if isinstance(row, Delegation):
            unit = OfUnit(unit_id=UnitId(row.unit))
            authorized = authorize(line, tx, capacity, Action.END_ACCESS, unit, given)
        else:
            of = message_subject(access_id if row is None else row.message_id)
            authorized = authorize(line, tx, capacity, Action.END_ACCESS, of, given)
        assert row is not None
        tx.refresh(row)
        if has_ended(row.active_until, tx.now):
            raise Conflict("access.over", "it has ended already")
        end_now(authorized, row)
        authorized.record(
            event="access:ended",
            subject=access_id,
            message_id=None if isinstance(row, Delegation) else row.message_id,
            reason=reason,
        )


def _find_access(session: Session, access_id: str) -> _AccessRow | None:
    """Whichever it is of; all are looked at, whether or not there is one."""
    grant_row = session.get(AccessGrant, access_id)
    assignment = session.get(Assignment, access_id)
    delegation = session.get(Delegation, access_id)
    return grant_row or assignment or delegation


def end_now(authorized: Authorized, row: _AccessRow) -> None:
    """End the access now; if it has not begun, its period becomes empty."""
    row.active_until = authorized.tx.now
    row.active_from = min(row.active_from, authorized.tx.now)
    if isinstance(row, AccessGrant):
        authorized.close_tasks(row.id, TaskKind.GRANTED)
    if isinstance(row, Assignment):
        authorized.close_tasks(row.message_id, TaskKind.ASSIGNED)
