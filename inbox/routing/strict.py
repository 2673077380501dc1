"""Reads pieces of a TOML file by type, or refuses: where, what was read, what is allowed."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from inbox.errors import Invalid, PolicyError
from inbox.message import OrgNumber, parse_org_number

MAX_FILE_BYTES = 256 * 1024
_SHOWN_CHARACTERS = 60

Table = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in which file we are reading: it opens every refusal."""

    file: str
    inside: str = ""

    def at(self, inside: str) -> "Place":
        """The same file, at this rule, table or case."""
        return Place(file=self.file, inside=inside)

    def refuse(self, code: str, read: object, allowed: str) -> PolicyError:
        """The error to raise: a stable code, and what a policy editor needs to put it right."""
        where = f"{self.file}, {self.inside}" if self.inside else self.file
        shown = read if isinstance(read, str) else repr(read)
        if len(shown) > _SHOWN_CHARACTERS:
            shown = shown[:_SHOWN_CHARACTERS] + "…"
        return PolicyError(f"routing.{code}", f"{where}: leste «{shown}». Tillatt: {allowed}")


def read_toml(place: Place, raw: bytes) -> Table:
    """The file as a table. Whatever is wrong with the bytes is a `PolicyError`."""
    if len(raw) > MAX_FILE_BYTES:
        raise place.refuse("too_large", f"{len(raw)} byte", f"høyst {MAX_FILE_BYTES} byte")
    if raw.startswith(b"\xef\xbb\xbf"):
        raise place.refuse("bom", "byte order mark", "UTF-8 uten byte order mark")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise place.refuse("encoding", f"byte {error.start} er ikke UTF-8", "UTF-8") from error
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # the latter is tomllib's answer to `[[[[…`
        what = str(error) if isinstance(error, tomllib.TOMLDecodeError) else type(error).__name__
        raise place.refuse("toml", what, "gyldig TOML") from error


def check_fields(
    place: Place, table: Table, *, required: Collection[str], optional: Collection[str] = ()
) -> None:
    """Refuse what is missing and whatever else is there."""
    known = ", ".join([*required, *optional])
    for field in table:
        if field not in required and field not in optional:
            raise place.refuse("unknown_field", field, known)
    for field in required:
        if field not in table:
            raise place.refuse("missing_field", f"ingen {field}", f"feltet {field} må være med")


def table_of(place: Place, value: object) -> Table:
    """A table with something in it."""
    if not isinstance(value, dict):
        raise place.refuse("wrong_type", value, "en tabell")
    if not value:
        raise place.refuse("empty", "tom tabell", "minst ett felt")
    return value


def tables_of(place: Place, value: object) -> tuple[Table, ...]:
    """An array of tables, each with something in it; may itself be empty."""
    if not isinstance(value, list):
        raise place.refuse("wrong_type", value, "en liste av tabeller")
    return tuple(table_of(place.at(f"{place.inside} nr. {n}"), v) for n, v in enumerate(value, 1))


def text_of(place: Place, value: object) -> str:
    """A text that is not blank."""
    if not isinstance(value, str):
        raise place.refuse("wrong_type", value, "en tekst")
    if not value.strip():
        raise place.refuse("empty", "tom tekst", "en tekst som ikke er tom")
    return value


def text_list_of(place: Place, value: object) -> tuple[str, ...]:
    """One or more different texts, in a list."""
    if not isinstance(value, list):
        raise place.refuse("wrong_type", value, "en liste av tekster")
    texts = tuple(text_of(place, v) for v in value)
    if not texts:
        raise place.refuse("empty", "tom liste", "minst én verdi")
    if len(set(texts)) != len(texts):
        raise place.refuse("duplicate", ", ".join(texts), "hver verdi én gang")
    return texts


def one_or_more_of(place: Place, value: object) -> tuple[str, ...]:
    """A text, or a list of one or more different texts."""
    return text_list_of(place, value if isinstance(value, list) else [value])


def flag_of(place: Place, value: object) -> bool:
    """True or false, nothing that resembles it."""
    if not isinstance(value, bool):
        raise place.refuse("wrong_type", value, "true eller false")
    return value


def date_of(place: Place, value: object) -> date:
    """A date without a time of day."""
    if type(value) is not date:  # a datetime is a date to Python, not to us
        raise place.refuse("wrong_type", value, "en dato som 2026-01-31")
    return value


def organisation_of(place: Place, text: str) -> OrgNumber:
    """An organisation number with a right check digit."""
    try:
        return parse_org_number(text)
    except Invalid as error:
        allowed = "et organisasjonsnummer: ni sifre med riktig kontrollsiffer"
        raise place.refuse("org_number", text, allowed) from error
