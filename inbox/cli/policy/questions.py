"""`inbox policy explain|who-can|what-can`: questions by those who may read about access."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Annotated, Final

import typer

from inbox.access.facts.capacities import capacities_of
from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, OfMessage
from inbox.access.review.explain import Explanation, explain, what_can
from inbox.access.review.requirements import EVERYTHING_GIVEN
from inbox.access.review.who_can import who_can
from inbox.cli.common.access_reader import ACCESS, Asking, Wanted, Who, asking
from inbox.cli.common.context import settings_of
from inbox.cli.common.formats import Form, Json, Markdown
from inbox.cli.common.output import WRONG, say, say_json
from inbox.cli.common.sign_in import As, CodeFromStdin
from inbox.domain import MessageId, PersonId
from inbox.errors import Invalid, NotFound
from inbox.tables import Message

_NOON: Final = time(12, tzinfo=UTC)
_ABLE: Final = ("person", "unit", "role", "rule", "also", "takes")
_CAN: Final = ("role", "unit", "action", "messages", "takes", "shown", "without message")

By = Annotated[str, typer.Option("--by", metavar="ID", help="Who asks; types the personal code.")]
On = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="As of noon (UTC) that day: periods, not states."),
]
To = Annotated[
    str | None, typer.Option("--to", metavar="ID", help="The person that something is given to.")
]


def register(policy: typer.Typer) -> None:
    """Add the three commands to `inbox policy`."""
    policy.command("explain")(explain_one)
    policy.command("who-can")(show_who_can)
    policy.command("what-can")(show_what_can)


def explain_one(  # noqa: PLR0913, PLR0917 - the options of a command
    ctx: typer.Context,
    person: Annotated[str, typer.Option(metavar="ID", help="Whose access.")],
    message: Annotated[str, typer.Option(metavar="ID", help="To which message.")],
    action: Annotated[str, typer.Option(help="What they would do.")],
    by: By,
    to: To = None,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Explain what a person may do to a message, capacity by capacity; 1 if none of them may.

    Every fact that counts with its value, every rule with what it lacked. For those who may read
    about access, and those who have the message in their list.
    """
    form = Form(as_json=as_json, as_markdown=as_markdown)
    wanted, subject = _action(action), OfMessage(message_id=MessageId(message))
    given = EVERYTHING_GIVEN if to is None else replace(EVERYTHING_GIVEN, target=PersonId(to))
    who = Who.typing(by, as_, from_stdin=code_from_stdin)
    listed = (Action.LIST, subject)
    with _of_message(ctx, who, "access:explained", message, ACCESS, listed) as it:
        explained = [
            (
                capacity,
                explain(
                    it.session,
                    it.policy,
                    it.now,
                    capacity=capacity,
                    action=wanted,
                    subject=subject,
                    given=given,
                ),
            )
            for capacity in capacities_of(it.session, it.now, PersonId(person))
        ]
    if form.as_json:
        say_json([plain(capacity, explanation) for capacity, explanation in explained])
    else:
        for capacity, explanation in explained:
            show_explanation(capacity, explanation, form)
    if not any(explanation.decision.allowed for _, explanation in explained):
        if not form.as_json and not explained:
            say(f"{person} has no capacity today")
        raise typer.Exit(WRONG)


