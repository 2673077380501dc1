"""One way to show rows: at a terminal, in Markdown, and two forms at once are usage."""

import pytest

from inbox.cli.common.formats import OutputFormat, markdown_table
from inbox.errors import Invalid
from tests.cli.installed import Installed


def test_no_cell_ends_its_column_its_row_or_begins_an_element() -> None:
    lines = markdown_table([{"by_rule": "a|b\\|\n  <b>", "none": None}], ("by_rule", "none"))

    assert lines == ["| by rule | none |", "| --- | --- |", r"| a\|b\\\| &lt;b> |  |"]


def test_without_rows_there_is_no_table() -> None:
    assert markdown_table([], ("unit",)) == []


def test_a_summary_is_not_taken_for_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"unit": "bv"}]
    OutputFormat(as_json=False, as_markdown=True).show(rows, rows, ("unit",), "one unit")

    assert capsys.readouterr().out == "| unit |\n| --- |\n| bv |\n\none unit\n"


def test_two_forms_at_once_are_usage_wherever_there_are_two(empty: Installed) -> None:
    with pytest.raises(Invalid):
        OutputFormat(as_json=True, as_markdown=True)
    for words in (("route", "lint"), ("route", "test"), ("route", "show"), ("policy", "lint")):
        assert empty.ask(*words, "--json", "--markdown").code == 2
