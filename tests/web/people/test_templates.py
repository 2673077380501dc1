"""What no template does: unescaped text, script, style in place, a form of its own making."""

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from starlette.requests import Request

from inbox.web.people.rendering import render
from tests.web.people.conftest import Pages

FOLDER = Path(__file__).parents[3] / "inbox" / "web" / "people"
TEMPLATES = sorted((FOLDER / "templates").glob("*.html"))
_FORBIDDEN = re.compile(
    r"\|\s*safe\b|autoescape|<script|\son\w+\s*=|\sstyle\s*=|<style|javascript:|Markup",
    re.IGNORECASE,
)


def test_forbidden_pattern_finds_what_it_forbids() -> None:
    bad = ["{{ x|safe }}", "<script>", '<a onclick="x">', '<p style="x">', "<style>"]

    assert all(_FORBIDDEN.search(each) for each in bad)
    assert not _FORBIDDEN.search('<button class="ds-button">{{ _("Velg") }}</button>')


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_template_escapes_everything_and_has_no_script_or_style(template: Path) -> None:
    assert len(TEMPLATES) >= 9
    assert _FORBIDDEN.findall(template.read_text("utf-8")) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_forms_are_written_by_the_one_component_that_signs_them(template: Path) -> None:
    forms = template.read_text("utf-8").count("<form")

    assert forms == (1 if template.stem == "components" else 0)


def test_name_that_a_page_was_not_given_raises(pages: Pages) -> None:
    @pages.app.get("/uten")
    def without(request: Request) -> object:
        return render(request, "showcase.html")

    with pytest.raises(UndefinedError):
        pages.app.state.templates.write(_request(pages), "showcase.html", {})
    assert pages.get("/uten").status_code == 500


def test_style_sheet_writes_no_colour_and_no_address_of_its_own() -> None:
    sheet = re.sub(
        r"/\*.*?\*/", "", (FOLDER / "static" / "inbox.css").read_text("utf-8"), flags=re.DOTALL
    )
    sheet = re.sub(r'url\("data:image/svg\+xml,[^"]*"\)', "", sheet)

    assert re.findall(r"#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(", sheet) == ["#000", "#999"]
    assert "http" not in sheet
    assert "@import" not in sheet


def _request(pages: Pages) -> Request:
    return Request(
        {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [],
         "app": pages.app, "state": {}, "server": ("innboks.example.no", 443), "scheme": "https"}
    )  # fmt: skip
