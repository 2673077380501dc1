"""The hardest modules explain themselves: a docstring, a worked example that runs, comments."""

import ast
import doctest
import re
import tokenize
from importlib import import_module
from io import StringIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HARD = (
    "inbox/access/facts/prepared_select.py",
    "inbox/access/files/bdd.py",
    "inbox/access/files/decision_space.py",
    "inbox/access/lists/filters.py",
    "inbox/access/policy/engine.py",
    "inbox/access/review/population.py",
    "inbox/access/review/requirements.py",
    "inbox/access/review/who_can.py",
    "inbox/line/authorize.py",
    "inbox/line/queue.py",
    "inbox/line/settle.py",
    "inbox/package/arkivmelding/reader.py",
    "inbox/package/signature/certificate_path.py",
    "inbox/package/signature/cms.py",
    "inbox/package/signature/revocation.py",
)
COMMENTS_PER_1000_LINES = 15
SHORTEST, LONGEST = 10, 30
PARTS = ("problem", "method", "example", "Not done here")
_DIRECTIVE = re.compile(r"#\s*(noqa|type:|ruff:|pragma)")
_FEWEST_WORDS = 3


def _prose_comments(source: str) -> int:
    """The lines with a comment that says something, beside directives to tools."""
    tokens = tokenize.generate_tokens(StringIO(source).readline)
    said = [each.string for each in tokens if each.type == tokenize.COMMENT]
    return sum(
        1 for each in said if not _DIRECTIVE.match(each) and len(each.split()) > _FEWEST_WORDS
    )


def _module_docstring(path: str) -> str:
    return ast.get_docstring(ast.parse((ROOT / path).read_text())) or ""


def test_comment_count_leaves_out_directives_and_single_words() -> None:
    source = (
        "x = 1  # noqa: S101 - it has a reason\n# type: ignore\n# one\n# RFC 5280 says so here\n"
    )

    assert _prose_comments(source) == 1


@pytest.mark.parametrize("path", HARD)
def test_hard_module_opens_with_problem_method_example_and_limits(path: str) -> None:
    said = _module_docstring(path)

    assert [part for part in PARTS if part not in said] == []
    assert SHORTEST <= len(said.splitlines()) <= LONGEST


@pytest.mark.parametrize("path", HARD)
def test_hard_module_has_fifteen_prose_comments_per_1000_lines(path: str) -> None:
    source = (ROOT / path).read_text()

    assert _prose_comments(source) * 1000 >= COMMENTS_PER_1000_LINES * len(source.splitlines())


@pytest.mark.parametrize("path", [path for path in HARD if ">>> " in _module_docstring(path)])
def test_worked_example_of_a_module_docstring_gives_what_it_shows(path: str) -> None:
    module = import_module(path.removesuffix(".py").replace("/", "."))
    (example,) = [
        each
        for each in doctest.DocTestFinder(recurse=False).find(module, module.__name__)
        if each.examples
    ]
    out: list[str] = []

    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=out.append)

    assert "".join(out) == ""
