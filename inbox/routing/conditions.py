"""The closed list of conditions that a routing rule may use, and what each of them means."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from inbox.domain import Metadata, Service


class Field(StrEnum):
    """What a condition tests, by its name in the rules file."""

    SENDER = "sender"
    SENDER_KNOWN = "sender_known"
    SIGNER = "signer"
    ON_BEHALF_OF = "on_behalf_of"
    SERVICE = "service"
    CHANNEL = "channel"
    PROCESS = "process"
    DOCUMENT_TYPE = "document_type"
    KNOWN_REFERENCE = "known_reference"
    ADMINISTRATIVE_UNIT = "administrative_unit"
    SCREENING_AUTHORITY = "screening_authority"
    ACCESS_RESTRICTION = "access_restriction"
    PUBLIC_TITLE_HAS = "public_title_has"


YES, NO = "true", "false"

GROUP = "group:"
"""Opens the name of a group of organisations where a number may stand."""


def flag(truth: object) -> str:
    """A boolean as the text that conditions compare."""
    return YES if truth else NO


@dataclass(frozen=True, kw_only=True)
class Condition:
    """True if the message's value of the field is one of the values (*or*)."""

    field: Field
    written: tuple[str, ...]
    """As the rules file has it: groups and units by their short names."""
    values: frozenset[str]
    """What is compared: groups and units resolved, free text normalised."""


def normalise(text: str) -> str:
    """Free text normalised for comparison: case-folded, NFC, and runs of spaces as one."""
    folded = unicodedata.normalize("NFC", text).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())


def words_of(text: str) -> frozenset[str]:
    """The words of a title; hyphens, masking `*****` and full stops separate words."""
    return frozenset(re.findall(r"[^\W_]+", normalise(text)))


def word_fits(wanted: str, word: str) -> bool:
    """Whole words only; `barnevern-` also takes compounds that begin so (*barnevernssak*)."""
    return word.startswith(wanted[:-1]) if wanted.endswith("-") else word == wanted


def _normalised(text: str | None) -> str | None:
    return None if text is None else normalise(text)


SEEN: Mapping[Field, Callable[[Metadata], str | None]] = {
    Field.SENDER: lambda m: m.sender,
    Field.SENDER_KNOWN: lambda m: flag(m.sender_known),
    Field.SIGNER: lambda m: m.signer,
    Field.ON_BEHALF_OF: lambda m: m.on_behalf_of,
    Field.SERVICE: lambda m: m.service.value,
    Field.CHANNEL: lambda m: m.channel,
    Field.PROCESS: lambda m: m.process,
    Field.DOCUMENT_TYPE: lambda m: m.document_type.rpartition(":")[2],
    Field.KNOWN_REFERENCE: lambda m: flag(m.known_unit is not None),
    Field.ADMINISTRATIVE_UNIT: lambda m: _normalised(m.administrative_unit),
    Field.SCREENING_AUTHORITY: lambda m: _normalised(m.screening_authority),
    Field.ACCESS_RESTRICTION: lambda m: _normalised(m.access_restriction),
}
"""What each field says about a message. A message without it fits no value.

A document type is compared by its last word: a wire standard ends in `::arkivmelding`.
"""

ALL_VALUES: Mapping[Field, frozenset[str]] = {
    Field.SENDER_KNOWN: frozenset({YES, NO}),
    Field.KNOWN_REFERENCE: frozenset({YES, NO}),
    Field.SERVICE: frozenset(s.value for s in Service),
}
"""The fields that have no other values than these; the rest are open."""


def holds(condition: Condition, metadata: Metadata) -> bool:
    """Whether the condition is true for a message; no other code compares."""
    if condition.field is Field.PUBLIC_TITLE_HAS:
        words = words_of(metadata.public_title or "")
        return any(word_fits(wanted, word) for wanted in condition.values for word in words)
    return SEEN[condition.field](metadata) in condition.values


_SAID: Mapping[Field, str] = {
    Field.SENDER: "avsenderen er {no}{}",
    Field.SIGNER: "pakken er {no}signert av {}",
    Field.ON_BEHALF_OF: "{no}sendt på vegne av {}",
    Field.SERVICE: "tjenesten er {no}{}",
    Field.CHANNEL: "kanalen er {no}{}",
    Field.PROCESS: "prosessen er {no}{}",
    Field.DOCUMENT_TYPE: "dokumenttypen er {no}{}",
    Field.ADMINISTRATIVE_UNIT: "{no}adressert til enheten {}",
    Field.SCREENING_AUTHORITY: "skjermingshjemmelen er {no}{}",
    Field.ACCESS_RESTRICTION: "tilgangsrestriksjonen er {no}{}",
    Field.PUBLIC_TITLE_HAS: "den offentlige tittelen har {no}ordet {}",
}

_SAID_OF_FLAGS: Mapping[tuple[Field, str], str] = {
    (Field.SENDER_KNOWN, YES): "avsenderen er kjent",
    (Field.SENDER_KNOWN, NO): "avsenderen er ikke kjent",
    (Field.KNOWN_REFERENCE, YES): "svarer på en sak vi har med denne avsenderen",
    (Field.KNOWN_REFERENCE, NO): "svarer ikke på en sak vi har med denne avsenderen",
}


def said(condition: Condition) -> str:
    """The condition in words, made from the rule alone: nothing of any message is in it."""
    return said_of(condition.field, condition.written)


def said_not_of(field: Field, written: Iterable[str]) -> str:
    """That a field says none of these; of a yes or no, say the other."""
    return _SAID[field].format(_alternatives(written), no="ikke ")


def said_of(field: Field, written: Sequence[str]) -> str:
    """In Norwegian: the field has one of these values, as written in the rules file."""
    if (field, written[0]) in _SAID_OF_FLAGS:
        return _SAID_OF_FLAGS[field, written[0]]
    return _SAID[field].format(_alternatives(written), no="")


def _alternatives(written: Iterable[str]) -> str:
    return " eller ".join(
        f"gruppen {w.removeprefix(GROUP)}" if w.startswith(GROUP) else f"«{w}»" for w in written
    )
