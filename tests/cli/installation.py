"""An installation on this machine, and how to ask the program something, here or as a process."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

from inbox.cli import run
from tests.worlds import World

OURS = "910075918"
PROGRAM = Path(sys.executable).parent / "inbox"

SETTINGS = """\
database = "sqlite:///{folder}/inbox.db"
vault = "{folder}/vault"
keys = "{folder}/keys"
trust = "{folder}/trust"
checkpoints = "{folder}/checkpoints.txt"

[api]
port = 0

[operator]
port = 0

[terms]
placing_seconds = 0
free_gigabytes = 0

[worker]
poll_seconds = 0.2
"""


@dataclass(frozen=True)
class Answer:
    """What the program said."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> object:
        """What it said with `--json`."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Installed:
    """A folder with settings, and whatever the commands made in it."""

    folder: Path
    codes: Mapping[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        """The settings."""
        return self.folder / "inbox.toml"

    def copied(self, folder: Path) -> "Installed":
        """The same in another folder, to do with as one likes."""
        shutil.copytree(self.folder, folder)
        (folder / "inbox.toml").write_text(SETTINGS.format(folder=folder))
        return Installed(folder, codes=self.codes)

    def ask(self, *words: str, stdin: str = "") -> Answer:
        """Run a command in this process, as where others may read what one makes."""
        out, err = io.StringIO(), io.StringIO()
        with _mask(), _standard_input(stdin), redirect_stdout(out), redirect_stderr(err):
            code = run(["--config", str(self.config), *words])
        return Answer(code, out.getvalue(), err.getvalue())

    def as_two(self, *words: str, by: str = "anne", with_: str = "bjorn") -> Answer:
        """Run a command that takes two people, each with the own code."""
        both = f"{self.codes[by]}\n{self.codes[with_]}\n"
        return self.ask(*words, "--by", by, "--with", with_, "--code-from-stdin", stdin=both)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start the real program."""
        return subprocess.Popen(
            [PROGRAM, "--config", self.config, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(),
        )


def program(*words: str | Path, env: Mapping[str, str] | None = None) -> Answer:
    """Run the real program to its end."""
    ended = subprocess.run(
        [PROGRAM, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**clean_environment(), **(env or {})},
    )
    return Answer(ended.returncode, ended.stdout, ended.stderr)


def python(source: str) -> Answer:
    """What a Python of its own prints when it does this, which must not fail."""
    ended = subprocess.run(
        [sys.executable, "-c", source],
        capture_output=True,
        text=True,
        check=True,
        env=clean_environment(),
    )
    return Answer(ended.returncode, ended.stdout, ended.stderr)


def clean_environment() -> dict[str, str]:
    """This process's environment without settings of ours."""
    return {name: text for name, text in os.environ.items() if not name.startswith("INBOX_")}


def settle_in(folder: Path) -> Installed:
    """Folders and settings; neither keys nor tables nor people."""
    for name in ("vault", "trust"):
        (folder / name).mkdir(mode=0o700, parents=True)
    (folder / "inbox.toml").write_text(SETTINGS.format(folder=folder))
    return Installed(folder)


def installation_of(world: World) -> Installed:
    """The program on a world's database and keys."""
    text = SETTINGS.format(folder=world.folder).replace("[api]", 'origin = "test"\n\n[api]', 1)
    (world.folder / "inbox.toml").write_text(text)
    return Installed(world.folder)


@contextmanager
def _mask() -> Iterator[None]:
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _standard_input(text: str) -> Iterator[None]:
    before, sys.stdin = sys.stdin, io.StringIO(text)
    try:
        yield
    finally:
        sys.stdin = before
