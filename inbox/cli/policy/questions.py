"""`inbox policy explain|who-can|what-can`: questions by those who may read about access."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final

import typer

from inbox.access.facts.capacities import active_capacities_of
from inbox.access.policy.vocabulary import Action
from inbox.access.question import OfMessage
from inbox.access.review.explain import (
    explain_decision,
    what_can,
)
from inbox.access.review.requirements import COMPLETE_REQUEST
from inbox.access.review.who_can import (
    who_can,
    who_can_by_emergency,
)
from inbox.cli.common.access_reader import Caller, open_access_reader
from inbox.cli.common.context import settings_of
from inbox.cli.common.formats import Json, Markdown, OutputFormat
from inbox.cli.common.language import InLanguage, with_headings
from inbox.cli.common.output import EXIT_FAILED, print_json, print_line
from inbox.cli.common.sign_in import As, CodeFromStdin
from inbox.cli.policy.answers import (
    able_in_words,
    able_row,
    bases_of,
    emergency_in_words,
    emergency_row,
    explanation_json,
    print_bullet,
    print_explanation,
    reach_in_words,
    sentences_for,
)
from inbox.days import at_hour, read_day
from inbox.domain import MessageId, PersonId
from inbox.errors import Invalid, NotFound
from inbox.line.access.access_reader import READ_ACCESS, AccessReader, ActionOnSubject
from inbox.tables import Message, Person

_NOON: Final = 12
_WHO_COLUMNS: Final = ("person", "unit", "role", "rule", "also", "takes", "emergency")
_WHAT_COLUMNS: Final = ("role", "unit", "action", "messages", "takes", "shown", "without message")

By = Annotated[
    str, typer.Option("--by", metavar="ID", help="Your own id; your personal code is required.")
]
On = Annotated[
    str | None,
    typer.Option(
        metavar="DATE",
        help="Use the periods as of noon on this day, but the states of messages as of now.",
    ),
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="ID", help="The person to whom the action would give something."),
]


def register(policy: typer.Typer) -> None:
    """Add the three commands to `inbox policy`."""
    policy.command("explain")(explain_one)
    policy.command("who-can")(show_who_can)
    policy.command("what-can")(show_what_can)


def explain_one(  # noqa: PLR0913, PLR0917 - the options of a command
    ctx: typer.Context,
    person: Annotated[
        str, typer.Option(metavar="ID", help="The person whose access is explained.")
    ],
    message: Annotated[str, typer.Option(metavar="ID", help="The message.")],
    action: Annotated[str, typer.Option(help="The action that the person would perform.")],
    by: By,
    to: To = None,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Explain what a person may do to a message, by capacity; ends with 1 if none permits it.

    Shows every relevant fact with its value, and every rule as a sentence with its legal basis, and
    the conditions that were not met.
    For people who may read about access, and people who have the message in their list.
    """
    form = OutputFormat(as_json=as_json, as_markdown=as_markdown)
    wanted, subject = _action(action), OfMessage(message_id=MessageId(message))
    given = COMPLETE_REQUEST if to is None else replace(COMPLETE_REQUEST, target=PersonId(to))
    who = Caller.with_typed_code(by, as_, language, from_stdin=code_from_stdin)
    listed = (Action.LIST, subject)
    with _open_message_reader(ctx, who, "access:explained", message, READ_ACCESS, listed) as it:
        _check_person(it, person)
        explained = [
            (
                capacity,
                explain_decision(
                    it.tx,
                    it.policy,
                    it.tx.now,
                    capacity=capacity,
                    action=wanted,
                    subject=subject,
                    request=given,
                ),
            )
            for capacity in active_capacities_of(it.tx, it.tx.now, PersonId(person))
        ]
        bases = it.policy.bases
    said = sentences_for(language)
    if form.as_json:
        print_json([explanation_json(capacity, explanation) for capacity, explanation in explained])
    else:
        for capacity, explanation in explained:
            print_explanation(capacity, explanation, bases, said, form)
    if not any(explanation.decision.allowed for _, explanation in explained):
        if not form.as_json and not explained:
            print_line(said.text("explanation.no_capacity", person=person))
        raise typer.Exit(EXIT_FAILED)


