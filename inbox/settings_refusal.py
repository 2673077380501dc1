"""Says in our own words what is wrong with a setting: where, what was read, what is allowed.

A value is shown where it can be no secret: numbers, dates, names and paths are; an unknown key, a
list and an address that may hold a password are not.
"""

import difflib
import re
import tomllib
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from inbox.errors import ConfigurationError
from inbox.strict.toml_lines import KeyPath, find_key_lines, nearest_line

_MAX_SHOWN_CHARACTERS: Final = 60
_AT_LINE: Final = re.compile(r"at line ([0-9]+)")
_KEY_BEFORE_VALUE: Final = re.compile(r"\s*([\w.\"'-]+)\s*=")
_TWICE: Final = ("Cannot overwrite", "Cannot declare", "Duplicate inline table key")
_TOML: Final = "`key = value`, texts in double quotes, [table] and [[table]]"
_PREFIX: Final = "INBOX_"


@dataclass(frozen=True)
class Allowed:
    """Marks a type of a setting with what is allowed there, in words."""

    words: str


@dataclass(frozen=True, kw_only=True)
class SettingsSource:
    """Where settings were read from: the file with the lines of its keys, and the environment."""

    file: str = ""
    lines: Mapping[KeyPath, int] = field(default_factory=dict, repr=False)
    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    """As they were read, before anything was made of them."""
    environment: frozenset[str] = frozenset()
    """The keys that the environment gives."""

    def where(self, path: KeyPath) -> str:
        """The file, the line and the name of a setting; or its name in the environment."""
        name = ".".join(part for part in path if isinstance(part, str))
        if path and path[0] in self.environment:
            return f"{_PREFIX}{name.upper()} in the environment"
        line = nearest_line(self.lines, path)
        at = "" if line is None else f"line {line}"
        return ", ".join(part for part in (self.file, at, name) if part)


