"""Docstrings, comments, messages and pages are plain English: docs/style.md §10 has the reasons."""

import re
import tokenize
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DIALECT = {
    r"\bwho(?:m|se)?ever\b": "the person who, the caller, everybody who",
    r"\btold\b(?! apart)": "hears, gets a task, is informed, is reported",
    r"\b(?:it|this|that|which|what|text) (?:is|are) (?-i:none)\b": "invalid",
    r"(?<!here )\b(?:is|are) (?-i:none) of\b": "is not in, does not belong to",
    r"\b(?:is|are|was|were) over\b(?! (?:the|a|an|all|its|other|CODE|[0-9]))": "has ended",
    r"\b(?:takes?|took|taking) (?:two|one person|a (?:security )?reviewer)\b": "needs two persons",
    r"\bcom(?:es?|ing) about\b|\b(?:brought|brings?) about\b": "happens, is caused",
}
"""A phrase of the old private language, and what says the same plainly."""
_QUOTED = re.compile(r"<!-- quoted -->\n.*?(?:\n\n|\Z)", re.DOTALL)
_CODE = re.compile(r"```.*?```|`[^`]*`|\{[^{}]*\}|\]\([^)]*\)", re.DOTALL)
_TEXTS = (tokenize.STRING, tokenize.COMMENT)


def _python_prose(source: str) -> Iterator[tuple[int, str]]:
    """The strings, docstrings and comments of a module, with their lines."""
    for token in tokenize.generate_tokens(StringIO(source).readline):
        if token.type in _TEXTS:
            yield token.start[0], token.string


def _dialect(text: str) -> list[str]:
    """What a text has of the old language; code, links and marked quotations do not count."""
    prose = re.sub(r"[\s#]+", " ", _CODE.sub("CODE", _QUOTED.sub(" ", text)))
    return [found[0] for each in DIALECT for found in re.finditer(each, prose, re.IGNORECASE)]


def _in_file(path: Path) -> list[str]:
    text = path.read_text()
    if path.suffix != ".py":
        return _dialect(text)
    return [
        f"line {line}: {found}" for line, each in _python_prose(text) for found in _dialect(each)
    ]


def test_dialect_search_finds_phrases_and_leaves_code_links_and_quotations() -> None:
    assert _dialect("Whoever asks is told that it is none") == ["Whoever", "told", "it is none"]
    assert _dialect("A hold is\nover. It takes\n    # two.") == ["is over", "takes two"]
    assert _dialect("`told` {told} [x](told.md) told apart; there is none; is over the limit") == []
    assert _dialect('<!-- quoted -->\n| "is told" |\n\nplain') == []
    assert [line for line, _ in _python_prose('told = 1\n"""told"""\n# told\n')] == [2, 3]


@pytest.mark.parametrize("folder", sorted({p.parent for p in (ROOT / "inbox").rglob("*.py")}))
def test_product_prose_has_no_phrase_of_the_private_language(folder: Path) -> None:
    files = [*folder.glob("*.py"), *folder.glob("*.toml")]

    found = {str(path.relative_to(ROOT)): each for path in files if (each := _in_file(path))}

    assert found == {}


def test_pages_have_no_phrase_of_the_private_language() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "policies" / "README.md"]
    pages = [page for page in pages if "node_modules" not in page.parts]

    assert len(pages) > 40
    assert {str(p.relative_to(ROOT)): each for p in pages if (each := _in_file(p))} == {}
