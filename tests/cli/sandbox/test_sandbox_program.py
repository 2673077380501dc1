"""The whole program: a vendor with the documentation page alone, and what is left afterwards."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from inbox.cli.sandbox.installation import check_webhook
from inbox.errors import Invalid
from inbox.simulator.casesystem.simulator import HOOK, CaseSystemSimulator
from inbox.simulator.http.server import serve
from tests.cli.installation import PROGRAM
from tests.runs.another_day import clock_of

ROOT = Path(__file__).parents[3]
VENDORS = ROOT / "docs" / "vendors.md"
EXAMPLE = ROOT / "docs" / "examples" / "javascript"
_PATIENCE = 900.0
"""Seconds until something is taken for broken; nothing is measured by it."""


@dataclass
class Sandbox:
    """A running sandbox, and what it has printed."""

    process: "subprocess.Popen[str]"
    printed: Path

    @property
    def text(self) -> str:
        return self.printed.read_text("utf-8")

    def value(self, name: str) -> str:
        """What it printed beside a name: address, key or secret."""
        self.wait_for(f"  {name} ")
        found = re.search(rf"^  {name} +(\S+)$", self.text, re.MULTILINE)
        assert found is not None
        return found[1]

    def wait_for(self, words: str, count: int = 1) -> None:
        until = time.monotonic() + _PATIENCE
        while self.text.count(words) < count:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < until, f"{words!r} never came: {self.text}"
            time.sleep(0.05)

    def hit_enter(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self, by: int = signal.SIGINT) -> int:
        self.process.send_signal(by)
        return self.process.wait(timeout=_PATIENCE)


Start = Callable[..., Sandbox]


@pytest.fixture
def bare(tmp_path: Path) -> Mapping[str, str]:
    """The environment of a machine without settings; a file that is named counts for nothing."""
    (tmp_path / "tmp").mkdir()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path / "tmp"),
        "INBOX_CONFIG": str(tmp_path / "there-is-none.toml"),
        **clock_of(os.environ),
    }


@pytest.fixture
def start(tmp_path: Path, bare: Mapping[str, str]) -> Iterator[Start]:
    begun: list[subprocess.Popen[str]] = []

    def begin(*words: str) -> Sandbox:
        printed = tmp_path / f"printed-{len(begun)}.txt"
        with printed.open("w") as out:
            process = subprocess.Popen(
                [PROGRAM, "sandbox", *words],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=tmp_path,
                env=dict(bare),
            )
        begun.append(process)
        return Sandbox(process, printed)

    yield begin
    for process in begun:
        if process.poll() is None:
            process.kill()
            process.wait()
        assert process.stdin is not None
        process.stdin.close()


def _block(name: str) -> str:
    """The code on the page for vendors that is marked as run by a test."""
    found = re.search(
        rf"<!-- run: {name} -->\n```\w+\n(.*?)```", VENDORS.read_text("utf-8"), re.DOTALL
    )
    assert found is not None
    return found[1]


@contextmanager
def _node_receiver(sandbox: Sandbox, port: int, folder: Path) -> Iterator[None]:
    """The receiver of the page, run by node, with the package that its lock names."""
    shutil.copytree(EXAMPLE / "node_modules", folder / "node_modules")
    (folder / "receiver.mjs").write_text(_block("javascript"), "utf-8")
    process = subprocess.Popen(
        ["node", "receiver.mjs"],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "INBOX": sandbox.value("address"),
            "KEY": sandbox.value("key"),
            "SECRET": sandbox.value("secret"),
            "PORT": str(port),
            **clock_of(os.environ),
        },
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def test_curl_lines_of_the_page_end_with_a_kvittering_and_nothing_is_left_behind(
    start: Start, tmp_path: Path
) -> None:
    sandbox = start()
    known = {"INBOX": sandbox.value("address"), "KEY": sandbox.value("key")}
    sandbox.hit_enter()
    sandbox.wait_for("letter 1 waits for you")

    ran = subprocess.run(
        ["sh", "-eu", "-c", _block("curl")],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **known},
        capture_output=True,
        text=True,
        check=True,
    )
    sandbox.wait_for("its sender has the kvittering: 2026/000001-1")
    code = sandbox.end()

    assert ran.stdout.count('{"said":"done"}') == 2
    assert (tmp_path / "package.asice").read_bytes().startswith(b"PK")
    assert "!!" not in sandbox.text.partition("good to know.")[2]
    assert (code, list((tmp_path / "tmp").iterdir())) == (0, [])
    assert max(len(line) for line in sandbox.text.splitlines()) <= 80
    assert "Not tried: refused." in sandbox.text


def test_case_system_with_a_webhook_passes_the_trials_of_every_kind_of_letter(
    start: Start, tmp_path: Path
) -> None:
    system = CaseSystemSimulator("vendor")
    with serve(system.app) as url:
        sandbox = start("--webhook", url + HOOK)
        system.connect(
            sandbox.value("address"), key=sandbox.value("key"), secret=sandbox.value("secret")
        )
        with system:
            for _ in range(4):
                sandbox.hit_enter()
            sandbox.wait_for("its sender has the kvittering", 4)
            sandbox.wait_for("trials of your receiver", 4)
            code = sandbox.end(signal.SIGTERM)

    remarks = sandbox.text.partition("good to know.")[2]
    told = [line for line in remarks.splitlines() if "!!" in line and "503" not in line]
    assert told == []
    assert "ok  a forged signature: refused with 401" in remarks
    assert (code, list((tmp_path / "tmp").iterdir())) == (0, [])
    registered = [entry.message_id for entry in system.registered]
    assert len(registered) == len(set(registered))


@pytest.mark.skipif(
    shutil.which("node") is None or not (EXAMPLE / "node_modules").is_dir(),
    reason="needs node, and `npm ci` in docs/examples/javascript",
)
def test_javascript_receiver_of_the_page_acknowledges_a_first_message(
    start: Start, tmp_path: Path
) -> None:
    port = _free_port()
    (tmp_path / "node").mkdir()
    sandbox = start("--webhook", f"http://127.0.0.1:{port}/")

    with _node_receiver(sandbox, port, tmp_path / "node"):
        sandbox.hit_enter()
        sandbox.wait_for("its sender has the kvittering: 2026/000001-1")
        sandbox.wait_for("trials of your receiver")

    assert "computed over" not in sandbox.text
    assert sandbox.text.count("refused with 401") == 3


def test_sandbox_that_is_killed_leaves_nothing_behind(start: Start, tmp_path: Path) -> None:
    sandbox = start()
    sandbox.value("secret")
    made = list((tmp_path / "tmp").iterdir())

    sandbox.end(signal.SIGKILL)

    assert [path.name.startswith("inbox-sandbox-") for path in made] == [True]
    until = time.monotonic() + _PATIENCE
    while list((tmp_path / "tmp").iterdir()):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_sandbox_explains_a_receiver_that_is_not_there_and_ends_at_q(start: Start) -> None:
    sandbox = start("--webhook", f"http://127.0.0.1:{_free_port()}/", "--every", "3600")
    sandbox.wait_for("Does your receiver run")
    assert sandbox.process.stdin is not None
    sandbox.process.stdin.write("q\n")
    sandbox.process.stdin.flush()

    assert sandbox.process.wait(timeout=_PATIENCE) == 0
    assert "Letters: 1. With a kvittering at their sender: 0." in sandbox.text
    assert max(len(line) for line in sandbox.text.splitlines()) <= 80


@pytest.mark.parametrize(
    "url", ["9000", "ftp://127.0.0.1/x", "http://", "http://a:b@127.0.0.1/", "http://127.0.0.1:x/"]
)
def test_malformed_webhook_address_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(Invalid, match="sandbox.webhook: write it as http://127.0.0.1:9000/"):
        check_webhook(url)


def test_javascript_of_the_page_is_the_file_that_it_names() -> None:
    assert _block("javascript") == (EXAMPLE / "receiver.mjs").read_text("utf-8")


def test_lock_of_the_javascript_example_has_hashes_and_no_addresses() -> None:
    text = (EXAMPLE / "package-lock.json").read_text("utf-8")
    packages = {name: each for name, each in json.loads(text)["packages"].items() if name}

    assert "standardwebhooks" in " ".join(packages)
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    assert "resolved" not in text
    assert "://" not in text
    assert "omit-lockfile-registry-resolved=true" in (EXAMPLE / ".npmrc").read_text()
