"""What `inbox doctor` looks at on this machine: keys, database, vault, policies, trust, the worker."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from sqlmodel import Session, col, select

from inbox.access.active import KIND
from inbox.access.folder import load_folder
from inbox.cli.opening import device_of
from inbox.config import Settings
from inbox.errors import InboxError
from inbox.keys import KEY_BYTES, Keyring
from inbox.message import new_id
from inbox.package.times import OSLO
from inbox.tables import ActivePolicy, Installation, Pulse
from inbox.trust import TrustFolder
from inbox.vault import FolderVault
from inbox.wiring import build_store, policy_folder, terms_of

AGAIN: Final = "put that right, then run `inbox doctor` again"
_OTHERS: Final = 0o077
_TEST_OBJECT: Final = b"doctor"
_GIGABYTE: Final = 1_000_000_000
_QUIET: Final = timedelta(minutes=10)
"""Twice as long as a worker is ever silent."""
_WORKER: Final = "worker"
_DO: Final = {
    "config.origin": "`origin` in the settings must be that of the database",
    "database.empty": "run `inbox database upgrade`",
    "database.version": "run `inbox database upgrade` with the newer of the two programs",
    "database.unavailable": "check `database` in the settings, and that the database runs",
    "database.full": "make room on the database's disk; nothing is lost",
    "keys.missing": "run `inbox keys create`, or put the key folder of this database in its place",
    "keys.folder": "run `inbox keys create`, or put the key folder in its place with `chmod 700`",
    "keys.readable": "run `chmod 600` on it, and find out who may have read it",
    "vault.no_folder": "it is `vault` in the settings; make it only if it never held anything",
    "vault.io": "the vault needs a local file system with hard links that this user may write",
    "vault.full": "make room on the vault's disk; nothing is lost",
    "policy.unreadable": "the folder is `policies` in the settings",
    "gateway.unavailable": "check its `url` in the settings, that it runs, and the network between",
    "gateway.unauthorised": "check its `user`, and that the password here is the gateway's own",
    "gateway.garbled": "check that its `url` leads to the integrasjonspunkt, not to another program",
    "gateway.unexpected": "check that its `url` leads to the integrasjonspunkt, path included",
}
"""What to do about a code, where the error's own reason does not say it."""


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """Mail goes on, but somebody should look."""
    WRONG = "wrong"
    """It keeps mail, all or some, from arriving or from being handled."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """The outcome of one check. Neither text ends in a full stop, names a person or holds a secret."""

    name: str
    level: Level
    means: str
    do: str = ""


@dataclass(frozen=True, kw_only=True)
class Check:
    """`run` may raise at any point: what it gave until then counts.

    With one of `needs` wrong it could only repeat that, and is not run.
    """

    name: str
    run: Callable[[Settings], Iterator[Found]]
    needs: tuple[str, ...] = ()


def fine(name: str, means: str, do: str = "") -> Found:
    """It is as it should be; `do` is a note."""
    return Found(name=name, level=Level.OK, means=means, do=do)


def warning(name: str, means: str, do: str) -> Found:
    """Somebody should look."""
    return Found(name=name, level=Level.WARNING, means=means, do=do)


def wrong(name: str, means: str, do: str) -> Found:
    """It keeps mail from arriving or from being handled."""
    return Found(name=name, level=Level.WRONG, means=means, do=do)


def failed(name: str, error: InboxError) -> Found:
    """What an error of ours means; its reason is meant for an operator's eyes."""
    means = f"{error.reason} ({error.code})" if error.reason else error.code
    return wrong(name, " ".join(means.split()), _DO.get(error.code, AGAIN))


@contextmanager
def looking(settings: Settings) -> Iterator[tuple[Session, datetime]]:
    """A look at the database, which is let go of afterwards."""
    store = build_store(settings)
    try:
        with store.reading() as look:
            yield look
    finally:
        store.engine.dispose()


def keys(settings: Settings) -> Iterator[Found]:
    """The key folder is there, closed to others, and whole."""
    keyring = Keyring.load(settings.keys)
    if settings.keys.stat().st_mode & _OTHERS:
        yield warning("keys", "the key folder can be listed by others", "run `chmod 700` on it")
    else:
        number = len(keyring.ids())
        yield fine("keys", f"{number} of them, closed to others; {keyring.active} is active")


def database(settings: Settings) -> Iterator[Found]:
    """The database answers and is of this program's version; a missing file is not made."""
    store = build_store(settings)
    url = store.engine.url
    try:
        file = url.database if url.get_backend_name() == "sqlite" else None
        if file and not Path(file).is_file():
            yield wrong("database", "there is no such file", _DO["database.empty"])
            return
        store.check_schema()
        yield fine("database", f"{url.get_backend_name()}, of this program's version")
    finally:
        store.engine.dispose()


def installation(settings: Settings) -> Iterator[Found]:
    """The database is this installation, and the keys are those that it was made with."""
    with looking(settings) as (session, _):
        row = session.get(Installation, 1)
    if row is None:
        yield wrong("installation", "the database is no installation yet", "run `inbox init`")
        return
    if row.origin != settings.origin:
        yield wrong("installation", "the database has another origin", _DO["config.origin"])
    if not Keyring.load(settings.keys).proves(row.key_proof):
        yield wrong(
            "installation",
            "the keys are not those that this database was made with: nothing can be opened",
            "put the right key folder in place; never make a new one for data that is there",
        )
    elif row.origin == settings.origin:
        yield fine("installation", "the keys are those of this database")


