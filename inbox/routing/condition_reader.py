"""Reads the conditions of routing rules.

The module defines the fields and values that may be written, and refuses all others.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from inbox.domain import OrgNumber, Service, UnitId
from inbox.routing.conditions import (
    GROUP_PREFIX,
    ConditionField,
    RuleCondition,
    flag_text,
    normalise,
)
from inbox.routing.phrases import ROUTING_PHRASES
from inbox.routing.rule_book import RuleUnit
from inbox.strict import toml_tables
from inbox.strict.refusal import ReadPosition

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
class Definitions:
    """The groups and units that the rules of one file can refer to by name."""

    groups: Mapping[str, tuple[OrgNumber, ...]]
    units: Mapping[UnitId, RuleUnit]

    def unit(self, place: ReadPosition, key: str) -> UnitId:
        """The unit with this key in `[units]`."""
        if key not in self.units:
            allowed = ROUTING_PHRASES("units", names=", ".join(self.units))
            raise place.refuse("unknown_unit", key, allowed, names=self.units)
        return UnitId(key)

    def group(self, place: ReadPosition, name: str) -> tuple[OrgNumber, ...]:
        """The members of a group in `[groups]`."""
        if name not in self.groups:
            allowed = ROUTING_PHRASES("groups", names=", ".join(self.groups) or "–")
            raise place.refuse("unknown_group", name, allowed, names=self.groups)
        return self.groups[name]


def read_short_name(place: ReadPosition, text: str) -> str:
    """Check and return a name that is used inside the file: of a group, unit, rule or channel."""
    if _SHORT_NAME.fullmatch(text) is None:
        raise place.refuse("short_name", text, ROUTING_PHRASES("short_name"))
    return text


def read_conditions(
    place: ReadPosition, value: object, named: Definitions
) -> tuple[RuleCondition, ...]:
    """Read the conditions of one `when` or `except`.

    At least one condition is required, because a rule without conditions would be a guess.
    """
    table = toml_tables.table_of(place, value)
    toml_tables.check_fields(place, table, required=(), optional=tuple(ConditionField))
    return tuple(_condition(place, ConditionField(field), v, named) for field, v in table.items())


def _condition(
    place: ReadPosition, field: ConditionField, value: object, named: Definitions
) -> RuleCondition:
    here = place.at(ROUTING_PHRASES("field", inside=place.inside, field=field), field.value)
    if field in _FLAG_FIELDS:
        truth = flag_text(toml_tables.flag_of(here, value))
        return RuleCondition(field=field, written=(truth,), values=frozenset({truth}))
    written = toml_tables.one_or_more_of(here, value)
    values = frozenset(v for text in written for v in _READERS[field](here, text, named))
    return RuleCondition(field=field, written=written, values=values)


def _organisations(place: ReadPosition, text: str, named: Definitions) -> Collection[str]:
    if text.startswith(GROUP_PREFIX):
        return named.group(place, text.removeprefix(GROUP_PREFIX))
    return (toml_tables.organisation_of(place, text),)


def comparable_names(unit: RuleUnit) -> frozenset[str]:
    """All names of a unit, normalised for comparison."""
    return frozenset(normalise(name) for name in (unit.name, *unit.aliases))


def _unit_names(place: ReadPosition, text: str, named: Definitions) -> Collection[str]:
    unit = named.units[named.unit(place, text)]
    return comparable_names(unit)


def _channel(place: ReadPosition, text: str, _named: Definitions) -> Collection[str]:
    return (read_short_name(place, text),)


def _free_text(place: ReadPosition, text: str, _named: Definitions) -> Collection[str]:
    if set(text) & set("*?%"):
        raise place.refuse("pattern", text, ROUTING_PHRASES("no_pattern"))
    return (normalise(text),)


def _title_word(place: ReadPosition, text: str, _named: Definitions) -> Collection[str]:
    word = normalise(text)
    if _TITLE_WORD.fullmatch(word) is None:
        raise place.refuse("title_word", text, ROUTING_PHRASES("title_word"))
    return (word,)


_Reader = Callable[[ReadPosition, str, Definitions], Collection[str]]


def _one_of(*allowed: str) -> _Reader:
    def read(place: ReadPosition, text: str, _named: Definitions) -> Collection[str]:
        if text not in allowed:
            raise place.refuse("unknown_word", text, ", ".join(allowed), names=allowed)
        return (text,)

    return read


_FLAG_FIELDS = frozenset({ConditionField.SENDER_KNOWN, ConditionField.KNOWN_REFERENCE})

_READERS: Mapping[ConditionField, _Reader] = {
    ConditionField.SENDER: _organisations,
    ConditionField.SIGNER: _organisations,
    ConditionField.ON_BEHALF_OF: _organisations,
    ConditionField.SERVICE: _one_of(*Service),
    ConditionField.CHANNEL: _channel,
    ConditionField.PROCESS: _one_of(*PROCESSES),
    ConditionField.DOCUMENT_TYPE: _one_of(*DOCUMENT_TYPES),
    ConditionField.ADMINISTRATIVE_UNIT: _unit_names,
    ConditionField.SCREENING_AUTHORITY: _free_text,
    ConditionField.ACCESS_RESTRICTION: _free_text,
    ConditionField.PUBLIC_TITLE_HAS: _title_word,
}
