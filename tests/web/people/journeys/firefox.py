"""The system's Firefox, spoken to by its own protocol: playwright has only a Firefox of its own.

Marionette: lines of JSON over a socket, each with its length before it
(firefox-source-docs.mozilla.org/testing/marionette/Protocol.html).
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.web.people.chromium import MANDATORY

_NAMES = ("firefox-esr", "firefox")
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key under which WebDriver names an element (W3C WebDriver, section 12)."""
_STARTS_WITHIN, _ANSWERS_WITHIN = 60.0, 30.0
_SETTINGS = """
user_pref("marionette.port", 0);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
"""


def find_firefox() -> str:
    """The path of the browser; skips the test, in one line, where there is none."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None and os.environ.get(MANDATORY):
        pytest.fail("there is no Firefox on PATH, and INBOX_BROWSER says that there must be")
    if found is None:
        pytest.skip("no Firefox on PATH: the sign-in is not tried in it")
    return found


class Firefox:
    """One window of it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._file = connection.makefile("rb")
        self._number = 0
        self._read()
        self.ask("WebDriver:NewSession", capabilities={})
        self.ask("WebDriver:SetTimeouts", implicit=10_000, pageLoad=30_000)

    def ask(self, command: str, **parameters: object) -> Any:
        """What it answers to a command."""
        self._number += 1
        said = json.dumps([0, self._number, command, parameters]).encode()
        self._connection.sendall(str(len(said)).encode() + b":" + said)
        _, number, error, result = self._read()
        assert number == self._number
        assert error is None, error
        return result

    def _read(self) -> Any:
        length = b""
        while (digit := self._file.read(1)) != b":":
            assert digit, "Firefox has ended"
            length += digit
        return json.loads(self._file.read(int(length)))

    def open(self, address: str) -> None:
        """Type an address."""
        self.ask("WebDriver:Navigate", url=address)

    def click(self, selector: str, containing: str) -> None:
        """Click what the XPath finds with this text in it."""
        path = f"//{selector}[contains(normalize-space(.), '{containing}')]"
        found = self.ask("WebDriver:FindElement", using="xpath", value=path)["value"]
        self.ask("WebDriver:ElementClick", id=found[_ELEMENT])

    def wait_for(self, text: str) -> None:
        """Wait until a heading says it."""
        path = f"//h1[contains(normalize-space(.), '{text}')]"
        self.ask("WebDriver:FindElement", using="xpath", value=path)

    @property
    def address(self) -> str:
        """Where it is."""
        return str(self.ask("WebDriver:GetCurrentURL")["value"])

    @property
    def cookies(self) -> list[dict[str, Any]]:
        """Those that it would send to the page it is on."""
        return list(self.ask("WebDriver:GetCookies"))


@contextmanager
def started_firefox(folder: Path) -> Iterator[Firefox]:
    """A browser with a profile of its own, until the `with` ends."""
    path = find_firefox()
    profile = folder / "profile"
    profile.mkdir()
    (profile / "user.js").write_text(_SETTINGS)
    command = [path, "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        command, stdout=quiet, stderr=quiet, env={**os.environ, "HOME": str(folder)}
    ) as process:
        try:
            with socket.create_connection(("127.0.0.1", _port_of(profile, process))) as connection:
                connection.settimeout(_ANSWERS_WITHIN)
                yield Firefox(connection)
        finally:
            process.terminate()


def _port_of(profile: Path, process: subprocess.Popen[bytes]) -> int:
    """The free port that it has taken, which it writes into its profile."""
    written, until = profile / "MarionetteActivePort", time.monotonic() + _STARTS_WITHIN
    while not (written.is_file() and written.read_text().strip()):
        assert process.poll() is None, "Firefox did not start"
        assert time.monotonic() < until, "Firefox does not say where it listens"
        time.sleep(0.1)
    return int(written.read_text())
