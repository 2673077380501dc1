"""`inbox policy`: who may do what. Lint and test the folder, show it, make it the active one."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlmodel import Session, col, or_, select

from inbox import audit
from inbox.access.active import KIND, activate
from inbox.access.folder import FILES, load_folder, read_folder
from inbox.access.policy import Policy
from inbox.access.review import CASES, run_cases
from inbox.access.words import Role
from inbox.cli import policy_asking
from inbox.cli.directory import By, FromStdin, With, two_codes
from inbox.cli.opening import policy_folder_of, settings_of, store_of
from inbox.cli.telling import WRONG, say, say_json, say_table, tell
from inbox.directory import two_agree
from inbox.errors import Conflict, PolicyError
from inbox.tables import ActivePolicy, Capacity
from inbox.wiring import policy_folder

policy: Final = typer.Typer(
    no_args_is_help=True, help="Who may do what: the rules in the policy folder."
)

policy_asking.register(policy)

Folder = Annotated[
    Path | None,
    typer.Argument(
        exists=True, file_okay=False, help="A policy folder; that of the settings otherwise."
    ),
]


@policy.command()
def lint(ctx: typer.Context, folder: Folder = None) -> None:
    """Read the folder as strictly as the program does and prove its invariants; 1 if it is refused.

    It needs no database.
    """
    read = _read(policy_folder_of(ctx, folder))
    say(f"{len(read.rules)} rules, invariants proved, digest {read.digest}")


@policy.command("test")
def run_written_cases(ctx: typer.Context, folder: Folder = None) -> None:
    """Run the folder's cases (tests/access.toml); 1 if one comes out otherwise."""
    path = policy_folder_of(ctx, folder)
    read = _read(path)
    try:
        failures = run_cases(read, _bytes(path / CASES))
    except PolicyError as error:
        tell(error)
        raise typer.Exit(WRONG) from error
    for failure in failures:
        say(f"WRONG {failure}")
    if failures:
        raise typer.Exit(WRONG)
    say("every case comes out as written")


@policy.command()
def show(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the rules in the folder of the settings, and whether they are the active ones."""
    settings = settings_of(ctx)
    read = load_folder(policy_folder(settings))
    with store_of(settings).reading() as (session, _):
        active = session.get(ActivePolicy, KIND)
    rows: list[dict[str, object]] = [
        {
            "rule": rule.id,
            "effect": rule.effect.value,
            "actions": rule.acts,
            "roles": rule.roles,
            "when": rule.when,
            "duties": " ".join(sorted(rule.duties)) or None,
        }
        for rule in read.rules
    ]
    digest = None if active is None else active.digest
    if as_json:
        say_json({"digest": read.digest, "active_digest": digest, "rules": rows})
        return
    say_table(rows, ("rule", "effect", "actions", "roles", "when", "duties"))
    say(f"digest {read.digest}: {'active' if digest == read.digest else 'NOT the active one'}")


@policy.command("activate")
def make_active(
    ctx: typer.Context, by: By, with_: With, codes_from_stdin: FromStdin = False
) -> None:
    """Make the policies in the folder the active ones.

    --by is a policy editor, --with a security reviewer; each types the own personal code. Every
    process whose folder is not the active one denies everything until it is.
    """
    settings = settings_of(ctx)
    read = load_folder(policy_folder(settings))
    store = store_of(settings)
    first, second = two_codes(by, with_, from_stdin=codes_from_stdin)
    with store.transaction() as (session, now):
        approved_by = two_agree(session, now, (by, first), (with_, second))
        _check_stands_for(session, now, by, Role.POLICY_EDITOR)
        _check_stands_for(session, now, with_, Role.SECURITY_REVIEWER)
        activate(session, now, read.digest, with_)
        audit.record(
            session,
            audit.Entry(
                event="policy:activated", who=approved_by, subject=KIND, policy=read.digest
            ),
        )
    say(f"active: {read.digest}")


def _check_stands_for(session: Session, now: datetime, person: str, role: Role) -> None:
    """Whether the person has that role today.

    The rows are asked, not the policy: where the folder has changed, the active policy cannot be
    had, and the new one must not decide about itself.
    """
    found = session.exec(
        select(Capacity.id).where(
            col(Capacity.person) == person,
            col(Capacity.role) == role.value,
            col(Capacity.active_from) <= now,
            or_(col(Capacity.active_until).is_(None), col(Capacity.active_until) > now),
        )
    ).first()
    if found is None:
        raise Conflict("policy.role", f"{person} is no {role.value.replace('_', ' ')} today")


def _read(path: Path) -> Policy:
    """The folder, or an exit with 1: finding that it is refused is what was asked for."""
    try:
        return read_folder({name: _bytes(path / name) for name in FILES})
    except PolicyError as error:
        tell(error)
        raise typer.Exit(WRONG) from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PolicyError("policy.unreadable", f"{path.name}: {error.strerror}") from error
