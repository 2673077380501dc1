"""A disk that is full, or that fails to sync, at any call: nothing is claimed, and it goes on."""

import errno
import json
import platform
import signal
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from tests import databases
from tests.faults.harness.external_archive import archive_server_for
from tests.faults.harness.faulty_lines import trusting_a_failed_sync
from tests.faults.harness.fork_server import fork_server_for
from tests.faults.harness.journey_outcome import audit_findings, outcome_faults, send_two
from tests.faults.harness.message_journey import (
    journey_on_failing_disk,
    recover_and_finish,
    report_of,
)
from tests.faults.harness.outside_world import OutsideWorld
from tests.faults.harness.syscall_injection import InjectedFailure, Traced

WRITES = ("write", "pwrite64", "ftruncate")
SYNCS = ("fsync", "fdatasync")


@pytest.fixture(autouse=True)
def _machine() -> None:
    if platform.machine() != "x86_64":
        pytest.skip("how a call is made to fail is known for x86_64 alone")


def _through(
    outside: OutsideWorld,
    troubles: Iterable[InjectedFailure],
    *,
    allowed: set[str],
    warm: str = "yes",
) -> tuple[int, set[str]]:
    """How many were struck, and the codes that were met."""
    struck, codes = 0, set[str]()
    with (
        archive_server_for(outside) as (archive, url),
        fork_server_for(outside, archive=url, warm=warm) as nursery,
    ):
        for failing in troubles:
            sent = send_two(outside)
            report_of(outside.folder).unlink(missing_ok=True)
            ran = nursery.trouble(journey_on_failing_disk, failing)
            assert ran.exit_code == (-signal.SIGKILL if failing.fatal else 0), failing
            assert undue(ran) == [], failing
            if not failing.fatal:
                met = json.loads(report_of(outside.folder).read_text())
                assert set(met["kinds"]) <= allowed, (failing, met)
                codes |= set(met["codes"])
            _check_sound(outside)
            assert nursery.run(recover_and_finish) == 0
            assert outcome_faults(outside, archive, *sent) == [], (failing, ran.notes)
            if not any(what == "failed" for what, _ in ran.notes):
                break
            struck += 1
    assert audit_findings(outside) == []
    return struck, codes


def undue(ran: Traced) -> list[str]:
    """What was deleted at the gateway, or named in the vault, on the strength of a failed call.

    A DELETE needs a link since the last failure, for one thread does link, commit and DELETE in
    turn. A part whose sync failed is never linked, and no name is given twice.
    """
    found, failed, named, safe, deleted = list[str](), set[str](), set[str](), False, set[str]()
    for what, about in ran.notes:
        if what == "failed":
            failed.add(about)
            safe = False
        elif what == "link":
            name = Path(about).stem
            if about in failed or name in named:
                found.append(f"linked {about}")
            named.add(name)
            safe = True
        else:
            if not safe and about not in deleted:
                found.append(f"deleted {about}")
            deleted.add(about)
    return found


def _check_sound(outside: OutsideWorld) -> None:
    path = outside.folder / "inbox.db"
    if path.exists():
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()


def _full(places: Sequence[int] | range) -> Iterable[InjectedFailure]:
    """A disk that is full from some place on; every other process does not live to see it end."""
    return (
        InjectedFailure(calls=WRITES, error=errno.ENOSPC, first=at, last=None, fatal=bool(turn % 2))
        for turn, at in enumerate(places)
    )


def _failing_sync(places: Sequence[int] | range) -> Iterable[InjectedFailure]:
    return (
        InjectedFailure(calls=SYNCS, error=errno.EIO, first=at, last=at, fatal=bool(turn % 2))
        for turn, at in enumerate(places)
    )


@databases.SQLITE_SOON
def test_line_recovers_from_a_disk_that_is_full_from_the_second_write(
    outside: OutsideWorld,
) -> None:
    struck, _ = _through(outside, _full((2,)), allowed={"Unavailable"}, warm="no")

    assert struck == 1


@pytest.mark.long
def test_failed_fsync_never_leads_to_a_vault_link_or_a_gateway_delete(
    outside: OutsideWorld,
) -> None:
    struck, codes = _through(outside, _failing_sync(range(1, 10_000)), allowed={"Unavailable"})

    assert struck > 8
    assert codes <= {"vault.io", "database.unavailable", "None"}


@pytest.mark.long
def test_line_recovers_from_a_disk_that_becomes_full_at_any_write(outside: OutsideWorld) -> None:
    # To SQLite's hundreds of frames each seventh write does; every commit has more.
    step = 7 if outside.url.startswith("sqlite") else 1

    struck, codes = _through(outside, _full(range(1, 10_000, step)), allowed={"Unavailable"})

    assert struck > 5
    assert codes <= {"vault.full", "database.full", "database.unavailable", "None"}


def test_undue_reports_links_and_deletes_that_follow_a_failed_call() -> None:
    deleted, linked = ("delete", "/x"), ("link", "/vault/parts/a.1.ff")
    failed, again = ("failed", "/vault/parts/a.1.ff"), ("link", "/vault/parts/a.2.ee")

    def of(*notes: tuple[str, str]) -> list[str]:
        return undue(Traced(exit_code=0, calls=(), notes=notes))

    assert of(linked, deleted, failed, deleted) == []
    assert of(failed, again, deleted) == []
    assert of(failed, linked, deleted) == ["linked /vault/parts/a.1.ff"]
    assert of(linked, failed, deleted) == ["deleted /x"]
    assert of(linked, again, ("link", "/vault/parts/a.1.dd")) == ["linked /vault/parts/a.1.dd"]


@pytest.mark.long
def test_undue_reports_a_vault_that_links_an_object_after_a_failed_fsync(
    outside: OutsideWorld,
) -> None:
    with archive_server_for(outside) as (_, url), fork_server_for(outside, archive=url) as nursery:
        send_two(outside)
        whole = nursery.count(trusting_a_failed_sync)
        syncs = [call for call in whole.calls[: whole.calls.index("link")] if call in SYNCS]
        send_two(outside)
        at = len(syncs)
        failing = InjectedFailure(calls=SYNCS, error=errno.EIO, first=at, last=at)

        ran = nursery.trouble(trusting_a_failed_sync, failing)

    assert [wrong.split(" ")[0] for wrong in undue(ran)] == ["linked"]
