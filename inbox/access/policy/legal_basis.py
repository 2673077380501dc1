"""A legal basis (*hjemmel*) of rules: a section of an act, and from when until when it holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from inbox.access.policy.names import MeaningLanguage


@dataclass(frozen=True, kw_only=True)
class LegalBasis:
    """What a rule rests on. Rules name it by its id; it decides nothing."""

    id: str
    act: str
    section: str
    """Empty where the whole act is meant."""
    valid_from: date | None
    valid_until: date | None
    """The last day; None while no end is known."""
    successor: str | None
    """The id of the basis that replaces it."""
    text: Mapping[MeaningLanguage, str]
    """In bokmål and English."""

    def text_in(self, language: MeaningLanguage) -> str:
        """The text; acts have their bokmål name in nynorsk too."""
        return self.text.get(language, self.text[MeaningLanguage.NB])

    def has_expired(self, on: date) -> bool:
        """Whether its last day is before this day."""
        return self.valid_until is not None and self.valid_until < on
