"""The message lists that people see, built from a permitted action and rechecked by sample.

`route` shows what tells where a message belongs and has no title, `list` has the titles. A list is
of one moment. What a rule shows only to those who leave an entry in the audit is in no count, and
on a page once that entry is committed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypedDict

from sqlmodel import Session, col, select

from inbox import audit
from inbox.access.facts.registry import FACTS
from inbox.access.lists import pages
from inbox.access.lists.pages import Facets, Listed
from inbox.access.lists.recheck import DIFFERS, Difference, Recheck
from inbox.access.lists.search import Query
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Effect, Role
from inbox.access.question import Capacity, Given
from inbox.errors import Conflict, IntegrityError, Invalid, NotFound, NotPermitted, Unavailable
from inbox.keys import DataKey
from inbox.line import Line
from inbox.line.authorize import active_policy, ask, of_message
from inbox.line.queue import unwrap
from inbox.line.sealed_content import unsealed
from inbox.line.settle import is_open, open_task
from inbox.line.task_kinds import TaskKind
from inbox.tables import WrappedKey


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request for a list: for which capacity, which action, and with which search."""

    capacity: Capacity
    action: Action
    """`route` or `list`: of every other action there is no list."""
    query: Query = field(default_factory=Query)


@dataclass(frozen=True, kw_only=True)
class ToRoute:
    """One row for somebody who only distributes mail: never a title, not even a public one."""

    row: Listed
    process: str | None
    document_type: str | None
    administrative_unit: str | None
    access_restriction: str | None
    screening_authority: str | None
    damaged: str | None = None
    """The code of why its sealed part does not open: then there is the plain part alone."""


