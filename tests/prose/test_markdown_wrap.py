"""Every page wraps at 120 characters, and wrapping changes nothing that a reader sees."""

from pathlib import Path

import pytest

from tests.prose.markdown_wrap import ROOT, WIDTH, pages, wrap_page

LONG = "word " * 40


def test_wrap_breaks_a_long_paragraph_and_an_item_under_its_text() -> None:
    text = f"{LONG}\n\n- {LONG}\n"

    wrapped = wrap_page(text)

    assert max(map(len, wrapped.splitlines())) <= WIDTH
    assert "\n  word" in wrapped
    assert wrapped.split() == text.split()
    assert wrap_page(wrapped) == wrapped


@pytest.mark.parametrize(
    "text",
    [
        f"```\n{LONG}\n```",
        f"| {LONG} | {LONG} |",
        f"# {LONG}",
        f"<!-- {LONG} -->",
        f"`{LONG}`",
        f"[{LONG}](x.md)",
        "one sentence\nand another",
        "    " + LONG,
    ],
    ids=["code", "table", "heading", "html", "backticks", "link", "short", "indented"],
)
def test_wrap_leaves_code_tables_headings_links_and_short_lines_alone(text: str) -> None:
    assert wrap_page(text) == text


def test_wrap_never_begins_a_line_with_a_mark_of_a_list_or_heading() -> None:
    wrapped = wrap_page("x " * 59 + "- y 1986. # z " + LONG)

    assert [line for line in wrapped.splitlines() if line.startswith(("-", "#", "1986."))] == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_every_page_is_wrapped_as_make_format_wraps_it(page: Path) -> None:
    assert wrap_page(page.read_text()) == page.read_text(), f"make format: {page.relative_to(ROOT)}"
