"""An installation without neighbours, for tests that take directories in and look at the rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import httpx

from inbox import audit
from inbox.directory.apply import hash_references, import_agreed, plan_changes
from inbox.directory.diff import RowChange
from inbox.directory.format.rows import Directory
from inbox.directory.format.toml_file import read_directory
from inbox.keys import create_keys
from inbox.line import Line
from inbox.store import Store, Transaction, create_engine
from tests import worlds
from tests.gateway.scripted_gateway import NO_TLS
from tests.municipality import DIRECTORY

OURS = worlds.OURS
HEAD = f"organisation = '{OURS}'\n"


class _UndoneError(Exception):
    pass


def _undo() -> NoReturn:
    raise _UndoneError


def build(url: str, folder: Path) -> Line:
    """A line on an empty database, with the shipped policies; nobody is enrolled."""
    create_keys(folder / "keys", worlds.BEGIN)
    (folder / "vault").mkdir()
    (folder / "trust").mkdir()
    engine = worlds.sharing_statements(create_engine(url))
    store = Store(engine, seal=audit.seal, clock=worlds.Clock())
    line = worlds.line_of(store, folder, worlds.channel_of(httpx.Client(verify=NO_TLS)))
    worlds.install(store, line.keyring)
    return line


def settled(line: Line, folder: Path) -> worlds.House:
    """The municipality of the tests works here."""
    with line.store.transaction() as tx:
        take(line, tx, read_directory(DIRECTORY))
    clock = line.store.clock
    assert isinstance(clock, worlds.Clock)
    return worlds.House(line=line, clock=clock, folder=folder)


@contextmanager
def undone(line: Line) -> Iterator[Transaction]:
    """A transaction of which nothing stays, so that the next begins with the same."""
    try:
        with line.store.transaction() as tx:
            yield tx
            _undo()
    except _UndoneError:
        pass


def at_time(tx: Transaction, moment: datetime) -> Transaction:
    """The same transaction, whose clock says this from now on."""
    tx.now = moment
    return tx


def read(text: str) -> Directory:
    """A directory of ours from the rest of its file."""
    return read_directory((HEAD + text).encode())


def take(line: Line, tx: Transaction, directory: Directory) -> None:
    """Take it in, whoever decided it."""
    import_agreed(line, tx, directory, approved_by="anne+bjorn")
    tx.flush()
    tx.expire_all()


def planned(line: Line, tx: Transaction, directory: Directory) -> tuple[RowChange, ...]:
    """What it would change."""
    return plan_changes(line, tx, hash_references(line, directory))
