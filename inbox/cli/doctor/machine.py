"""The checks of `doctor` on this machine: database, vault, keys, policies, rules and the worker."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlmodel import select

from inbox.access.files.active import POLICY_KIND, ActivePolicies, is_active_policy
from inbox.access.files.folder import load_draft, load_policy, read_policy_files
from inbox.access.policy.engine import Policy
from inbox.access.review.new_actions import rows_to_propose
from inbox.audit.gap import checkpoint_text, find_gap
from inbox.cli.common.key_use import key_use_text
from inbox.cli.doctor.file_systems import network_file_system_of
from inbox.cli.doctor.findings import (
    CheckContext,
    DoctorFinding,
    condition,
    of_condition,
    of_error,
    ok,
)
from inbox.days import day_of
from inbox.domain import OrgNumber, new_id
from inbox.errors import InboxError, Unavailable
from inbox.health.condition import Level
from inbox.health.process import overdue_work
from inbox.health.work import work_conditions
from inbox.keys import Keyring
from inbox.line.active_rule_books import ActiveRuleBooks
from inbox.line.pulses import WORKER
from inbox.line.upkeep.key_rotation import kek_uses
from inbox.migrations import shipped_folder
from inbox.store import SCHEMA_REVISION
from inbox.tables import ActivePolicy, Checkpoint, Installation, Pulse
from inbox.vault import FolderVault
from inbox.web.connection_deadlines import descriptor_limit
from inbox.wiring import policy_folder, read_rule_books, terms_of

_OTHERS_MODE_BITS: Final = 0o077
_FEWEST_DESCRIPTORS: Final = 4096


def database(patient: CheckContext) -> Iterator[DoctorFinding]:
    """The database answers, has this program's version, and cannot be read by others."""
    url = patient.store.engine.url
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        yield condition("database", "database.empty")
        return
    patient.store.check_schema()
    with patient.store.reading() as tx:
        tx.exec(select(Installation)).first()
    yield ok("database", f"{url.get_backend_name()}, of version {SCHEMA_REVISION}")


def database_file(patient: CheckContext) -> Iterator[DoctorFinding]:
    """SQLite's file lies on a disk of this machine, and others cannot read it."""
    url = patient.store.engine.url
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    path = Path(url.database)
    if (file_system := network_file_system_of(path, patient.mounts)) is not None:
        yield condition(f"database:{file_system}", "database.network_disk")
    if _is_open_to_others(path):
        yield condition("database", "database.open_to_others", Level.WARNING)


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
    except Unavailable as error:
        yield of_error("vault", error)
        return
    if free < least:
        said = f"{_gigabytes(free)} free, {_gigabytes(least)} wanted"
        yield condition("vault", "vault.full", reason=said)
    else:
        yield ok("vault", f"can be written to, {_gigabytes(free)} free")
    if _is_open_to_others(folder):
        yield condition("vault", "vault.open_to_others", Level.WARNING)


def keys(patient: CheckContext) -> Iterator[DoctorFinding]:
    """The keys can be read, and only by their owner."""
    keyring = Keyring.load(patient.settings.keys)
    yield ok("keys", f"{len(keyring.kek_ids())} at hand, {keyring.active} is active")
    if _is_open_to_others(patient.settings.keys):
        yield condition("keys", "keys.open_to_others", Level.WARNING)
    if patient.settings.keys.resolve().is_relative_to(patient.settings.vault.resolve()):
        yield condition("keys", "keys.in_vault")


def keys_of_database(patient: CheckContext) -> Iterator[DoctorFinding]:
    """The keys are those that this database was created with."""
    with patient.store.reading() as tx:
        installation = tx.get(Installation, 1)
    if installation is None or installation.people_enrolled_at is None:
        yield condition("keys", "people.nobody")
    if installation is None:
        return
    if Keyring.load(patient.settings.keys).matches_proof(installation.key_proof):
        yield ok("keys", "they open a test value of this database")
    else:
        yield condition("keys", "keys.not_these")
    yield from _old_keys(patient)
    if installation.origin != patient.settings.origin:
        yield condition("keys", "config.origin")


def _old_keys(patient: CheckContext) -> Iterator[DoctorFinding]:
    """Of each key-encryption key but the active one: is it needed, and is it there."""
    with patient.store.reading() as tx:
        uses = kek_uses(tx, Keyring.load(patient.settings.keys))
    for use in uses:
        subject = f"keys:{use.kek_id}"
        if use.data_keys and not use.is_at_hand:
            yield condition(subject, "keys.unknown_kek", count=use.data_keys)
        elif use.wraps_at is not None and not use.is_active:
            yield condition(subject, "keys.worker_behind", Level.WARNING)
        elif not use.is_active:
            yield ok(subject, key_use_text(use))


def policies(patient: CheckContext) -> Iterator[DoctorFinding]:
    """The policy folder can be read, its invariants hold, and its test cases pass."""
    digest = load_policy(policy_folder(patient.settings)).digest
    yield ok("policies", f"can be read and hold what they promise, digest {digest[:12]}")


