"""Reads the policy folder of a command, and reports a folder that cannot be read."""

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from inbox.access.files.folder import PolicyDraft, load_draft
from inbox.access.files.versions import digest_over
from inbox.cli.common.context import policy_folder_of
from inbox.cli.common.output import EXIT_FAILED, print_error
from inbox.domain import OrgNumber
from inbox.errors import Invalid, PolicyError
from inbox.line.active_rule_books import read_rule_book_files
from inbox.routing.rule_book import RuleBook
from inbox.routing.rule_cases import CaseResult, run_cases
from inbox.routing.rule_reader import read_rules

Policies = Annotated[
    Path | None,
    typer.Option(
        "--policies",
        metavar="FOLDER",
        exists=True,
        file_okay=False,
        help="The policy folder; the default is the one in the settings.",
    ),
]


def draft_for_command(ctx: typer.Context, folder: Path | None) -> PolicyDraft:
    """Read the folder; if it is refused, print why and exit with 1."""
    return load_draft_or_exit(policy_folder_of(ctx, folder))


def load_draft_or_exit(path: Path) -> PolicyDraft:
    """The same for a folder that was given."""
    try:
        return load_draft(path)
    except PolicyError as error:
        raise exit_refused(error) from error


def exit_refused(error: PolicyError) -> typer.Exit:
    """Print what is wrong with a folder, and where; returns the exit to raise."""
    print_error(error)
    return typer.Exit(EXIT_FAILED)


_RULES: Final = "routing/*.toml"
_CASES: Final = "tests/routing*.toml"


def read_rule_files(folder: Path) -> list[tuple[str, bytes]]:
    """The rule files in a policy folder, by name; at least one."""
    return _files(folder, _RULES)


def read_rule_books(folder: Path) -> dict[OrgNumber, RuleBook]:
    """Read the rule books in a policy folder, each with the digest that its version would have.

    Raises `PolicyError` for the first that is invalid.
    """
    books = [read_rules(name, raw) for name, raw in read_rule_files(folder)]
    return {
        book.organisation: replace(
            book, digest=digest_over(read_rule_book_files(folder, book.organisation))
        )
        for book in books
    }


def run_case_files(folder: Path) -> Iterator[tuple[str, CaseResult]]:
    """Run every case of every file by the rules of the organisation that the file names."""
    books = read_rule_books(folder)
    for name, raw in _files(folder, _CASES):
        mine = books.get(_receiver_of_cases(raw), next(iter(books.values())))
        # Which refuses the cases of another organisation.
        yield from ((name, result) for result in run_cases(mine, raw, file=name))


def _receiver_of_cases(raw: bytes) -> OrgNumber:
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
