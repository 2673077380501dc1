"""`inbox policy explain|who-can|what-can`: questions by those who may read about access."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final

import typer

from inbox.access.facts.capacities import active_capacities_of
from inbox.access.policy.names import MeaningLanguage
from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, OfMessage
from inbox.access.review.explain import DecisionExplanation, explain_decision, what_can
from inbox.access.review.requirements import COMPLETE_REQUEST
from inbox.access.review.who_can import (
    EmergencyCapacity,
    PermittedCapacity,
    who_can,
    who_can_by_emergency,
)
from inbox.cli.common.access_reader import Caller, open_access_reader
from inbox.cli.common.context import settings_of
from inbox.cli.common.formats import Json, Markdown, OutputFormat
from inbox.cli.common.output import EXIT_FAILED, print_json, print_line
from inbox.cli.common.sign_in import As, CodeFromStdin
from inbox.cli.policy.bases import basis_row
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
    language: Annotated[
        MeaningLanguage, typer.Option(help="The language of the legal basis.")
    ] = MeaningLanguage.EN,
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Explain what a person may do to a message, by capacity; ends with 1 if none permits it.

    Shows every relevant fact with its value, and every rule with the conditions that were not met.
    For people who may read about access, and people who have the message in their list.
    """
    form = OutputFormat(as_json=as_json, as_markdown=as_markdown)
    wanted, subject = _action(action), OfMessage(message_id=MessageId(message))
    given = COMPLETE_REQUEST if to is None else replace(COMPLETE_REQUEST, target=PersonId(to))
    who = Caller.with_typed_code(by, as_, from_stdin=code_from_stdin)
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
    if form.as_json:
        print_json([explanation_json(capacity, explanation) for capacity, explanation in explained])
    else:
        for capacity, explanation in explained:
            print_explanation(capacity, explanation, form, language)
    if not any(explanation.decision.allowed for _, explanation in explained):
        if not form.as_json and not explained:
            print_line(f"{person} has no capacity today")
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
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Show everybody who can perform an action on a message, by which rule, and what it requires.

    What a request must supply (a reason, a strong sign-in, another person's proposal, a person to
    give something to) is shown but not checked; with --to, what is required of that person is
    checked. Rows with something under `emergency` could do it only after taking emergency access,
    by the rule that stands there. For people who may read about access.
    """
    form = OutputFormat(as_json=as_json, as_markdown=as_markdown)
    wanted, at = _action(action), _noon_of(on)
    who = Caller.with_typed_code(by, as_, from_stdin=code_from_stdin)
    with _open_message_reader(ctx, who, "access:who_asked", message, READ_ACCESS) as it:
        target, message_id = _target_of(it, to), MessageId(message)
        found = who_can(
            it.tx, it.policy, at or it.tx.now, action=wanted, message_id=message_id, target=target
        )
        emergency = who_can_by_emergency(
            it.tx, it.policy, at or it.tx.now, action=wanted, message_id=message_id
        )
    rows = [_able_row(able) for able in found] + [_emergency_row(each) for each in emergency]
    form.show(rows, rows, _WHO_COLUMNS, *(() if rows else ("nobody",)))


def _target_of(reader: AccessReader, to: str | None) -> PersonId | None:
    if to is not None:
        _check_person(reader, to)
    return None if to is None else PersonId(to)


def _check_person(reader: AccessReader, person: str) -> None:
    """Raise `NotFound` if there is no such person: that nobody can do anything says nothing."""
    if reader.tx.get(Person, person) is None:
        raise NotFound


def _able_row(able: PermittedCapacity) -> dict[str, object]:
    return {
        "person": able.person,
        "unit": able.unit,
        "role": able.role.value,
        "rule": able.rules[0],
        "also": " ".join(able.rules[1:]) or None,
        "takes": able.requires or None,
        "emergency": None,
    }


def _emergency_row(could: EmergencyCapacity) -> dict[str, object]:
    """By which rule emergency access is taken, and what that takes."""
    taking = could.taking
    said = f"{taking.rules[0]}: {taking.requires}" if taking.requires else taking.rules[0]
    return _able_row(could.then) | {"emergency": said}


def show_what_can(  # noqa: PLR0913, PLR0917 - the options of a command
    ctx: typer.Context,
    person: Annotated[
        str, typer.Argument(metavar="PERSON", help="The person whose access is shown.")
    ],
    by: By,
    on: On = None,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Show what a person can do, by capacity, on how many messages, and what it requires.

    The answers agree with who-can for each message. The column `without message` shows what is
    required to perform the action on anything that is not a message. Only the first ids are shown,
    and only of messages in your own list. For people who may read about access.
    """
    form, at = OutputFormat(as_json=as_json, as_markdown=as_markdown), _noon_of(on)
    who = Caller.with_typed_code(by, as_, from_stdin=code_from_stdin)
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
    rows: list[dict[str, object]] = [
        {
            "role": reach.capacity.role.value,
            "unit": reach.capacity.unit,
            "action": reach.action.value,
            "messages": reach.messages,
            "takes": reach.requires or None,
            "shown": list(reach.shown_ids) if form.as_json else " ".join(reach.shown_ids) or None,
            "without message": reach.other_subjects_require,
        }
        for reach in found
    ]
    form.show(rows, rows, _WHAT_COLUMNS, *(() if rows else ("nothing",)))


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


def explanation_json(capacity: Capacity, explanation: DecisionExplanation) -> dict[str, object]:
    """The explanation as a JSON value, for a script."""
    decision = explanation.decision
    return {
        "role": capacity.role.value,
        "unit": capacity.unit,
        "action": decision.action,
        "allowed": decision.allowed,
        "rule": decision.rule,
        "duties": sorted(decision.duties),
        "digest": decision.digest,
        "decided_as": explanation.stands_for,
        "basis": [basis_row(basis) for basis in explanation.bases],
        "facts": dict(sorted(explanation.facts.items())),
        "rules": [
            {
                "rule": told.rule.id,
                "effect": told.rule.effect.value,
                "matched": told.matched,
                "lacks": list(told.missing),
                "when": told.rule.when,
                "basis": list(told.rule.bases),
            }
            for told in explanation.rules
        ],
    }


def print_explanation(
    capacity: Capacity,
    explanation: DecisionExplanation,
    form: OutputFormat,
    language: MeaningLanguage = MeaningLanguage.EN,
) -> None:
    """Print the explanation for people: the decision, every fact, every rule."""
    decision = explanation.decision
    answer = "may" if decision.allowed else "may not"
    duties = ", ".join(sorted(decision.duties)) or "none"
    print_line(f"As {capacity.role.value} in {capacity.unit}: {answer} {decision.action}")
    print_line(f"rule {decision.rule}, duties {duties}, policy {decision.digest}")
    if (old := explanation.stands_for) is not None:
        print_line(f"the policy is older than {decision.action}: the rows of {old} decide it")
    for basis in explanation.bases:
        print_line(f"basis {basis.id}: {basis.text_in(language)}")
    facts: list[dict[str, object]] = [
        {"fact": name, "holds": "yes" if held else "no"}
        for name, held in sorted(explanation.facts.items())
    ]
    rules: list[dict[str, object]] = [
        {
            "rule": told.rule.id,
            "effect": told.rule.effect.value,
            "matched": "yes" if told.matched else "no",
            "lacks": ", ".join(told.missing) or None,
            "when": told.rule.when,
            "basis": " ".join(told.rule.bases) or None,
        }
        for told in explanation.rules
    ]
    form.show_rows(facts, ("fact", "holds"))
    form.show_rows(rules, ("rule", "effect", "matched", "lacks", "when", "basis"))
