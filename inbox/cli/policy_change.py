"""`inbox policy activate`: the policies in the folder become the active ones."""

from datetime import datetime

import typer
from sqlmodel import Session, col, or_, select

from inbox import audit
from inbox.access.active import KIND, activate
from inbox.access.folder import load_folder
from inbox.access.words import Role
from inbox.cli.directory import By, FromStdin, With, two_codes
from inbox.cli.opening import settings_of, store_of
from inbox.cli.telling import say
from inbox.directory import two_agree
from inbox.errors import Conflict
from inbox.tables import Capacity
from inbox.wiring import policy_folder


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
