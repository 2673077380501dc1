"""The words that conditions may be written with: reads them, and refuses every other."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from inbox.domain import OrgNumber, Service, UnitId
from inbox.routing.conditions import GROUP, Condition, Field, flag, normalise
from inbox.routing.rule_book import Unit
from inbox.strict import toml_tables
from inbox.strict.toml_tables import Place

PROCESSES = tuple(
    f"urn:no:difi:profile:arkivmelding:{name}:ver1.0"
    for name in (
        "taushetsbelagt",
        "planByggOgGeodata",
        "helseSosialOgOmsorg",
        "oppvekstOgUtdanning",
        "kulturIdrettOgFritid",
        "trafikkReiserOgSamferdsel",
        "naturOgMiljoe",
        "naeringsutvikling",
        "skatterOgAvgifter",
        "tekniskeTjenester",
        "administrasjon",
    )
)
"""The processes that mail comes under (reference §3.5); `response` carries receipts only."""

DOCUMENT_TYPES = ("arkivmelding", "avtalt", "innsynskrav", "publisering", "dialogmelding")
"""The document types that a person could have to distribute (reference §3.4)."""

_SHORT_NAME = re.compile(r"[a-z0-9æøå][a-z0-9æøå_-]{0,63}")
_TITLE_WORD = re.compile(r"[^\W\d_]{2,}|[^\W\d_]{3,}-")  # short beginnings fit too much


@dataclass(frozen=True, kw_only=True)
class Named:
    """The groups and units that the rules of one file can refer to by name."""

    groups: Mapping[str, tuple[OrgNumber, ...]]
    units: Mapping[UnitId, Unit]

    def unit(self, place: Place, key: str) -> UnitId:
        """The unit with this key in `[units]`."""
        if key not in self.units:
            raise place.refuse("unknown_unit", key, f"enhetene {', '.join(self.units)}")
        return UnitId(key)

    def group(self, place: Place, name: str) -> tuple[OrgNumber, ...]:
        """The members of a group in `[groups]`."""
        if name not in self.groups:
            raise place.refuse("unknown_group", name, f"gruppene {', '.join(self.groups) or '–'}")
        return self.groups[name]


def short_name(place: Place, text: str) -> str:
    """Check and return a name that is used inside the file: of a group, unit, rule or channel."""
    if _SHORT_NAME.fullmatch(text) is None:
        raise place.refuse("short_name", text, "små bokstaver, sifre, - og _, høyst 64 tegn")
    return text


def read_conditions(place: Place, value: object, named: Named) -> tuple[Condition, ...]:
    """The conditions of one `when` or `except`: at least one, for a rule of none is a guess."""
    table = toml_tables.table_of(place, value)
    toml_tables.check_fields(place, table, required=(), optional=tuple(Field))
    return tuple(_condition(place, Field(field), v, named) for field, v in table.items())


def _condition(place: Place, field: Field, value: object, named: Named) -> Condition:
    here = place.at(f"{place.inside}, {field}", field.value)
    if field in _FLAGS:
        truth = flag(toml_tables.flag_of(here, value))
        return Condition(field=field, written=(truth,), values=frozenset({truth}))
    written = toml_tables.one_or_more_of(here, value)
    values = frozenset(v for text in written for v in _READERS[field](here, text, named))
    return Condition(field=field, written=written, values=values)


def _organisations(place: Place, text: str, named: Named) -> Collection[str]:
    if text.startswith(GROUP):
        return named.group(place, text.removeprefix(GROUP))
    return (toml_tables.organisation_of(place, text),)


def names_of(unit: Unit) -> frozenset[str]:
    """All names of a unit, normalised for comparison."""
    return frozenset(normalise(name) for name in (unit.name, *unit.called))


def _unit_names(place: Place, text: str, named: Named) -> Collection[str]:
    unit = named.units[named.unit(place, text)]
    return names_of(unit)


def _channel(place: Place, text: str, _named: Named) -> Collection[str]:
    return (short_name(place, text),)


def _free_text(place: Place, text: str, _named: Named) -> Collection[str]:
    if set(text) & set("*?%"):
        raise place.refuse("pattern", text, "hele verdien uten jokertegn")
    return (normalise(text),)


def _title_word(place: Place, text: str, _named: Named) -> Collection[str]:
    word = normalise(text)
    if _TITLE_WORD.fullmatch(word) is None:
        allowed = "ett ord av minst to bokstaver, eller minst tre og - for ord som begynner slik"
        raise place.refuse("title_word", text, allowed)
    return (word,)


_Reader = Callable[[Place, str, Named], Collection[str]]


def _one_of(*allowed: str) -> _Reader:
    def read(place: Place, text: str, _named: Named) -> Collection[str]:
        if text not in allowed:
            raise place.refuse("unknown_word", text, ", ".join(allowed))
        return (text,)

    return read


_FLAGS = frozenset({Field.SENDER_KNOWN, Field.KNOWN_REFERENCE})

_READERS: Mapping[Field, _Reader] = {
    Field.SENDER: _organisations,
    Field.SIGNER: _organisations,
    Field.ON_BEHALF_OF: _organisations,
    Field.SERVICE: _one_of(*Service),
    Field.CHANNEL: _channel,
    Field.PROCESS: _one_of(*PROCESSES),
    Field.DOCUMENT_TYPE: _one_of(*DOCUMENT_TYPES),
    Field.ADMINISTRATIVE_UNIT: _unit_names,
    Field.SCREENING_AUTHORITY: _free_text,
    Field.ACCESS_RESTRICTION: _free_text,
    Field.PUBLIC_TITLE_HAS: _title_word,
}
