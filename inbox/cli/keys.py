"""`inbox keys`: create, add, rotate and list keys; their values are never shown."""

from datetime import UTC, datetime
from typing import Final

import typer

from inbox import audit
from inbox.audit.checkpoint import verifier_key
from inbox.cli.common.context import keyring_of, line_of, settings_of, store_of
from inbox.cli.common.formats import Json
from inbox.cli.common.key_use import key_use_text
from inbox.cli.common.output import EXIT_FAILED, print_json, print_line, print_table
from inbox.config import Settings
from inbox.days import day_of, read_day
from inbox.keys import Keyring, add_key, create_keys
from inbox.line.upkeep.key_rotation import KekUse, check_may_rotate, kek_uses, rewrap_keys
from inbox.tables import Installation

keys: Final = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
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

    Copy the key folder to every machine, then restart every `serve` and `work`; then `inbox keys
    rotate` wraps what is stored under the new key, too.
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


@keys.command()
def rotate(
    ctx: typer.Context,
    as_json: Json = False,
) -> None:
    """Wrap every stored data key under the active key, so that the old keys can be taken away.

    Run it after `inbox keys add`, when the key folder is on every machine and every `serve` and
    `work` has been restarted: it is refused while a worker wraps with another key. The line may
    work meanwhile. It may be stopped at any moment; run it again, and it goes on where it was.

    Says at the end of every key whether it is still needed and by what, as `inbox doctor` does.
    Ends with 1 if a data key could not be wrapped anew: an old key is still needed for it.
    """
    line = line_of(ctx)
    line.standstill.check()
    with line.store.reading() as tx:
        before = kek_uses(tx, line.keyring)
    check_may_rotate(before)
    todo = sum(use.data_keys for use in before if not use.is_active)
    if not as_json:
        print_line(f"key {line.keyring.active} is active; {todo} data keys are under other keys")
    done, refused = 0, dict[str, str]()
    for batch in rewrap_keys(line):
        was, done = done, done + batch.rewrapped
        refused |= batch.refused
        if not as_json and _percent(done, todo) > _percent(was, todo):
            print_line(f"  {done} of {todo} ({_percent(done, todo)} %)")
    with line.store.reading() as tx:
        after = kek_uses(tx, line.keyring)
    if as_json:
        print_json(
            {
                "rewrapped": done,
                "refused": [{"data_key": of, "code": code} for of, code in refused.items()],
                "keys": [_use_as_json(use) for use in after],
            }
        )
    else:
        print_line(f"{done} data keys wrapped anew")
        for owner, code in refused.items():
            print_line(f"NOT {owner}: {code}")
        for use in after:
            print_line(f"{use.kek_id}  {key_use_text(use)}")
    if refused:
        raise typer.Exit(EXIT_FAILED)


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


def _percent(part: int, whole: int) -> int:
    return 100 * part // max(whole, 1)


def _use_as_json(use: KekUse) -> dict[str, object]:
    return {
        "key": use.kek_id,
        "active": use.is_active,
        "at_hand": use.is_at_hand,
        "data_keys": use.data_keys,
        "may_be_taken_away": use.is_free,
    }


def _days(kek_id: str) -> int | None:
    """The age, by the date that begins the ids that we make; None for another id."""
    try:
        made = read_day(f"{kek_id[:4]}-{kek_id[4:6]}-{kek_id[6:8]}")
    except ValueError:
        return None
    return (day_of(datetime.now(UTC)) - made).days
