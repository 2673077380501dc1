"""Reads the TOML files of a policy: tables that know their file and line."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from inbox.errors import PolicyError
from inbox.strict.lines import policy_position, read_text
from inbox.strict.phrases import READER_PHRASES, Said
from inbox.strict.refusal import ReadPosition, RefusedPolicyFile
from inbox.strict.source_text import check_row_count
from inbox.strict.toml_tables import parse_toml

_TEXT = re.compile(r'"(?:\\.|[^"\\])*"')


@dataclass(frozen=True, kw_only=True)
class TomlTable:
    """A table of a TOML file and its position: every refusal about it names the line."""

    position: ReadPosition
    value: Mapping[str, object]
    path: str = ""

    @property
    def line(self) -> int:
        """The line of its header; 1 for the root table."""
        return self.position.line or 1

    @property
    def lines(self) -> Mapping[str, int]:
        """The lines of its keys that stand at the beginning of one."""
        return {key: self._at(key).line or 1 for key in self.value}

    def _at(self, key: str) -> ReadPosition:
        name = ".".join(part for part in (self.path, key) if part)
        here = self.position.at(name, key)
        first = (*here.path, 0)  # Of an array of tables.
        inner = self.position.at(name, key, 0) if first in here.lines else here
        return inner if inner.line is not None else inner.at_line(1)

    def refuse(self, code: str, key: str, read: object, allowed: Said, *names: str) -> PolicyError:
        """The error for a key of this table, or for the whole table if the key is missing."""
        here = self._at(key) if key else self.position
        here = here if here.line is not None else here.at_line(1)
        return RefusedPolicyFile(here.refusal(code, read, allowed, names=names))

    def check_keys(self, keys: Collection[str], *, optional: Collection[str] = ()) -> None:
        """Check that the table has exactly these keys, and otherwise only optional ones."""
        known = [*keys, *optional]
        odd = sorted(self.value.keys() - set(known))
        missing = sorted(set(keys) - self.value.keys())
        if odd or missing:
            names = ", ".join(sorted(keys))
            allowed = READER_PHRASES("exactly", names=names)
            if optional:
                perhaps = ", ".join(sorted(optional))
                allowed = READER_PHRASES("exactly_and_perhaps", names=names, optional=perhaps)
            read = odd[0] if odd else READER_PHRASES("missing", name=", ".join(missing))
            raise self.refuse("keys", odd[0] if odd else "", read, allowed, *known)

    def table(self, key: str) -> "TomlTable":
        """The inline table under a key."""
        value = self.value.get(key)
        if not isinstance(value, dict):
            raise self.refuse("table", key, value, READER_PHRASES("table"))
        called = ".".join(part for part in (self.path, key) if part)
        return TomlTable(position=self._at(key), value=value, path=called)

    def text(self, key: str) -> str:
        """A text that must not be blank."""
        value = self.value.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.refuse("text", key, value, READER_PHRASES("text_not_empty"))
        return value

    def number(self, key: str) -> int:
        """A whole number from 1."""
        value = self.value.get(key)
        if type(value) is not int or value < 1:  # True is a number to Python, not to us.
            raise self.refuse("number", key, value, READER_PHRASES("whole_number"))
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of distinct texts, none of them blank."""
        value = self.value.get(key)
        if not isinstance(value, list):
            raise self.refuse("list", key, value, READER_PHRASES("texts"))
        for one in value:
            if not isinstance(one, str) or not one.strip():
                raise self.refuse("text", key, one, READER_PHRASES("text_not_empty"))
        if len(set(value)) != len(value):
            raise self.refuse("twice", key, value, READER_PHRASES("each_once"))
        return tuple(value)


class TomlFile:
    """A TOML file that was read: its tables by name, with their lines."""

    def __init__(self, file: str, raw: bytes) -> None:
        self.file = file
        self._text = read_text(file, raw)
        place = policy_position(file)
        self._check_signs(place)
        self._position, self._value = parse_toml(place, self._text)

    def _check_signs(self, place: ReadPosition) -> None:
        """Check how comments and texts are written.

        Comments must have their own lines, and texts must be in double quotes on one line.
        """
        for number, line in enumerate(self._text.split("\n"), 1):
            bare = _TEXT.sub("", line)
            if not line.strip().startswith("#") and any(sign in bare for sign in "#\"'"):
                allowed = READER_PHRASES("no_sign_after_value")
                raise place.at_line(number).refuse("sign", line.strip(), allowed)

    def keys(self) -> tuple[str, ...]:
        """The keys of the root table, in the order of the file."""
        return tuple(self._value)

    def top(self, keys: Collection[str]) -> TomlTable:
        """The root table, which must have exactly these keys."""
        top = TomlTable(position=self._position, value=self._value)
        top.check_keys(keys)
        return top

    def single_table(self, name: str) -> TomlTable:
        """The single table `[name]`."""
        value = self._value.get(name)
        if not isinstance(value, dict):
            allowed = READER_PHRASES("table_of", name=f"[{name}]")
            raise self.top_refusal(name, "table", value, allowed)
        return TomlTable(position=self._position.at(name, name), value=value, path=name)

    def table_list(self, name: str) -> list[TomlTable]:
        """The array of tables `[[name]]`, with at least one table."""
        values = self._value.get(name)
        if (
            not isinstance(values, list)
            or not values
            or not all(isinstance(value, dict) for value in values)
        ):
            allowed = READER_PHRASES("tables_of", name=name)
            raise self.top_refusal(name, "list", values, allowed)
        return [
            TomlTable(position=self._position.at(name, name, number), value=value, path=name)
            for number, value in enumerate(values)
        ]

    def top_refusal(self, key: str, code: str, read: object, allowed: Said) -> PolicyError:
        """The error for a key of the root table."""
        top = TomlTable(position=self._position, value=self._value)
        return top.refuse(code, key, read, allowed)

    def check_row_count(self, rows: int) -> None:
        """Check that the file states this number of rows."""
        check_row_count(policy_position(self.file), self._text, rows)
