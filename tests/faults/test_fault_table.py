"""Page and suite are one: rows name tests that exist, and tests of what is outside have a row."""

import ast
from collections import Counter
from pathlib import Path

from tests.faults.fault_table import PAGE, ROOT, are_sentences, read_rows, rows
from tests.faults.outage.case_system_faults import AWAY, HOOKS, TROUBLED, TROUBLES
from tests.faults.outage.gateway_faults import LASTING, MISSED, ONCE

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


def test_read_rows_and_the_unknown_test_check_work_on_examples() -> None:
    text = "| row | a | b | c | d |\n|---|---|---|---|---|\n| G1 | x | `y` | z | `a.py::test_b` |"
    (row,) = read_rows(text)

    assert (row.number, row.sentences, row.tests) == ("G1", ["y"], ("a.py::test_b",))
    assert _unknown("tests/faults/test_fault_table.py::test_no_such")
    assert _unknown("tests/no_such.py::test_no_such")
    here = "test_read_rows_and_the_unknown_test_check_work_on_examples"
    assert not _unknown(f"tests/faults/test_fault_table.py::{here}")


def test_every_fault_row_has_a_unique_number_and_names_existing_tests() -> None:
    found = rows()

    twice = [number for number, count in Counter(row.number for row in found).items() if count > 1]
    bare = [row.number for row in found if not row.tests]
    unknown = [(row.number, each) for row in found for each in row.tests if _unknown(each)]

    assert len(found) >= _LEAST
    assert (twice, bare, unknown) == ([], [], [])


def test_every_test_of_the_outage_failure_files_is_named_in_a_fault_row() -> None:
    named = {each for row in rows() for each in row.tests}
    here = {
        f"tests/faults/outage/{path.name}::{name}"
        for path in (HERE.parent / "outage").glob("test_*_failures.py")
        for name in _tests_in(path)
    }

    assert here
    assert here - named == set()


def test_every_table_line_of_the_faults_page_is_read_as_a_row() -> None:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    heads = [line for line in lines if line.startswith("| row |")]

    assert len(lines) == len(heads) + len(rows())


def test_every_gateway_fault_row_is_understood_by_the_simulator() -> None:
    assert len(LASTING) > 20
    assert len(ONCE) > 8
    assert all(are_sentences(row) for row in (*LASTING, *ONCE, *MISSED))
    assert all("every" in row.means for row in LASTING)


def test_every_case_system_fault_row_has_a_simulated_behaviour() -> None:
    assert {row.number for row in AWAY} == set(HOOKS)
    assert {row.number for row in TROUBLED} == set(TROUBLES)
