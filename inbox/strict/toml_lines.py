"""Finds the line of every key in a TOML file.

Errors must name the line, and `tomllib` does not report it.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Final

KeyPath = tuple[str | int, ...]
"""Keys from the top of the file down; an array of tables has the number of the table, from 0."""

_TOKEN: Final = re.compile(
    r'"""(?:\\[\s\S]|[^\\])*?"""(?:"{0,2})'
    r"|'''[\s\S]*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|\[\[|\]\]|[\[\]{}=.,\n]"
    r"""|[^\s\[\]{}=.,"'#]+"""
)
_OPENS, _CLOSES = frozenset({"[", "[[", "{"}), frozenset({"]", "]]", "}"})


def find_key_lines(text: str) -> Mapping[KeyPath, int]:
    """The line, from 1, of every header and of every key that is not inside a value.

    The text has been read as TOML already: of one that is not, this says nothing of worth.
    """
    found: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    within: KeyPath = ()
    for line, words in _statements(text):
        if words[0] in _OPENS:
            within = _header(words, counts)
            found.setdefault(within, line)
        else:
            found.setdefault((*within, *_keys(words[: words.index("=")])), line)
    return found


def nearest_line(lines: Mapping[KeyPath, int], path: KeyPath) -> int | None:
    """The line of this key, or of the innermost enclosing one; None for the file itself."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _statements(text: str) -> Iterator[tuple[int, list[str]]]:
    """The tokens of each header or assignment, and the line on which it begins."""
    line, depth, words, begun = 1, 0, list[str](), 1
    for sign in _TOKEN.findall(text):
        if sign == "\n" and not depth:
            if words:
                yield begun, words
            words = []
        elif not sign.startswith(("#", "\n")):
            begun = begun if words else line
            words.append(sign)
            depth += _depth_change(sign)
        line += sign.count("\n")
    if words:
        yield begun, words


def _depth_change(sign: str) -> int:
    if sign in _OPENS:
        return len(sign)
    return -len(sign) if sign in _CLOSES else 0


def _keys(words: list[str]) -> Iterator[str]:
    for word in words:
        if word.startswith(('"', "'")):
            yield tomllib.loads(f"key = {word}")["key"]
        elif word != ".":
            yield word


def _header(words: list[str], counts: dict[KeyPath, int]) -> KeyPath:
    inner = tuple(_keys(words[1:-1]))
    if words[0] == "[":
        return _with_table_numbers(inner, counts)
    path = (*_with_table_numbers(inner[:-1], counts), inner[-1])
    counts[path] = counts.get(path, 0) + 1
    return (*path, counts[path] - 1)


def _with_table_numbers(keys: KeyPath, counts: Mapping[KeyPath, int]) -> KeyPath:
    """The same path, with the number of the last table inserted for each array of tables."""
    path: KeyPath = ()
    for key in keys:
        path = (*path, key)
        if path in counts and isinstance(key, str):
            path = (*path, counts[path] - 1)
    return path
