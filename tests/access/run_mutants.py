"""Run the tests of need to know against mutants, two at a time: `make mutants`.

A mutant lives in the memory of a forked process that has everything but need to know loaded; no
file is changed. It counts as noticed if a test fails, if it cannot be loaded, or if it never ends.
"""

import argparse
import ast
import gc
import importlib
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

from tests.access.mutants import MODULES, ROOT, Mutant, file_of, known_survivors, mutants_of
from tests.runs.watcher import watch_run

ALIVE: Final = 0
_LONGEST_WORK_SECONDS: Final = 150
_LONGEST_OF_ALL_SECONDS: Final = 900
_LONGEST_WAIT_SECONDS: Final = 1800
"""Of a processor, for a module's own tests and for all; and on the clock.

On a busy machine a mutant that lives only takes longer.
"""
TESTS: Final = ROOT / "tests"
_CHANGED: Final = ("inbox.access", "inbox.strict", "inbox.tables.periods")
"""What has mutants: it, and all that holds something of it, is loaded anew by each."""
_OWN: Final[dict[str, tuple[str, ...]]] = {
    "access.policy.conditions": ("access/policy/test_conditions", "access/policy/test_engine"),
    "access.policy.engine": (
        "access/policy/test_engine",
        "access/test_permit",
        "access/policy/test_shielding",
    ),
    "access.policy.vocabulary": (
        "access/policy/test_engine",
        "access/review/test_text_diff",
        "access/test_permit",
    ),
    "access.policy.shielding": ("access/policy/test_shielding",),
    "access.files.folder": ("access/files/test_folder", "access/files/test_edited_and_cut_files"),
    "strict.lines": ("strict/test_lines", "access/files/test_folder"),
    "access.files.shieldings": ("access/files/test_folder", "access/files/test_cases"),
    "access.files.header": ("access/files/test_older_folder", "access/files/test_folder"),
    "access.files.rule_rows": (
        "access/files/test_rule_rows",
        "access/files/test_bases",
        "access/files/test_folder",
        "access/files/test_older_folder",
    ),
    "access.files.removed_names": ("access/policy/test_names",),
    "access.files.bases": ("access/files/test_bases",),
    "access.files.before_upgrade": ("access/files/test_before_upgrade",),
    "access.policy.legal_basis": ("access/files/test_bases",),
    "access.review.new_actions": ("access/review/test_new_actions",),
    "access.policy.names": ("access/policy/test_names", "access/files/test_older_folder"),
    "strict.toml": ("strict/test_toml", "access/files/test_folder"),
    "access.files.bdd": ("access/files/test_bdd",),
    "access.files.decision_space": (
        "access/files/test_bdd",
        "access/files/test_proofs",
        "access/review/test_lint",
        "access/review/test_diff",
    ),
    "access.files.invariants": ("access/files/test_invariants", "access/files/test_proofs"),
    "access.files.proofs": ("access/files/test_proofs",),
    "access.files.cases": ("access/files/test_cases",),
    "access.review.diff": ("access/review/test_diff",),
    "access.review.text_diff": (
        "access/review/test_text_diff",
        "access/review/test_diff",
        "access/files/test_bases",
    ),
    "access.review.lint": (
        "access/review/test_lint",
        "access/policy/test_names",
        "access/files/test_bases",
    ),
    "access.review.population": ("access/review/test_impact",),
    "access.review.impact": ("access/review/test_impact",),
    "access.files.active": ("access/files/test_active",),
    "access.files.versions": ("access/files/test_active", "access/files/test_folder"),
    "access.files.switch_off": ("access/files/test_switch_off",),
    "access.review.one_person": ("access/review/test_one_person",),
    "access.__init__": ("access/test_permit",),
    "access.facts.parameters": (
        "access/facts/test_each_fact",
        "access/test_decision_and_list_agree",
    ),
    "access.facts.relationship": (
        "access/facts/test_each_fact",
        "access/test_decision_and_list_agree",
    ),
    "access.facts.message": ("access/facts/test_each_fact", "access/test_decision_and_list_agree"),
    "access.facts.other_subjects": (
        "access/facts/test_each_fact",
        "access/test_decision_and_list_agree",
    ),
    "access.facts.registry": (
        "access/test_permit",
        "access/facts/test_each_fact",
        "access/test_decision_and_list_agree",
    ),
    "tables.periods": ("tables/test_periods",),
    "access.question": ("access/test_permit", "access/facts/test_each_fact"),
    "access.facts.lookup": ("access/test_permit", "access/facts/test_each_fact"),
    "access.facts.prepared_select": ("access/test_permit", "access/lists/test_pages"),
    "access.lists.pages": (
        "access/lists/test_visible_messages",
        "access/lists/test_pages",
        "access/lists/test_notes",
        "access/test_decision_and_list_agree",
    ),
    "access.lists.filters": (
        *(
            "access/lists/test_filters",
            "access/lists/test_page_cost",
            "access/lists/test_visible_messages",
            "access/lists/test_deliveries",
            "access/lists/test_pages",
        ),
        "access/test_decision_and_list_agree",
    ),
    "access.lists.deliveries": ("access/lists/test_deliveries",),
    "access.lists.statements": ("access/lists/test_pages", "access/lists/test_visible_messages"),
    "access.lists.search": ("access/lists/test_pages",),
    "access.lists.cursor": ("access/lists/test_cursor", "access/lists/test_pages"),
    "access.lists.recheck": ("access/lists/test_recheck",),
    "access.lists.arrivals": (
        "access/lists/test_arrivals",
        "line/desk/test_front_page",
        "line/desk/test_queues",
        "line/desk/test_telephone",
        "line/desk/test_desk_noninterference",
    ),
    "access.lists.proposals": (
        "access/lists/test_proposals",
        "line/desk/test_front_page",
        "line/desk/test_desk_noninterference",
    ),
    "access.lists.tasks": (
        "access/lists/test_tasks",
        "line/desk/test_front_page",
        "line/desk/test_desk_noninterference",
    ),
    "access.lists.queue_pages": (
        "access/lists/test_queue_pages",
        "line/desk/test_queues",
        "line/desk/test_message_view",
        "line/desk/test_desk_noninterference",
    ),
    "access.lists.queue_search": (
        "access/lists/test_queue_search",
        "access/lists/test_queue_lateness",
        "access/lists/test_queue_pages",
        "line/desk/test_deadlines",
        "line/desk/test_queues",
        "line/desk/test_front_page",
        "line/desk/test_desk_noninterference",
    ),
    "access.lists.queue_statements": (
        "access/lists/test_queue_pages",
        "line/desk/test_queues",
        "line/desk/test_message_view",
        "line/desk/test_front_page",
        "line/desk/test_desk_noninterference",
    ),
    "access.several": ("access/test_several_actions",),
    "access.review.sentences": ("access/review/test_sentences",),
    "access.review.difference_sentences": (
        "access/review/test_difference_sentences",
        "access/review/test_sentences",
    ),
    "access.review.explain": ("access/review/test_who_can",),
    "access.review.requirements": ("access/review/test_requirements", "access/review/test_who_can"),
    "access.facts.capacities": ("access/review/test_who_can",),
    "access.review.who_can": ("access/review/test_who_can",),
}
"""The tests of a module, which run first; what lives meets all the others."""
_SLOW: Final = (
    "access/test_decision_and_list_agree",
    "access/files/test_folder",
    "access/files/test_edited_and_cut_files",
    "access/test_shipped_policies",
    "access/test_widening_edits",
)
_NOT_HERE: Final = (
    "access/test_mutants",
    "access/test_changes_reach_every_process",
    "access/test_noninterference",
)
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
    forget_need_to_know()
    # What is loaded stays loaded: no child looks through it for garbage.
    gc.freeze()
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"


