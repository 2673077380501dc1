"""Object synced, folder synced, commit, then DELETE: by the system calls, and by a power cut."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from inbox.domain import MessageState
from inbox.line.queue import unwrap_stored_key
from inbox.store import Store, create_engine
from inbox.tables import Message, WrappedKey
from inbox.vault import FolderVault
from tests import databases
from tests.faults.crash import strace_log
from tests.faults.crash.power_cut import Disk
from tests.faults.crash.strace_log import CALLS, OPTIONS, Call, read_record
from tests.faults.crash.sync_order import Breach, GatewayDelete, breaches, gateway_deletes
from tests.faults.harness import faulty_lines
from tests.faults.harness.external_archive import archive_server_for
from tests.faults.harness.fork_server import fork_server_for
from tests.faults.harness.journey_outcome import Sent, send_two
from tests.faults.harness.line_process import LineProcess
from tests.faults.harness.message_journey import journey
from tests.faults.harness.outside_world import OutsideWorld


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A journey as strace saw it, and the disk as it was before."""

    calls: Sequence[Call]
    disk: Disk
    sent: tuple[Sent, ...]
    outside: OutsideWorld


def _record(outside: OutsideWorld, errand: Callable[[LineProcess], None]) -> Recorded:
    strace_log.require_strace()
    record = outside.folder.parent / f"{outside.folder.name}.strace"
    with (
        archive_server_for(outside) as (_, url),
        fork_server_for(outside, archive=url, warm="no") as nursery,
    ):
        sent, disk = send_two(outside), Disk(outside.folder)
        traced = "trace=" + strace_log.syscall_filter(CALLS)
        pid = nursery.start(errand, waits=True)
        with strace_log.attach_strace(pid, *OPTIONS, "-e", traced, record=record):
            assert nursery.ended().exit_code == 0
    return Recorded(calls=read_record(record), disk=disk, sent=sent, outside=outside)


def _lost_by_a_cut(recorded: Recorded) -> set[str]:
    """The messages that were deleted at the gateway, and that a cut at some place would lose."""
    deleted = {one.at: one for one in gateway_deletes(recorded.calls)}
    assert {one.wire_id for one in deleted.values()} == {each.wire_id for each in recorded.sent}
    standing, lost = list[GatewayDelete](), set[str]()
    for at, call in enumerate(recorded.calls):
        changed = recorded.disk.apply(call)
        if at in deleted:
            standing.append(deleted[at])
        if standing and (changed or at in deleted):
            lost |= _lost(recorded, standing)
    return lost


def _lost(recorded: Recorded, standing: Sequence[GatewayDelete]) -> set[str]:
    left = recorded.disk.left()
    if not recorded.outside.url.startswith("sqlite"):
        return {one.wire_id for one in standing if not _has_object(recorded, one, left)}
    with TemporaryDirectory() as folder:
        for path, content in left.items():
            if path.parts[0] in ("inbox.db", "inbox.db-wal", "vault"):
                (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / path).write_bytes(content)
        (Path(folder) / "vault").mkdir(exist_ok=True)
        found = dict(_readable(recorded.outside, Path(folder)))
    sent = {each.wire_id: each.sha256 for each in recorded.sent}
    return {
        one.wire_id for one in standing if found.get(one.wire_id) not in (sent[one.wire_id], "")
    }


def _has_object(recorded: Recorded, one: GatewayDelete, left: Mapping[PurePath, bytes]) -> bool:
    """Whether all that was written for it is there under its name, until it is removed."""
    written = b"".join(
        c.content for c in recorded.calls if c.name == "write" and c.path == one.part
    )
    name = PurePath(one.name or "").relative_to(recorded.outside.folder)
    return bool(written) and left.get(name) == written


def _readable(outside: OutsideWorld, folder: Path) -> Iterator[tuple[str, str]]:
    """Each message of the database that was left: its id, and the digest of what can be read.

    An erased one, which was registered and answered before, has no digest.
    """
    engine = create_engine(f"sqlite:///{folder / 'inbox.db'}")
    vault = FolderVault(folder / "vault")
    with Store(engine, seal=lambda *_: None, clock=outside.clock).reading() as tx:
        assert tx.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
        for message in tx.exec(select(Message).where(col(Message.erased_at).is_(None))):
            key = unwrap_stored_key(outside.line, tx.get_one(WrappedKey, message.id))
            assert key is not None
            assert message.object_name is not None
            path = folder / "vault" / message.object_name[:2] / message.object_name
            if not path.exists() or not path.stat().st_size:
                continue
            with vault.open(message.object_name, key.object_key()) as source:
                yield message.wire_id, hashlib.sha256(source.read()).hexdigest()
        for message in tx.exec(select(Message).where(col(Message.state) == MessageState.ERASED)):
            yield message.wire_id, ""
    engine.dispose()


@databases.SQLITE_SOON
def test_gateway_delete_comes_only_after_object_folder_and_commit_are_synced(
    outside: OutsideWorld,
) -> None:
    recorded = _record(outside, journey)

    assert len(gateway_deletes(recorded.calls)) == 2
    assert breaches(recorded.calls) == []
    assert _lost_by_a_cut(recorded) == set()


PLANTED = {
    faulty_lines.without_syncing_the_file: Breach.OBJECT_NOT_SYNCED,
    faulty_lines.without_syncing_the_folder: Breach.FOLDER_NOT_SYNCED,
    faulty_lines.without_syncing_the_commit: Breach.COMMIT_NOT_SYNCED,
    faulty_lines.delete_before_commit: Breach.NOT_COMMITTED,
}


@pytest.mark.long
@pytest.mark.parametrize(
    ("errand", "breach"), PLANTED.items(), ids=[each.__name__ for each in PLANTED]
)
def test_sync_order_reports_the_matching_breach_for_each_faulty_line(
    outside: OutsideWorld, errand: Callable[[LineProcess], None], breach: Breach
) -> None:
    if breach is Breach.COMMIT_NOT_SYNCED and not outside.url.startswith("sqlite"):
        pytest.skip("PostgreSQL syncs in its own process")

    recorded = _record(outside, errand)

    ids = {each.wire_id for each in recorded.sent}
    assert sorted(breaches(recorded.calls)) == sorted((wire_id, breach) for wire_id in ids)
    if outside.url.startswith("sqlite") or breach is not Breach.NOT_COMMITTED:
        assert _lost_by_a_cut(recorded) == ids
