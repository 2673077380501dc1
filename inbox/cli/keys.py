"""`inbox keys`: create, add and list keys; their values are never shown."""

from datetime import UTC, datetime
from typing import Final

import typer

from inbox import audit
from inbox.audit.checkpoint import verifier_key
from inbox.cli.common.context import keyring_of, settings_of, store_of
from inbox.cli.common.formats import Json
from inbox.cli.common.output import print_json, print_line, print_table
from inbox.config import Settings
from inbox.days import day_of, read_day
from inbox.keys import Keyring, add_key, create_keys
from inbox.tables import Installation

keys: Final = typer.Typer(
    no_args_is_help=True,
    help="The keys that everything is encrypted with. Keep a copy of the key folder apart from the"
    " data: without it nothing can be decrypted, and with it everything can.",
)


@keys.command()
def create(ctx: typer.Context) -> None:
    """Create a new key folder; an existing folder is never overwritten.

    Prints the key that verifies the audit: give it to the person who will check the audit later.
    """
    settings = settings_of(ctx)
    kek_id = create_keys(settings.keys, datetime.now(UTC))
    print_line(f"key {kek_id} created and active; keep a copy of the folder apart from the data")
    print_line(f"audit {audit_key(settings, Keyring.load(settings.keys))}")


@keys.command()
def add(ctx: typer.Context) -> None:
    """Add a key that wraps all new data keys; the old keys stay and are still needed.

    Copy the key folder to every machine, then restart every `serve` and `work`.
    """
    settings = settings_of(ctx)
    store = store_of(settings)
    keyring_of(settings, store)
    kek_id = add_key(settings.keys, datetime.now(UTC))
    fresh = Keyring.load(settings.keys)
    with store.transaction() as tx:
        tx.get_one(Installation, 1).key_proof = fresh.proof()
        audit.record(tx, audit.Entry(event="key:added", who="operator", subject=kek_id))
    print_line(
        f"key {kek_id} added and active; copy the key folder, then start serve and work anew"
    )


@keys.command("list")
def list_keys(
    ctx: typer.Context,
    as_json: Json = False,
) -> None:
    """List the ids and ages of the keys."""
    keyring = Keyring.load(settings_of(ctx).keys)
    rows = [
        {"key": kek_id, "days": _days(kek_id), "active": "yes" if kek_id == keyring.active else ""}
        for kek_id in sorted(keyring.kek_ids())
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, ("key", "days", "active"))


def audit_key(settings: Settings, keyring: Keyring) -> str:
    """The verifier line of the audit's checkpoints."""
    return verifier_key(settings.origin, keyring.signer().public_key())


def _days(kek_id: str) -> int | None:
    """The age, by the date that begins the ids that we make; None for another id."""
    try:
        made = read_day(f"{kek_id[:4]}-{kek_id[4:6]}-{kek_id[6:8]}")
    except ValueError:
        return None
    return (day_of(datetime.now(UTC)) - made).days
