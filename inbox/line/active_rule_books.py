"""The active rule books: one per receiving organisation, as named by the database."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from sqlmodel import Session, col, select

from inbox.access.files.active import ActiveRules
from inbox.access.files.versions import (
    DigestRule,
    FilesByName,
    FilesOfVersion,
    digest_over,
)
from inbox.days import day_of
from inbox.domain import OrgNumber, UnitId
from inbox.errors import PolicyError
from inbox.routing.lint import lint
from inbox.routing.rule_book import RuleBook
from inbox.routing.rule_cases import run_cases
from inbox.routing.rule_reader import read_rules
from inbox.store import Transaction
from inbox.tables import ActivePolicy, Unit
from inbox.tables.periods import active_on

_KIND_PREFIX: Final = "route:"
_BOOK_FOLDER: Final = "routing/"
_CASES_FOLDER: Final = "tests/"


class ActiveRuleBooks:
    """The rule books of one process, cached.

    Threads may share them: a book is replaced, never changed.
    """

    def __init__(self, preloaded: Mapping[OrgNumber, RuleBook] | None = None) -> None:
        self._books = {
            organisation: ActiveRules(rule_book_kind(organisation), read_rule_book_version, book)
            for organisation, book in (preloaded or {}).items()
        }

    def current(self, session: Session, organisation: OrgNumber) -> RuleBook | None:
        """The rule book that the database names as active, as seen in the caller's transaction.

        None: the organisation has none, or this process cannot have it; see `problem`.
        """
        return self._active_book_of(organisation).current(session)[1]

    def named(
        self, session: Session, organisation: OrgNumber, digest: str, version: str
    ) -> RuleBook | None:
        """The same, where the caller has read in its transaction which one is active."""
        return self._active_book_of(organisation).named(session, digest, version)

    def problem(self, organisation: OrgNumber) -> PolicyError | None:
        """Why the active rule book could not be read at the last attempt; None if it could."""
        return self._active_book_of(organisation).problem

    def _active_book_of(self, organisation: OrgNumber) -> ActiveRules[RuleBook]:
        if (book := self._books.get(organisation)) is not None:
            return book
        return self._books.setdefault(
            organisation, ActiveRules(rule_book_kind(organisation), read_rule_book_version)
        )


def rule_book_kind(organisation: str) -> str:
    """The value of `active_policy.kind` for an organisation's rule book."""
    return _KIND_PREFIX + organisation


def organisations_with_rule_book(session: Session) -> frozenset[OrgNumber]:
    """The organisations that have an active rule book: those that we receive mail for."""
    kinds = session.exec(
        select(ActivePolicy.kind).where(
            col(ActivePolicy.kind).startswith(_KIND_PREFIX, autoescape=True)
        )
    )
    return frozenset(OrgNumber(kind.removeprefix(_KIND_PREFIX)) for kind in kinds)


def read_rule_book_files(folder: Path, organisation: str) -> FilesByName:
    """Read an organisation's rule book and its test cases from a policy folder.

    Raises `PolicyError`.

    Cases of another receiver are another book's.
    """
    name = f"{_BOOK_FOLDER}{organisation}.toml"
    try:
        cases = {
            f"{_CASES_FOLDER}{path.name}": path.read_bytes()
            for path in sorted((folder / _CASES_FOLDER).glob("routing*.toml"))
        }
        book = (folder / name).read_bytes()
    except OSError as error:
        raise PolicyError("policy.unreadable", f"{name}: {error.strerror}") from error
    mine = {
        case: raw for case, raw in cases.items() if _receiver_of_cases(raw) in {organisation, None}
    }
    return {name: book, **mine}


def read_rule_book_version(version: FilesOfVersion) -> RuleBook:
    """Read the rule book of a version and run its test cases. Raises `PolicyError`.

    Its digest is computed by the rule that the version carries.
    """
    files, name = version.files, rule_file_of(version.files)
    book = read_rules(name.removeprefix(_BOOK_FOLDER), files[name])
    results = [
        result for case, raw in files.items() if case != name for result in run_cases(book, raw)
    ]
    if failed := [result.name for result in results if not result.passed]:
        raise PolicyError("route.case", f"goes elsewhere than written: {'; '.join(failed)}")
    if version.digest_rule is DigestRule.DECIDING_FILES:
        return book  # The digest of the one file that has the rules.
    return replace(book, digest=digest_over(files))


def rule_file_of(files: FilesByName) -> str:
    """The name of the one file that has the rules. Raises `PolicyError`."""
    books = [name for name in files if name.startswith(_BOOK_FOLDER)]
    if len(books) != 1:
        raise PolicyError("route.files", f"{len(books)} rule books where there must be one")
    return books[0]


def _receiver_of_cases(raw: bytes) -> object:
    """Whose rules a file of cases tries; None for one that cannot be read, as will be said."""
    try:
        return tomllib.loads(raw.decode()).get("receiver")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None


def check_units_are_active(tx: Transaction, book: RuleBook) -> None:
    """Raise `PolicyError` unless every unit that mail goes to is active and the organisation's."""
    units = tx.exec(
        select(Unit.id).where(
            col(Unit.organisation) == book.organisation,
            active_on(Unit, tx.now),
        )
    )
    living = {UnitId(unit) for unit in units}
    found = [
        finding.text
        for finding in lint(book, on=day_of(tx.now), units=living)
        if finding.code.endswith("_not_living")
    ]
    if found:
        raise PolicyError("route.units", "; ".join(found))
