"""Nothing confidential shows: on disk, in a log, an event, an answer, or an exception."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from inbox.simulator.http.server import serve
from inbox.store import create_engine
from inbox.tables import Message, Row
from tests import postgres
from tests.cli.installation import program
from tests.databases import postgres_database, sqlite_database
from tests.faults.leak.canary_journey import Observations, erase, hooked, refuse_packages, walk
from tests.faults.leak.canary_messages import (
    REFERENCE,
    WORDS,
    canary,
    describe_hits,
    not_for_senders,
    send,
)
from tests.faults.leak.leak_search import Hit, search, search_folder
from tests.faults.leak.leaky_vaults import SpoolingVault, TeeingVault
from tests.faults.leak.serve_process import serve_process
from tests.worlds import World, world

_CHATTY = (
    "log_statement = 'all'",
    "log_parameter_max_length = -1",
    "log_parameter_max_length_on_error = -1",
    "log_error_verbosity = 'verbose'",
)


Text = str | bytes


def _octets(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


def _search(texts: Mapping[str, Text]) -> list[Hit]:
    return [hit for where, text in texts.items() for hit in search(_octets(text), WORDS, where)]


def _rows(made: World) -> dict[str, Text]:
    """Every value as the database gives it: what it has packed is unpacked."""
    tables = Row.metadata.tables
    assert "message" in tables
    with made.line.store.engine.connect() as connection:
        return {
            name: b"\n".join(
                _octets(value) for row in connection.execute(sa.select(table)) for value in row
            )
            for name, table in tables.items()
        }


def _given(made: World, seen: Observations) -> dict[str, Text]:
    """What neighbours were given, and what exceptions say."""
    receipts = made.gateway.receipts_at_sender()
    assert REFERENCE in json.dumps(receipts, ensure_ascii=False)
    assert len(seen.events) > 3
    assert len(seen.exceptions) > 100
    return {
        **{f"receipt {n}": text for n, text in enumerate(not_for_senders(receipts))},
        **{f"event {n}": body for n, body in enumerate(seen.events)},
        **{f"exception {n}": text for n, text in enumerate(seen.exceptions)},
    }


def _walked(made: World, places: list[Path]) -> Observations:
    """Walk and erase; the disk is looked at while all is there, and after the erasure."""
    seen = Observations()
    with hooked(made, seen):
        walk(made, seen)
        refuse_packages(seen)
        assert describe_hits([hit for place in places for hit in search_folder(place, WORDS)]) == {}
        erase(made)
    assert describe_hits(_search(_given(made, seen))) == {}
    return seen


def test_journey_leaves_no_confidential_words_in_files_rows_events_or_exceptions(
    tmp_path: Path,
) -> None:
    with world(sqlite_database(tmp_path), tmp_path) as made:
        _walked(made, [tmp_path])

        assert describe_hits(_search(_rows(made))) == {}
        assert describe_hits(search_folder(tmp_path, WORDS)) == {}
        assert (tmp_path / "inbox.db-wal").stat().st_size > 0


def _asked(made: World, database: str) -> dict[str, Text]:
    """What the faces and the commands of the real program say."""
    with serve(made.gateway.app) as gateway, serve_process(made, database, gateway) as it:
        said = {**it.answers(), **it.words()}
    assert len(said) == 15
    config = ("--config", str(made.folder / "inbox.toml"))
    one_of_each = {message.state: message.id for message in made.messages()}
    assert len(one_of_each) > 5
    answers = [
        *(program(*config, "message", "list", *flags) for flags in ((), ("--json",))),
        *(program(*config, "message", "show", each) for each in one_of_each.values()),
        program(*config, "message", "show", next(iter(one_of_each.values())), "--json"),
        *(
            program(*config, group, "list", *flags)
            for group in ("arrival", "task", "delivery", "receipt", "proposal")
            for flags in ((), ("--json",))
        ),
        program(*config, "arrival", "list", "--state", "CONFIRMED", "--json"),
        program(*config, "task", "list", "--state", "DONE", "--json"),
        program(*config, "audit", "verify"),
        program(*config, "audit", "export", str(made.folder / "leaves.jsonl")),
        program(*config, "doctor"),
    ]
    assert [answer.err for answer in answers[:-1] if answer.code != 0] == []
    commands = {f"command {n}": answer.out + answer.err for n, answer in enumerate(answers)}
    return {**said, **commands}


def _whole(made: World, database: str, places: list[Path]) -> None:
    _walked(made, places)
    texts = _asked(made, database) | _rows(made)

    assert describe_hits(_search(texts)) == {}
    assert '"event": "collected"' in (made.folder / "err.log").read_text()
    assert list(made.folder.glob("core*")) == []
    assert describe_hits(search_folder(made.folder, WORDS)) == {}


@pytest.mark.long
def test_real_program_on_sqlite_leaks_no_confidential_words(tmp_path: Path) -> None:
    database = sqlite_database(tmp_path)
    with world(database, tmp_path) as made:
        _whole(made, database, [tmp_path])


@pytest.mark.long
def test_real_program_on_postgresql_with_verbose_logging_leaks_no_confidential_words(
    tmp_path: Path,
) -> None:
    with postgres.server() as admin:
        home = Path(admin.partition("host=")[2])
        _make_chatty(admin)
        database = postgres_database(admin)
        with world(database, tmp_path) as made:
            _whole(made, database, [tmp_path, home])
            with made.line.store.engine.connect() as connection:
                connection.execute(sa.text("CHECKPOINT"))
            log = (home / "log").read_text(errors="replace")

            assert "UPDATE message SET" in log
            assert "ERROR" in log
            assert list((home / "data" / "pg_wal").iterdir())
            assert describe_hits(search_folder(home, WORDS)) == {}


def _make_chatty(admin: str) -> None:
    engine = create_engine(admin).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in _CHATTY:
            connection.exec_driver_sql(f"ALTER SYSTEM SET {setting}")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    engine.dispose()


# Planted: each of these would be found


def _arrived(made: World) -> Message:
    wire_id = send(made, "Melding om barnevern")
    made.collect()
    made.work()
    return made.message(wire_id)


@pytest.mark.parametrize("kind", [TeeingVault, SpoolingVault])
def test_leak_search_finds_plaintext_copies_beside_the_vault(
    small_world: World, kind: type[TeeingVault]
) -> None:
    (small_world.folder / "tmp").mkdir()
    plain = kind(inner=small_world.line.vault, folder=small_world.folder / "tmp")
    small_world.line = replace(small_world.line, vault=plain)

    _arrived(small_world)

    around = b"".join(hit.around for hit in search_folder(small_world.folder, WORDS))
    for what in ("innhold", "tittel", "offentlig", "filnavn", "avsender", "person", "enhet"):
        assert canary(what).encode() in around, what


@pytest.mark.parametrize(
    "column", ["sealed_metadata", "sealed_envelope", "sealed_archive", "sealed_documents"]
)
def test_leak_search_finds_an_unsealed_column_in_sqlite_files(
    small_world: World, column: str
) -> None:
    message = _arrived(small_world)
    assert search_folder(small_world.folder, WORDS) == []

    _write_plain(small_world, message, column)

    assert {hit.where for hit in search_folder(small_world.folder, WORDS)} <= {
        "inbox.db",
        "inbox.db-wal",
    }
    assert search_folder(small_world.folder, WORDS)
    assert _search(_rows(small_world))


def _write_plain(made: World, message: Message, column: str) -> None:
    text = json.dumps({"public_title": canary("offentlig")}).encode()
    with made.line.store.transaction() as tx:
        setattr(tx.get_one(Message, message.id), column, text)


@pytest.mark.long
def test_leak_search_finds_an_unsealed_column_in_postgresql_data_and_wal(tmp_path: Path) -> None:
    with postgres.server() as admin:
        home = Path(admin.partition("host=")[2])
        with world(postgres_database(admin), tmp_path) as made:
            _write_plain(made, _arrived(made), "sealed_metadata")
            with made.line.store.engine.connect() as connection:
                connection.execute(sa.text("CHECKPOINT"))

            places = {hit.where.split("/")[0] for hit in search_folder(home / "data", WORDS)}

    assert places == {"base", "pg_wal"}


def test_leak_search_finds_words_in_a_log_line_an_event_and_an_exception(
    small_world: World,
) -> None:
    (small_world.folder / "err.log").write_text(json.dumps({"title": canary("tittel")}))
    seen = Observations(events=[canary("hendelse").encode()])
    seen.failing(lambda: int(canary("tall")))

    assert {hit.where for hit in search_folder(small_world.folder, WORDS)} == {"err.log"}
    assert _search({"event": seen.events[0]})
    assert {hit.where for hit in _search({text: text for text in seen.exceptions})} != set()
