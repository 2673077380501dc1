"""`inbox route explain` and `simulate`: the rules on a case, on typed metadata, on real mail."""

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from inbox import audit
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, RequestFacts
from inbox.cli.common.context import line_of, policy_folder_of
from inbox.cli.common.formats import Json, Markdown, OutputFormat
from inbox.cli.common.language import InLanguage, for_staff
from inbox.cli.common.output import EXIT_FAILED, print_json, print_line
from inbox.cli.common.policy_folder import Policies, read_rule_books, run_case_files
from inbox.cli.common.sign_in import As, CodeFromStdin, choose_capacity, read_code
from inbox.cli.route.counts_view import show_counts
from inbox.days import day_of, typed_day
from inbox.domain import OrgNumber
from inbox.errors import Conflict, Invalid, NotFound
from inbox.line import Line
from inbox.line.authorize import active_policy, authorize, message_subject
from inbox.line.counterparty import routing_metadata
from inbox.line.moves.registration import data_key
from inbox.line.routing_simulation import SimulationRequest
from inbox.line.routing_simulation import simulate as count
from inbox.routing.route import ConditionAnswer, RoutingExplanation, RuleAnswer, explain_route
from inbox.routing.rule_book import RuleBook
from inbox.routing.rule_cases import METADATA_READERS, read_metadata
from inbox.routing.sentences import BOKMAAL, RoutingSentences
from inbox.store import Transaction
from inbox.strict.refusal import ReadPosition
from inbox.tables import Message

By = Annotated[
    str, typer.Option("--by", metavar="ID", help="Your own id; your personal code is required.")
]
_Text = Annotated[str | None, typer.Option(metavar="TEXT")]
_TYPED: Final = ("sender", *METADATA_READERS)
_DAYS: Final = 30


