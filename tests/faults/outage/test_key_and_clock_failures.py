"""Keys and clocks that are wrong at start, or change while the line runs."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from inbox.app import create_app
from inbox.config import read_settings
from inbox.errors import ConfigurationError
from inbox.keys import Keyring, add_key
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.server import serve
from inbox.simulator.packages.envelopes import sbd_json
from inbox.store import SteadyClock, Store
from inbox.wiring import build_line
from inbox.worker import Worker
from tests.cli.installation import OURS, Installed, settle_in
from tests.faults.conftest import Made
from tests.faults.fault_table import Row, on_both_databases, rows_for
from tests.faults.outage.http_world import http_world
from tests.worlds import collect_from

GATEWAY = '\n[[gateways]]\nchannel = "ip"\nurl = "{url}"\norganisations = ["{ours}"]\n'
START = rows_for("test_start_with_wrong_or_missing_keys_is_refused_before_any_gateway_call")
CLOCK = rows_for("test_temporarily_wrong_database_clock_neither_loses_nor_duplicates_a_message")


def _without(name: str) -> Callable[[Installed], object]:
    return lambda place: next((place.folder / "keys").glob(name)).unlink()


def _others(place: Installed) -> None:
    shutil.rmtree(place.folder / "keys")
    place.ask("keys", "create")


def _garbage(place: Installed) -> None:
    (place.folder / "keys" / "lookup.key").write_text("not a key\n")


def _open_to_all(place: Installed) -> None:
    (place.folder / "keys" / "audit.key").chmod(0o644)


KEYS: Mapping[str, Callable[[Installed], object]] = {
    "K1": lambda place: (place.folder / "keys").rename(place.folder / "elsewhere"),
    "K2": _without("kek-*.key"),
    "K3": _without("lookup.key"),
    "K4": _without("audit.key"),
    "K5": _without("active"),
    "K6": _others,
    "K7": _garbage,
    "K8": _open_to_all,
}
"""What is done to the key folder of an installation before it starts."""


@pytest.fixture(scope="module")
def installed_once(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    place = settle_in(tmp_path_factory.mktemp("keys") / "installation")
    assert place.ask("keys", "create").code == 0
    assert place.ask("database", "upgrade").code == 0
    words = ("init", "--organisation", OURS, "--desk", "dokumentsenteret=Dokumentsenteret")
    people = ("--person", "anne=Anne Arkivar", "--person", "bjorn=Bjorn Arkivar")
    assert place.ask(*words, *people, "--json").code == 0
    return place


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(
            row, id=row.number, marks=[] if row.number in ("K1", "K6") else pytest.mark.long
        )
        for row in START
    ],
)
def test_start_with_wrong_or_missing_keys_is_refused_before_any_gateway_call(
    installed_once: Installed, tmp_path: Path, row: Row
) -> None:
    """The same start with its own keys asks for what waits: so the test can see."""
    place = Installed(tmp_path / "installation")
    shutil.copytree(installed_once.folder, place.folder)
    gateway = GatewaySimulator()
    gateway.put(sbd_json(), b"bytes")
    with serve(gateway.app) as url:
        text = place.config.read_text().replace(str(installed_once.folder), str(place.folder))
        place.config.write_text(text + GATEWAY.format(url=url, ours=OURS))
        KEYS[row.number](place)

        with pytest.raises(ConfigurationError) as refused:
            collect_from(build_line(read_settings({}, place.config)))

        assert refused.value.code.startswith("keys.")
        assert gateway.journal == []
        shutil.rmtree(place.folder / "keys", ignore_errors=True)
        shutil.copytree(installed_once.folder / "keys", place.folder / "keys")
        line = build_line(read_settings({}, place.config))
        collect_from(line)
        line.gateways["ip"]._connection._client.close()  # type: ignore[attr-defined] # ours
        line.store.engine.dispose()
        assert "/api/messages/in/peek" in [seen.path for seen in gateway.journal]


@pytest.mark.long
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_process_without_a_new_key_postpones_only_the_messages_under_that_key(
    made: Made, tmp_path: Path, kind: str
) -> None:
    """A key is added on one of two machines; the other meets a message under the new key."""
    with http_world(made(kind), tmp_path) as there:
        shutil.copytree(tmp_path / "keys", tmp_path / "newer")
        add_key(tmp_path / "newer", there.world.clock.now)
        newer = replace(there.line, keyring=Keyring.load(tmp_path / "newer"))
        there.custody.reads_with(newer)
        there.send(content=b"under the new key")
        collect_from(newer)
        there.world.clock.advance(timedelta(seconds=1))
        second = there.send(content=b"under the old key")

        there.pass_time(12)

        assert [receipt["relatedToMessageId"] for receipt in there.answered()] == [second]
        assert there.tasks() == ["stuck"]
        there.api.inner = create_app(newer)
        there.worker = Worker(newer, poll_seconds=1, checkpoints=tmp_path / "checkpoints.txt")
        there.until_answered()
        assert there.wrong() == []
        assert there.tasks() == []


OFFSETS = {
    "T1": timedelta(hours=1),
    "T2": timedelta(hours=-1),
    "T3": timedelta(days=365),
    "T4": timedelta(days=-365),
}
"""How far the database's clock is from everybody else's, for a while."""


@pytest.mark.long
@pytest.mark.parametrize("moment", ["announced", "taken", "registered"])
@pytest.mark.parametrize(("row", "kind"), on_both_databases(CLOCK, sample=[]))
def test_temporarily_wrong_database_clock_neither_loses_nor_duplicates_a_message(
    made: Made, tmp_path: Path, row: Row, kind: str, moment: str
) -> None:
    off = [timedelta(0)]

    with http_world(made(kind), tmp_path) as there:
        hand = there.world.clock

        def steady() -> None:
            """A process that starts now: its clock has no memory."""
            clock = SteadyClock(lambda session: hand.now + off[0])
            store = Store(there.line.store.engine, seal=there.line.store._seal, clock=clock)
            line = replace(there.line, store=store)
            there.worker = Worker(line, poll_seconds=1, checkpoints=tmp_path / "checkpoints.txt")

        steady()
        wire_id = there.send()
        if moment == "announced":
            there.worker._poll_gateway("eformidling")
        if moment == "taken":
            there.turn()
        if moment == "registered":
            there.turn()
            there.rest(3)
        off[0] = OFFSETS[row.number]
        there.pass_time(4)
        off[0] = timedelta(0)
        steady()
        if "a year later" in row.comes_to:
            there.pass_time(4)
            assert there.custody.holds(wire_id) or there.world.gateway.queue() == [wire_id]
            assert len(there.answered()) <= 1
            assert all(held for _, held in there.custody.deletes)
            assert len(there.told.registered) <= 1
            return
        there.until_answered()

        assert there.wrong() == []
        assert there.tasks() == []
