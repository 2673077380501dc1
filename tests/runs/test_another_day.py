"""A run of the tests on another day: all that is started is on that day, and waits as ever."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.installation import clean_environment
from tests.runs.another_day import NoLibrary, clock_of, moved_clock

_ROOT = Path(__file__).parents[2]
_DAYS = 396
_PATIENCE_SECONDS = 300
_SAY = "from datetime import UTC, datetime; print(datetime.now(UTC).isoformat())"
_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_SAY!r}], check=True)"
_SERVER = """
import psycopg
from tests import postgres

with postgres.server() as url, psycopg.connect(url) as connection:
    print(connection.execute("SELECT now()").fetchone()[0].isoformat())
"""
_WAITS = """
import multiprocessing, queue, subprocess, threading, time

time.sleep(0.01)
threading.Event().wait(0.01)
threading.Lock().acquire(timeout=0.01)
multiprocessing.get_context("spawn").Event().wait(0.01)
subprocess.run(["true"], check=True, timeout=60)
try:
    queue.Queue().get(timeout=0.01)
except queue.Empty:
    print("has waited six times")
"""


@pytest.fixture(autouse=True)
def _library() -> None:
    try:
        moved_clock(_DAYS)
    except NoLibrary:
        pytest.skip("libfaketime is not installed")


def _run(*words: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.runs.another_day", str(_DAYS), sys.executable, *words],
        cwd=_ROOT,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=_PATIENCE_SECONDS,
    )
    return ran.stdout.strip()


def _this_machine_now() -> datetime:
    """The true time, also where these tests are themselves on another day."""
    moved = clock_of(os.environ)
    unmoved = {name: text for name, text in clean_environment().items() if name not in moved}
    said = subprocess.check_output([sys.executable, "-c", _SAY], env=unmoved, text=True)
    return datetime.fromisoformat(said.strip())


@pytest.mark.parametrize("words", [_SAY, _CHILD, _SERVER], ids=["program", "child", "postgresql"])
def test_started_program_has_the_other_day(words: str) -> None:
    at_least = _this_machine_now() + timedelta(days=_DAYS)

    said = datetime.fromisoformat(_run("-c", words)).astimezone(UTC)

    assert at_least <= said < at_least + timedelta(days=1)


def test_program_on_another_day_waits_no_longer_than_it_asks_to() -> None:
    assert _run("-c", _WAITS) == "has waited six times"


def test_moved_clock_is_passed_on_only_where_there_is_one() -> None:
    bare = {"PATH": "/bin", "PYTHONPATH": "/elsewhere"}

    assert clock_of(bare) == {}
    assert clock_of({**bare, **moved_clock(_DAYS)}) == moved_clock(_DAYS)
