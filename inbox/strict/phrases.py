"""What the readers of files say: phrases from tables of texts, with their values.

A refusal is made where a file is read and shown where somebody chose a language, so it carries
phrases and not text. What needs no translation (a name, a list of names) is a plain string.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from inbox.language import TextLanguage, read_texts


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """A sentence, or a part of one, with its values."""

    texts: Mapping[TextLanguage, str]
    """By language, with {names} for the values."""
    values: "Mapping[str, Said]"

    def text(self, language: TextLanguage) -> str:
        """The sentence in this language."""
        filled = {name: said_in(value, language) for name, value in self.values.items()}
        return self.texts[language].format_map(filled)


Said: TypeAlias = str | int | Phrase
"""What is said: the same in every language, or a phrase."""


def said_in(said: Said, language: TextLanguage) -> str:
    """The text in this language."""
    return said.text(language) if isinstance(said, Phrase) else str(said)


def phrase_in_all(say: Callable[[TextLanguage], str]) -> Phrase:
    """What a function says in each language, as one phrase."""
    texts = {each: f"{{{each}}}" for each in TextLanguage}
    return Phrase(texts=texts, values={each.value: say(each) for each in TextLanguage})


@dataclass(frozen=True)
class PhraseBook:
    """The phrases of one table of texts."""

    file: Path

    def __call__(self, name: str, /, **values: Said) -> Phrase:
        """The phrase of this name with its values."""
        return Phrase(texts=self.table()[name], values=values)

    def table(self) -> Mapping[str, Mapping[TextLanguage, str]]:
        """All phrases by name."""
        return read_texts(self.file).texts


READER_PHRASES = PhraseBook(Path(__file__).with_name("reader_texts.toml"))
"""What every strict reader says."""