def forget_need_to_know() -> None:
    """Forget what has mutants and, as often as something is found, what holds a part of it."""
    ours = {
        name: module
        for name, module in sys.modules.items()
        if name.partition(".")[0] in {"inbox", "tests"} and name != "tests.access.mutants"
    }
    forgotten = {name for name in ours if _is_in(name, _CHANGED) or _is_in(name, ["tests"])}
    while more := {name for name in ours.keys() - forgotten if _holds(ours[name], forgotten)}:
        forgotten |= more
    for name in forgotten:
        del sys.modules[name]


def _is_in(name: str, packages: Iterable[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _holds(module: ModuleType, forgotten: set[str]) -> bool:
    """Whether something in a module is one of these modules, or made by one."""
    values = vars(module).values()
    made_by = (each.__name__ if isinstance(each, ModuleType) else _home(each) for each in values)
    return any(name in forgotten for name in made_by)


def _home(value: object) -> object:
    home = getattr(value, "__module__", None)
    return home if isinstance(home, str) else getattr(type(value), "__module__", None)


def own_tests(module: str) -> list[str]:
    """The tests that were written for a module; for a new one, all."""
    return list(_OWN.get(module, ())) or other_tests(module)


def other_tests(module: str) -> list[str]:
    """All other tests of need to know, the slow ones last."""
    own = _OWN.get(module, ())
    found = {
        str(path.relative_to(TESTS).with_suffix(""))
        for folder in ("access", "strict", "tables")
        for path in (TESTS / folder).rglob("test_*.py")
    }
    left = found - {*own, *_NOT_HERE}
    return sorted(left, key=lambda name: (name in _SLOW, name))


def try_mutant(module: str, tree: ast.Module, tests: Iterable[str]) -> int:
    """The exit code of these tests against this tree, in this process, which is spent by it."""
    import hypothesis
    import pytest

    path = file_of(module)
    package = f"inbox.{module}".removesuffix(".__init__")
    sys.meta_path.insert(0, _Changed(package, path, compile(tree, str(path), "exec")))
    hypothesis.settings.register_profile("mutants", database=None)
    hypothesis.settings.load_profile("mutants")
    quiet = ["-x", "-q", "--assert=plain", "--tb=no", "-p", "no:cacheprovider"]
    chosen = ["-o", "addopts=", "-m", "not long", "-k", "not postgresql"]
    files = [str(TESTS / f"{name}.py") for name in tests]
    return pytest.main([*quiet, *chosen, "--rootdir", str(ROOT), *files])


def start(
    module: str, tree: ast.Module, tests: Iterable[str], longest: int = _LONGEST_OF_ALL_SECONDS
) -> int:
    """A process that tries a mutant; its id."""
    pid = os.fork()
    if pid:
        return pid
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    signal.setitimer(signal.ITIMER_PROF, longest)
    signal.alarm(_LONGEST_WAIT_SECONDS)
    code = 99
    try:
        code = try_mutant(module, tree, tests)
    finally:
        os._exit(code)


def run(
    mutants: Sequence[Mutant],
    tests_of: Callable[[str], list[str]],
    longest: int,
    *,
    at_once: int = 2,
) -> list[Mutant]:
    """Those that live."""
    running: dict[int, Mutant] = {}
    alive, begun = [], time.monotonic()
    for number, mutant in enumerate([*mutants, *[None] * at_once]):
        if mutant is not None:
            tests = tests_of(mutant.module)
            running[start(mutant.module, mutant.tree(), tests, longest)] = mutant
        while running and (len(running) >= at_once or mutant is None):
            pid, status = os.wait()
            ended = running.pop(pid)
            if status == ALIVE:
                alive.append(ended)
                _say(f"lives so far: {ended.name}")
        if number % 50 == 0:
            _say(f"{number} of {len(mutants)} in {time.monotonic() - begun:.0f} s")
    return alive


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _chosen(modules: Iterable[str], part: str) -> list[Mutant]:
    return [m for module in modules for m in mutants_of(module) if part in m.name]


def _pass_unchanged(mutants: Iterable[Mutant], *, only_own: bool) -> bool:
    """A test that fails anyhow would notice every mutant."""
    own = {test for module in {m.module for m in mutants} for test in own_tests(module)}
    tests = sorted(own if only_own else {*own, *other_tests("")})
    unchanged = ast.parse(file_of("access.policy.vocabulary").read_text())
    _, status = os.waitpid(start("access.policy.vocabulary", unchanged, tests), 0)
    return status == ALIVE


def main() -> int:
    """Run mutants; 0 if those that live are just those that are known to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--module", choices=MODULES, action="append")
    parser.add_argument("--part", default="", help="only mutants whose names have this in them")
    parser.add_argument("--every", type=int, default=1, help="one in so many")
    parser.add_argument("--own", action="store_true", help="only the module's own tests")
    parser.add_argument("--named", type=Path, help="only the mutants named in this file, by lines")
    asked = parser.parse_args()
    load_everything_else()
    mutants = _chosen(asked.module or MODULES, asked.part)[:: asked.every]
    if asked.named:
        named = {*asked.named.read_text().splitlines()}
        mutants = [mutant for mutant in mutants if mutant.name in named]
    if not _pass_unchanged(mutants, only_own=asked.own):
        _say("the tests fail without a change")
        return 2
    living = run(mutants, own_tests, _LONGEST_WORK_SECONDS)
    if not asked.own:
        living = run(living, other_tests, _LONGEST_OF_ALL_SECONDS)
    alive, known = {mutant.name for mutant in living}, known_survivors()
    names = {mutant.name for mutant in mutants}
    gone = known.keys() & names - alive
    if asked.every == 1 and not (asked.module or asked.part or asked.named):
        gone |= known.keys() - names
    for text, found in (
        ("lives, and is not listed", alive - known.keys()),
        ("listed, and does not live", gone),
    ):
        for name in sorted(found):
            _say(f"{name}: {text}")
    _say(f"{len(mutants)} mutants, {len(mutants) - len(alive)} noticed, {len(alive)} live")
    return 1 if alive - known.keys() or gone else 0


if __name__ == "__main__":
    watch_run()
    sys.exit(main())
