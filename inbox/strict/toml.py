"""Reads TOML files strictly: tables and values that know their line."""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from inbox.errors import PolicyError
from inbox.strict.lines import check_row_count, read_text, refusal

_TEXT = re.compile(r'"(?:\\.|[^"\\])*"')
_HEADER = re.compile(r"\[\[?([a-z_]+)\]\]?")
_KEY = re.compile(r'(?:([A-Za-z0-9_-]+)|"([^"]*)") *=')
_ERROR_LINE = re.compile(r"at line (\d+)")
_END = "at end of document"


@dataclass(frozen=True, kw_only=True)
class TomlTable:
    """A table of a TOML file and its position: every refusal about it names the line."""

    file: str
    line: int
    value: Mapping[str, object]
    lines: Mapping[str, int]
    """The lines of its keys that stand at the beginning of one."""
    path: str = ""

    def refuse(self, code: str, key: str, read: object, allowed: str) -> PolicyError:
        """The error for a key of this table, or for the whole table if the key is missing."""
        where = f"{self.file}, line {self.lines.get(key, self.line)}"
        name = ".".join(part for part in (self.path, key) if part)
        return refusal(f"{where}, {name}" if name else where, code, read, allowed)

    def check_keys(self, keys: Collection[str], *, optional: Collection[str] = ()) -> None:
        """Check that the table has exactly these keys, and otherwise only optional ones."""
        odd = sorted(self.value.keys() - set(keys) - set(optional))
        missing = sorted(set(keys) - self.value.keys())
        if odd or missing:
            read = odd or f"no {', '.join(missing)}"
            allowed = f"exactly {', '.join(sorted(keys))}"
            if optional:
                allowed += f", and perhaps {', '.join(sorted(optional))}"
            raise self.refuse("keys", odd[0] if odd else "", read, allowed)

    def table(self, key: str) -> "TomlTable":
        """The inline table under a key."""
        value = self.value.get(key)
        if not isinstance(value, dict):
            raise self.refuse("table", key, value, "a table")
        line = self.lines.get(key, self.line)
        called = ".".join(part for part in (self.path, key) if part)
        return TomlTable(file=self.file, line=line, value=value, lines={}, path=called)

    def text(self, key: str) -> str:
        """A text that must not be blank."""
        value = self.value.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.refuse("text", key, value, "a text")
        return value

    def number(self, key: str) -> int:
        """A whole number from 1."""
        value = self.value.get(key)
        if type(value) is not int or value < 1:  # True is a number to Python, not to us.
            raise self.refuse("number", key, value, "a whole number, such as 1")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of distinct texts, none of them blank."""
        value = self.value.get(key)
        if not isinstance(value, list):
            raise self.refuse("list", key, value, "a list of texts")
        for one in value:
            if not isinstance(one, str) or not one.strip():
                raise self.refuse("text", key, one, "a text")
        if len(set(value)) != len(value):
            raise self.refuse("twice", key, value, "each word once")
        return tuple(value)


class _KeyLine(NamedTuple):
    """The line of a key, or of the header of its table if the key is empty."""

    table: str
    number: int
    key: str
    line: int


class TomlFile:
    """A TOML file that was read: its tables by name, with their lines."""

    def __init__(self, file: str, raw: bytes) -> None:
        self.file = file
        self._text = read_text(file, raw)
        self._check_signs()
        try:
            self._value = tomllib.loads(self._text)
        except (ValueError, RecursionError) as error:
            raise self._toml_error(error) from error
        self._key_lines = list(_find_key_lines(self._text))

    def _check_signs(self) -> None:
        """Check how comments and texts are written.

        Comments must have their own lines, and texts must be in double quotes on one line.
        """
        for number, line in enumerate(self._text.split("\n"), 1):
            bare = _TEXT.sub("", line)
            if not line.strip().startswith("#") and any(sign in bare for sign in "#\"'"):
                where = f"{self.file}, line {number}"
                allowed = "no comment after a value; texts in double quotes, on one line"
                raise refusal(where, "sign", line.strip(), allowed)

    def _toml_error(self, error: Exception) -> PolicyError:
        said = str(error)
        found = _ERROR_LINE.search(said)
        last = self._text.count("\n") + 1
        line = int(found.group(1)) if found else last if _END in said else 1
        return refusal(f"{self.file}, line {line}", "toml", said, "TOML")

    def keys(self) -> tuple[str, ...]:
        """The keys of the root table, in the order of the file."""
        return tuple(self._value)

    def top(self, keys: Collection[str]) -> TomlTable:
        """The root table, which must have exactly these keys."""
        top = self._table("", self._value, number=0)
        top.check_keys(keys)
        return top

    def single_table(self, name: str) -> TomlTable:
        """The single table `[name]`."""
        value = self._value.get(name)
        if not isinstance(value, dict):
            raise self.top_refusal(name, "table", value, f"a table [{name}]")
        return self._table(name, value, number=0)

    def table_list(self, name: str) -> list[TomlTable]:
        """The array of tables `[[name]]`, with at least one table."""
        values = self._value.get(name)
        if (
            not isinstance(values, list)
            or not values
            or not all(isinstance(value, dict) for value in values)
        ):
            raise self.top_refusal(name, "list", values, f"[[{name}]] tables")
        return [self._table(name, value, number=n) for n, value in enumerate(values)]

    def top_refusal(self, key: str, code: str, read: object, allowed: str) -> PolicyError:
        """The error for a key of the root table."""
        return self._table("", self._value, number=0).refuse(code, key, read, allowed)

    def _table(self, name: str, value: Mapping[str, object], *, number: int) -> TomlTable:
        """The `number`-th table of this name, with the lines where its header and keys stand."""
        mine = [place for place in self._key_lines if (place.table, place.number) == (name, number)]
        lines = {place.key: place.line for place in mine}
        if not name:
            first = [place for place in self._key_lines if not place.key and not place.number]
            lines |= {place.table: place.line for place in first}
        return TomlTable(file=self.file, line=lines.pop("", 1), value=value, lines=lines, path=name)

    def check_row_count(self, rows: int) -> None:
        """Check that the file states this number of rows."""
        check_row_count(self.file, self._text, rows)


def _find_key_lines(text: str) -> Iterator[_KeyLine]:
    """The lines of headers and keys; a key inside a value has the line of the value."""
    name, number = "", 0
    seen: dict[str, int] = {}
    for at, line in enumerate(text.split("\n"), 1):
        if found := _HEADER.match(line.strip()):
            name = found.group(1)
            number = seen[name] = seen.get(name, -1) + 1
            yield _KeyLine(name, number, "", at)
        elif found := _KEY.match(line.strip()):
            yield _KeyLine(name, number, found.group(1) or found.group(2), at)
