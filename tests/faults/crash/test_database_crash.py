"""The database is killed under the line, and started again: nothing is lost and nothing doubled."""

import os
import shlex
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from tests import databases, postgres
from tests.faults.harness.gateway_monitor import Violation
from tests.faults.harness.scenario_outcome import (
    baseline_outcome,
    check_each_gateway_call,
    judge,
    names_of,
)
from tests.faults.harness.scenario_supervisor import scenario_run

_PATIENCE = 30.0
_A_DOZEN = (
    "before arrival:announced/None",
    "after vault:store",
    "before arrival:stored/fetch<ANNOUNCED",
    "after arrival:stored/fetch<ANNOUNCED",
    "after gateway:confirm",
    "before message:opened/open<RECEIVED",
    "before message:offered/offer<RELEASED",
    "after message:offered/offer<RELEASED",
    "after gateway:create_receipt",
    "after gateway:send_receipt",
    "after event:send",
    "before arrival:abandoned/discard<ABANDONING+task:done/close<OPEN",
    "after vault:remove",
)
_FEW = ("told", "a late word", "returned, refused", "missed, given up")


class _Server:
    """A server that is killed by whoever reads the file `postmaster`, and started again."""

    def __init__(self, admin: str, postmaster: Path) -> None:
        (home,) = parse_qs(urlsplit(admin).query)["host"]
        self._data, self._postmaster = Path(home) / "data", postmaster
        program, *options = shlex.split((self._data / "postmaster.opts").read_text())
        self._control = Path(program).with_name("pg_ctl")
        self._options = shlex.join(
            options[: options.index("-D")] + options[options.index("-D") + 2 :]
        )
        self._owner = self._data.stat()
        self.ends = 0

    def aim(self) -> None:
        """Say which process is to be killed next: at once, or by its own immediate shutdown."""
        process = (self._data / "postmaster.pid").read_text().split()[0]
        number = (signal.SIGKILL, signal.SIGQUIT)[self.ends % 2]
        self._postmaster.write_text(f"{int(number)} {process}")

    def again(self, exit_code: int) -> bool:
        """Start it again after its end; whether the line's process ended with an error."""
        self.ends += 1
        until = time.monotonic() + _PATIENCE
        while self._control_it("status") == 0:
            assert time.monotonic() < until, "the server was not killed"
            time.sleep(0.05)
        while self._control_it("-w", "-l", self._data.parent / "log", "-o", self._options, "start"):
            assert time.monotonic() < until, "the server does not start again"
            time.sleep(0.2)
        self.aim()
        return exit_code == 1

    def _control_it(self, *words: str | Path) -> int:
        who = {}
        if os.geteuid() == 0:
            who = {"user": self._owner.st_uid, "group": self._owner.st_gid, "extra_groups": []}
        done = subprocess.run(
            [str(self._control), "-D", str(self._data), *map(str, words)],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._data.parent,
            env=postgres.environment(self._data.parent),
            **who,  # type: ignore[call-overload] # user, group and extra_groups, or nothing
        )
        return int(done.returncode)


def _killed(tmp_path: Path, *, durable: bool) -> tuple[set[tuple[Violation, str]], set[str], int]:
    """What the judge says, at which points the server was killed, and how often."""
    with postgres.server(durable=durable) as admin:
        server = _Server(admin, tmp_path / "postmaster")
        with scenario_run(databases.postgres_database(admin), tmp_path, _FEW) as told:
            check_each_gateway_call(told)
            _write_down(told.outside.line.store.engine)
            server.aim()
            told.tell(die=";".join(_A_DOZEN), upset=server.again)

            return (
                judge(told, baseline_outcome(_FEW).ends),
                set(names_of(told.noted("deaths"))),
                server.ends,
            )


def _write_down(engine: sa.Engine) -> None:
    """Have on disk what was there before the story began, also where nothing else is synced."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CHECKPOINT")


@pytest.mark.long
def test_scenario_ends_like_an_undisturbed_run_when_postgres_is_killed_at_sample_effects(
    tmp_path: Path,
) -> None:
    found, died, ends = _killed(tmp_path, durable=True)

    assert found == set()
    assert died == set(_A_DOZEN)
    assert ends == len(_A_DOZEN)


@pytest.mark.long
def test_scenario_outcome_reports_violations_when_postgres_commits_without_fsync(
    tmp_path: Path,
) -> None:
    found, _, _ = _killed(tmp_path, durable=False)

    assert found
