"""Run the tests of need to know against mutants, two at a time: `make mutants`.

A mutant lives in the memory of a forked process that has everything but need to know loaded; no
file is changed. It counts as noticed if a test fails, if it cannot be loaded, or if it never ends.
"""

import argparse
import ast
import importlib
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

from tests.access.mutants import MODULES, ROOT, Mutant, file_of, known_survivors, mutants_of

ALIVE: Final = 0
_LONGEST_SECONDS: Final = 150
_LAYERS_ABOVE: Final = ("inbox.access", "inbox.line", "inbox.directory", "inbox.directory_file")
_ABOVE: Final = (*_LAYERS_ABOVE, "inbox.web", "inbox.config", "inbox.wiring", "inbox.worker")
_FORGOTTEN: Final = (*_ABOVE, "inbox.app", "inbox.cli", "tests")
"""What may have seen need to know as it is: each mutant loads it anew."""
_FIRST: Final[dict[str, tuple[str, ...]]] = {
    "condition": ("test_condition", "test_policy"),
    "policy": ("test_policy", "test_permit"),
    "words": ("test_policy", "test_permit"),
    "shielding": ("test_shielding",),
    "review": ("test_review",),
    "folder": ("test_folder",),
    "lines": ("test_folder",),
    "active": ("test_active",),
    "__init__": ("test_permit",),
    "forms": ("test_facts", "test_agreement"),
    "facts": ("test_facts",),
    "subject": ("test_facts", "test_permit"),
    "listing": ("test_listing",),
}
_SLOW: Final = ("test_agreement",)
_NOT_HERE: Final = ("test_mutants", "test_reload", "test_interference")
"""Tests of mutants, and tests that start processes, which would not be mutants."""


class _Changed(MetaPathFinder, Loader):
    """Gives one module with a change in it."""

    def __init__(self, name: str, path: Path, code: CodeType) -> None:
        self._name, self._path, self._code = name, path, code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname != self._name:
            return None
        package = [str(self._path.parent)] if self._path.stem == "__init__" else None
        return importlib.util.spec_from_file_location(
            fullname, self._path, loader=self, submodule_search_locations=package
        )

    def create_module(self, spec: ModuleSpec) -> None:
        del spec

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, vars(module))  # noqa: S102 - the product's own code, with a change


def load_everything_else() -> None:
    """Load what the tests need, and forget all that knows need to know."""
    for name in ("pytest", "hypothesis", "tests.conftest"):
        importlib.import_module(name)
    for name in [*sys.modules]:
        if name != "tests.access.mutants" and any(
            name == above or name.startswith(f"{above}.") for above in _FORGOTTEN
        ):
            del sys.modules[name]


def test_files(module: str) -> list[str]:
    """The files of tests for a module of need to know, those first that should notice first."""
    folder = Path(__file__).parent
    found = sorted(path.stem for path in folder.glob("test_*.py") if path.stem not in _NOT_HERE)
    first = [name for name in _FIRST.get(module.split(".", maxsplit=1)[0], ()) if name in found]
    rest = [name for name in found if name not in first]
    ordered = first + sorted(rest, key=lambda name: name in _SLOW)
    return [str(folder / f"{name}.py") for name in ordered]


def try_mutant(module: str, tree: ast.Module) -> int:
    """The exit code of the tests against this tree, in this process, which is spent by it."""
    import hypothesis
    import pytest

    path = file_of(module)
    package = f"inbox.access.{module}".removesuffix(".__init__")
    sys.meta_path.insert(0, _Changed(package, path, compile(tree, str(path), "exec")))
    hypothesis.settings.register_profile("mutants", database=None)
    hypothesis.settings.load_profile("mutants")
    quiet = [
        "-x",
        "-q",
        "--assert=plain",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "-k",
        "not postgresql",
    ]
    return pytest.main([*quiet, "--rootdir", str(ROOT), *test_files(module)])


def start(module: str, tree: ast.Module) -> int:
    """A process that tries a mutant; its id."""
    pid = os.fork()
    if pid:
        return pid
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    signal.alarm(_LONGEST_SECONDS)
    code = 99
    try:
        code = try_mutant(module, tree)
    finally:
        os._exit(code)


def run(mutants: Sequence[Mutant], *, at_once: int = 2) -> set[str]:
    """The names of those that live."""
    running: dict[int, Mutant] = {}
    alive, begun = set(), time.monotonic()
    for number, mutant in enumerate([*mutants, *[None] * at_once]):
        if mutant is not None:
            running[start(mutant.module, mutant.tree())] = mutant
        while running and (len(running) >= at_once or mutant is None):
            pid, status = os.wait()
            ended = running.pop(pid)
            if status == ALIVE:
                alive.add(ended.name)
                _say(f"ALIVE {ended.name}")
        if number % 50 == 0:
            _say(f"{number} of {len(mutants)} in {time.monotonic() - begun:.0f} s")
    return alive


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _chosen(modules: Iterable[str], part: str) -> list[Mutant]:
    return [m for module in modules for m in mutants_of(module) if part in m.name]


def main() -> int:
    """Run mutants; 0 if those that live are just those that are known to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--module", choices=MODULES, action="append")
    parser.add_argument("--part", default="", help="only mutants whose names have this in them")
    asked = parser.parse_args()
    load_everything_else()
    mutants = _chosen(asked.module or MODULES, asked.part)
    unchanged = ast.parse(file_of("words").read_text())
    if os.waitpid(pid := start("words", unchanged), 0)[1] != ALIVE:
        _say(f"the tests fail without a change (process {pid})")
        return 2
    alive, known = run(mutants), known_survivors()
    names = {mutant.name for mutant in mutants}
    unknown, gone = sorted(alive - known.keys()), sorted(known.keys() & names - alive)
    if not (asked.module or asked.part):
        gone += sorted(known.keys() - names)
    for text, found in (
        ("lives and is not known to", unknown),
        ("is known to live, and does not", gone),
    ):
        for name in found:
            _say(f"{name}: {text}")
    _say(f"{len(mutants)} mutants, {len(mutants) - len(alive)} noticed, {len(alive)} live")
    return 1 if unknown or gone else 0


if __name__ == "__main__":
    sys.exit(main())
