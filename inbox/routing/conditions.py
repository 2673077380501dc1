"""The conditions that a routing rule may use.

They are a closed list, and the module defines how each is compared with a message.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from inbox.domain import Metadata, Service


class ConditionField(StrEnum):
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

GROUP_PREFIX = "group:"
"""Opens the name of a group of organisations where a number may stand."""


def flag_text(truth: object) -> str:
    """A boolean as the text that conditions compare."""
    return YES if truth else NO


@dataclass(frozen=True, kw_only=True)
class RuleCondition:
    """True if the message's value of the field is one of the values (*or*)."""

    field: ConditionField
    written: tuple[str, ...]
    """As the rules file has it: groups and units by their short names."""
    values: frozenset[str]
    """What is compared: groups and units resolved, free text normalised."""


def normalise(text: str) -> str:
    """Free text normalised for comparison: case-folded, NFC, and runs of spaces as one."""
    folded = unicodedata.normalize("NFC", text).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())


def title_words(text: str) -> frozenset[str]:
    """The words of a title; hyphens, masking `*****` and full stops separate words."""
    return frozenset(re.findall(r"[^\W_]+", normalise(text)))


def word_matches(wanted: str, word: str) -> bool:
    """Whether a word of a title matches.

    Only whole words match, but `barnevern-` also matches compounds that begin with it
    (*barnevernssak*).
    """
    return word.startswith(wanted[:-1]) if wanted.endswith("-") else word == wanted


def _normalised(text: str | None) -> str | None:
    return None if text is None else normalise(text)


VALUE_OF_FIELD: Mapping[ConditionField, Callable[[Metadata], str | None]] = {
    ConditionField.SENDER: lambda m: m.sender,
    ConditionField.SENDER_KNOWN: lambda m: flag_text(m.sender_known),
    ConditionField.SIGNER: lambda m: m.signer,
    ConditionField.ON_BEHALF_OF: lambda m: m.on_behalf_of,
    ConditionField.SERVICE: lambda m: m.service.value,
    ConditionField.CHANNEL: lambda m: m.channel,
    ConditionField.PROCESS: lambda m: m.process,
    ConditionField.DOCUMENT_TYPE: lambda m: m.document_type.rpartition(":")[2],
    ConditionField.KNOWN_REFERENCE: lambda m: flag_text(m.known_unit is not None),
    ConditionField.ADMINISTRATIVE_UNIT: lambda m: _normalised(m.administrative_unit),
    ConditionField.SCREENING_AUTHORITY: lambda m: _normalised(m.screening_authority),
    ConditionField.ACCESS_RESTRICTION: lambda m: _normalised(m.access_restriction),
}
"""What each field says about a message. A message without it fits no value.

A document type is compared by its last word: a wire standard ends in `::arkivmelding`.
"""

CLOSED_FIELD_VALUES: Mapping[ConditionField, frozenset[str]] = {
    ConditionField.SENDER_KNOWN: frozenset({YES, NO}),
    ConditionField.KNOWN_REFERENCE: frozenset({YES, NO}),
    ConditionField.SERVICE: frozenset(s.value for s in Service),
}
"""The fields that have no other values than these, as every boolean field; the rest are open.

Of a field that is here, `diff` writes "none of these" as the other values.
"""


def holds(condition: RuleCondition, metadata: Metadata) -> bool:
    """Whether the condition is true for a message; no other code compares."""
    if condition.field is ConditionField.PUBLIC_TITLE_HAS:
        words = title_words(metadata.public_title or "")
        return any(word_matches(wanted, word) for wanted in condition.values for word in words)
    return VALUE_OF_FIELD[condition.field](metadata) in condition.values
