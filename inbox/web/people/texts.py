"""The texts of pages: bokmål stands in the source, nynorsk and English in a catalogue each.

Catalogues are gettext's (`locale/<language>/inbox.po`), read by Babel when the program starts; so
there is nothing compiled that could be older than its source.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from babel.messages.pofile import read_po

from inbox.language import TextLanguage

CATALOGUES: Final = Path(__file__).parent / "locale"
LANGUAGE_NAMES: Final[Mapping[TextLanguage, str]] = {
    TextLanguage.NB: "Bokmål",
    TextLanguage.NN: "Nynorsk",
    TextLanguage.EN: "English",
}
"""Each in its own language, for the choice at the foot of every page."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PageTexts:
    """The texts of pages in one language; what has no translation stays in bokmål."""

    language: TextLanguage
    single: Mapping[str, str] = field(default_factory=dict)
    plural: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def gettext(self, text: str) -> str:
        """The text in this language."""
        return self.single.get(text, text)

    def ngettext(self, one: str, several: str, number: int) -> str:
        """The text for that number; in all three languages there is one and there is several."""
        forms = self.plural.get(one, (one, several))
        return forms[0] if number == 1 else forms[1]


def to_translate(text: str) -> str:
    """The same text: marks, for `make texts`, one that is translated where it is shown."""
    return text


@cache
def texts_in(language: TextLanguage) -> PageTexts:
    """The texts in a language."""
    if language is TextLanguage.NB:
        return PageTexts(language=language)
    with (CATALOGUES / language / "inbox.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    single: dict[str, str] = {}
    plural: dict[str, tuple[str, ...]] = {}
    for message in catalogue:
        if message.id and not message.fuzzy and message.string:
            if isinstance(message.id, str):
                single[message.id] = str(message.string)
            else:
                plural[message.id[0]] = tuple(message.string)
    return PageTexts(language=language, single=single, plural=plural)
