"""The message lists that people see, built from a permitted action and rechecked by sample.

`route` shows what tells where a message belongs and has no title, `list` has the titles. A list is
of one moment. What a rule shows only to those who leave an entry in the audit is in no count, and
on a page once that entry is committed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final, TypedDict

from sqlmodel import Session, col, select

from inbox import audit
from inbox.access.facts.registry import FACTS
from inbox.access.lists import pages
from inbox.access.lists.pages import Facets, ListedMessage
from inbox.access.lists.recheck import LISTING_DIFFERS, ListDifference, Recheck
from inbox.access.lists.search import MessageSearch
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Effect, Role
from inbox.access.question import Capacity
from inbox.domain import MessageId
from inbox.errors import IntegrityError, Invalid, NotFound, NotPermitted, Unavailable
from inbox.keys import DataKey
from inbox.line import Line
from inbox.line.authorize import active_policy, authorized_transaction, message_subject
from inbox.line.copies import earlier_copies
from inbox.line.damage import report_damage
from inbox.line.queue import unwrap_stored_key
from inbox.line.sealed_content import titles_in, unseal_json
from inbox.line.settle import open_task
from inbox.line.task_kinds import TaskKind
from inbox.store import Transaction
from inbox.tables import WrappedKey

_IN_UNITS: Final = frozenset({Role.HANDLER, Role.LEADER})


def showing_action(role: Role) -> Action:
    """By which action a role sees mail: `list`, with titles, in units; `route` everywhere else."""
    return Action.LIST if role in _IN_UNITS else Action.ROUTE


@dataclass(frozen=True, kw_only=True)
class ListRequest:
    """A request for a list: for which capacity, which action, and with which search."""

    capacity: Capacity
    action: Action
    """`route` or `list`: of every other action there is no list."""
    query: MessageSearch = field(default_factory=MessageSearch)


@dataclass(frozen=True, kw_only=True)
class DistributionRow:
    """One row for somebody who only distributes mail: never a title, not even a public one."""

    row: ListedMessage
    process: str | None
    document_type: str | None
    administrative_unit: str | None
    access_restriction: str | None
    screening_authority: str | None
    damaged: str | None = None
    """The code of why its sealed part does not open: then there is the plain part alone."""
    same_as: tuple[MessageId, ...] = ()
    """Earlier messages with the same documents from the same sender that the person may list."""


@dataclass(frozen=True, kw_only=True)
class TitledRow:
    """One row for somebody who may see titles.

    The titles are None once the message has been erased.
    """

    row: ListedMessage
    title: str | None = field(repr=False)
    case_title: str | None = field(repr=False)
    damaged: str | None = None
    """As in `DistributionRow`."""
    same_as: tuple[MessageId, ...] = ()
    """As in `DistributionRow`."""


@dataclass(frozen=True, kw_only=True)
class MessagePage:
    """Rows with the newest first, and the cursor of the next page.

    The cursor is None on the last page.

    It may have fewer rows than were asked for and go on all the same.
    """

    rows: tuple[DistributionRow | TitledRow, ...]
    cursor: str | None


def page(
    line: Line, request: ListRequest, *, after: str | None = None, at_most: int = 50
) -> MessagePage:
    """One page of the list, the newest first, after a cursor.

    A row whose sealed part is damaged is shown without it, with the code; an operator gets a task.

    Raises:
        Invalid: the cursor is not ours, the page is too long, or there is no such list.
        Unavailable: nobody may do anything, or a list has differed from a decision.
    """
    _check_action(request)
    with listing_snapshot(line) as (tx, policy):

        def look(one: Policy) -> pages.ListedPage:
            about = _list_arguments(line, request)
            return pages.fetch_page(tx, one, tx.now, **about, after=after, at_most=at_most)

        found, free = look(policy), _duty_free_policy(policy, request)
        owe_nothing = {row.id for row in (found if free is policy else look(free)).rows}
        keys = _keys(line, tx, found.rows)
        seen = pages.permitted_message_ids(free, request.capacity, tx.now, request.action)
        copies = earlier_copies(tx, [row.id for row in found.rows], seen)
    shown = [
        row
        for row in found.rows
        if row.id in owe_nothing or audit_shown(line, request.capacity, request.action, row.id)
    ]
    show = _ROW_BUILDERS[request.action]
    rows = tuple(
        replace(show(row, keys.get(row.id)), same_as=copies.get(row.id, ())) for row in shown
    )
    for each in rows:
        if each.damaged is not None:
            report_damage(line, each.row.id, each.damaged)
    return MessagePage(rows=rows, cursor=found.cursor)


def count(line: Line, request: ListRequest) -> int:
    """How many messages can be shown without a duty such as an audit entry.

    Raises as `page` does.
    """
    _check_action(request)
    with listing_snapshot(line) as (tx, policy):
        free = _duty_free_policy(policy, request)
        return pages.count_messages(tx, free, tx.now, **_list_arguments(line, request))


def facets(line: Line, request: ListRequest) -> Facets:
    """The same count, by state, unit and shielding. Raises as `page` does."""
    _check_action(request)
    with listing_snapshot(line) as (tx, policy):
        free = _duty_free_policy(policy, request)
        return pages.count_facets(tx, free, tx.now, **_list_arguments(line, request))


@contextmanager
def listing_snapshot(line: Line) -> Iterator[tuple[Transaction, Policy]]:
    """A read-only snapshot to list in, with the policy that was active in it.

    If a list differs from the decisions, a reviewer is notified.

    Raises `Unavailable` where nobody may do anything, and once a list of this process differed.
    """
    line.recheck.check_trusted()
    try:
        with line.store.snapshot() as tx:
            yield tx, active_policy(line, tx)
    except Unavailable:
        if (difference := line.recheck.difference) is not None:
            _report_difference(line, difference)
        raise


def _report_difference(line: Line, difference: ListDifference) -> None:
    with line.store.transaction() as tx:
        about = difference.message_id
        open_task(
            tx,
            kind=TaskKind.LISTING_DIFFERS,
            subject=about,
            message_id=about,
            code=LISTING_DIFFERS,
        )
        entry = audit.Entry(
            event="message:listing_differed",
            who=difference.capacity,
            subject=about,
            message_id=about,
            by=difference.action.value,
            code=LISTING_DIFFERS,
            rule=difference.rule,
            policy=difference.digest,
        )
        audit.record(tx, entry)


class _ListArguments(TypedDict):
    capacity: Capacity
    action: Action
    query: MessageSearch
    recheck: Recheck


def _list_arguments(line: Line, asked: ListRequest) -> _ListArguments:
    return _ListArguments(
        capacity=asked.capacity, action=asked.action, query=asked.query, recheck=line.recheck
    )


def _duty_free_policy(policy: Policy, asked: ListRequest) -> Policy:
    """The policy without what it allows for a duty: it shows what is shown for nothing.

    The basis of a yes is the rule with the fewest duties, so all else owes what its rule says.
    """
    return policy_without_duties(policy, asked.action, asked.capacity.role)


@lru_cache(maxsize=100)
def policy_without_duties(policy: Policy, action: Action, role: Role) -> Policy:
    """The policy without the rules of this action that owe something: the same one if none does."""
    owing = {
        rule.id
        for rule in policy.rules
        if rule.applies_to(action, role) and rule.effect is Effect.ALLOW and rule.duties
    }
    if not owing:
        return policy
    rest = [rule for rule in policy.rules if rule.id not in owing]
    return Policy(rest, facts=FACTS, digest=policy.digest)


def audit_shown(line: Line, capacity: Capacity, action: Action, message_id: str) -> bool:
    """Audit that it is shown; no where that, or whatever else is owed, cannot be done."""
    try:
        subject = message_subject(message_id)
        with authorized_transaction(line, capacity, action, subject) as authorized:
            authorized.record(event="message:listed", subject=message_id, message_id=message_id)
    except (NotFound, NotPermitted):
        return False
    return True


_KeyOrError = DataKey | IntegrityError | None
"""The key of a message; what was found in its place; None once it was destroyed."""


def _distribution_row(row: ListedMessage, key: _KeyOrError) -> DistributionRow:
    part, damaged = _unseal_or_code(row, key, "sealed_metadata")
    return DistributionRow(
        row=_without_sealed_columns(row),
        process=part.get("process"),
        document_type=part.get("document_type"),
        administrative_unit=part.get("administrative_unit"),
        access_restriction=part.get("access_restriction"),
        screening_authority=part.get("screening_authority"),
        damaged=damaged,
    )


def _titled_row(row: ListedMessage, key: _KeyOrError) -> TitledRow:
    archive, damaged = _unseal_or_code(row, key, "sealed_archive")
    title, case_title = titles_in(archive)
    return TitledRow(
        row=_without_sealed_columns(row),
        title=title,
        case_title=case_title,
        damaged=damaged,
    )


_ROW_BUILDERS: Final[
    Mapping[Action, Callable[[ListedMessage, _KeyOrError], DistributionRow | TitledRow]]
] = {
    Action.ROUTE: _distribution_row,
    Action.LIST: _titled_row,
}


def _check_action(asked: ListRequest) -> None:
    if asked.action not in _ROW_BUILDERS:
        raise Invalid("list.action", f"there are lists for {', '.join(_ROW_BUILDERS)}")


def _unseal_or_code(
    row: ListedMessage, key: _KeyOrError, column: str
) -> tuple[Mapping[str, Any], str | None]:
    """What a sealed column holds, empty where it has nothing; the code where it is damaged."""
    try:
        if isinstance(key, IntegrityError):
            raise key
        return (None if key is None else unseal_json(row, key, column)) or {}, None
    except IntegrityError as error:
        return {}, error.code


def _without_sealed_columns(row: ListedMessage) -> ListedMessage:
    return row._replace(sealed_metadata=None, sealed_archive=None)


def _keys(line: Line, session: Session, rows: Sequence[ListedMessage]) -> Mapping[str, _KeyOrError]:
    stored = session.exec(
        select(WrappedKey).where(col(WrappedKey.id).in_([row.id for row in rows]))
    )
    return {each.id: _unwrap_or_error(line, each) for each in stored}


def _unwrap_or_error(line: Line, stored: WrappedKey) -> _KeyOrError:
    try:
        return unwrap_stored_key(line, stored)
    except IntegrityError as error:
        return error