def vault(settings: Settings) -> Iterator[Found]:
    """An object can be written, read and removed, and there is room; leaves nothing behind."""
    folder = FolderVault(settings.vault)
    name, key = f"doctor-{new_id()}", secrets.token_bytes(KEY_BYTES)
    try:
        folder.store(name, [_TEST_OBJECT], key)
        with folder.open(name, key) as stored:
            same = stored.read() == _TEST_OBJECT
    finally:
        folder.remove(name)
    if same:
        yield fine("vault", "a test object was written, read and removed")
    else:
        yield wrong("vault", "a test object came back changed", "check the vault's disk")
    free, least = folder.free_bytes(), terms_of(settings).free_bytes
    room = f"{free / _GIGABYTE:.1f} GB free, {least / _GIGABYTE:.1f} GB needed"
    if free < least:
        do = "make room, or lower `terms.free_gigabytes`"
        yield wrong("vault space", f"{room}: nothing is taken from a gateway", do)
    elif free < 2 * least:
        yield warning("vault space", room, "make room soon")
    else:
        yield fine("vault space", room)


def policies(settings: Settings) -> Iterator[Found]:
    """The policy folder loads, its own tests among it."""
    policy = load_folder(policy_folder(settings))
    yield fine("policies", f"{len(policy.rules)} rules, proved and tried")


def active_policy(settings: Settings) -> Iterator[Found]:
    """The policy in the folder is the one that the database names: with another nobody may act."""
    digest = load_folder(policy_folder(settings)).digest
    with looking(settings) as (session, _):
        active = session.exec(
            select(ActivePolicy.digest).where(col(ActivePolicy.kind) == KIND)
        ).first()
    if active is None:
        yield wrong("active policy", "none is active: nobody may do anything", "run `inbox init`")
    elif active != digest:
        yield wrong(
            "active policy",
            "the folder holds another policy than the active one: nobody may do anything",
            "put the active one back, or run `inbox policy activate` with two people",
        )
    else:
        yield fine("active policy", f"{digest[:12]}…, as the folder")


def trust(settings: Settings) -> Iterator[Found]:
    """Whose signatures are believed, and whether the revocation lists still count."""
    do = "put the roots as *.pem in the folder that `trust` names"
    if settings.trust is None or not settings.trust.is_dir():
        yield wrong("trust", "there is no trust folder: every message is quarantined", do)
        return
    believed, now = TrustFolder(settings.trust).current(), datetime.now(UTC)
    if believed.anchors:
        yield fine("trust", f"{len(believed.anchors)} anchors")
    else:
        yield wrong("trust", "the folder has no anchors: every message is quarantined", do)
    stale = sum(each.stale(now, believed.stale_after) for each in believed.lists)
    fetch = "fetch the lists of the issuers into the trust folder, and see that it is done daily"
    if not believed.lists:
        yield warning("revocation lists", "there are none: mail waits for them", fetch)
    elif stale:
        means = f"{stale} of {len(believed.lists)} too old: mail from those issuers waits"
        yield warning("revocation lists", means, fetch)
    else:
        yield fine("revocation lists", f"{len(believed.lists)}, all fresh")


def checkpoints(settings: Settings) -> Iterator[Found]:
    """The file of checkpoints can be written; a copy elsewhere cannot be seen from here."""
    file = settings.checkpoints
    exists = file.exists()
    writable = os.access(file, os.W_OK) if exists else os.access(file.parent, os.W_OK | os.X_OK)
    if not writable or file.is_dir():
        do = "it is `checkpoints` in the settings: make its folder, or let this user write it"
        yield wrong("checkpoints", "the file cannot be written", do)
    elif device_of(file) == device_of(settings.vault):
        note = "keep a copy of the file on another machine: here it falls with what it proves"
        yield fine("checkpoints", "the file can be written; it lies on the vault's own disk", note)
    else:
        note = "see that the file, or a copy of it, is on another machine"
        yield fine("checkpoints", "the file can be written; it lies on another disk", note)


def sha1(settings: Settings) -> Iterator[Found]:
    """Until when signatures of the old class are accepted."""
    until = settings.terms.legacy_sha1_until
    if until is None:
        note = "set `terms.legacy_sha1_until` when your senders have moved on"
        yield fine("sha-1 signatures", "accepted without end", note)
    elif datetime.now(OSLO).date() >= until:
        yield fine("sha-1 signatures", f"quarantined since {until.isoformat()}")
    else:
        yield fine("sha-1 signatures", f"accepted until {until.isoformat()}, quarantined from then")


def worker(settings: Settings) -> Iterator[Found]:
    """A worker has worked lately, and what it last met on each channel."""
    with looking(settings) as (session, now):
        pulses: Mapping[str, Pulse] = {pulse.name: pulse for pulse in session.exec(select(Pulse))}
    at = pulses[_WORKER].at if _WORKER in pulses else None
    run = "run `inbox serve` or `inbox work`, and see its log"
    if at is None:
        yield warning("worker", "none has worked yet", run)
    elif now - at > _QUIET:
        means = f"none has worked for {int((now - at).total_seconds() // 60)} minutes"
        yield warning("worker", means, run)
    else:
        yield fine("worker", "it has worked within the last ten minutes")
    for name, pulse in sorted(pulses.items()):
        if pulse.code is not None:
            yield warning(f"worker at {name}", f"its last try ended with {pulse.code}", AGAIN)
