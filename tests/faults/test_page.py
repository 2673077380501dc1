"""Page and suite are one: rows name tests that exist, and tests of what is outside have a row."""

import ast
from collections import Counter
from pathlib import Path

from tests.faults.page import PAGE, ROOT, are_sentences, read_rows, rows
from tests.faults.test_outside_casesystem import AWAY, HOOKS, TROUBLED, TROUBLES
from tests.faults.test_outside_gateway import LASTING, MISSED, ONCE

HERE = Path(__file__)
_LEAST = 60


def _tests_in(path: Path) -> set[str]:
    found = ast.walk(ast.parse(path.read_text("utf-8")))
    return {
        node.name
        for node in found
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def _unknown(named: str) -> bool:
    """Whether no such test exists."""
    path, _, name = named.partition("::")
    return not (ROOT / path).is_file() or name not in _tests_in(ROOT / path)


def test_these_tests_can_see() -> None:
    text = "| row | a | b | c | d |\n|---|---|---|---|---|\n| G1 | x | `y` | z | `a.py::test_b` |"
    (row,) = read_rows(text)

    assert (row.number, row.sentences, row.tests) == ("G1", ["y"], ("a.py::test_b",))
    assert _unknown("tests/faults/test_page.py::test_no_such")
    assert _unknown("tests/no_such.py::test_no_such")
    assert not _unknown("tests/faults/test_page.py::test_these_tests_can_see")


def test_every_row_is_numbered_once_and_names_tests_that_exist() -> None:
    found = rows()

    twice = [number for number, count in Counter(row.number for row in found).items() if count > 1]
    bare = [row.number for row in found if not row.tests]
    unknown = [(row.number, each) for row in found for each in row.tests if _unknown(each)]

    assert len(found) >= _LEAST
    assert (twice, bare, unknown) == ([], [], [])


def test_every_test_of_what_is_outside_is_in_the_table() -> None:
    named = {each for row in rows() for each in row.tests}
    here = {
        f"tests/faults/{path.name}::{name}"
        for path in HERE.parent.glob("test_outside_*.py")
        for name in _tests_in(path)
    }

    assert here
    assert here - named == set()


def test_every_table_row_of_the_page_is_read() -> None:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    heads = [line for line in lines if line.startswith("| row |")]

    assert len(lines) == len(heads) + len(rows())


def test_every_row_of_the_gateway_is_understood_by_the_simulator() -> None:
    assert len(LASTING) > 20
    assert len(ONCE) > 8
    assert all(are_sentences(row) for row in (*LASTING, *ONCE, *MISSED))
    assert all("every" in row.means for row in LASTING)


def test_every_row_of_the_case_system_has_its_means() -> None:
    assert {row.number for row in AWAY} == set(HOOKS)
    assert {row.number for row in TROUBLED} == set(TROUBLES)
