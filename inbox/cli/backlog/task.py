"""`inbox task`: what is asked of people, and the tasks that people close themselves."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Final

import typer
from sqlalchemy import ColumnElement
from sqlmodel import Session, col, or_, select

from inbox.access.files.active import ActivePolicies
from inbox.access.files.folder import load_draft
from inbox.access.policy.vocabulary import Action, Role
from inbox.access.review.new_actions import rows_to_propose
from inbox.cli.backlog.list_output import (
    DEFAULT_LIMIT,
    Limit,
    OlderThan,
    SentAs,
    age,
    listing,
    older_than,
    sent_rows,
    store_for,
    word_of,
)
from inbox.cli.backlog.row_words import RowWords
from inbox.cli.backlog.settling_commands import SETTLING_COMMANDS
from inbox.cli.common.context import line_of
from inbox.cli.common.formats import Json
from inbox.cli.common.language import InLanguage, for_operators, for_staff
from inbox.cli.common.output import print_json, print_line, printable
from inbox.cli.common.shown_rows import COLUMNS_OF, columns_of, printable_value
from inbox.cli.common.sign_in import (
    As,
    By,
    CodeFromStdin,
    perform_as,
    read_code,
    read_code_and_reason,
    sign_in_as,
)
from inbox.domain import TaskState
from inbox.errors import Invalid, NotFound
from inbox.line.backlog.own_tasks import OwnTask, own_tasks, show_word
from inbox.line.backlog.sender_ids import SentRows
from inbox.line.moves import archive_staff
from inbox.line.moves.registration import active_delivery
from inbox.line.task_kinds import TaskKind
from inbox.migrations import shipped_folder
from inbox.tables import Task

task: Final = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="What is asked of people. The list shows ids, kinds, codes and ages; with --by it is that"
    " person's own, with units. Most tasks close by themselves when what they are about moves on;"
    " `show` says which commands settle one.",
)

TaskArgument = Annotated[str, typer.Argument(metavar="TASK", help="The id of a task.")]
_COLUMNS: Final = ("id", "kind", "role", "code", "subject_id", "message_id", "age")
_OWN_COLUMNS: Final = ("id", "kind", "code", "unit", "subject_id", "message_id", "age")
_RANDOM_ID: Final = re.compile(r"[0-9a-f]{32}")
"""An id of ours, which says nothing; the subject of an alarm may name a person or a unit."""


@task.command("list")
def list_tasks(  # noqa: PLR0913, PLR0917 - the options of a command
    ctx: typer.Context,
    kind: Annotated[str | None, typer.Option(help="Only tasks of this kind.")] = None,
    role: Annotated[str | None, typer.Option(help="Only tasks of this role.")] = None,
    state: Annotated[str, typer.Option(help="OPEN or DONE.")] = TaskState.OPEN.value,
    sent_as: SentAs = None,
    hours: OlderThan = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="ID", help="Only tasks that this person has.")
    ] = None,
    as_: As = None,
    unit: Annotated[str | None, typer.Option(help="With --by: only tasks of this unit.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """List open tasks, oldest first: all of them, for operators, or those of one person.

    With --by it is what the person may know of, in one capacity and with the own personal code.
    """
    if by is None and (unit is not None or as_ is not None or code_from_stdin):
        raise Invalid("task.by", "say whose tasks they are with --by")
    sought = _Sought(
        kind=word_of(TaskKind, kind, "task.kind"),
        role=word_of(Role, role, "task.role"),
        state=word_of(TaskState, state, "task.state"),
        unit=unit,
        hours=hours,
    )
    if by is not None:
        line = line_of(ctx)
        code = read_code(by, language, from_stdin=code_from_stdin)
        capacity = sign_in_as(line, by, code, as_)
        with line.store.reading() as tx:
            sent = sent_rows(ctx, line.store, tx, sent_as)
        found = own_tasks(line, capacity, sought.where(tx.now, sent), at_most=limit + 1)
        rows = [_own_row(row, tx.now) for row in found]
        listing("tasks", _OWN_COLUMNS, rows, limit).show(for_staff(language), as_json=as_json)
        return
    store = store_for(ctx)
    with store.reading() as tx:
        where = sought.where(tx.now, sent_rows(ctx, store, tx, sent_as))
        query = select(Task).where(*where).order_by(col(Task.opened_at), col(Task.id))
        rows = [_operator_row(row, tx.now) for row in tx.exec(query.limit(limit + 1))]
    listing("tasks", _COLUMNS, rows, limit).show(for_operators(language), as_json=as_json)


@dataclass(frozen=True, kw_only=True)
class _Sought:
    """What a list of tasks is narrowed by."""

    kind: TaskKind | None
    role: Role | None
    state: TaskState | None
    unit: str | None
    hours: int | None

    def where(self, now: datetime, sent: SentRows | None) -> list[ColumnElement[bool]]:
        """The filters in SQL."""
        wanted = {"kind": self.kind, "role": self.role, "unit": self.unit}
        filters: list[ColumnElement[bool]] = [
            col(getattr(Task, name)) == value for name, value in wanted.items() if value is not None
        ]
        filters.append(col(Task.state) == self.state)
        filters += older_than(col(Task.opened_at), now, self.hours)
        if sent is not None:
            of_message = col(Task.message_id).in_(sent.messages)
            filters.append(or_(of_message, col(Task.subject_id).in_(sent.arrivals)))
        return filters


def _operator_row(row: Task, now: datetime) -> dict[str, object]:
    columns = columns_of(row, (*COLUMNS_OF[Task], "message_id"))
    return columns | {"subject_id": _random_id(row.subject_id), "age": age(now, row.opened_at)}


def _own_row(row: OwnTask, now: datetime) -> dict[str, object]:
    columns = {name: printable_value(value) for name, value in asdict(row).items()}
    return columns | {"age": age(now, row.opened_at)}


def _random_id(text: str) -> str | None:
    return text if _RANDOM_ID.fullmatch(text) else None


@task.command()
def show(
    ctx: typer.Context, task_id: TaskArgument, language: InLanguage = None, as_json: Json = False
) -> None:
    """Show a task, who settles it, and by which commands."""
    with store_for(ctx).reading() as tx:
        found = tx.get(Task, task_id)
        if found is None:
            raise NotFound("task.unknown", "there is no task with this id")
        row = _operator_row(found, tx.now)
        commands = _commands_of(tx, found)
        rows = _rows_of(tx, found)
    if as_json:
        print_json(row | {"settled_by": commands} | ({"rows": rows} if rows else {}))
        return
    said = RowWords(language=for_operators(language))
    said.print_parts({"task": [row]})
    for each in rows:
        print_line(f"  {said.text('list.row_to_propose')} {each}")
    for command in commands:
        print_line(f"  {said.text('list.settled_by'):<14} {command}")


def _rows_of(session: Session, row: Task) -> list[str]:
    """The rows to propose for an action that the active policy is too old to know."""
    if row.kind != TaskKind.NEW_ACTION or row.state is TaskState.DONE:
        return []
    policy = ActivePolicies().current(session)
    proposed = rows_to_propose(policy, load_draft(shipped_folder("policies")).policy)
    return [*proposed.get(Action(row.subject_id), ())]


def _commands_of(session: Session, row: Task) -> list[str]:
    """The commands that settle it, with the ids that are known."""
    if row.state is TaskState.DONE:
        return []
    delivery = None if row.message_id is None else active_delivery(session, row.message_id)
    ids = {
        "TASK": row.id,
        "MESSAGE": row.message_id,
        "SUBJECT": row.subject_id,
        "DELIVERY": None if delivery is None else delivery.id,
    }
    return [
        " ".join(ids.get(word) or word for word in command.split())
        for command in SETTLING_COMMANDS[TaskKind(row.kind)]
    ]


@task.command()
def word(  # noqa: PLR0913, PLR0917 - the options of the command
    ctx: typer.Context,
    task_id: TaskArgument,
    by: By,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
    as_json: Json = False,
) -> None:
    """Show the word of a case system that came too late, or that contradicts an earlier one.

    It is shown to a person who may see the titles of the message; the audit says so.
    """
    code = read_code(by, language, from_stdin=code_from_stdin)
    found = perform_as(ctx, by, code, as_, lambda line, who: show_word(line, who, task_id))
    fields = asdict(found)
    if as_json:
        print_json(fields)
        return
    for text in RowWords.for_staff(language).lines("word", fields, width=10):
        print_line(printable(text))


@task.command()
def close(
    ctx: typer.Context,
    task_id: TaskArgument,
    by: By,
    as_: As = None,
    code_from_stdin: CodeFromStdin = False,
    language: InLanguage = None,
) -> None:
    """Close a task that closes with nothing else: a notice, an alarm, a row that is stuck.

    The reason is typed, or is the second line of standard input.
    """
    code, reason = read_code_and_reason(by, language, from_stdin=code_from_stdin)
    perform_as(
        ctx,
        by,
        code,
        as_,
        lambda line, who: archive_staff.close_by_hand(line, who, task_id, reason=reason),
    )
    print_line(RowWords.for_staff(language).text("done.closed"))