def read_settings_file(path: Path) -> SettingsSource:
    """Read a TOML file with the line of every key.

    Raises `ConfigurationError`: `config.unreadable`, `config.toml`.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigurationError("config.unreadable", f"{path.name}: {error.strerror}") from error
    text = _decoded(path.name, raw)
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _not_toml(path.name, text, str(error)) from None
    return SettingsSource(file=path.name, lines=find_key_lines(text), values=values)


def _decoded(name: str, raw: bytes) -> str:
    if raw.startswith(b"\xef\xbb\xbf"):
        raise ConfigurationError(
            "config.toml",
            f"{name} is not TOML: line 1: read a byte order mark; allowed: UTF-8 without one",
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(
            "config.toml",
            f"{name} is not TOML: line {line}: read another encoding; allowed: UTF-8",
        ) from None


def _not_toml(name: str, text: str, said: str) -> ConfigurationError:
    """What is no TOML, by its line and its key; a value may be a password without its quotes."""
    lines = text.split("\n")
    found = _AT_LINE.search(said)
    number = min(int(found[1]), len(lines)) if found else len(lines)
    key = _KEY_BEFORE_VALUE.match(lines[number - 1])
    read = "a line that cannot be read" if key is None else f"«{key[1]} = …»"
    if said.startswith(_TWICE):
        read += ", which stands there twice"
    return ConfigurationError(
        "config.toml", f"{name} is not TOML: line {number}: read {read}; allowed: {_TOML}"
    )


def describe_refusals(
    error: ValidationError, model: type[BaseModel], source: SettingsSource
) -> str:
    """Everything that is wrong: where it stands, what was read, what is allowed."""
    told: dict[KeyPath, str] = {}
    for wrong in error.errors(include_input=False, include_url=False, include_context=False):
        path = _path_in_model(model, wrong["loc"])
        if wrong["type"] == "extra_forbidden":
            path = (*path, str(wrong["loc"][len(path)]))
            problem = _unknown_key(str(path[-1]), _model_at(model, path[:-1]))
        elif wrong["type"] == "missing":
            problem = f"is required: {_allowed_at(model, path)}"
        else:
            shown = _shown(path, _value_at(source.values, path))
            problem = f"read {shown}; allowed: {_allowed_at(model, path)}"
        told.setdefault(path, f"{source.where(path)}: {problem}")
    around = {path[:length] for path in told for length in range(len(path))}
    return "; ".join(text for path, text in told.items() if path not in around)


def _unknown_key(key: str, model: type[BaseModel]) -> str:
    known = sorted(model.model_fields)
    close = difflib.get_close_matches(key, known, n=1)
    perhaps = f" (is {close[0]} meant?)" if close else ""
    return f"there is no such setting{perhaps}; allowed: {', '.join(known)}"


def _path_in_model(model: type[BaseModel], place: tuple[int | str, ...]) -> KeyPath:
    """The part of a place that names settings; what follows are kinds of one value."""
    path: KeyPath = ()
    for part in place:
        if isinstance(part, str) and part not in _model_at(model, path).model_fields:
            break
        path = (*path, part)
    return path


def _model_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel]:
    """The table of settings that a path leads to; the innermost one around a value."""
    for part in path:
        if isinstance(part, str):
            model = next(_models_in(model.model_fields[part].annotation), model)
    return model


def _models_in(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for inner in get_args(kind):
        yield from _models_in(inner)


def _allowed_at(model: type[BaseModel], path: KeyPath) -> str:
    """What is allowed in a setting, or in one item of a list."""
    names = [part for part in path if isinstance(part, str)]
    around = _model_at(model, tuple(names[:-1]))
    field_info: FieldInfo = around.model_fields[names[-1]]
    words = _allowed_words(field_info.annotation, tuple(field_info.metadata), names[-1])
    return words if path[-1] == names[-1] else words.partition(": ")[2] or words


def _allowed_words(kind: Any, metadata: tuple[object, ...], name: str) -> str:
    """What a type allows, in words."""
    for mark in metadata:
        if isinstance(mark, Allowed):
            return mark.words
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _allowed_words(inner[0], inner[1:], name)
    if origin in {Union, types.UnionType}:
        return _allowed_words(inner[0], metadata, name)
    if origin is tuple:
        if next(_models_in(inner[0]), None) is not None:
            return f"tables [[{name}]]"
        few = " of at least one" if _bound(metadata, "min_length") else ""
        return f"a list{few}: {_allowed_words(inner[0], (), name)}"
    return _simple_words(kind, metadata, name)


def _simple_words(kind: Any, metadata: tuple[object, ...], name: str) -> str:
    if issubclass(kind, BaseModel):
        return f"a table [{name}]"
    if issubclass(kind, StrEnum):
        return ", ".join(f'"{word}"' for word in kind)
    words = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        date: "a date, such as 2027-07-01",
        Path: "a path in double quotes",
        IPv4Network: 'networks, such as "10.20.0.0/16"',
    }
    least, most = _bound(metadata, "ge"), _bound(metadata, "le")
    bounds = "" if least is None else f" of at least {least}"
    if most is not None:
        bounds = f" from {least} to {most}"
    return words.get(kind, "a text in double quotes") + bounds


def _bound(metadata: tuple[object, ...], kind: str) -> object:
    """A bound among the constraints of a field; None if it has none of this kind."""
    return next((getattr(mark, kind) for mark in metadata if hasattr(mark, kind)), None)


def _value_at(values: object, path: KeyPath) -> object:
    """What was read at a path, which leads to something that was refused."""
    for part in path:
        if isinstance(values, Mapping):
            values = values.get(part)
        elif isinstance(values, list) and isinstance(part, int):
            values = values[part]
    return values


def _shown(path: KeyPath, value: object) -> str:
    """A value, where it cannot be a secret."""
    if isinstance(value, str):
        return _shown_text(path, value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a table"
    return "a list" if isinstance(value, list) else str(value)


def _shown_text(path: KeyPath, text: str) -> str:
    if path[0] == "database":
        return f'an address that begins with "{text.partition(":")[0][:20]}"'
    if "@" in text or "://" in text:
        return "an address"
    short = text[:_MAX_SHOWN_CHARACTERS]
    return f'"{short}"' if short == text else f'"{short}…"'
