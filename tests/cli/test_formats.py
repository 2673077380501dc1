"""One way to show rows: at a terminal, in Markdown, and two forms at once are usage."""

import pytest

from inbox.cli.common.formats import OutputFormat, markdown_table
from inbox.errors import Invalid
from tests.cli.installation import Installed


def test_markdown_table_escapes_pipes_newlines_and_html() -> None:
    lines = markdown_table([{"by_rule": "a|b\\|\n  <b>", "none": None}], ("by_rule", "none"))

    assert lines == ["| by rule | none |", "| --- | --- |", r"| a\|b\\\| &lt;b> |  |"]


def test_markdown_table_without_rows_is_empty() -> None:
    assert markdown_table([], ("unit",)) == []


def test_form_prints_the_summary_outside_the_markdown_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [{"unit": "bv"}]
    OutputFormat(as_json=False, as_markdown=True).show(rows, rows, ("unit",), "one unit")

    assert capsys.readouterr().out == "| unit |\n| --- |\n| bv |\n\none unit\n"


def test_json_and_markdown_flags_together_exit_2(empty: Installed) -> None:
    with pytest.raises(Invalid):
        OutputFormat(as_json=True, as_markdown=True)
    for words in (("route", "lint"), ("route", "test"), ("route", "show"), ("policy", "lint")):
        assert empty.ask(*words, "--json", "--markdown").code == 2