def show_who_can(  # noqa: PLR0913, PLR0917 - the options of a command
    ctx: typer.Context,
    action: Annotated[str, typer.Argument(help="What they would do.")],
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="To which message.")],
    by: By,
    on: On = None,
    to: To = None,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Show everybody who can do this to a message, by which rule, and what it takes beside that.

    What a request brings (a reason, a strong sign-in, another's proposal, somebody to give to) is
    told, not asked; with --to it is asked of that person. For those who may read about access.
    """
    form = Form(as_json=as_json, as_markdown=as_markdown)
    wanted, at = _action(action), _moment(on)
    who = Who.typing(by, as_, from_stdin=code_from_stdin)
    with _of_message(ctx, who, "access:who_asked", message, ACCESS) as it:
        found = who_can(
            it.session,
            it.policy,
            at or it.now,
            action=wanted,
            message_id=MessageId(message),
            target=None if to is None else PersonId(to),
        )
    rows: list[dict[str, object]] = [
        {
            "person": able.person,
            "unit": able.unit,
            "role": able.role.value,
            "rule": able.rules[0],
            "also": " ".join(able.rules[1:]) or None,
            "takes": able.takes or None,
        }
        for able in found
    ]
    form.show(rows, rows, _ABLE, *(() if rows else ("nobody",)))


def show_what_can(  # noqa: PLR0913, PLR0917 - the options of a command
    ctx: typer.Context,
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Whose access.")],
    by: By,
    on: On = None,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    as_json: Json = False,
    as_markdown: Markdown = False,
) -> None:
    """Show what a person can do, capacity by capacity, on how many messages, and what it takes.

    As who-can says it of each message; without message: what must be so to do it to anything else.
    Ids only of messages in the asker's own list, the first of them. For those who may read about
    access.
    """
    form, at = Form(as_json=as_json, as_markdown=as_markdown), _moment(on)
    who = Who.typing(by, as_, from_stdin=code_from_stdin)
    with asking(settings_of(ctx), who) as it:
        it.check_allowed("access:what_asked", ACCESS, about=person)
        found = tuple(
            what_can(
                it.session,
                it.policy,
                it.now,
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
            "takes": reach.takes or None,
            "shown": list(reach.shown) if form.as_json else " ".join(reach.shown) or None,
            "without message": reach.without_message,
        }
        for reach in found
    ]
    form.show(rows, rows, _CAN, *(() if rows else ("nothing",)))


@contextmanager
def _of_message(
    ctx: typer.Context,
    who: Who,
    event: str,
    message_id: str,
    *wanted: Wanted,
) -> Iterator[Asking]:
    """Somebody asks about a message and may. Raises `NotFound` otherwise, and where it is none."""
    with asking(settings_of(ctx), who) as it:
        it.check_allowed(event, *wanted, about=message_id)
        if it.session.get(Message, message_id) is None:
            raise NotFound
        yield it


def _action(text: str) -> Action:
    try:
        return Action(text)
    except ValueError:
        raise Invalid("policy.action", f"the actions are {', '.join(Action)}") from None


def _moment(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.combine(date.fromisoformat(text), _NOON)
    except ValueError:
        raise Invalid("policy.date", "a date is written 2026-11-24") from None


def plain(capacity: Capacity, explanation: Explanation) -> dict[str, object]:
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
        "facts": dict(sorted(explanation.facts.items())),
        "rules": [
            {
                "rule": told.rule.id,
                "effect": told.rule.effect.value,
                "matched": told.matched,
                "lacks": list(told.lacks),
                "when": told.rule.when,
            }
            for told in explanation.rules
        ],
    }


def show_explanation(capacity: Capacity, explanation: Explanation, form: Form) -> None:
    """Print the explanation for people: the decision, every fact, every rule."""
    decision = explanation.decision
    answer = "may" if decision.allowed else "may not"
    duties = ", ".join(sorted(decision.duties)) or "none"
    say(f"As {capacity.role.value} in {capacity.unit}: {answer} {decision.action}")
    say(f"rule {decision.rule}, duties {duties}, policy {decision.digest}")
    facts: list[dict[str, object]] = [
        {"fact": name, "holds": "yes" if held else "no"}
        for name, held in sorted(explanation.facts.items())
    ]
    rules: list[dict[str, object]] = [
        {
            "rule": told.rule.id,
            "effect": told.rule.effect.value,
            "matched": "yes" if told.matched else "no",
            "lacks": ", ".join(told.lacks) or None,
            "when": told.rule.when,
        }
        for told in explanation.rules
    ]
    form.show_rows(facts, ("fact", "holds"))
    form.show_rows(rules, ("rule", "effect", "matched", "lacks", "when"))