def show_who_can(  # noqa: PLR0913, PLR0917 - the options of a command
    ctx: typer.Context,
    action: Annotated[str, typer.Argument(help="The action that people would perform.")],
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="The message.")],
    by: By,
    on: On = None,
    to: To = None,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Show everybody who can perform an action on a message, by which rule, and what it requires.

    What a request must supply (a reason, a strong sign-in, another person's proposal, a person to
    give something to) is shown but not checked; with --to, what is required of that person is
    checked. Rows with something in the last column could do it only after taking emergency access,
    by the rule that stands there. Below stands each rule that is named, with its legal basis. For
    people who may read about access.
    """
    form = OutputFormat(as_json=as_json, as_markdown=as_markdown)
    wanted, at = _action(action), _noon_of(on)
    who = Caller.with_typed_code(by, as_, language, from_stdin=code_from_stdin)
    with _open_message_reader(ctx, who, "access:who_asked", message, READ_ACCESS) as it:
        target, message_id = _target_of(it, to), MessageId(message)
        found = who_can(
            it.tx, it.policy, at or it.tx.now, action=wanted, message_id=message_id, target=target
        )
        emergency = who_can_by_emergency(
            it.tx, it.policy, at or it.tx.now, action=wanted, message_id=message_id
        )
        policy = it.policy
    rows = [able_row(able) for able in found] + [emergency_row(each) for each in emergency]
    if form.as_json:
        print_json(rows)
        return
    said = sentences_for(language)
    worded = [able_in_words(able, said) for able in found]
    worded += [emergency_in_words(each, said) for each in emergency]
    headed = with_headings(worded, _WHO_COLUMNS, said.texts, said.language)
    form.show(None, *headed, *(() if rows else (said.text("word.nobody"),)))
    taking = (rule for each in emergency for rule in (*each.taking.rules, *each.then.rules))
    named = {*taking, *(rule for able in found for rule in able.rules)}
    if named:
        print_line()
        print_line(said.text("question.rules"))
    for rule in policy.rules:
        if rule.id in named:
            print_bullet(said.rule(rule, policy.bases), form)


def _target_of(reader: AccessReader, to: str | None) -> PersonId | None:
    if to is not None:
        _check_person(reader, to)
    return None if to is None else PersonId(to)


def _check_person(reader: AccessReader, person: str) -> None:
    """Raise `NotFound` if there is no such person: that nobody can do anything says nothing."""
    if reader.tx.get(Person, person) is None:
        raise NotFound


def show_what_can(  # noqa: PLR0913, PLR0917 - the options of a command
    ctx: typer.Context,
    person: Annotated[
        str, typer.Argument(metavar="PERSON", help="The person whose access is shown.")
    ],
    by: By,
    on: On = None,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Show what a person can do, by capacity, on how many messages, and what it requires.

    The answers agree with who-can for each message. The column `without message` shows what is
    required to perform the action on anything that is not a message. Only the first ids are shown,
    and only of messages in your own list. Below stand the legal bases of the rules that may allow
    it. For people who may read about access.
    """
    form, at = OutputFormat(as_json=as_json, as_markdown=as_markdown), _noon_of(on)
    who = Caller.with_typed_code(by, as_, language, from_stdin=code_from_stdin)
    with open_access_reader(settings_of(ctx), who) as it:
        it.check_allowed("access:what_asked", READ_ACCESS, about=person)
        _check_person(it, person)
        found = tuple(
            what_can(
                it.tx,
                it.policy,
                it.tx.now,
                person=PersonId(person),
                asker=it.capacity,
                on=at,
            )
        )
        policy = it.policy
    rows: list[dict[str, object]] = [
        {
            "role": reach.capacity.role.value,
            "unit": reach.capacity.unit,
            "action": reach.action.value,
            "messages": reach.messages,
            "takes": reach.requires or None,
            "shown": list(reach.shown_ids),
            "without message": reach.other_subjects_require,
        }
        for reach in found
    ]
    if form.as_json:
        print_json(rows)
        return
    said = sentences_for(language)
    worded = [reach_in_words(reach, policy, said) for reach in found]
    headed = with_headings(worded, (*_WHAT_COLUMNS, "basis"), said.texts, said.language)
    form.show(None, *headed, *(() if rows else (said.text("word.nothing"),)))
    named = {each for reach in found for each in bases_of(reach, policy)}
    if named:
        print_line()
        print_line(said.text("question.bases"))
    for basis in policy.bases.values():
        if basis.id in named:
            print_line(f"- {said.basis(basis)}")


@contextmanager
def _open_message_reader(
    ctx: typer.Context,
    who: Caller,
    event: str,
    message_id: str,
    *wanted: ActionOnSubject,
) -> Iterator[AccessReader]:
    """Somebody asks about a message and may. Raises `NotFound` otherwise, and without one."""
    with open_access_reader(settings_of(ctx), who) as it:
        it.check_allowed(event, *wanted, about=message_id)
        if it.tx.get(Message, message_id) is None:
            raise NotFound
        yield it


def _action(text: str) -> Action:
    try:
        return Action(text)
    except ValueError:
        raise Invalid("policy.action", f"the actions are {', '.join(Action)}") from None


def _noon_of(text: str | None) -> datetime | None:
    try:
        return None if text is None else at_hour(read_day(text), _NOON)
    except (ValueError, OverflowError):
        raise Invalid("policy.date", "a date is written 2026-11-24") from None
