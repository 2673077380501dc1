"""One door tried in a process of its own: guided by what code was reached, or in the dark."""

import mmap
import random
import signal
import sys
import time
from importlib import import_module
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from tests.bench.neighbour_process import memory_mb

SECONDS_EACH = 5
MEGABYTES = 512
_LONGEST = 1 << 20
_INSTRUMENTED = ["inbox.package", "asn1crypto", "pyhanko_certvalidator"]


class TooLong(BaseException):
    """One input took more than its time."""


class TooMuch(BaseException):
    """The process took more than its memory."""


def in_the_dark(name: str, folder: Path, seconds: float) -> None:
    """Try changed seeds until the time is over; a finding is raised.

    The input that is tried stands in `folder/last`, also if the process dies of it.
    """
    doors, changes = import_module("tests.fuzz.entries"), import_module("tests.fuzz.mutation")
    entry, change, noise = doors.ENTRIES[name], changes.CHANGES[name], noise_of()
    pool, seen = list(entry.seeds()), set[str | None]()
    until, tried = time.monotonic() + seconds, 0
    with Watch(folder / "last") as watched:
        while time.monotonic() < until:
            raw = changes.mutated(noise.choice(pool), change, entry.tokens, noise)
            code = watched(entry.attempted, raw)
            tried += 1
            if code not in seen:
                seen.add(code)
                pool.append(raw)
    sys.stdout.write(f"stat::number_of_executed_units: {tried}\n")


def noise_of(seed: int | None = None) -> random.Random:
    """What decides which change is made."""
    return random.Random(seed)  # noqa: S311 - chance, not secrecy


class Watch:
    """Calls with one input each, in limited time and memory, and keeps the last one."""

    def __init__(
        self, path: Path, *, seconds: float = SECONDS_EACH, megabytes: int = MEGABYTES
    ) -> None:
        self._path, self._seconds, self._megabytes = path, seconds, megabytes

    def __enter__(self) -> Self:
        self._path.write_bytes(bytes(_LONGEST))
        self._file = self._path.open("r+b")
        self._last = mmap.mmap(self._file.fileno(), _LONGEST)
        self._size = 0
        self._before = signal.signal(signal.SIGALRM, _too_long)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)
        self._last.close()
        self._file.truncate(self._size)
        self._file.close()

    def __call__(self, attempt: Any, raw: bytes) -> Any:
        self._last[: len(raw)] = raw
        self._size = len(raw)
        signal.setitimer(signal.ITIMER_REAL, self._seconds)
        answer = attempt(raw)
        signal.setitimer(signal.ITIMER_REAL, 0)
        if (most := memory_mb("VmHWM")) > self._megabytes:
            raise TooMuch(f"{most:.0f} MB")
        return answer


def _too_long(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise TooLong


def guided(name: str, folder: Path, seconds: float) -> None:
    """The same by libFuzzer, which ends the process; what breaks it stands in `folder/crash-…`."""
    import atheris

    with atheris.instrument_imports(include=_INSTRUMENTED):
        doors, changes = import_module("tests.fuzz.entries"), import_module("tests.fuzz.mutation")
    entry, change = doors.ENTRIES[name], changes.CHANGES[name]
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for number, seed in enumerate(entry.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)

    def changed(raw: bytes, most: int, seed: int) -> bytes:
        noise = noise_of(seed)
        if noise.random() < 0.5:
            return bytes(atheris.Mutate(raw, most))
        return bytes(changes.mutated(raw, change, entry.tokens, noise)[:most])

    flags = {
        "max_total_time": int(seconds),
        "timeout": SECONDS_EACH,
        "rss_limit_mb": MEGABYTES,
        "max_len": changes.MAX_BYTES,
        "artifact_prefix": f"{folder}/",
        "print_final_stats": 1,
    }
    words = [sys.argv[0], *(f"-{flag}={value}" for flag, value in flags.items()), str(corpus)]
    atheris.Setup(words, entry.attempted, custom_mutator=changed)
    atheris.Fuzz()


if __name__ == "__main__":
    _, _how, _name, _folder, _seconds = sys.argv
    {"guided": guided, "dark": in_the_dark}[_how](_name, Path(_folder), float(_seconds))
