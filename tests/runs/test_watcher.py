"""What a run of the tests started is gone after the run, also where the run was killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.installation import clean_environment
from tests.runs.watcher import watched_folder

ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 600
_ON_ITS_OWN: list[str | Path] = ["-q", "-c", ROOT / "pyproject.toml", "--rootdir", ROOT]
_ON_ITS_OWN += ["-p", "tests.conftest", "-p", "no:cacheprovider"]
_RUN = """
import json, os, subprocess, sys, tempfile, time
from multiprocessing import get_context
from pathlib import Path

def test_run_that_does_not_end_by_itself(postgres_server, tmp_path):
    home = Path(postgres_server.partition("host=")[2])
    elsewhere = {name: text for name, text in os.environ.items() if not name.startswith("INBOX_")}
    serving = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"],
                               env=elsewhere, cwd="/", start_new_session=True)
    forked = get_context("forkserver").Process(target=time.sleep, args=(3600,))
    forked.start()
    postmaster = int((home / "data" / "postmaster.pid").read_text().split()[0])
    pids = [os.getpid(), serving.pid, forked.pid, postmaster]
    folders = [str(home), tempfile.gettempdir()]
    said = Path(os.environ["SAYS"])
    said.with_suffix(".new").write_text(json.dumps(
        {"pids": pids, "folders": folders, "kept": str(tmp_path)}))
    said.with_suffix(".new").rename(said)
    time.sleep(0 if os.environ["ENDS"] == "itself" else 3600)
    forked.kill()
    forked.join()
    serving.returncode = 0  # Left behind: nobody ends it.
"""


def _alive(process: int) -> bool:
    """Whether it runs; one that has ended and is not yet waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def _run_of_tests(folder: Path, *words: str, ends: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A real pytest on one test, which has started all that it starts."""
    (folder / "test_run.py").write_text(_RUN)
    said = {"SAYS": str(folder / "said"), "ENDS": ends, "PYTEST_DEBUG_TEMPROOT": str(folder)}
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", *_ON_ITS_OWN, *words, folder / "test_run.py"],
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
        env=clean_environment() | said,
        start_new_session=True,
    )
    try:
        until = time.monotonic() + _PATIENCE_SECONDS
        while not (folder / "said").exists():
            assert run.poll() is None, "the run has ended before it began"
            assert time.monotonic() < until, "the run does not begin"
            time.sleep(0.05)
        yield run
    finally:
        run.kill()
        run.wait()


def _left_of(folder: Path) -> tuple[list[int], list[str]]:
    """The processes and folders that there still are when nothing changes any more."""
    said = json.loads((folder / "said").read_text())
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        pids = [each for each in said["pids"] if _alive(each)]
        folders = [each for each in said["folders"] if Path(each).exists()]
        if time.monotonic() > until or not (pids or folders):
            return pids, folders
        time.sleep(0.05)


@pytest.mark.parametrize(
    "sent",
    [
        signal.SIGKILL,
        pytest.param(signal.SIGTERM, marks=pytest.mark.long),
    ],
)
def test_killed_run_of_tests_leaves_no_process_and_no_folder(
    sent: signal.Signals, tmp_path: Path
) -> None:
    with _run_of_tests(tmp_path, ends="never") as run:
        os.killpg(run.pid, sent)

        left = _left_of(tmp_path)

    assert left == ([], [])
    kept = Path(json.loads((tmp_path / "said").read_text())["kept"])
    assert kept.exists()
    until = time.monotonic() + _PATIENCE_SECONDS
    while list(tmp_path.glob("pytest-of-*/pytest-*/.lock")):
        assert time.monotonic() < until, "the folders of the run stay locked"
        time.sleep(0.05)


@pytest.mark.long
def test_killed_run_of_several_workers_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    with _run_of_tests(tmp_path, "-n", "2", ends="never") as run:
        run.kill()

        left = _left_of(tmp_path)

    assert left == ([], [])


@pytest.mark.long
def test_run_of_tests_that_ends_by_itself_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    with _run_of_tests(tmp_path, ends="itself") as run:
        assert run.wait(_PATIENCE_SECONDS) == 0

        left = _left_of(tmp_path)

    assert left == ([], [])


def test_watched_folder_ends_with_its_block_and_other_processes_stay(tmp_path: Path) -> None:
    asleep = [sys.executable, "-c", "import time; time.sleep(3600)"]
    with subprocess.Popen(asleep, env=clean_environment()) as other:
        try:
            with watched_folder(tmp_path / "folder") as folder:
                (folder / "file").touch()

            assert not folder.exists()
            assert other.poll() is None
        finally:
            other.kill()
