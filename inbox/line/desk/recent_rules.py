"""The routing rules of the last 90 days: a suggestion from older mail never goes against them.

When a version became active stands in the audit alone. It was proposed before that, and proposals
lapse: so a version that was proposed long enough ago was active, or never will be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

import sqlalchemy as sa
from sqlmodel import col

from inbox.access.files import versions
from inbox.access.files.versions import FilesOfVersion
from inbox.days import day_of
from inbox.domain import OrgNumber, UnitId
from inbox.errors import PolicyError
from inbox.line import Line
from inbox.line.active_rule_books import read_rule_book_version
from inbox.routing.conditions import ConditionField
from inbox.routing.rule_book import RoutingRule, RuleBook, SameUnit
from inbox.store import Transaction
from inbox.tables import PolicyVersion

_RECENT: Final = timedelta(days=90)


@dataclass(frozen=True, kw_only=True)
class RecentRules:
    """The rules that are active now and were not 90 days ago, or said something else then."""

    rules: tuple[RoutingRule, ...] = ()

    def units_for(self, sender: OrgNumber) -> frozenset[UnitId]:
        """Where they send mail from this sender; empty: none of them is about this sender."""
        return frozenset(
            rule.to
            for rule in self.rules
            if not rule.off
            and not isinstance(rule.to, SameUnit)
            and any(
                condition.field is ConditionField.SENDER and sender in condition.values
                for condition in rule.when
            )
        )


@dataclass(frozen=True, kw_only=True)
class BookVersion:
    """A version of the rule book that was proposed, and which one is active since when."""

    id: str
    replaces: str | None
    proposed_at: datetime
    active: str | None
    active_from: datetime


def recent_rules(
    line: Line, tx: Transaction, book: RuleBook | None, found: Sequence[BookVersion]
) -> RecentRules:
    """The recent rules of the active book; where it is new, the version before is read."""
    if book is None:
        return RecentRules()
    since = tx.now - _RECENT
    before = _book_before(line, tx, found, since)
    known = frozenset() if before is None else frozenset(map(_meaning, before.rules))
    return RecentRules(
        rules=tuple(
            rule
            for rule in book.rules
            if (before is not None and _meaning(rule) not in known) or _began(rule, day_of(since))
        )
    )


def _meaning(rule: RoutingRule) -> tuple[object, ...]:
    return rule.when, rule.except_, rule.to, rule.off


def _began(rule: RoutingRule, since: date) -> bool:
    return rule.from_ is not None and rule.from_ >= since


def _book_before(
    line: Line, tx: Transaction, found: Sequence[BookVersion], since: datetime
) -> RuleBook | None:
    """The rule book as it was then; None if the active one was active already, or is the first."""
    if not found or found[0].active_from <= since:
        return None
    by_id = {each.id: each for each in found}
    first = current = found[0].active
    while current is not None and current in by_id:
        version = by_id[current]
        long_ago = version.proposed_at <= since - line.terms.proposal_life
        if long_ago or version.replaces is None:
            return None if current == first else _read_version(tx, current)
        current = version.replaces
    return None


def _read_version(tx: Transaction, version: str) -> RuleBook | None:
    kept = tx.execute(
        sa.select(col(PolicyVersion.files), col(PolicyVersion.digest_rule)).where(
            col(PolicyVersion.id) == version
        )
    ).one_or_none()
    return None if kept is None else _parsed(kept[0], kept[1])


@lru_cache(maxsize=16)
def _parsed(files: bytes, digest_rule: int) -> RuleBook | None:
    try:
        return read_rule_book_version(
            FilesOfVersion(
                files=versions.unpack_files(files),
                digest_rule=versions.read_digest_rule(digest_rule),
            )
        )
    except PolicyError:
        return None
