"""The active rule books: one per receiving organisation, as named by the database."""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlmodel import Session, col, select

from inbox.access.files.active import Active
from inbox.access.files.versions import Files
from inbox.domain import OrgNumber, UnitId
from inbox.errors import PolicyError
from inbox.routing.lint import lint
from inbox.routing.rule_book import RuleBook
from inbox.routing.rule_cases import run_cases
from inbox.routing.rule_reader import read_rules
from inbox.tables import ActivePolicy, Unit
from inbox.tables.periods import lasts

_ROUTE: Final = "route:"
_BOOK: Final = "routing/"
_CASES: Final = "tests/"


class ActiveBooks:
    """The rule books of one process, cached.

    Threads may share them: a book is replaced, never changed.
    """

    def __init__(self, at_hand: Mapping[OrgNumber, RuleBook] | None = None) -> None:
        self._books = {
            organisation: Active(kind_of(organisation), read_book, book)
            for organisation, book in (at_hand or {}).items()
        }

    def current(self, session: Session, organisation: OrgNumber) -> RuleBook | None:
        """The rule book that the database names as active, as seen in the caller's transaction.

        None: the organisation has none, or this process cannot have it; see `problem`.
        """
        return self._of(organisation).current(session)[1]

    def problem(self, organisation: OrgNumber) -> PolicyError | None:
        """Why the active rule book could not be read at the last attempt; None if it could."""
        return self._of(organisation).problem

    def _of(self, organisation: OrgNumber) -> Active[RuleBook]:
        if (book := self._books.get(organisation)) is not None:
            return book
        return self._books.setdefault(organisation, Active(kind_of(organisation), read_book))


def kind_of(organisation: str) -> str:
    """The value of `active_policy.kind` for an organisation's rule book."""
    return _ROUTE + organisation


def routed_organisations(session: Session) -> frozenset[OrgNumber]:
    """The organisations that have an active rule book: those that we receive mail for."""
    kinds = session.exec(
        select(ActivePolicy.kind).where(col(ActivePolicy.kind).startswith(_ROUTE, autoescape=True))
    )
    return frozenset(OrgNumber(kind.removeprefix(_ROUTE)) for kind in kinds)


def book_files_in(folder: Path, organisation: str) -> Files:
    """Read an organisation's rule book and its test cases from a policy folder.

    Raises `PolicyError`.

    Cases of another receiver are another book's.
    """
    name = f"{_BOOK}{organisation}.toml"
    try:
        cases = {
            f"{_CASES}{path.name}": path.read_bytes()
            for path in sorted((folder / _CASES).glob("routing*.toml"))
        }
        book = (folder / name).read_bytes()
    except OSError as error:
        raise PolicyError("policy.unreadable", f"{name}: {error.strerror}") from error
    mine = {case: raw for case, raw in cases.items() if _receiver(raw) in {organisation, None}}
    return {name: book, **mine}


def read_book(files: Files) -> RuleBook:
    """Read a rule book from its files and run its test cases. Raises `PolicyError`."""
    books = [name for name in files if name.startswith(_BOOK)]
    if len(books) != 1:
        raise PolicyError("route.files", f"{len(books)} rule books where there must be one")
    book = read_rules(books[0].removeprefix(_BOOK), files[books[0]])
    results = [
        result for name, raw in files.items() if name != books[0] for result in run_cases(book, raw)
    ]
    if failed := [result.name for result in results if not result.passed]:
        raise PolicyError("route.case", f"goes elsewhere than written: {'; '.join(failed)}")
    return book


def _receiver(raw: bytes) -> object:
    """Whose rules a file of cases tries; None for one that cannot be read, as will be said."""
    try:
        return tomllib.loads(raw.decode()).get("receiver")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None


def check_units(session: Session, now: datetime, book: RuleBook) -> None:
    """Raise `PolicyError` unless every unit that mail goes to is active and the organisation's."""
    units = session.exec(
        select(Unit.id).where(
            col(Unit.organisation) == book.organisation,
            lasts(Unit, now),
        )
    )
    living = {UnitId(unit) for unit in units}
    found = [
        finding.text
        for finding in lint(book, on=now.date(), units=living)
        if finding.code.endswith("_not_living")
    ]
    if found:
        raise PolicyError("route.units", "; ".join(found))
