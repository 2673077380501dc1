"""Who gains and loses what by a change of the directory: counted before and after, and undone."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from inbox.access.facts.registry import SUBJECTS
from inbox.access.lists.pages import visible
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action
from inbox.access.question import OfMessage
from inbox.access.review.impact import could
from inbox.access.review.requirements import EVERYTHING_GIVEN
from inbox.directory.apply import Authority, carry_out, hold, keyed, plan
from inbox.directory.diff import Change
from inbox.directory.format.rows import Directory, Kind
from inbox.domain import OrgNumber
from inbox.line import Line
from inbox.line.case_systems import capacity_of
from inbox.tables import CaseSystem

_ACTIONS: Final = tuple(action for action, kinds in SUBJECTS.items() if OfMessage in kinds)
Reached = dict[tuple[str, str, str, Action], AbstractSet[str]]
"""By person (or case system), unit, role and action: the ids of messages."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How many messages somebody gains or loses for one action."""

    who: str
    unit: str
    role: str
    action: Action
    gains: int
    loses: int


class _UndoneError(Exception):
    """Carries the result out of a transaction that must be rolled back."""

    def __init__(self, before: Reached, after: Reached) -> None:
        super().__init__()
        self.before, self.after = before, after


def impact_of(line: Line, directory: Directory) -> tuple[Difference, ...]:
    """What taking it in now would give and take, of those alone whom a change is about.

    What a request brings (a reason, a strong sign-in, a target, a proposal) counts as brought.

    Made, counted and undone in one transaction; on SQLite nothing else is written meanwhile.
    """
    try:
        with line.store.transaction() as (session, now):
            raise _counted(line, session, now, directory)
    except _UndoneError as counted:
        return tuple(_differences(counted.before, counted.after))


def _counted(line: Line, session: Session, now: datetime, directory: Directory) -> _UndoneError:
    hold(session)
    policy, directory = line.policies.current(session), keyed(line, directory)
    changes = plan(line, session, now, directory)
    organisation, people = directory.organisation, _people(changes)
    before = reached(session, now, policy, organisation, people)
    carry_out(line, session, now, organisation, changes, Authority(who="nobody"))
    session.flush()
    return _UndoneError(before, reached(session, now, policy, organisation, people))


def _people(changes: Iterable[Change]) -> frozenset[str] | None:
    """The people that the changes concern; None means everybody in the organisation."""
    people = set[str]()
    for change in changes:
        if change.kind in (Kind.UNIT, Kind.CASE_SYSTEM):
            return None
        named = ("person", "absent", "substitute", "id")
        people |= {str(change.after.cells[name]) for name in named if name in change.after.cells}
        if change.kind is Kind.CAPACITY and change.after.until is not None:
            return None  # What a leaver had may become unassigned, which others may see and take.
    return frozenset(people)


def reached(
    session: Session,
    now: datetime,
    policy: Policy,
    organisation: OrgNumber,
    people: frozenset[str] | None = None,
) -> Reached:
    """Every message by whoever can do something with it now; without `people`, of all there."""
    found: Reached = {}
    for each in could(session, now, policy, organisation=organisation, people=people):
        key = (each.asker.person, each.asker.unit, each.asker.role, each.action)
        found[key] = found.get(key, frozenset()) | each.messages
    if people is None:
        found.update(_by_systems(session, now, policy, organisation))
    return found


def _by_systems(session: Session, now: datetime, policy: Policy, organisation: str) -> Reached:
    """The access of case systems, each queried alone: they are few, without capacity rows."""
    found: Reached = {}
    systems = select(CaseSystem).where(col(CaseSystem.organisation) == organisation)
    for capacity in map(capacity_of, session.exec(systems).all()):
        for action in _ACTIONS:
            if any(rule.concerns(action, capacity.role) for rule in policy.rules):
                ids = session.execute(
                    visible(policy, capacity, now, action, EVERYTHING_GIVEN)
                ).scalars()
                key = (str(capacity.case_system), "", capacity.role.value, action)
                found[key] = frozenset(ids)
    return found


def _differences(before: Reached, after: Reached) -> Iterator[Difference]:
    for key in sorted(before.keys() | after.keys()):
        was, became = before.get(key, frozenset()), after.get(key, frozenset())
        if was != became:
            who, unit, role, action = key
            yield Difference(
                who=who,
                unit=unit,
                role=role,
                action=action,
                gains=len(became - was),
                loses=len(was - became),
            )
