"""What every page of the desk stands on, read by one statement.

The terms of units, the versions of the rule book and which one is active, and the person's views.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col

from inbox.domain import OrgNumber, PersonId, UnitId
from inbox.line.active_rule_books import rule_book_kind
from inbox.line.desk.deadlines import UnitDeadlines
from inbox.line.desk.recent_rules import BookVersion
from inbox.line.desk.saved_views import SavedView, view_of
from inbox.line.desk.unit_terms import UnitTermsTable
from inbox.tables import ActivePolicy, PolicyVersion, SavedViewRow, UnitTerms, UtcDateTime

_MINUTES: Final = 60
_TERMS, _VERSION, _VIEW = "terms", "version", "view"


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The terms of units, the versions of the organisation's rule book, and the person's views."""

    terms: UnitTermsTable
    versions: tuple[BookVersion, ...]
    active_book: tuple[str, str] | None
    """The digest and the version of the rule book that is active; None if there is none."""
    views: tuple[SavedView, ...]
    """In the order in which they were saved."""


def read_ground(
    session: Session, organisation: OrgNumber, person: PersonId | None = None
) -> Ground:
    """Read it, as it is in the caller's transaction."""
    parts = [_terms(), _versions(organisation), *([] if person is None else [_views(person)])]
    all_parts = sa.union_all(*parts).subquery()
    rows: list[Any] = list(
        session.execute(
            sa.select(all_parts).order_by(all_parts.c.what, all_parts.c.began_at, all_parts.c.id)
        )
    )
    versions = [row for row in rows if row.what == _VERSION]
    return Ground(
        terms=UnitTermsTable(
            own={UnitId(row.id): _deadlines(row) for row in rows if row.what == _TERMS}
        ),
        versions=tuple(
            BookVersion(
                id=row.id,
                replaces=row.first,
                proposed_at=row.began_at,
                active=row.second,
                active_from=row.until,
            )
            for row in versions
        ),
        active_book=next(((row.digest, row.second) for row in versions), None),
        views=tuple(
            view_of(row.id, row.first, row.second, row.began_at)
            for row in rows
            if row.what == _VIEW
        ),
    )


def _part(what: str, row_id: Any, **columns: Any) -> sa.Select[Any]:
    """Rows of one kind: the columns that it has, and nothing in the others."""
    no_text, no_number = sa.cast(sa.null(), sa.String()), sa.literal(0, sa.Integer())
    no_time = sa.cast(sa.null(), UtcDateTime())
    empty = {
        **dict.fromkeys(("hours", "days", "opens", "closes"), no_number),
        **dict.fromkeys(("first", "second", "digest"), no_text),
        **dict.fromkeys(("began_at", "until"), no_time),
    }
    shown: Sequence[sa.ColumnElement[Any]] = [
        sa.literal(what, sa.String()).label("what"),
        row_id.label("id"),
        *(columns.get(name, nothing).label(name) for name, nothing in empty.items()),
    ]
    return sa.select(*shown)


def _terms() -> sa.Select[Any]:
    return _part(
        _TERMS,
        col(UnitTerms.unit),
        hours=col(UnitTerms.unopened_hours),
        days=col(UnitTerms.unregistered_days),
        opens=col(UnitTerms.opens_minute),
        closes=col(UnitTerms.closes_minute),
    )


def _versions(organisation: OrgNumber) -> sa.Select[Any]:
    return (
        _part(
            _VERSION,
            col(PolicyVersion.id),
            first=col(PolicyVersion.replaces),
            second=col(ActivePolicy.version),
            digest=col(ActivePolicy.digest),
            began_at=col(PolicyVersion.proposed_at),
            until=col(ActivePolicy.active_from),
        )
        .join(ActivePolicy, col(ActivePolicy.kind) == col(PolicyVersion.kind))
        .where(col(PolicyVersion.kind) == rule_book_kind(organisation))
    )


def _views(person: PersonId) -> sa.Select[Any]:
    return _part(
        _VIEW,
        col(SavedViewRow.id),
        first=col(SavedViewRow.queue),
        second=col(SavedViewRow.filters),
        began_at=col(SavedViewRow.saved_at),
    ).where(col(SavedViewRow.person) == person)


def _deadlines(row: Any) -> UnitDeadlines:
    return UnitDeadlines(
        unopened_hours=row.hours,
        unregistered_days=row.days,
        opens=time(*divmod(row.opens, _MINUTES)),
        closes=time(*divmod(row.closes, _MINUTES)),
    )
