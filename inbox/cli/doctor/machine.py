"""The checks of `doctor` on this machine: database, vault, keys, policies, rules and the worker."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlmodel import select

from inbox.access.files.active import POLICY_KIND, ActivePolicies, is_active_policy
from inbox.access.files.folder import load_policy, read_policy_files
from inbox.audit.gap import checkpoint_text, find_gap
from inbox.audit.standstill import WAY_OUT
from inbox.cli.doctor.findings import CheckContext, DoctorFinding, ok, warning, wrong
from inbox.days import day_of
from inbox.domain import OrgNumber, new_id
from inbox.errors import InboxError, Unavailable
from inbox.keys import Keyring
from inbox.line.active_rule_books import ActiveRuleBooks
from inbox.line.pulses import all_neighbours_away
from inbox.line.queue import overdue_kinds
from inbox.store import SCHEMA_REVISION
from inbox.tables import ActivePolicy, Checkpoint, Installation, Pulse
from inbox.vault import FolderVault
from inbox.web.connection_deadlines import descriptor_limit
from inbox.wiring import policy_folder, read_rule_books, terms_of

_OTHERS_MODE_BITS: Final = 0o077
_MAX_SILENCE: Final = timedelta(minutes=15)
_WORKER: Final = "worker"
_FEWEST_DESCRIPTORS: Final = 4096


def database(patient: CheckContext) -> Iterator[DoctorFinding]:
    """The database answers, has this program's version, and cannot be read by others."""
    made = patient.store.engine.url
    if made.get_backend_name() == "sqlite" and not Path(made.database or "").exists():
        yield wrong("database", "there is none yet", "run `inbox database upgrade`")
        return
    patient.store.check_schema()
    with patient.store.reading() as (session, _):
        session.exec(select(Installation)).first()
    url = patient.store.engine.url
    yield ok("database", f"{url.get_backend_name()}, of version {SCHEMA_REVISION}")
    if (
        url.get_backend_name() == "sqlite"
        and url.database
        and _is_open_to_others(Path(url.database))
    ):
        yield warning("database", "others on this machine can read its file", "chmod 600 it")


def vault(patient: CheckContext) -> Iterator[DoctorFinding]:
    """An object can be stored, read and removed; there is space; others cannot read the folder."""
    folder = patient.settings.vault
    kept = FolderVault(folder)
    free, least = kept.free_bytes(), terms_of(patient.settings).min_free_bytes
    name, key = f"{new_id()}.doctor", os.urandom(32)
    try:
        kept.store(name, [b"doctor"], key)
        with kept.open(name, key) as stored:
            stored.read()
        kept.remove(name)
    except Unavailable:
        yield wrong(
            "vault",
            "no object can be stored in it",
            "give this user the folder, on a file system that has hard links",
        )
        return
    if free < least:
        yield wrong(
            "vault",
            f"{_gigabytes(free)} free, less than the {_gigabytes(least)} of"
            " terms.free_gigabytes: nothing is taken from a gateway",
            "make room",
        )
    else:
        yield ok("vault", f"can be written to, {_gigabytes(free)} free")
    if _is_open_to_others(folder):
        yield warning("vault", "others on this machine can look into it", "chmod 700 the folder")


def keys(patient: CheckContext) -> Iterator[DoctorFinding]:
    """The keys can be read, and only by their owner."""
    keyring = Keyring.load(patient.settings.keys)
    yield ok("keys", f"{len(keyring.kek_ids())} at hand, {keyring.active} is active")
    if _is_open_to_others(patient.settings.keys):
        yield warning("keys", "others can look into the folder", "chmod 700 the folder")
    inside = patient.settings.keys.resolve().is_relative_to(patient.settings.vault.resolve())
    if inside:
        yield wrong(
            "keys", "they lie in the vault: a copy of it opens itself", "move the key folder"
        )


def keys_of_database(patient: CheckContext) -> Iterator[DoctorFinding]:
    """The keys are those that this database was created with."""
    with patient.store.reading() as (session, _):
        installation = session.get(Installation, 1)
    if installation is None or installation.people_enrolled_at is None:
        yield wrong("keys", "nobody is enrolled: nobody may do anything", "run `inbox init`")
    if installation is None:
        return
    if Keyring.load(patient.settings.keys).matches_proof(installation.key_proof):
        yield ok("keys", "they open a test value of this database")
    else:
        yield wrong(
            "keys",
            "they are not the keys of this database: nothing in it can be opened",
            "put the right key folder in place, from your copy",
        )
    if installation.origin != patient.settings.origin:
        yield wrong(
            "keys", "origin in the settings is not that of this database", "set origin as it was"
        )


def policies(patient: CheckContext) -> Iterator[DoctorFinding]:
    """The policy folder can be read, its invariants hold, and its test cases pass."""
    digest = load_policy(policy_folder(patient.settings)).digest
    yield ok("policies", f"can be read and hold what they promise, digest {digest[:12]}")


