"""The town of the tests of access, for tests of its rows."""

from tests.access.conftest import session, small_engine, town

__all__ = ["session", "small_engine", "town"]
