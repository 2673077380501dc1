"""Typed accessors for values of a TOML file.

A wrong value is refused with its position, what was read and what is allowed.
"""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from inbox.domain import OrgNumber, parse_org_number
from inbox.errors import Invalid, PolicyError, RowsDiffer
from inbox.strict.toml_lines import KeyPath, find_key_lines, nearest_line

MAX_FILE_BYTES = 256 * 1024
_MAX_SHOWN_CHARACTERS = 60
_ROWS = re.compile(r"# rows: ([0-9]{1,4})")
_AT_LINE = re.compile(r"\(at line ([0-9]+), column [0-9]+\)")

Table = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class ReadPosition:
    """The position in a file that is being read; every refusal begins with it."""

    file: str
    inside: str = ""
    path: KeyPath = ()
    lines: Mapping[KeyPath, int] = field(default_factory=dict, repr=False)

    def at(self, inside: str, *keys: str | int) -> "ReadPosition":
        """The position further inside, by these keys: a rule, a table or a case."""
        return replace(self, inside=inside, path=(*self.path, *keys))

    def at_line(self, line: int) -> "ReadPosition":
        """The same position, with a known line."""
        return replace(self, path=("line",), lines={("line",): line})

    def refuse(self, code: str, read: object, allowed: str) -> PolicyError:
        """The error to raise, with a stable code.

        It contains everything that a policy editor needs to correct the file.
        """
        line = nearest_line(self.lines, self.path)
        at = [self.file, "" if line is None else f"linje {line}", self.inside]
        where = ", ".join(part for part in at if part)
        shown = read if isinstance(read, str) else repr(read)
        if len(shown) > _MAX_SHOWN_CHARACTERS:
            shown = shown[:_MAX_SHOWN_CHARACTERS] + "…"
        return PolicyError(f"routing.{code}", f"{where}: leste «{shown}». Tillatt: {allowed}")


def read_toml(place: ReadPosition, raw: bytes) -> tuple[ReadPosition, Table]:
    """Parse the file as TOML; returns the table and the position with all line numbers.

    What is wrong is a `PolicyError`.
    """
    if len(raw) > MAX_FILE_BYTES:
        raise place.refuse("too_large", f"{len(raw)} byte", f"høyst {MAX_FILE_BYTES} byte")
    if raw.startswith(b"\xef\xbb\xbf"):
        raise place.refuse("bom", "byte order mark", "UTF-8 uten byte order mark")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        here = place.at_line(raw.count(b"\n", 0, error.start) + 1)
        raise here.refuse("encoding", f"byte {error.start} er ikke UTF-8", "UTF-8") from error
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # the latter is tomllib's answer to `[[[[…`
        what = str(error) if isinstance(error, tomllib.TOMLDecodeError) else type(error).__name__
        found = _AT_LINE.search(what)
        here = place if found is None else place.at_line(int(found[1]))
        raise here.refuse("toml", _AT_LINE.sub("", what).strip(), "gyldig TOML") from error
    return replace(place, lines=find_key_lines(text)), table


def check_row_count(place: ReadPosition, raw: bytes, rows: int) -> None:
    """Check that the file states its number of rules exactly once and correctly.

    A lost or added rule is thereby noticed.
    """
    stated = [
        (number, int(found[1]))
        for number, line in enumerate(raw.decode().split("\n"), 1)
        if (found := _ROWS.fullmatch(line.rstrip("\r")))
    ]
    if len(stated) != 1:
        raise place.refuse(
            "rows_unstated", f"{len(stated)} slike linjer", f"én linje «# rows: {rows}»"
        )
    if stated[0][1] != rows:
        here = place.at_line(stated[0][0])
        refused = here.refuse(
            "rows_differ", f"{rows} regler", f"de {stated[0][1]} som filen oppgir"
        )
        raise RowsDiffer(refused, file=place.file, stated=stated[0][1], found=rows)


def check_fields(
    place: ReadPosition, table: Table, *, required: Collection[str], optional: Collection[str] = ()
) -> None:
    """Refuse missing and unknown fields."""
    known = ", ".join([*required, *optional])
    for name in table:
        if name not in required and name not in optional:
            raise place.at(place.inside, name).refuse("unknown_field", name, known)
    for name in required:
        if name not in table:
            raise place.refuse("missing_field", f"ingen {name}", f"feltet {name} må være med")


def table_of(place: ReadPosition, value: object) -> Table:
    """A table that must not be empty."""
    if not isinstance(value, dict):
        raise place.refuse("wrong_type", value, "en tabell")
    if not value:
        raise place.refuse("empty", "tom tabell", "minst ett felt")
    return value


def tables_of(place: ReadPosition, value: object) -> tuple[Table, ...]:
    """An array of non-empty tables; the array itself may be empty."""
    if not isinstance(value, list):
        raise place.refuse("wrong_type", value, "en liste av tabeller")
    return tuple(
        table_of(place.at(f"{place.inside} nr. {n + 1}", n), v) for n, v in enumerate(value)
    )


def text_of(place: ReadPosition, value: object) -> str:
    """A text that must not be blank."""
    if not isinstance(value, str):
        raise place.refuse("wrong_type", value, "en tekst")
    if not value.strip():
        raise place.refuse("empty", "tom tekst", "en tekst som ikke er tom")
    return value


def text_list_of(place: ReadPosition, value: object) -> tuple[str, ...]:
    """A list of one or more distinct texts."""
    if not isinstance(value, list):
        raise place.refuse("wrong_type", value, "en liste av tekster")
    texts = tuple(text_of(place, v) for v in value)
    if not texts:
        raise place.refuse("empty", "tom liste", "minst én verdi")
    if len(set(texts)) != len(texts):
        raise place.refuse("duplicate", ", ".join(texts), "hver verdi én gang")
    return texts


def one_or_more_of(place: ReadPosition, value: object) -> tuple[str, ...]:
    """A text, or a list of one or more distinct texts."""
    return text_list_of(place, value if isinstance(value, list) else [value])


def flag_of(place: ReadPosition, value: object) -> bool:
    """A boolean, and no value that only resembles one."""
    if not isinstance(value, bool):
        raise place.refuse("wrong_type", value, "true eller false")
    return value


def date_of(place: ReadPosition, value: object) -> date:
    """A date without a time of day."""
    if type(value) is not date:  # a datetime is a date to Python, not to us
        raise place.refuse("wrong_type", value, "en dato som 2026-01-31")
    return value


def organisation_of(place: ReadPosition, text: str) -> OrgNumber:
    """An organisation number with a valid check digit."""
    try:
        return parse_org_number(text)
    except Invalid as error:
        allowed = "et organisasjonsnummer: ni sifre med riktig kontrollsiffer"
        raise place.refuse("org_number", text, allowed) from error
