"""A database that refuses: each cause has its own code, and words without names or passwords."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from inbox.database_faults import fault_of
from inbox.errors import ConfigurationError, InboxError, Unavailable
from inbox.migrations import upgrade
from inbox.store import Store, Transaction, create_engine
from tests import databases
from tests.postgres import OUTSIDER

PASSWORD = "a-password-of-the-tests"


def _seal(tx: Transaction) -> None:
    del tx


@contextmanager
def _store(url: str) -> Iterator[Store]:
    store = Store(create_engine(url), seal=_seal)
    try:
        yield store
    finally:
        store.engine.dispose()


def _refusal(url: str, act: Callable[[Store], None]) -> InboxError:
    with _store(url) as store, pytest.raises(InboxError) as refused:
        act(store)
    return refused.value


def _new_database(server: str, options: str = "") -> str:
    name = f"f{uuid.uuid4().hex}"
    databases.run(server, f'CREATE DATABASE "{name}" {options}')
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def outsider(postgres_server: str) -> Iterator[Callable[[str, str], str]]:
    """Makes addresses of a role that must give a password and owns nothing."""
    databases.run(postgres_server, f"CREATE ROLE {OUTSIDER} LOGIN PASSWORD '{PASSWORD}'")
    yield lambda url, password: url.replace("//inbox@", f"//{OUTSIDER}:{password}@")
    databases.run(postgres_server, f"DROP ROLE {OUTSIDER}")


def _fault_code(url: str) -> str:
    return _refusal(url, Store.check_schema).code


def test_refusals_of_postgresql_have_a_code_for_each_cause(
    postgres_server: str, outsider: Callable[[str, str], str]
) -> None:
    ours = databases.postgres_database(postgres_server)
    elsewhere = postgres_server.partition("?")[0]

    codes = {
        "wrong password": _fault_code(outsider(ours, "another")),
        "no such database": _fault_code(postgres_server.replace("/postgres?", "/none?")),
        "no such role": _fault_code(ours.replace("//inbox@", "//nobody@")),
        "no socket": _fault_code(f"{elsewhere}?host=/nowhere"),
        "nothing listens": _fault_code("postgresql://inbox@127.0.0.1:1/inbox"),
    }

    assert codes == {
        "wrong password": "database.password",
        "no such database": "database.no_database",
        "no such role": "database.not_admitted",
        "no socket": "database.unavailable",
        "nothing listens": "database.unavailable",
    }


def test_wrong_password_never_appears_in_the_error(
    postgres_server: str, outsider: Callable[[str, str], str]
) -> None:
    refused = _refusal(outsider(postgres_server, "hemmelig"), Store.check_schema)

    assert "~/.pgpass" in refused.reason
    assert "hemmelig" not in str(refused)
    assert OUTSIDER not in str(refused)


def test_role_that_does_not_own_the_tables_has_a_code_of_its_own(
    postgres_server: str, outsider: Callable[[str, str], str]
) -> None:
    ours = databases.postgres_database(postgres_server)

    refused = _refusal(outsider(ours, PASSWORD), Store.check_schema)

    assert (type(refused), refused.code) == (Unavailable, "database.not_owner")
    assert "OWNER TO" in refused.reason


def test_upgrade_by_a_role_that_does_not_own_the_database_has_that_code(
    postgres_server: str, outsider: Callable[[str, str], str]
) -> None:
    empty = _new_database(postgres_server)
    databases.run(empty.replace("/postgres?", "/x?"), "REVOKE CREATE ON SCHEMA public FROM PUBLIC")

    refused = _refusal(outsider(empty, PASSWORD), lambda store: upgrade(store.engine))

    assert refused.code == "database.not_owner"


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_database_in_another_encoding_than_utf8_is_refused(
    postgres_server: str, encoding: str
) -> None:
    other = _new_database(
        postgres_server, f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    )

    for act in (Store.check_schema, lambda store: upgrade(store.engine)):
        refused = _refusal(other, act)

        assert (type(refused), refused.code) == (ConfigurationError, "database.encoding")
        assert encoding in refused.reason
        assert "ENCODING 'UTF8' TEMPLATE template0" in refused.reason


def test_connection_speaks_utf8_whatever_the_environment_says(
    postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")

    with _store(postgres_server) as store, store.engine.connect() as connection:
        assert connection.execute(sa.text("SHOW client_encoding")).scalar_one() == "UTF8"


def test_unknown_words_of_a_driver_are_an_unavailable_database() -> None:
    assert (
        fault_of(ValueError("something of which nobody has heard")).code == "database.unavailable"
    )
