"""`python -m tests.runs.another_day DAYS PROGRAM ...`: run it as if so many days had passed.

By libfaketime, which moves the clock that knows the day for the program and what it starts, and
leaves the one by which programs wait.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_LIBRARY: Final = "faketime/libfaketimeMT.so.1"
_FOLDERS: Final = ("/usr/lib", "/usr/lib64", "/usr/local/lib")
_VARIABLES: Final = ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC", "PYTHONPATH")


class NoLibrary(Exception):
    """This machine has no libfaketime."""


def moved_clock(days: int) -> dict[str, str]:
    """The variables that move the clock of what is started with them."""
    return {
        "LD_PRELOAD": str(_library()),
        "FAKETIME": f"{days:+d}d",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "PYTHONPATH": str(Path(__file__).with_name("moved_clock")),
    }


def clock_of(environment: Mapping[str, str]) -> dict[str, str]:
    """What of the environment moves the clock, for a program that gets one of its own."""
    if "FAKETIME" not in environment:
        return {}
    return {name: environment[name] for name in _VARIABLES if name in environment}


def _library() -> Path:
    for folder in map(Path, _FOLDERS):
        for pattern in (_LIBRARY, f"*/{_LIBRARY}"):
            for found in folder.glob(pattern):
                return found
    raise NoLibrary


def main(words: Sequence[str]) -> None:
    """Become the program."""
    days, program, *_ = words
    try:
        moved = moved_clock(int(days))
    except NoLibrary:
        sys.exit("libfaketime is not installed: on Debian, apt-get install faketime")
    os.execvpe(program, [*words[1:]], {**os.environ, **moved})  # noqa: S606 - the words of a developer


if __name__ == "__main__":
    main(sys.argv[1:])