def explain(  # noqa: PLR0913, PLR0917 - the three ways to ask, and all that rules look at
    ctx: typer.Context,
    case: Annotated[
        str | None, typer.Option(metavar="NAME", help="The name of a test case.")
    ] = None,
    message: Annotated[
        str | None, typer.Option(metavar="ID", help="A received message; requires --by.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="ID", help="Your own id; required with --message.")
    ] = None,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    sender: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER", help="The sender's number; metadata given as options requires it."
        ),
    ] = None,
    receiver: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER", help="Whose rules to use; required if the folder has several."
        ),
    ] = None,
    sender_known: Annotated[bool, typer.Option("--sender-known/--sender-unknown")] = True,
    signer: _Text = None,
    on_behalf_of: _Text = None,
    channel: _Text = None,
    service: _Text = None,
    process: _Text = None,
    document_type: _Text = None,
    known_unit: Annotated[
        str | None,
        typer.Option(metavar="UNIT", help="The unit that has the case that the message answers."),
    ] = None,
    administrative_unit: _Text = None,
    screening_authority: _Text = None,
    access_restriction: _Text = None,
    public_title: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="The public title; with `-` it is read from standard input."
        ),
    ] = None,
    on: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="The day on which rules must be in force; the default is today.",
        ),
    ] = None,
    folder: Policies = None,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Explain why mail goes where it goes: the answer of every rule, and the conditions not met.

    Explains a test case (--case), a received message (--message with --by), or metadata given as
    options (--sender and others). Titles are never shown; metadata given as options is not stored.
    """
    del sender_known, signer, on_behalf_of, channel, service, process, document_type
    del known_unit, administrative_unit, screening_authority, access_restriction, public_title
    if [case, message, sender].count(None) != 2:  # noqa: PLR2004 - one of the three
        raise Invalid("route.explain", "name one of --case, --message and --sender")
    path, said = policy_folder_of(ctx, folder), RoutingSentences(language=for_staff(language))
    if case is not None:
        _explain_case(path, case, said, as_json=as_json)
    elif message is not None:
        if by is None:
            raise Invalid("route.explain", "--message takes --by: who asks")
        code = read_code(by, language, from_stdin=code_from_stdin)
        found = _explain_message(line_of(ctx), message, (by, code, as_), read_rule_books(path))
        _print_explanation(found, said, as_json=as_json)
    else:
        day = day_of(datetime.now(UTC)) if on is None else typed_day(on)
        _print_explanation(
            _explain_metadata(ctx.params, read_rule_books(path), receiver, day),
            said,
            as_json=as_json,
        )


def _explain_case(folder: Path, name: str, said: RoutingSentences, *, as_json: bool) -> None:
    results = [result for _, result in run_case_files(folder) if result.name == name]
    if not results:
        raise NotFound("route.no_case", "there is no case of this name in tests/routing*.toml")
    for result in results:
        _print_explanation(result.explanation, said, as_json=as_json)
        if not as_json:
            print_line()
            print_line(said.text("explanation.expected", expected=result.expected, got=result.got))
    if not all(result.passed for result in results):
        raise typer.Exit(EXIT_FAILED)


def _explain_message(
    line: Line,
    message_id: str,
    who: tuple[str, str, str | None],
    books: dict[OrgNumber, RuleBook],
) -> RoutingExplanation:
    """What the rules say of a message, for somebody who may distribute it; audited."""
    with line.store.transaction() as tx:
        capacity = choose_capacity(tx, *who)
        authorized = authorize(
            line, tx, capacity, Action.ROUTE, message_subject(message_id), RequestFacts()
        )
        row = tx.get_one(Message, message_id)
        if row.sealed_metadata is None:
            raise Conflict("route.not_opened", "it is not opened yet, or has been erased")
        key = data_key(tx, line, message_id)
        book = books.get(OrgNumber(row.organisation))
        if book is None:
            raise Invalid("route.no_book", f"the folder has no rules of {row.organisation}")
        metadata = routing_metadata(line.keyring, tx, row, key, as_of=row.received_at)
        authorized.record(
            event="message:route_explained", subject=message_id, message_id=message_id
        )
        return explain_route(metadata, book, day_of(row.received_at))


def _explain_metadata(
    typed: dict[str, object], books: dict[OrgNumber, RuleBook], receiver: str | None, day: date
) -> RoutingExplanation:
    if receiver is None and len(books) != 1:
        raise Invalid("route.receiver", f"say --receiver, one of {', '.join(books)}")
    book = books.get(OrgNumber(receiver or next(iter(books))))
    if book is None:
        raise Invalid("route.receiver", f"the folder has rules of {', '.join(books)}")
    given = {name: typed[name] for name in _TYPED if typed[name] is not None}
    if given.get("public_title") == "-":
        given["public_title"] = sys.stdin.readline().strip()
    return explain_route(read_metadata(ReadPosition(file="typed"), given, book, day), book, day)


def _print_explanation(found: RoutingExplanation, said: RoutingSentences, *, as_json: bool) -> None:
    if not as_json:
        print_line(said.explanation(found))
        return
    chosen = found.route
    print_json(
        {
            "unit": None if chosen is None else chosen.unit,
            "rule": None if chosen is None else chosen.rule,
            "release": None if chosen is None else chosen.release.value,
            "nearest": list(found.nearest),
            "rules": [_rule_answer_json(answer) for answer in found.rules],
        }
    )


def _rule_answer_json(answer: RuleAnswer) -> dict[str, object]:
    return {
        "rule": answer.rule,
        "matched": answer.matched,
        "in_period": answer.in_period,
        "off": answer.off,
        "when": [_condition_json(each) for each in answer.when],
        "except": [_condition_json(each) for each in answer.except_],
    }


def _condition_json(answer: ConditionAnswer) -> dict[str, object]:
    return {"says": BOKMAAL.condition(answer.condition), "holds": answer.holds}


def simulate(  # noqa: PLR0913, PLR0917 - options
    ctx: typer.Context,
    by: By,
    days: Annotated[
        int, typer.Option(min=1, max=3650, help="Use the mail of this many days back.")
    ] = _DAYS,
    on: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Use the rules in force on this day; the default is the day of each message.",
        ),
    ] = None,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    folder: Policies = None,
    language: InLanguage = None,
    as_json: Json = False,
    markdown: Markdown = False,
) -> None:
    """Compare how the rules in a folder would have routed recent mail with how it was routed.

    Shows counts per rule and unit, for groups of ten or more and for messages that you may list.
    Nothing is shown about other messages, not even whether there are any. Ends with 0 in any case.
    """
    form = OutputFormat(as_json=as_json, as_markdown=markdown)
    books = read_rule_books(policy_folder_of(ctx, folder))
    line = line_of(ctx)
    code = read_code(by, language, from_stdin=code_from_stdin)
    with line.store.transaction() as tx:
        capacity = choose_capacity(tx, by, code, as_)
        book = books.get(capacity.organisation)
        if book is None:
            raise Invalid("route.no_book", f"the folder has no rules of {capacity.organisation}")
        policy = active_policy(line, tx)
        _audit_simulation(tx, capacity, policy, book)
    since, day = tx.now - timedelta(days=days), None if on is None else typed_day(on)
    question = SimulationRequest(capacity=capacity, book=book, since=since, on=day)
    with line.store.reading() as tx:
        counts = count(line.keyring, tx, policy, question)
    show_counts(counts, book, form, RoutingSentences(language=for_staff(language)))


def _audit_simulation(tx: Transaction, capacity: Capacity, policy: Policy, book: RuleBook) -> None:
    """Audited before anything is counted: who asks often, with rules of their own, is seen."""
    entry = audit.Entry(
        event="route:simulated",
        who=capacity.id,
        subject=book.digest,
        policy=policy.digest,
    )
    audit.record(tx, entry)
