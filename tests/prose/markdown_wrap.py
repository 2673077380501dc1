"""Wraps Markdown at 120 characters: `python -m tests.prose.markdown_wrap` does it to every page.

A paragraph whose lines all fit is left as it is. Tables, headings, code and HTML are never wrapped,
and neither code in backticks nor a link is broken. The page looks the same when it is rendered.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
WIDTH = 120
GENERATED = {"docs/codes.md", "docs/conditions.md"}
"""Pages that the program writes; a test compares them with what it writes."""

_FENCE = re.compile(r"^\s*(```|~~~)")
_ALONE = re.compile(r"^\s*(\||#|<|>|!\[|\[[^\]]+\]:|---|===)|^\s*$|^(?: {4}|\t)\s*\S.* {2}> ")
_ITEM = re.compile(r"^(\s*)([-*+]|\d+[.)])(\s+)")
_UNBROKEN = re.compile(r"`[^`]*`|!?\[[^\]]*\]\([^)]*\)")
_STARTS_BLOCK = re.compile(r"^([-*+>#|=~]+|\d+[.)])$|^(#|\||>|<!--|```)")


def pages() -> list[Path]:
    """Every Markdown page that somebody writes."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "policies" / "README.md"]
    return sorted(
        each
        for each in found
        if "node_modules" not in each.parts and str(each.relative_to(ROOT)) not in GENERATED
    )


def wrap_page(text: str) -> str:
    """The page with every paragraph and list item wrapped."""
    out: list[str] = []
    block: list[str] = []
    fenced = False
    for line in text.split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
            out += [*_wrap_block(block), line]
            block = []
        elif fenced or _ALONE.match(line):
            out += [*_wrap_block(block), line]
            block = []
        elif _ITEM.match(line) or (line.startswith("    ") and not block):
            out += _wrap_block(block)
            block = [line]
        else:
            block.append(line)
    return "\n".join([*out, *_wrap_block(block)])


def _wrap_block(block: list[str]) -> list[str]:
    """One paragraph or list item; as it is if it fits, is indented code, or breaks lines itself."""
    if all(len(line) <= WIDTH for line in block) or block[0].startswith("    "):
        return block
    if any(line.endswith(("  ", "\\")) for line in block[:-1]):
        return block
    item = _ITEM.match(block[0])
    first = item[0] if item else re.match(r"\s*", block[0])[0]  # type: ignore[index] # always fits
    rest = " " * len(first) if item else first
    words = list(_words(" ".join(line.strip() for line in [block[0][len(first) :], *block[1:]])))
    lines, line = [], first + words[0]
    for word in words[1:]:
        if len(line) + 1 + len(word) > WIDTH and not _STARTS_BLOCK.match(word):
            lines.append(line)
            line = rest + word
        else:
            line = f"{line} {word}"
    return [*lines, line]


def _words(text: str) -> Iterator[str]:
    """The words, where code in backticks and a link with its text are one word each."""
    kept = _UNBROKEN.sub(lambda found: found[0].replace(" ", "\0"), text)
    for word in kept.split():
        yield word.replace("\0", " ")


def main() -> None:
    """Wrap the pages in place."""
    for page in pages():
        text = page.read_text()
        if (wrapped := wrap_page(text)) != text:
            page.write_text(wrapped)
            sys.stdout.write(f"wrapped {page.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
