"""`inbox route`: where mail goes. Check, test, show, compare, explain and simulate the rules."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlmodel import Session, col, func, select

from inbox.access.policy.vocabulary import Role
from inbox.cli.common.context import policy_folder_of, settings_of, store_of
from inbox.cli.common.formats import Form, Json, Markdown, table
from inbox.cli.common.output import WRONG, say, say_json
from inbox.cli.common.policy_folder import Policies, books_in, case_results, rule_files
from inbox.cli.route.change import changes
from inbox.cli.route.mail import explain, simulate
from inbox.errors import Invalid, PolicyError
from inbox.line.mail_units import takers
from inbox.routing.conditions import said
from inbox.routing.diff import Diff
from inbox.routing.diff import diff as difference
from inbox.routing.diff_text import acknowledgement, printed, way_said, words_of_piece
from inbox.routing.lint import lint as found_in
from inbox.routing.rule_book import RuleBook
from inbox.routing.rule_reader import read_draft
from inbox.tables import Capacity, Person, Unit
from inbox.tables.periods import lasts

route: Final = typer.Typer(
    no_args_is_help=True,
    help="Where mail goes: the rules in routing/<organisation>.toml of the policy folder."
    " 0 is fine, 1 something was found, 2 it was asked wrongly.",
)
route.command("explain")(explain)
route.command("simulate")(simulate)
route.add_typer(changes)

_FOUND: Final = ("level", "file", "line", "code", "text")
_Row = dict[str, object]


@route.command()
def lint(
    ctx: typer.Context,
    folder: Policies = None,
    database: Annotated[
        bool, typer.Option("--database", help="Look also at the units and the desk's people.")
    ] = False,
    as_json: Json = False,
    markdown: Markdown = False,
) -> None:
    """Say what is wrong with the rules; 1 if anything is.

    What is WRONG is refused by the program; a note is brought by time, or by the directory.
    """
    form = Form(as_json=as_json, as_markdown=markdown)
    files = rule_files(policy_folder_of(ctx, folder))
    rows: list[_Row] = []
    if database:
        with store_of(settings_of(ctx)).reading() as (session, now):
            for name, raw in files:
                rows += _findings(name, raw, (session, now))
    else:
        rows = [row for name, raw in files for row in _findings(name, raw, None)]
    form.show(rows, rows, _FOUND, f"{len(files)} files, {len(rows)} findings")
    if rows:
        raise typer.Exit(WRONG)


def _findings(name: str, raw: bytes, directory: tuple[Session, datetime] | None) -> Iterator[_Row]:
    try:
        book = read_draft(name, raw)
    except PolicyError as error:
        yield {"level": "WRONG", "file": name, "line": None, "code": error.code,
               "text": error.reason}  # fmt: skip
        return
    units, at_desk, today = None, None, datetime.now(UTC)
    if directory is not None:
        session, today = directory
        takes = takers(session, book, today)
        units, at_desk = takes.keys(), _people_at_desk(session, today, takes.get(book.desk))
    for finding in found_in(book, on=today.date(), units=units, at_desk=at_desk):
        yield {
            "level": "WRONG" if finding.refused else "note",
            "file": name,
            "line": finding.line,
            "code": finding.code,
            "text": finding.text,
        }


def _people_at_desk(session: Session, now: datetime, desk: Unit | None) -> int:
    """How many people may distribute there today."""
    if desk is None:
        return 0
    return session.exec(
        select(func.count(col(Person.id).distinct()))
        .join(Capacity, col(Capacity.person) == col(Person.id))
        .where(
            col(Capacity.unit) == desk.id,
            col(Capacity.role) == Role.ARCHIVIST.value,
            lasts(Capacity, now),
            lasts(Person, now),
        )
    ).one()


@route.command("test")
def run_written_cases(
    ctx: typer.Context, folder: Policies = None, as_json: Json = False, markdown: Markdown = False
) -> None:
    """Run the written cases (tests/routing*.toml); 1 if one goes elsewhere."""
    form = Form(as_json=as_json, as_markdown=markdown)
    results = list(case_results(policy_folder_of(ctx, folder)))
    failed = [(name, result) for name, result in results if not result.passed]
    rows: list[_Row] = [
        {"file": name, "line": r.line, "case": r.name, "expected": r.expected, "got": r.got}
        for name, r in failed
    ]
    form.show(
        {"cases": len(results), "wrong": rows},
        rows,
        ("file", "line", "case", "expected", "got"),
        f"{len(results)} cases, {len(rows)} wrong; `inbox route explain --case NAME` says why",
    )
    if rows:
        raise typer.Exit(WRONG)


@route.command()
def show(
    ctx: typer.Context, folder: Policies = None, as_json: Json = False, markdown: Markdown = False
) -> None:
    """Show the rules in the order in which they are tried: the first that matches decides."""
    form = Form(as_json=as_json, as_markdown=markdown)
    books = list(books_in(policy_folder_of(ctx, folder)).values())
    if form.as_json:
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
        columns = ("line", "rule", "to", "release", "urgent", "when", "because")
        form.show_rows(_rows(book), columns)
        say()


def _rows(book: RuleBook) -> list[_Row]:
    return [
        {
            "line": book.line_of_rule(rule.id),
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


@route.command()
def diff(
    was: Annotated[Path, typer.Argument(exists=True, file_okay=False, metavar="A")],
    now: Annotated[Path, typer.Argument(exists=True, file_okay=False, metavar="B")],
    as_json: Json = False,
    markdown: Markdown = False,
) -> None:
    """Say which messages go elsewhere by the rules of policy folder B than by those of A; 1 if any.

    Every combination of conditions is looked at, whatever mail there has been. `acknowledge` is
    the digest of what is printed without options: whoever activates the change gives it.
    """
    form = Form(as_json=as_json, as_markdown=markdown)
    one, other = books_in(was), books_in(now)
    if one.keys() != other.keys():
        only = ", ".join(sorted(one.keys() ^ other.keys()))
        raise Invalid("route.organisations", f"one folder only has routing rules of {only}")
    found = [difference(one[name], book) for name, book in other.items()]
    text = "".join(printed(each) for each in found)
    if form.as_json:
        say_json({"acknowledge": acknowledgement(text), "books": [_plain(each) for each in found]})
    elif form.as_markdown:
        for each in found:
            say(_in_markdown(each))
        say(f"acknowledge: `{acknowledgement(text)}`")
    else:
        say(f"{text}acknowledge: {acknowledgement(text)}")
    if any(each.found for each in found):
        raise typer.Exit(WRONG)


def _moved(found: Diff) -> list[_Row]:
    return [
        {"goes": way_said(moved), "when": words_of_piece(piece, found.was, found.now)}
        for moved in found.moved
        for piece in moved.where
    ]


def _plain(found: Diff) -> _Row:
    return {
        "organisation": found.now.organisation,
        "was": {"digest": found.was.digest, "desk": found.was.desk},
        "now": {"digest": found.now.digest, "desk": found.now.desk},
        "complete": found.complete,
        "moved": _moved(found),
    }


def _in_markdown(found: Diff) -> str:
    head = [line for line in printed(found).splitlines() if "→" not in line and "    " not in line]
    listed = "\n".join([f"### {head[0]}", "", *(f"- {line.strip()}" for line in head[1:]), ""])
    if not found.moved:
        return listed
    return "\n".join([listed, *table(_moved(found), ("goes", "when")), ""])
