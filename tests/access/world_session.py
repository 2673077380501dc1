"""A session on a database that holds one random world until the session ends."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from inbox.store import Transaction
from tests.access.random_world import RandomWorld, write
from tests.access.town import NOW


@contextmanager
def session_with_world(engine: Engine, world: RandomWorld) -> Iterator[Transaction]:
    """The world in a database, and out of it again."""
    with engine.connect() as connection, connection.begin() as outer:
        with Transaction(connection) as session:
            session.now = NOW
            write(session, world)
            yield session
        outer.rollback()