def active_policies(patient: CheckContext) -> Iterator[DoctorFinding]:
    """The active policy can be read; otherwise everything is denied."""
    policies = ActivePolicies()
    with patient.store.reading() as tx:
        active = tx.get(ActivePolicy, POLICY_KIND)
        policy = policies.current(tx)
    if active is None or policies.problem is not None:
        yield condition("policies", "policy.nobody", reason=str(policies.problem or ""))
        return
    later = ", ".join(name.name for name in policy.later.names)
    newer = f"; the program has names that they were not written for: {later}" if later else ""
    yield ok("policies", f"active since {day_of(active.active_from)}{newer}")
    yield from _later_actions(policy)
    folder = policy_folder(patient.settings)
    files = read_policy_files(folder)
    with patient.store.reading() as tx:
        is_same = is_active_policy(tx, files)
    if not is_same:
        digest = load_policy(folder).digest[:12]
        yield condition(f"policies:{digest}", "policy.differs", Level.WARNING)


def _later_actions(policy: Policy) -> Iterator[DoctorFinding]:
    """What decides the actions that are newer than the policy."""
    for new, olds in policy.later.stand_ins.items():
        rows_of = " ".join(olds)
        yield ok(f"policies:{new}", f"is newer than the policy; the rows of {rows_of} decide it")
    shipped = load_draft(shipped_folder("policies")).policy
    for action, rows in rows_to_propose(policy, shipped).items():
        subject, reason = f"policies:{action}", "; ".join(rows)
        yield condition(subject, "policy.new_action", Level.WARNING, reason=reason)


def routing(patient: CheckContext) -> Iterator[DoctorFinding]:
    """The rule books in the folder can be read."""
    for organisation, book in read_rule_books(policy_folder(patient.settings)).items():
        yield ok(f"routing:{organisation}", f"{len(book.rules)} rules, desk {book.desk}")


def active_routing(patient: CheckContext) -> Iterator[DoctorFinding]:
    """Every organisation that mail is fetched for has active rules that can be read."""
    books = ActiveRuleBooks()
    with patient.store.reading() as tx:
        for gateway in patient.settings.gateways:
            for organisation in map(OrgNumber, gateway.organisations):
                if books.current(tx, organisation) is not None:
                    continue
                problem = books.problem(organisation)
                if problem is None:
                    yield condition(f"routing:{organisation}", "route.no_book")
                else:
                    yield of_error(f"routing:{organisation}", problem)


def checkpoints(patient: CheckContext) -> Iterator[DoctorFinding]:
    """The checkpoint file outside the database can be written to."""
    path = patient.settings.checkpoints
    target = path if path.exists() else path.parent
    if path.is_dir() or not os.access(target, os.W_OK):
        yield condition("checkpoints", "checkpoints.unwritable")
        return
    yield ok("checkpoints", "can be written to; keep a copy on another machine")


def checkpoints_kept(patient: CheckContext) -> Iterator[DoctorFinding]:
    """Where checkpoints were signed, the file outside is still there."""
    with patient.store.reading() as tx:
        signed = tx.exec(select(Checkpoint.size)).first()
    if signed is not None and not patient.settings.checkpoints.exists():
        yield condition("checkpoints", "checkpoints.gone")


def audit_gap(patient: CheckContext) -> Iterator[DoctorFinding]:
    """The database holds what the newest checkpoint outside says that it held."""
    signed = checkpoint_text(patient.settings.checkpoints)
    try:
        keyring = Keyring.load(patient.settings.keys)
    except InboxError:
        return  # The check of the keys reports that.
    with patient.store.reading() as tx:
        gap = find_gap(tx, keyring, [signed])
    if gap is None:
        yield ok("audit", "fits the newest checkpoint outside, if there is one")
    else:
        yield condition("audit", gap.code, reason=gap.in_words())


def descriptors(patient: CheckContext) -> Iterator[DoctorFinding]:
    """A process may have enough descriptors for its listeners and for its own work."""
    del patient
    limit = descriptor_limit()
    if limit < _FEWEST_DESCRIPTORS:
        yield condition("descriptors", "descriptors.few", Level.WARNING, count=limit)


def work(patient: CheckContext) -> Iterator[DoctorFinding]:
    """A worker has run lately, nothing is overdue; what waits for people, by kind and age."""
    with patient.store.reading() as tx:
        pulse = tx.get(Pulse, WORKER)
    found = list(work_conditions(patient.store))
    if not any(each.subject == WORKER for each in found):
        at = None if pulse is None else pulse.at
        yield ok(WORKER, "" if at is None else f"worked at {at:%H:%M} UTC")
    if kinds := overdue_work(patient.store):
        yield condition("work", "work.overdue", reason=kinds)
    yield from map(of_condition, found)
    if not any(each.kind == "task" for each in found):
        yield ok("tasks", "nothing waits for people")


def _is_open_to_others(path: Path) -> bool:
    """Whether others than its owner may look; a path that cannot be asked is another's finding."""
    try:
        return bool(path.stat().st_mode & _OTHERS_MODE_BITS)
    except OSError:
        return False


def _gigabytes(count: int) -> str:
    return f"{count / 1_000_000_000:.1f} GB"
