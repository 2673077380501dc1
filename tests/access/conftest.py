"""A database in memory, the town in it, and the product's own policy."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import StaticPool
from sqlmodel import Session, SQLModel

from inbox.access import Policy
from inbox.access.files.folder import load_policy
from inbox.store import Transaction
from inbox.store import create_engine as create_our_engine
from tests.access.town import NOW, POLICIES, Town


@pytest.fixture(scope="session")
def the_policy() -> Policy:
    return load_policy(POLICIES)


@pytest.fixture(scope="session")
def small_engine() -> Iterator[Engine]:
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    SQLModel.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def session(small_engine: Engine) -> Iterator[Transaction]:
    """Everything that a test writes is rolled back."""
    with small_engine.connect() as connection, connection.begin() as outer:
        with Transaction(connection, join_transaction_mode="create_savepoint") as session:
            session.now = NOW
            yield session
        outer.rollback()


@pytest.fixture
def town(session: Session) -> Town:
    return Town(session)


@pytest.fixture
def town_on_each_database(database: str) -> Iterator[Town]:
    """The town in a database as the product makes it, once of each kind."""
    engine = create_our_engine(database)
    with Session(engine) as session:
        yield Town(session)
        session.rollback()
    engine.dispose()
