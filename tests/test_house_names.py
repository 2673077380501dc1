"""Names of modules, classes and tests: plain, one for each thing, and none of them a riddle."""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PRODUCT = sorted((ROOT / "inbox").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LARGEST_FOLDER = {"inbox": 20, "tests": 30}
CLASSES_OF_TWO_MODULES = {
    "Delivery": "a row, and its model, whose name the API description publishes",
}
"""Public class names that may stand in two modules, and why."""
_VERB_FORM = re.compile(r"(ing|ed)$")
_NOUNS_OF_THAT_FORM = {
    "addressing",
    "arkivmelding",
    "tiny_arkivmelding",
    "grading",
    "rendering",
    "routing",
    "shielding",
    "wiring",
}
_NOUNS_OF_THAT_FORM |= {"incoming", "outgoing"}  # the gateway's paths /in and /out
_DIALECT = re.compile(
    r"^test_(what|whatever|who|whoever|whose|it|that|there|nothing|all_that|of)_"
    r"|_(is|are)_(none|over|no)(_|$)|_(that|which)_(is|are)_no(_|$)"
    r"|_(whoever|told|brought|stands|lies|gone|ill|slips?)(_|$)|_comes_about(_|$)"
)
_COMMANDS = re.compile(r"^test_(who|what)_can(_|$)")
_FEWEST_WORDS, _MOST_CHARACTERS = 4, 90


def _public_classes(sources: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """By class name, the modules that define it at their top."""
    found = defaultdict(list)
    for module, source in sources:
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(module)
    return found


def _verb_forms(stems: Iterable[str]) -> list[str]:
    return [
        s for s in stems if _VERB_FORM.search(s) and s.split("_")[-1] not in _NOUNS_OF_THAT_FORM
    ]


def _plural_pairs(stems: Iterable[str]) -> list[str]:
    """Stems that stand beside the same stem in the plural."""
    known = set(stems)
    plurals = ((s, [f"{s}s", f"{s}es", f"{s.removesuffix('y')}ies"]) for s in sorted(known))
    return [s for s, forms in plurals if known & {*forms}]


def _riddles(names: Iterable[str]) -> list[str]:
    """Test names in the old private language, too short to say a thing, or too long to read."""
    return [
        name
        for name in names
        if (_DIALECT.search(name) and not _COMMANDS.search(name))
        or len(name.removeprefix("test_").split("_")) < _FEWEST_WORDS
        or len(name) > _MOST_CHARACTERS
    ]


def _tests_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name


def test_the_name_rules_find_examples_of_what_they_forbid() -> None:
    assert _public_classes([("a", "class X: ..."), ("b", "class X: ...")]) == {"X": ["a", "b"]}
    assert _verb_forms(["asking", "told", "listed", "routing"]) == ["asking", "listed"]
    assert _plural_pairs(["change", "changes", "entry", "entries", "box"]) == ["change", "entry"]
    assert _riddles(["test_what_is_no_uuid_is_no_wire_id", "test_a_code", "test_" + "ab_" * 40])
    assert _riddles(["test_a_page_that_is_none_is_usage", "test_a_list_that_is_over_is_left"])
    assert not _riddles(["test_wire_id_must_be_a_uuid", "test_who_can_lists_each_person_once"])


def test_public_class_name_means_one_thing() -> None:
    found = _public_classes((str(path), path.read_text()) for path in PRODUCT)

    shared = {name for name, modules in found.items() if len(modules) > 1}

    assert len(found) > 300
    assert shared == CLASSES_OF_TWO_MODULES.keys()
    assert all(CLASSES_OF_TWO_MODULES.values())


@pytest.mark.parametrize("paths", [PRODUCT, TESTS], ids=["inbox", "tests"])
def test_no_module_is_named_by_a_verb_form(paths: list[Path]) -> None:
    stems = {path.stem.removeprefix("test_") for path in paths} | {p.parent.name for p in paths}

    assert _verb_forms(sorted(stems)) == []


@pytest.mark.parametrize("paths", [PRODUCT, TESTS], ids=["inbox", "tests"])
def test_no_two_modules_of_a_folder_differ_by_a_plural(paths: list[Path]) -> None:
    folders: defaultdict[Path, set[str]] = defaultdict(set)
    for path in paths:
        folders[path.parent] |= {path.stem} if path.stem != "__init__" else set()
        folders[path.parent.parent].add(path.parent.name)

    assert {
        str(f.relative_to(ROOT)): p for f, s in folders.items() if (p := _plural_pairs(s))
    } == {}


@pytest.mark.parametrize("top", LARGEST_FOLDER)
def test_no_folder_has_more_modules_than_a_reader_can_take_in(top: str) -> None:
    sizes = Counter(path.parent for path in (ROOT / top).rglob("*.py"))

    assert {str(f): n for f, n in sizes.items() if n > LARGEST_FOLDER[top]} == {}


def test_test_names_say_which_thing_does_what() -> None:
    names = {str(p.relative_to(ROOT)): _riddles(_tests_in(p)) for p in TESTS}

    assert sum(1 for path in TESTS for _ in _tests_in(path)) > 1_500
    assert {path: riddles for path, riddles in names.items() if riddles} == {}
