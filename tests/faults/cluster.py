"""A PostgreSQL server of one test's own, to be stopped without warning and started again."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.postgres import _as_nobody, binaries


class Cluster:
    """A durable server on a socket in a folder of its own."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._binary, self._who = _as_nobody(home, binaries())
        self.url = f"postgresql://inbox@/postgres?host={home}"
        where = ("-D", home / "data", "-U", "inbox", "-A", "trust", "--no-sync", "-E", "UTF8")
        self._run("initdb", *where)

    def start(self) -> None:
        """Start it, and wait until it answers; it recovers what was committed."""
        options = (
            f"-k {self._home} -c listen_addresses='' -c shared_buffers=16MB -c max_connections=40"
        )
        data = ("-D", self._home / "data", "-l", self._home / "log")
        self._run("pg_ctl", *data, "-w", "-o", options, "start")

    def stop(self) -> None:
        """As if the machine had stopped: no checkpoint, no good-bye."""
        self._run("pg_ctl", "-D", self._home / "data", "-m", "immediate", "-w", "stop")

    def _run(self, name: str, *words: object) -> None:
        subprocess.run(
            [str(self._binary / name), *(str(word) for word in words)],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._home,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(self._home)},
            **self._who,  # type: ignore[call-overload] # user, group and extra_groups, or nothing
        )


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A running server, ended and removed in the end."""
    home = Path(tempfile.mkdtemp(prefix="inbox-pg-"))
    made = Cluster(home)
    made.start()
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(home, ignore_errors=True)
