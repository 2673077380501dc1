"""The languages of what people read, and tables of texts: one TOML file per subject, by key.

A file stands beside the module that says its texts, and is named `<subject>_texts.toml`:

    [task]
    closed.nb = "lukket {at}"
    closed.nn = "lukka {at}"
    closed.en = "closed {at}"

Codes, states and ids are the same in every language, and so is JSON.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path


class TextLanguage(StrEnum):
    """The languages of what people read."""

    NB = "nb"
    NN = "nn"
    EN = "en"


@dataclass(frozen=True, kw_only=True, eq=False)
class TextTable:
    """The texts of one subject."""

    texts: Mapping[str, Mapping[TextLanguage, str]]
    """By key, such as `task.closed`."""

    def text(self, key: str, language: TextLanguage, *parts: object, **named: object) -> str:
        """The text in that language, with its parts filled in. Raises `KeyError`."""
        return self.texts[key][language].format(*parts, **named)

    def text_or(self, key: str, language: TextLanguage, otherwise: str) -> str:
        """The text, or what is given where no text has the key: a word that is a code."""
        return self.texts[key][language] if key in self.texts else otherwise


@cache
def read_texts(path: Path) -> TextTable:
    """The texts of a file. Raises `KeyError` where a text is missing in one of the languages."""
    return TextTable(texts=dict(_entries("", tomllib.loads(path.read_text("utf-8")))))


def _entries(
    prefix: str, table: Mapping[str, object]
) -> Iterator[tuple[str, Mapping[TextLanguage, str]]]:
    for name, entry in table.items():
        assert isinstance(entry, dict)
        if all(isinstance(text, str) for text in entry.values()):
            yield f"{prefix}{name}", {each: str(entry[each]) for each in TextLanguage}
        else:
            yield from _entries(f"{prefix}{name}.", entry)
