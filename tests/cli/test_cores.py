"""The program's memory holds keys and mail: what ends it leaves nothing of it on disk."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.installation import Installed

_ASK = "import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), flush=True); "
_KEEP = "from inbox.cli.serve import disable_core_dumps; disable_core_dumps(); "
_DIE = "import os; os.abort()"


def _allow() -> None:
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def _aborted(source: str, folder: Path) -> tuple[str, bool]:
    """What a Python process said before it died, and whether the kernel dumped it."""
    process = subprocess.Popen(
        [sys.executable, "-c", source],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=folder,
        preexec_fn=_allow,  # noqa: PLW1509 - nothing but a limit is set
    )
    assert process.stdout is not None
    with process.stdout as out:
        said = out.read().strip()
    _, status = os.waitpid(process.pid, 0)
    process.returncode = status
    assert os.WTERMSIG(status) == signal.SIGABRT
    return said, os.WCOREDUMP(status)


def test_keep_out_of_dumps_makes_the_process_not_dumpable(tmp_path: Path) -> None:
    before, _ = _aborted(_ASK + _DIE, tmp_path)
    said, dumped = _aborted(_KEEP + _ASK + _DIE, tmp_path)

    assert (before, said) == ("1", "0")
    assert not dumped


def test_aborted_process_without_protection_leaves_a_core_dump(tmp_path: Path) -> None:
    pattern = Path("/proc/sys/kernel/core_pattern").read_text()
    if pattern.startswith("|") or not resource.getrlimit(resource.RLIMIT_CORE)[1]:
        pytest.skip("no core files in folders on this machine")

    assert _aborted(_DIE, tmp_path)[1]


@pytest.mark.parametrize("command", ["work", pytest.param("serve", marks=pytest.mark.long)])
def test_aborted_work_or_serve_process_leaves_no_core_file(
    installed: Installed, command: str
) -> None:
    process = subprocess.Popen(
        [Path(sys.executable).parent / "inbox", "--config", installed.config, command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=installed.folder,
        preexec_fn=_allow,  # noqa: PLW1509 - nothing but a limit is set
    )
    assert process.stdout is not None
    with process.stdout as out:
        assert out.readline()
        limits = Path(f"/proc/{process.pid}/limits").read_text().splitlines()
        (core,) = [line for line in limits if line.startswith("Max core file size")]
        process.send_signal(signal.SIGABRT)
        _, status = os.waitpid(process.pid, 0)
    process.returncode = status

    assert core.split()[4:6] == ["0", "0"]
    assert (os.WTERMSIG(status), os.WCOREDUMP(status)) == (signal.SIGABRT, False)
