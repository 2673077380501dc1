"""A message takes so many SQL statements through the line, and no more."""

from pathlib import Path

from tests.bench.statements import statements_of_a_message

MOST = {"sqlite": 55, "postgresql": 52}
"""Until the case system has the event: `docs/performance.md` says what they are."""


def test_a_message_takes_no_more_statements_than_measured(database: str, tmp_path: Path) -> None:
    found = statements_of_a_message(database, tmp_path)
    assert found.count() <= MOST[database.partition(":")[0]], str(found)
