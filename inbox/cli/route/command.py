"""`inbox route`: where mail goes. Check, test, show, compare, explain and simulate the rules."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlmodel import col, func, select

from inbox.access.policy.vocabulary import Role
from inbox.cli.common.context import policy_folder_of, settings_of, store_of
from inbox.cli.common.formats import Json, Markdown, OutputFormat, markdown_table
from inbox.cli.common.language import InLanguage, for_staff, with_headings
from inbox.cli.common.lint_output import LintRow, lint_language, refused_row, show_lint
from inbox.cli.common.output import EXIT_FAILED, print_json, print_line
from inbox.cli.common.policy_folder import (
    Policies,
    read_rule_books,
    read_rule_files,
    run_case_files,
)
from inbox.cli.route.change import changes
from inbox.cli.route.mail import explain, simulate
from inbox.days import day_of
from inbox.errors import Invalid, PolicyError
from inbox.language import TextLanguage
from inbox.line.mail_units import receiving_units
from inbox.routing.diff import RoutingDiff, diff_rule_books
from inbox.routing.diff_text import acknowledgement_digest, piece_text, render_diff, reroute_text
from inbox.routing.lint import lint as found_in
from inbox.routing.rule_book import RuleBook
from inbox.routing.rule_reader import read_unchecked_rules
from inbox.routing.sentences import BOKMAAL, FOR_DIGEST, RoutingSentences
from inbox.store import Transaction
from inbox.tables import CapacityRow, Person, Unit
from inbox.tables.periods import active_on

route: Final = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Where mail goes: the rules in routing/<organisation>.toml of the policy folder."
    " Exit codes: 0 fine; 1 something was found; 2 invalid usage.",
)
route.command("explain")(explain)
route.command("simulate")(simulate)
route.add_typer(changes)

_Row = dict[str, object]


@route.command()
def lint(
    ctx: typer.Context,
    folder: Policies = None,
    database: Annotated[
        bool,
        typer.Option("--database", help="Also check the units, and the people at the desk."),
    ] = False,
    language: InLanguage = None,
    as_json: Json = False,
    markdown: Markdown = False,
) -> None:
    """Check the rules; ends with 1 if there are any findings.

    WRONG findings stop the rules from loading; notes are warnings that appear as dates pass or the
    directory changes.
    """
    form = OutputFormat(as_json=as_json, as_markdown=markdown)
    said_in = lint_language(form, language)
    files = read_rule_files(policy_folder_of(ctx, folder))
    rows: list[LintRow] = []
    if database:
        with store_of(settings_of(ctx)).reading() as tx:
            for name, raw in files:
                rows += _findings(name, raw, tx, said_in)
    else:
        rows = [row for name, raw in files for row in _findings(name, raw, None, said_in)]
    show_lint(form, rows, said_in, "files", len(files))
    if rows:
        raise typer.Exit(EXIT_FAILED)


def _findings(
    name: str, raw: bytes, tx: Transaction | None, language: TextLanguage
) -> Iterator[LintRow]:
    try:
        book = read_unchecked_rules(name, raw)
    except PolicyError as error:
        yield refused_row(error, language, name)
        return
    units, at_desk, today = None, None, datetime.now(UTC)
    if tx is not None:
        today, takes = tx.now, receiving_units(tx, book)
        units, at_desk = takes.keys(), _people_at_desk(tx, takes.get(book.desk))
    for finding in found_in(book, on=day_of(today), units=units, at_desk=at_desk):
        yield LintRow(
            is_error=finding.is_error,
            file=name,
            line=finding.line,
            code=finding.code,
            about=" ".join(finding.rules),
            text=finding.said.text(language),
        )


def _people_at_desk(tx: Transaction, desk: Unit | None) -> int:
    """How many people may distribute there today."""
    if desk is None:
        return 0
    return tx.exec(
        select(func.count(col(Person.id).distinct()))
        .join(CapacityRow, col(CapacityRow.person) == col(Person.id))
        .where(
            col(CapacityRow.unit) == desk.id,
            col(CapacityRow.role) == Role.ARCHIVIST.value,
            active_on(CapacityRow, tx.now),
            active_on(Person, tx.now),
        )
    ).one()


@route.command("test")
def run_written_cases(
    ctx: typer.Context,
    folder: Policies = None,
    language: InLanguage = None,
    as_json: Json = False,
    markdown: Markdown = False,
) -> None:
    """Run the test cases (tests/routing*.toml); ends with 1 if one is not routed as expected."""
    form = OutputFormat(as_json=as_json, as_markdown=markdown)
    results = list(run_case_files(policy_folder_of(ctx, folder)))
    failed = [(name, result) for name, result in results if not result.passed]
    rows: list[_Row] = [
        {"file": name, "line": r.line, "case": r.name, "expected": r.expected, "got": r.got}
        for name, r in failed
    ]
    said = RoutingSentences(language=for_staff(language))
    columns = ("file", "line", "case", "expected", "got")
    form.show(
        {"cases": len(results), "wrong": rows},
        *with_headings(rows, columns, said.texts, said.language),
        said.text("cases.summary", cases=len(results), wrong=len(rows)),
    )
    if rows:
        raise typer.Exit(EXIT_FAILED)


@route.command()
def show(
    ctx: typer.Context,
    folder: Policies = None,
    language: InLanguage = None,
    as_json: Json = False,
    markdown: Markdown = False,
) -> None:
    """Show the rules in the order in which they are tried: the first that matches decides."""
    form = OutputFormat(as_json=as_json, as_markdown=markdown)
    books = list(read_rule_books(policy_folder_of(ctx, folder)).values())
    if form.as_json:
        print_json(
            [
                {
                    "organisation": book.organisation,
                    "desk": book.desk,
                    "digest": book.digest,
                    "rules": _rule_rows(book, BOKMAAL),
                }
                for book in books
            ]
        )
        return
    said = RoutingSentences(language=for_staff(language))
    for book in books:
        print_line(
            said.text(
                "book.head", organisation=book.organisation, desk=book.desk, digest=book.digest
            )
        )
        off = ("off",) if any(rule.off for rule in book.rules) else ()
        columns = ("line", "rule", "to", "release", "urgent", *off, "when", "because")
        rows = [row | _in_words(row["rule"], book, said) for row in _rule_rows(book, said)]
        form.show_rows(*with_headings(rows, columns, said.texts, said.language))
        print_line()


def _in_words(rule_id: object, book: RuleBook, said: RoutingSentences) -> _Row:
    """The cells of a rule that JSON has as codes."""
    (rule,) = (rule for rule in book.rules if rule.id == rule_id)
    return {
        "to": said.target(rule.to),
        "release": said.release(rule.release),
        "urgent": said.text("book.urgent") if rule.urgent else "",
        "off": said.text("book.off") if rule.off else "",
    }


def _rule_rows(book: RuleBook, said: RoutingSentences) -> list[_Row]:
    return [
        {
            "line": book.line_of_rule(rule.id),
            "rule": rule.id,
            "to": str(rule.to),
            "release": rule.release.value,
            "urgent": "yes" if rule.urgent else "",
            "off": "off" if rule.off else "",
            "when": "; ".join(
                [said.condition(c) for c in rule.when]
                + [said.text("book.except", condition=said.condition(c)) for c in rule.except_]
            ),
            "because": rule.because,
        }
        for rule in book.rules
    ]


@route.command()
def diff(
    was: Annotated[Path, typer.Argument(exists=True, file_okay=False, metavar="A")],
    now: Annotated[Path, typer.Argument(exists=True, file_okay=False, metavar="B")],
    language: InLanguage = None,
    as_json: Json = False,
    markdown: Markdown = False,
) -> None:
    """Show which messages policy folder B routes differently from A; ends with 1 if there are any.

    Every combination of conditions is compared, no matter what mail has been received.
    `acknowledge` is a digest of the difference, the same in every language: the person who approves
    the change must give it.
    """
    form = OutputFormat(as_json=as_json, as_markdown=markdown)
    one, other = read_rule_books(was), read_rule_books(now)
    if one.keys() != other.keys():
        only = ", ".join(sorted(one.keys() ^ other.keys()))
        raise Invalid("route.organisations", f"one folder only has routing rules of {only}")
    found = [diff_rule_books(one[name], book) for name, book in other.items()]
    text = "".join(render_diff(each) for each in found)
    if form.as_json:
        print_json(
            {
                "acknowledge": acknowledgement_digest(text),
                "books": [_diff_json(each) for each in found],
            }
        )
    else:
        said, quote = RoutingSentences(language=for_staff(language)), ""
        if form.as_markdown:
            quote = "`"
            for each in found:
                print_line(_in_markdown(each, said))
        else:
            print_line("".join(render_diff(each, said) for each in found).rstrip("\n"))
        print_line(f"acknowledge: {quote}{acknowledgement_digest(text)}{quote}")
    if any(each.has_changes for each in found):
        raise typer.Exit(EXIT_FAILED)


def _moved_rows(found: RoutingDiff, said: RoutingSentences) -> list[_Row]:
    return [
        {
            "goes": reroute_text(moved, said),
            "when": piece_text(piece, found.old_book, found.new_book, said=said),
        }
        for moved in found.rerouted
        for piece in moved.pieces
    ]


def _diff_json(found: RoutingDiff) -> _Row:
    return {
        "organisation": found.new_book.organisation,
        "was": {"digest": found.old_book.digest, "desk": found.old_book.desk},
        "now": {"digest": found.new_book.digest, "desk": found.new_book.desk},
        "complete": found.complete,
        "moved": _moved_rows(found, FOR_DIGEST),
    }


def _in_markdown(found: RoutingDiff, said: RoutingSentences) -> str:
    lines = render_diff(found, said).splitlines()
    head = [line for line in lines if "→" not in line and not line.startswith("    ")]
    listed = "\n".join([f"### {head[0]}", "", *(f"- {line.strip()}" for line in head[1:]), ""])
    if not found.rerouted:
        return listed
    rows = with_headings(_moved_rows(found, said), ("goes", "when"), said.texts, said.language)
    return "\n".join([listed, *markdown_table(*rows), ""])
