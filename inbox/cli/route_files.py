"""What `inbox route` reads in a policy folder."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from inbox.errors import Invalid, PolicyError
from inbox.message import OrgNumber
from inbox.routing.book import RuleBook
from inbox.routing.cases import CaseResult, run_cases
from inbox.routing.rules import read_rules

_RULES: Final = "routing/*.toml"
_CASES: Final = "tests/routing*.toml"


def rule_files(folder: Path) -> list[tuple[str, bytes]]:
    """The files of rules in a policy folder, by name; at least one."""
    return _files(folder, _RULES)


def books_in(folder: Path) -> dict[OrgNumber, RuleBook]:
    """The rule books in a policy folder. Raises `PolicyError` for the first that is refused."""
    books = [read_rules(name, raw) for name, raw in rule_files(folder)]
    return {book.organisation: book for book in books}


def case_results(folder: Path) -> Iterator[tuple[str, CaseResult]]:
    """Every case of every file, by the rules of the organisation that the file names."""
    books = books_in(folder)
    for name, raw in _files(folder, _CASES):
        mine = books.get(_receiver(raw), next(iter(books.values())))
        # Which refuses the cases of another organisation.
        yield from ((name, result) for result in run_cases(mine, raw, file=name))


def _receiver(raw: bytes) -> OrgNumber:
    """Whose rules a file of cases tries; nobody's for one that cannot be read, as will be said."""
    try:
        return OrgNumber(str(tomllib.loads(raw.decode()).get("receiver")))
    except (ValueError, RecursionError):
        return OrgNumber("")


def _files(folder: Path, pattern: str) -> list[tuple[str, bytes]]:
    found = sorted(folder.glob(pattern))
    if not found:
        raise Invalid("route.no_files", f"there is no {pattern} in the policy folder")
    return [(path.name, _bytes(path)) for path in found]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PolicyError("policy.unreadable", f"{path.name}: {error.strerror}") from error
