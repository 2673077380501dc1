"""A session on a database that holds one random world until the session ends."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlmodel import Session

from tests.access.random_world import RandomWorld, write


@contextmanager
def session_with_world(engine: Engine, world: RandomWorld) -> Iterator[Session]:
    """The world in a database, and out of it again."""
    with engine.connect() as connection, connection.begin() as outer:
        with Session(bind=connection) as session:
            write(session, world)
            yield session
        outer.rollback()
