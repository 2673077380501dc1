"""The impact of a directory change on access.

Access before and after the change is compared, and the change is rolled back.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from sqlmodel import col, select

from inbox.access.facts.registry import ACTION_SUBJECTS
from inbox.access.lists.pages import permitted_message_ids
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action
from inbox.access.question import OfMessage
from inbox.access.review.impact import accessible_messages
from inbox.access.review.requirements import COMPLETE_REQUEST
from inbox.directory.apply import (
    Approval,
    apply_changes,
    hash_references,
    lock_directory,
    plan_changes,
)
from inbox.directory.diff import RowChange
from inbox.directory.format.rows import Directory, RowKind
from inbox.domain import OrgNumber
from inbox.line import Line
from inbox.line.case_systems import capacity_of
from inbox.store import Transaction
from inbox.tables import CaseSystem

_MESSAGE_ACTIONS: Final = tuple(
    action for action, kinds in ACTION_SUBJECTS.items() if OfMessage in kinds
)
AccessMap = dict[tuple[str, str, str, Action], AbstractSet[str]]
"""By person (or case system), unit, role and action: the ids of messages."""


@dataclass(frozen=True, kw_only=True)
class AccessDifference:
    """How many messages somebody gains or loses for one action."""

    who: str
    unit: str
    role: str
    action: Action
    gains: int
    loses: int


class _RollbackError(Exception):
    """Carries the result out of a transaction that must be rolled back."""

    def __init__(self, before: AccessMap, after: AccessMap) -> None:
        super().__init__()
        self.before, self.after = before, after


def directory_impact(line: Line, directory: Directory) -> tuple[AccessDifference, ...]:
    """The access that importing the directory now would give and take.

    Only the people that the change concerns are included.

    What a request brings (a reason, a strong sign-in, a target, a proposal) counts as brought.

    Made, counted and undone in one transaction; on SQLite nothing else is written meanwhile.
    """
    try:
        with line.store.transaction() as tx:
            raise _measured(line, tx, directory)
    except _RollbackError as counted:
        return tuple(_differences(counted.before, counted.after))


def _measured(line: Line, tx: Transaction, directory: Directory) -> _RollbackError:
    lock_directory(tx)
    policy, directory = line.policies.current(tx), hash_references(line, directory)
    changes = plan_changes(line, tx, directory)
    organisation, people = directory.organisation, _affected_people(changes)
    before = access_map(tx, policy, organisation, people)
    apply_changes(line, tx, organisation, changes, Approval(who="nobody"))
    tx.flush()
    return _RollbackError(before, access_map(tx, policy, organisation, people))


def _affected_people(changes: Iterable[RowChange]) -> frozenset[str] | None:
    """The people that the changes concern; None means everybody in the organisation."""
    people = set[str]()
    for change in changes:
        if change.kind in (RowKind.UNIT, RowKind.CASE_SYSTEM):
            return None
        named = ("person", "absent", "substitute", "id")
        people |= {str(change.after.cells[name]) for name in named if name in change.after.cells}
        if change.kind is RowKind.CAPACITY and change.after.until is not None:
            return None  # What a leaver had may become unassigned, which others may see and take.
    return frozenset(people)


def access_map(
    tx: Transaction,
    policy: Policy,
    organisation: OrgNumber,
    people: frozenset[str] | None = None,
) -> AccessMap:
    """The messages on which each person or case system could act now.

    Without `people`, the result is for everybody in the organisation.
    """
    found: AccessMap = {}
    for each in accessible_messages(tx, tx.now, policy, organisation=organisation, people=people):
        key = (each.holder.person, each.holder.unit, each.holder.role, each.action)
        found[key] = found.get(key, frozenset()) | each.messages
    if people is None:
        found.update(_case_system_access(tx, policy, organisation))
    return found


def _case_system_access(tx: Transaction, policy: Policy, organisation: str) -> AccessMap:
    """The access of case systems, each queried alone: they are few, without capacity rows."""
    found: AccessMap = {}
    systems = select(CaseSystem).where(col(CaseSystem.organisation) == organisation)
    for capacity in map(capacity_of, tx.exec(systems).all()):
        for action in _MESSAGE_ACTIONS:
            if any(rule.applies_to(action, capacity.role) for rule in policy.rules):
                ids = tx.execute(
                    permitted_message_ids(policy, capacity, tx.now, action, COMPLETE_REQUEST)
                ).scalars()
                key = (str(capacity.case_system), "", capacity.role.value, action)
                found[key] = frozenset(ids)
    return found


def _differences(before: AccessMap, after: AccessMap) -> Iterator[AccessDifference]:
    for key in sorted(before.keys() | after.keys()):
        was, became = before.get(key, frozenset()), after.get(key, frozenset())
        if was != became:
            who, unit, role, action = key
            yield AccessDifference(
                who=who,
                unit=unit,
                role=role,
                action=action,
                gains=len(became - was),
                loses=len(was - became),
            )
