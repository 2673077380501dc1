"""`python -m tests.fuzz`: each door for so many seconds, one after the other."""

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.runs.watcher import watch_run

DOORS = ("container", "manifest", "cms", "envelope", "arkivmelding")
_PATIENCE = 300
_SHOWN = 4000


@dataclass(frozen=True, kw_only=True)
class Tried:
    """How trying one door ended."""

    door: str
    inputs: int | None
    fine: bool
    said: str


def tried(door: str, how: str, folder: Path, seconds: float) -> Tried:
    """Try one door in a process of its own, which may die of it."""
    folder.mkdir(parents=True, exist_ok=True)
    words = [
        sys.executable,
        "-m",
        "tests.fuzz.fuzz_process",
        how,
        door,
        str(folder),
        f"{seconds:g}",
    ]
    try:
        ended = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds + _PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as endless:
        said = (endless.output or b"").decode(errors="replace")
        return Tried(door=door, inputs=None, fine=False, said=f"{said}\nit never ended")
    said = ended.stdout.decode(errors="replace")
    count = re.search(r"stat::number_of_executed_units: (\d+)", said)
    inputs = int(count[1]) if count else None
    return Tried(door=door, inputs=inputs, fine=ended.returncode == 0, said=said)


def main(words: Sequence[str] | None = None) -> int:
    """Try all, say how often; 1 if one broke, and then where the input is."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="for each door")
    parser.add_argument("--only", action="append", choices=DOORS, help="a door; repeatable")
    parser.add_argument("--folder", type=Path, default=Path("var/fuzz"), help="what was found")
    asked = parser.parse_args(words)
    how = "guided" if find_spec("atheris") else "dark"
    broken = 0
    for door in asked.only or DOORS:
        result = tried(door, how, asked.folder / door, asked.seconds)
        word = "fine" if result.fine else "BROKEN"
        say = [f"{door}: {result.inputs} inputs ({how}), {word}"]
        if not result.fine:
            broken += 1
            say += [result.said[-_SHOWN:], f"the input is in {asked.folder / door}"]
        sys.stdout.write("\n".join([*say, ""]))
        sys.stdout.flush()
    return int(broken > 0)


if __name__ == "__main__":
    watch_run()
    raise SystemExit(main())
