"""Imports a command only when it is used, so that `inbox --help` is quick."""

from dataclasses import dataclass
from importlib import import_module
from inspect import cleandoc
from typing import Any, Final

import typer
from typer._click import Command, Context
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

_LINE: Final = "Run"
_BEGIN: Final = "Get started"
_LOOK: Final = "Inspect"
_WAIT: Final = "Settle what waits"
_RULES: Final = "Access and rules"


@dataclass(frozen=True, kw_only=True)
class _LazyCommand:
    """A command of the program: the module of `inbox.cli` that has it under the command's name."""

    module: str
    help: str
    panel: str


COMMANDS: Final = {
    "demo": _LazyCommand(
        module="demo.command",
        panel=_BEGIN,
        help="Run the whole program on this machine, with made-up mail.",
    ),
    "sandbox": _LazyCommand(
        module="sandbox.command",
        panel=_BEGIN,
        help="Try a case system against this service, with made-up mail.",
    ),
    "new": _LazyCommand(
        module="new",
        panel=_BEGIN,
        help="Write settings, policies and folders for a new installation.",
    ),
    "keys": _LazyCommand(
        module="keys",
        panel=_BEGIN,
        help="Create and list the keys that everything is encrypted with.",
    ),
    "database": _LazyCommand(
        module="database",
        panel=_BEGIN,
        help="Create or upgrade the database for this version of the program.",
    ),
    "init": _LazyCommand(
        module="init",
        panel=_BEGIN,
        help="Enrol the first two people and activate the policies; runs only once.",
    ),
    "directory": _LazyCommand(
        module="directory.command",
        panel=_BEGIN,
        help="Units, people, case systems and personal codes.",
    ),
    "serve": _LazyCommand(
        module="serve",
        panel=_LINE,
        help="Serve the API and the operators' listener, and run the worker.",
    ),
    "work": _LazyCommand(
        module="serve", panel=_LINE, help="Run the worker without serving anything."
    ),
    "doctor": _LazyCommand(
        module="doctor.command",
        panel=_LOOK,
        help="Check everything that could prevent mail from arriving.",
    ),
    "watch": _LazyCommand(
        module="watch",
        panel=_LOOK,
        help="Show what is wrong, and when it begins and ends.",
    ),
    "message": _LazyCommand(
        module="message.command",
        panel=_LOOK,
        help="Where messages are, and where they go: list, show and move them.",
    ),
    "task": _LazyCommand(
        module="backlog.task",
        panel=_WAIT,
        help="What is asked of people: list tasks, see what settles them, close them.",
    ),
    "arrival": _LazyCommand(
        module="backlog.arrival",
        panel=_WAIT,
        help="Mail that is announced or was missed: list it, fetch it again, give it up.",
    ),
    "delivery": _LazyCommand(
        module="backlog.delivery",
        panel=_WAIT,
        help="What was offered to case systems: list it, send an event again.",
    ),
    "receipt": _LazyCommand(
        module="backlog.receipt",
        panel=_WAIT,
        help="Answers to senders: list them, send again what failed, or accept it.",
    ),
    "proposal": _LazyCommand(
        module="backlog.proposal",
        panel=_WAIT,
        help="Decisions that wait for a second person: list, show and approve them.",
    ),
    "package": _LazyCommand(
        module="package.command",
        panel=_LOOK,
        help="Inspect a document package, or make one.",
    ),
    "audit": _LazyCommand(module="audit", panel=_LOOK, help="Verify and export the audit."),
    "restore": _LazyCommand(
        module="restore",
        panel=_LOOK,
        help="After the database was lost: see what is missing from an older one, and accept it.",
    ),
    "config": _LazyCommand(module="config", panel=_LOOK, help="Show and check the settings."),
    "access": _LazyCommand(
        module="access",
        panel=_RULES,
        help="Temporary access: grant it, take it in an emergency, end it and review it.",
    ),
    "policy": _LazyCommand(
        module="policy.command",
        panel=_RULES,
        help="Who may do what: show, prove, compare and activate the rules.",
    ),
    "route": _LazyCommand(
        module="route.command",
        panel=_RULES,
        help="Where mail goes: show, compare and simulate the rules; two people change them.",
    ),
}


class _Stub(TyperCommand):
    """Stands for a command in the help, and imports it when it is to run."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: Context | None = None,
        **extra: Any,  # as the method that it replaces
    ) -> Context:
        """The context of the real command, which carries the real command."""
        assert self.name is not None
        return _real(self.name).make_context(info_name, args, parent=parent, **extra)


class LazyGroup(TyperGroup):
    """A command group that lists its commands without importing them."""

    def list_commands(self, ctx: Context) -> list[str]:
        """All names, in the order of the help."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """A stub of the command; None if there is none of that name."""
        del ctx
        late = COMMANDS.get(cmd_name)
        if late is None:
            return None
        return _Stub(cmd_name, callback=None, help=late.help, rich_help_panel=late.panel)


def _real(name: str) -> Command:
    """The command itself: a Typer app of its own, or one function."""
    found = getattr(import_module(f"inbox.cli.{COMMANDS[name].module}"), name)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False)
        alone.command(name)(found)
        found = alone
    return _with_whole_paragraphs(get_command(found))


def _with_whole_paragraphs(command: Command) -> Command:
    """The command, the line ends inside the paragraphs of its help taken out.

    typer keeps those of every paragraph but the first, and breaks the lines once more where the
    terminal ends.
    """
    paragraphs = cleandoc(command.help or "").split("\n\n")
    command.help = "\n\n".join(" ".join(each.split("\n")) for each in paragraphs)
    for inner in getattr(command, "commands", {}).values():
        _with_whole_paragraphs(inner)
    return command
