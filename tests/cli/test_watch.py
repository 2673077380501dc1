"""`inbox watch` shows what is wrong, and what begins and ends, as `ready` and `doctor` see it."""

import json
import signal
import time
from collections.abc import Iterator

import pytest

from tests.cli.installation import Installed


def test_watch_once_shows_what_is_wrong_and_exits_1(installed: Installed) -> None:
    told = installed.ask("watch", "--once")

    assert told.code == 1
    assert "trust.nobody" in told.out
    assert "otherwise: every message is quarantined" in told.out
    assert "do: set trust, and put *.pem in the folder (operator)" in told.out


def test_watch_once_as_json_is_one_object_in_a_line(installed: Installed) -> None:
    lines = installed.ask("watch", "--once", "--json").out.splitlines()

    codes = {json.loads(line)["code"]: json.loads(line)["event"] for line in lines}
    assert codes["trust.nobody"] == "began"
    assert codes["worker.silent"] == "began"


def _until(lines: Iterator[str], words: str) -> str:
    began = time.monotonic()
    for line in lines:
        if words in line:
            return line
        assert time.monotonic() - began < 60
    pytest.fail(f"it ended without {words}")


def test_watch_says_when_something_begins_and_ends_until_it_is_interrupted(
    installed: Installed,
) -> None:
    vault = installed.folder / "vault"
    running = installed.start("watch", "--every", "1")
    assert running.stdout is not None
    _until(running.stdout, "trust.nobody")

    vault.rename(installed.folder / "elsewhere")
    began = _until(running.stdout, "vault")
    (installed.folder / "elsewhere").rename(vault)
    ended = _until(running.stdout, "ended: vault")
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=30)

    assert "unready" in began
    assert "vault.io" in ended
    assert (running.returncode, err) == (0, "")
