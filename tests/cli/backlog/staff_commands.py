"""The commands that archive staff, handlers, leaders and reviewers meet, among all there are."""

from collections.abc import Iterator

from typer._click import Command, Context
from typer.main import get_command

from inbox.cli import app
from inbox.cli.common.lazy import COMMANDS

MOVES = {
    *("list", "show", "missed", "erasures", "held", "hold", "end-hold", "note", "notes", "place"),
    "undo",
    *("release", "withdraw", "hand-back", "duplicate", "recheck", "take", "assign", "register"),
    *("propose-release", "approve-release", "propose-refusal", "propose-withdrawal"),
    "propose-dismissal",
    "declare-conflict",
}
CHANGES = {"propose", "approve", "activate", "history", "roll-back", "switch-off"}
SPEAKING = {
    *("package inspect", "delivery list", "delivery show"),
    *(f"message {name}" for name in MOVES),
    *(f"arrival {name}" for name in ("list", "show", "fetch-again", "propose-abandon")),
    *(f"receipt {name}" for name in ("list", "send-again", "accept")),
    *(f"task {name}" for name in ("list", "show", "word", "close")),
    *(f"proposal {name}" for name in ("list", "show", "approve", "decline", "take-back")),
    *(
        f"access {name}"
        for name in ("list", "grant", "delegate", "breakglass", "end", "review", "figures")
    ),
    *(f"access {name}" for name in ("conflicts", "propose-conflict-end")),
    *(f"access {name}" for name in ("ask", "requests", "accept", "decline")),
    *(
        f"directory {name}"
        for name in ("import", "approve", "diff", "export", "show", "code", "binding-code")
    ),
    "directory own-code",
    *(f"policy {name}" for name in ("lint", "prove", "test", "show", "diff", "vocabulary")),
    *(f"policy {name}" for name in ("explain", "who-can", "what-can", *CHANGES)),
    *(f"route {name}" for name in ("lint", "test", "show", "diff", "explain", "simulate")),
    *(f"route {name}" for name in CHANGES),
}
"""The commands that archive staff, handlers, leaders and reviewers meet."""


def commands() -> Iterator[tuple[str, Command]]:
    """Every command of the program, by its words."""
    group = get_command(app)
    for name in COMMANDS:
        context = group.get_command(Context(group), name).make_context(  # type: ignore[attr-defined]
            name, [], resilient_parsing=True
        )
        found = context.command
        inner = getattr(found, "commands", None)
        if inner is None:
            yield name, found
        for word, command in (inner or {}).items():
            yield f"{name} {word}", command
