"""Reads TOML strictly: tables and typed values, each with its position for a refusal."""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date

from inbox.domain import OrgNumber, parse_org_number
from inbox.errors import Invalid
from inbox.strict.phrases import READER_PHRASES, Phrase, Said
from inbox.strict.refusal import FileFamily, ReadPosition
from inbox.strict.source_text import MAX_BYTES, odd_sign_of_toml, read_text
from inbox.strict.toml_lines import find_key_lines

_AT_LINE = re.compile(r"\(at line ([0-9]+), column [0-9]+\)")
_AT_END = "(at end of document)"

Table = Mapping[str, object]


def read_toml(
    place: ReadPosition, raw: bytes, *, max_bytes: int = MAX_BYTES
) -> tuple[ReadPosition, Table]:
    """Parse the file as TOML; returns the table and the position with all line numbers."""
    text = read_text(place, raw, max_bytes=max_bytes)
    return parse_toml(place, text)


def parse_toml(place: ReadPosition, text: str) -> tuple[ReadPosition, Table]:
    """The same for text. What the parser says is repeated, but never of a directory."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # the latter is tomllib's answer to `[[[[…`
        what = str(error) if isinstance(error, tomllib.TOMLDecodeError) else type(error).__name__
        lines, found = text.split("\n"), _AT_LINE.search(what)
        number = int(found[1]) if found else len(lines) if _AT_END in what else 1
        here, odd = place.at_line(number), odd_sign_of_toml(lines[number - 1])
        is_quotable = place.family is not FileFamily.DIRECTORY
        cause = error if is_quotable else None
        if odd is not None:
            raise here.refuse(*odd) from cause
        said = _AT_LINE.sub("", what).replace(_AT_END, "").strip()
        read = said if is_quotable else READER_PHRASES("not_toml")
        raise here.refuse("toml", read, READER_PHRASES("toml")) from cause
    return replace(place, lines=find_key_lines(text)), table


def check_fields(
    place: ReadPosition, table: Table, *, required: Collection[str], optional: Collection[str] = ()
) -> None:
    """Refuse missing and unknown fields."""
    known = [*required, *optional]
    for name in table:
        if name not in known:
            here = place.at(place.inside, name)
            raise here.refuse("unknown_field", name, ", ".join(known), names=known)
    for name in required:
        if name not in table:
            read = READER_PHRASES("missing", name=name)
            raise place.refuse("missing_field", read, READER_PHRASES("required_field", name=name))


def table_of(place: ReadPosition, value: object) -> Table:
    """A table that must not be empty."""
    if not isinstance(value, dict):
        raise place.refuse("wrong_type", value, READER_PHRASES("table"))
    if not value:
        raise place.refuse("empty", READER_PHRASES("empty_table"), READER_PHRASES("a_field"))
    return value


def tables_of(place: ReadPosition, value: object) -> tuple[Table, ...]:
    """An array of non-empty tables; the array itself may be empty."""
    if not isinstance(value, list):
        raise place.refuse("wrong_type", value, READER_PHRASES("tables"))
    return tuple(
        table_of(place.at(numbered(place.inside, n + 1), n), v) for n, v in enumerate(value)
    )


def numbered(name: Said, number: int) -> Phrase:
    """What is said of one of several tables, from 1."""
    return READER_PHRASES("number_of", name=name, number=number)


def text_of(place: ReadPosition, value: object) -> str:
    """A text that must not be blank."""
    if not isinstance(value, str):
        raise place.refuse("wrong_type", value, READER_PHRASES("text"))
    if not value.strip():
        raise place.refuse("empty", READER_PHRASES("empty_text"), READER_PHRASES("text_not_empty"))
    return value


def text_list_of(place: ReadPosition, value: object) -> tuple[str, ...]:
    """A list of one or more distinct texts."""
    if not isinstance(value, list):
        raise place.refuse("wrong_type", value, READER_PHRASES("texts"))
    texts = tuple(text_of(place, v) for v in value)
    if not texts:
        raise place.refuse("empty", READER_PHRASES("empty_list"), READER_PHRASES("a_value"))
    if len(set(texts)) != len(texts):
        raise place.refuse("duplicate", ", ".join(texts), READER_PHRASES("each_once"))
    return texts


def one_or_more_of(place: ReadPosition, value: object) -> tuple[str, ...]:
    """A text, or a list of one or more distinct texts."""
    return text_list_of(place, value if isinstance(value, list) else [value])


def flag_of(place: ReadPosition, value: object) -> bool:
    """A boolean, and no value that only resembles one."""
    if not isinstance(value, bool):
        raise place.refuse("wrong_type", value, READER_PHRASES("flag"))
    return value


def date_of(place: ReadPosition, value: object) -> date:
    """A date without a time of day."""
    if type(value) is not date:  # a datetime is a date to Python, not to us
        raise place.refuse("wrong_type", value, READER_PHRASES("date"))
    return value


def organisation_of(place: ReadPosition, text: str) -> OrgNumber:
    """An organisation number with a valid check digit."""
    try:
        return parse_org_number(text)
    except Invalid as error:
        raise place.refuse("org_number", text, READER_PHRASES("org_number")) from error