@dataclass(frozen=True, kw_only=True)
class ToList:
    """One row for somebody who may see titles.

    The titles are None once the message has been erased.
    """

    row: Listed
    title: str | None = field(repr=False)
    case_title: str | None = field(repr=False)
    damaged: str | None = None
    """As in `ToRoute`."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """Rows with the newest first, and the cursor of the next page.

    The cursor is None on the last page.

    It may have fewer rows than were asked for and go on all the same.
    """

    rows: tuple[ToRoute | ToList, ...]
    cursor: str | None


def page(line: Line, asked: Asked, *, after: str | None = None, at_most: int = 50) -> Page:
    """One page of the list, the newest first, after a cursor.

    A row whose sealed part is damaged is shown without it, with the code, and an operator is told.

    Raises:
        Invalid: the cursor is none of ours, the page is too long, or there is no such list.
        Unavailable: nobody may do anything, or a list has differed from a decision.
    """
    _check_action(asked)
    with believed(line) as (session, now, policy):

        def look(one: Policy) -> pages.Page:
            about = _about(line, asked)
            return pages.page(session, one, now, **about, after=after, at_most=at_most)

        found, free = look(policy), _owing_nothing(policy, asked)
        owe_nothing = {row.id for row in (found if free is policy else look(free)).rows}
        keys = _keys(line, session, found.rows)
    shown = [row for row in found.rows if row.id in owe_nothing or _noted(line, asked, row.id)]
    show = _SHOWN[asked.action]
    rows = tuple(show(row, keys.get(row.id)) for row in shown)
    for each in rows:
        if each.damaged is not None:
            _tell_damage(line, each.row.id, each.damaged)
    return Page(rows=rows, cursor=found.cursor)


def count(line: Line, asked: Asked) -> int:
    """How many messages can be shown without a duty such as an audit entry.

    Raises as `page` does.
    """
    _check_action(asked)
    with believed(line) as (session, now, policy):
        free = _owing_nothing(policy, asked)
        return pages.count(session, free, now, **_about(line, asked))


def facets(line: Line, asked: Asked) -> Facets:
    """The same count, by state, unit and shielding. Raises as `page` does."""
    _check_action(asked)
    with believed(line) as (session, now, policy):
        free = _owing_nothing(policy, asked)
        return pages.facets(session, free, now, **_about(line, asked))


@contextmanager
def believed(line: Line) -> Iterator[tuple[Session, datetime, Policy]]:
    """A read-only snapshot to list in, with the policy that was active in it.

    If a list differs from the decisions, a reviewer is notified.

    Raises `Unavailable` where nobody may do anything, and once a list of this process differed.
    """
    line.recheck.check_trusted()
    try:
        with line.store.snapshot() as (session, now):
            yield session, now, active_policy(line, session)
    except Unavailable:
        if (difference := line.recheck.difference) is not None:
            _alarm(line, difference)
        raise


def _alarm(line: Line, difference: Difference) -> None:
    with line.store.transaction() as (session, now):
        about = difference.message_id
        open_task(
            session,
            now,
            kind=TaskKind.LISTING_DIFFERS,
            subject=about,
            message_id=about,
            code=DIFFERS,
        )
        entry = audit.Entry(
            event="message:listing_differed",
            who=difference.capacity,
            subject=about,
            message_id=about,
            by=difference.action.value,
            code=DIFFERS,
            rule=difference.rule,
            policy=difference.digest,
        )
        audit.record(session, entry)


class _About(TypedDict):
    capacity: Capacity
    action: Action
    query: Query
    recheck: Recheck


def _about(line: Line, asked: Asked) -> _About:
    return _About(
        capacity=asked.capacity, action=asked.action, query=asked.query, recheck=line.recheck
    )


def _owing_nothing(policy: Policy, asked: Asked) -> Policy:
    """The policy without what it allows for a duty: it shows what is shown for nothing.

    The basis of a yes is the rule with the fewest duties, so all else owes what its rule says.
    """
    return _without_duties(policy, asked.action, asked.capacity.role)


@lru_cache(maxsize=100)
def _without_duties(policy: Policy, action: Action, role: Role) -> Policy:
    owing = {
        rule.id
        for rule in policy.rules
        if rule.concerns(action, role) and rule.effect is Effect.ALLOW and rule.duties
    }
    if not owing:
        return policy
    rest = [rule for rule in policy.rules if rule.id not in owing]
    return Policy(rest, facts=FACTS, digest=policy.digest)


def _noted(line: Line, asked: Asked, message_id: str) -> bool:
    """Audit that it is shown; no where that, or whatever else is owed, cannot be done."""
    try:
        with line.store.transaction() as (session, now):
            subject = of_message(message_id)
            turn = ask(line, session, now, asked.capacity, asked.action, subject, Given())
            turn.note(event="message:listed", subject=message_id, message_id=message_id)
    except (NotFound, NotPermitted):
        return False
    return True


def _tell_damage(line: Line, message_id: str, code: str) -> None:
    """A task for an operator, unless one is open for this message already."""
    with line.store.reading() as (session, _):
        if is_open(session, TaskKind.DAMAGED, message_id):
            return
    # Somebody else who saw it in the same moment has told it then.
    with suppress(Conflict), line.store.transaction() as (session, now):
        open_task(
            session,
            now,
            kind=TaskKind.DAMAGED,
            subject=message_id,
            message_id=message_id,
            code=code,
        )


_Key = DataKey | IntegrityError | None
"""The key of a message; what was found in its place; None once it was destroyed."""


def _to_route(row: Listed, key: _Key) -> ToRoute:
    part, damaged = _unsealed(row, key, "sealed_metadata")
    return ToRoute(
        row=_plain(row),
        process=part.get("process"),
        document_type=part.get("document_type"),
        administrative_unit=part.get("administrative_unit"),
        access_restriction=part.get("access_restriction"),
        screening_authority=part.get("screening_authority"),
        damaged=damaged,
    )


def _to_list(row: Listed, key: _Key) -> ToList:
    archive, damaged = _unsealed(row, key, "sealed_archive")
    entries, case_file = archive.get("registry_entries") or [{}], archive.get("case_file") or {}
    return ToList(
        row=_plain(row),
        title=entries[0].get("title"),
        case_title=case_file.get("title"),
        damaged=damaged,
    )


_SHOWN: Final[Mapping[Action, Callable[[Listed, _Key], ToRoute | ToList]]] = {
    Action.ROUTE: _to_route,
    Action.LIST: _to_list,
}


def _check_action(asked: Asked) -> None:
    if asked.action not in _SHOWN:
        raise Invalid("list.action", f"there are lists for {', '.join(_SHOWN)}")


def _unsealed(row: Listed, key: _Key, column: str) -> tuple[Mapping[str, Any], str | None]:
    """What a sealed column holds, empty where it has nothing; the code where it is damaged."""
    try:
        if isinstance(key, IntegrityError):
            raise key
        return (None if key is None else unsealed(row, key, column)) or {}, None
    except IntegrityError as error:
        return {}, error.code


def _plain(row: Listed) -> Listed:
    return row._replace(sealed_metadata=None, sealed_archive=None)


def _keys(line: Line, session: Session, rows: Sequence[Listed]) -> Mapping[str, _Key]:
    stored = session.exec(
        select(WrappedKey).where(col(WrappedKey.id).in_([row.id for row in rows]))
    )
    return {each.id: _key(line, each) for each in stored}


def _key(line: Line, stored: WrappedKey) -> _Key:
    try:
        return unwrap(line, stored)
    except IntegrityError as error:
        return error
