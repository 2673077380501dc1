"""`inbox route`: where mail goes. Lint, test, show and explain the routing rules."""

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from inbox.cli.opening import policy_folder_of
from inbox.cli.telling import WRONG, say, say_json, say_table, tell
from inbox.errors import Invalid, NotFound, PolicyError
from inbox.routing.book import RuleBook
from inbox.routing.cases import CaseResult, run_cases
from inbox.routing.conditions import said
from inbox.routing.lint import lint as found_in
from inbox.routing.rules import read_draft, read_rules

route: Final = typer.Typer(
    no_args_is_help=True,
    help="Where mail goes: the rules in routing/<organisation>.toml of the policy folder.",
)

Folder = Annotated[
    Path | None,
    typer.Argument(
        exists=True, file_okay=False, help="A policy folder; that of the settings otherwise."
    ),
]
_CASES: Final = "tests/routing*.toml"


@route.command()
def lint(ctx: typer.Context, folder: Folder = None) -> None:
    """Say what is wrong with the rules; 1 if they are refused, and no more than a note otherwise.

    It needs no database; whether the units live is looked at by `inbox doctor`.
    """
    refused = False
    for path in _files(policy_folder_of(ctx, folder), "routing/*.toml"):
        try:
            book = read_draft(path.name, _bytes(path))
        except PolicyError as error:
            tell(error)
            refused = True
            continue
        found = found_in(book, on=datetime.now(UTC).date(), units=None)
        for finding in found:
            refused = refused or finding.refused
            say(f"{'WRONG' if finding.refused else 'note '} {finding.code}: {finding.text}")
        say(f"{path.name}: {len(book.rules)} rules, {len(found)} findings")
    if refused:
        raise typer.Exit(WRONG)


@route.command("test")
def run_written_cases(ctx: typer.Context, folder: Folder = None) -> None:
    """Run the written cases (tests/routing*.toml); 1 if one goes elsewhere."""
    results = list(_results(policy_folder_of(ctx, folder)))
    failed = [result for result in results if not result.passed]
    for result in failed:
        say(f"WRONG {result.name}: expected {result.expected}, got {result.got}")
        say(f"{result.why}\n")
    say(f"{len(results)} cases, {len(failed)} wrong; `inbox route explain --case NAME` says why")
    if failed:
        raise typer.Exit(WRONG)


@route.command()
def show(
    ctx: typer.Context,
    folder: Folder = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the rules in the order in which they are tried: the first that matches decides."""
    books = [
        read_rules(path.name, _bytes(path))
        for path in _files(policy_folder_of(ctx, folder), "routing/*.toml")
    ]
    if as_json:
        say_json(
            [
                {
                    "organisation": book.organisation,
                    "desk": book.desk,
                    "digest": book.digest,
                    "rules": _rows(book),
                }
                for book in books
            ]
        )
        return
    for book in books:
        say(f"{book.organisation}: desk {book.desk}, digest {book.digest}")
        say_table(_rows(book), ("rule", "to", "release", "urgent", "when", "because"))


@route.command()
def explain(
    ctx: typer.Context,
    case: Annotated[str, typer.Option(metavar="NAME", help="The name of a written case.")],
    folder: Folder = None,
) -> None:
    """Say why a written case goes where it goes: what every rule answers, and what it lacked."""
    results = [r for r in _results(policy_folder_of(ctx, folder)) if r.name == case]
    if not results:
        raise NotFound("route.no_case", "there is no case of this name in tests/routing*.toml")
    for result in results:
        say(result.why)
        say(f"\nexpected {result.expected}; got {result.got}")
    if not all(result.passed for result in results):
        raise typer.Exit(WRONG)


def _results(folder: Path) -> Iterator[CaseResult]:
    """Every case of every file, by the rules of the organisation that the file names."""
    books = [read_rules(path.name, _bytes(path)) for path in _files(folder, "routing/*.toml")]
    for path in _files(folder, _CASES):
        raw = _bytes(path)
        mine = [book for book in books if book.organisation == _receiver(raw)]
        yield from run_cases((mine or books)[0], raw)  # which refuses another's cases


def _receiver(raw: bytes) -> object:
    """Whose rules a file of cases tries; None for a file that cannot be read, as will be said."""
    try:
        return tomllib.loads(raw.decode()).get("receiver")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None


def _rows(book: RuleBook) -> list[dict[str, object]]:
    return [
        {
            "rule": rule.id,
            "to": str(rule.to),
            "release": rule.release.value,
            "urgent": "yes" if rule.urgent else "",
            "when": "; ".join(
                [said(c) for c in rule.when] + [f"unntatt {said(c)}" for c in rule.except_]
            ),
            "because": rule.because,
        }
        for rule in book.rules
    ]


def _files(folder: Path, pattern: str) -> list[Path]:
    found = sorted(folder.glob(pattern))
    if not found:
        raise Invalid("route.no_files", f"there is no {pattern} in the policy folder")
    return found


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PolicyError("policy.unreadable", f"{path.name}: {error.strerror}") from error