def active_policies(patient: CheckContext) -> Iterator[DoctorFinding]:
    """The active policy can be read; otherwise everything is denied."""
    policies = ActivePolicies()
    with patient.store.reading() as (session, _):
        active = session.get(ActivePolicy, POLICY_KIND)
        policies.current(session)
    if active is None:
        yield wrong("policies", "none is active: everything is denied", "run `inbox init`")
    elif policies.problem is not None:
        yield wrong(
            "policies",
            f"the active ones, {active.digest[:12]}, cannot be had: everything is denied"
            f" ({policies.problem})",
            "two people put others in their place: `inbox policy propose`",
        )
    else:
        yield ok("policies", f"active since {day_of(active.active_from)}")
        folder = policy_folder(patient.settings)
        files = read_policy_files(folder)
        with patient.store.reading() as (session, _):
            is_same = is_active_policy(session, files)
        if not is_same:
            yield warning(
                "policies",
                f"the folder has {load_policy(folder).digest[:12]}, which decides nothing",
                "`inbox policy propose` it, or put it back as `inbox policy history` shows",
            )


def routing(patient: CheckContext) -> Iterator[DoctorFinding]:
    """The rule books in the folder can be read."""
    for organisation, book in read_rule_books(policy_folder(patient.settings)).items():
        yield ok("routing", f"{organisation} has {len(book.rules)} rules, desk {book.desk}")


def active_routing(patient: CheckContext) -> Iterator[DoctorFinding]:
    """Every organisation that mail is fetched for has active rules that can be read."""
    books = ActiveRuleBooks()
    with patient.store.reading() as (session, _):
        for gateway in patient.settings.gateways:
            for organisation in map(OrgNumber, gateway.organisations):
                if books.current(session, organisation) is not None:
                    continue
                problem = books.problem(organisation)
                unread = "" if problem is None else f", which cannot be had ({problem.code})"
                yield wrong(
                    "routing",
                    f"{organisation} receives on {gateway.channel} and has no rules{unread}",
                    f"write routing/{organisation}.toml and `inbox route propose` it",
                )


def checkpoints(patient: CheckContext) -> Iterator[DoctorFinding]:
    """The checkpoint file outside the database can be written to."""
    path = patient.settings.checkpoints
    target = path if path.exists() else path.parent
    if path.is_dir() or not os.access(target, os.W_OK):
        yield wrong(
            "checkpoints",
            "the file cannot be written to: no checkpoint is kept outside the database",
            "make its folder, and give it to this user",
        )
        return
    yield ok("checkpoints", "can be written to; keep a copy on another machine")


def audit_gap(patient: CheckContext) -> Iterator[DoctorFinding]:
    """The database holds what the newest checkpoint outside says that it held."""
    signed = checkpoint_text(patient.settings.checkpoints)
    try:
        keyring = Keyring.load(patient.settings.keys)
    except InboxError:
        return  # That is told of the keys.
    with patient.store.reading() as (session, _):
        gap = find_gap(session, keyring, [signed])
    if gap is None:
        yield ok("audit", "fits the newest checkpoint outside, if there is one")
        return
    yield wrong(
        "audit",
        f"{gap.in_words()} ({gap.code}): nothing but intake goes on",
        f"{WAY_OUT}; keep the checkpoint file and the vault as they are",
    )


def descriptors(patient: CheckContext) -> Iterator[DoctorFinding]:
    """A process may have enough descriptors for its listeners and for its own work."""
    del patient
    limit = descriptor_limit()
    if limit < _FEWEST_DESCRIPTORS:
        yield warning(
            "descriptors",
            f"a process may have {limit}: many connections at once are refused",
            f"set LimitNOFILE={_FEWEST_DESCRIPTORS} in the unit, or ulimit -n",
        )
    else:
        yield ok("descriptors", f"a process may have {limit}")


def worker(patient: CheckContext) -> Iterator[DoctorFinding]:
    """A worker has run lately, the gateways answer it, and the checkpoint file outside exists."""
    with patient.store.reading() as (session, now):
        pulses = {pulse.name: pulse for pulse in session.exec(select(Pulse))}
        signed = session.exec(select(Checkpoint.size)).first()
        overdue = overdue_kinds(session, now, all_neighbours_away(session))
    pulse = pulses.get(_WORKER)
    if pulse is None or pulse.at is None or now - pulse.at > _MAX_SILENCE:
        last = "never" if pulse is None or pulse.at is None else f"{pulse.at:%Y-%m-%d %H:%M} UTC"
        yield warning(
            _WORKER, f"none has worked lately (last: {last})", "start `inbox serve` or `inbox work`"
        )
    else:
        yield ok(_WORKER, f"worked at {pulse.at:%H:%M} UTC")
    if overdue:
        kinds = ", ".join(sorted(kind.__name__.lower() for kind in overdue))
        yield wrong(
            _WORKER,
            f"work has been due for more than five minutes and nobody has it: {kinds}",
            "see that a worker runs and what its log says; end it and start it again",
        )
    for name, other in pulses.items():
        if other.code is not None:
            yield warning(name, f"at its last round: {other.code}", "see the log of the worker")
    if signed is not None and not patient.settings.checkpoints.exists():
        yield wrong(
            "checkpoints",
            "there are checkpoints, but the file outside is gone",
            "put your copy in place; ask who removed it",
        )


def _is_open_to_others(path: Path) -> bool:
    """Whether others than its owner may look; a path that cannot be asked is another's finding."""
    try:
        return bool(path.stat().st_mode & _OTHERS_MODE_BITS)
    except OSError:
        return False


def _gigabytes(count: int) -> str:
    return f"{count / 1_000_000_000:.1f} GB"
