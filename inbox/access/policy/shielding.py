"""Translates shielding (*skjerming*) to the code of the required clearance.

The input is what an arkivmelding says about shielding.

The texts are free in the standard: `13`, `UO`, `Offl. § 13 jf. fvl. § 13`. What is not
understood to the last word is shielded harder than anything that is.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

UNKNOWN_CODE = "?"
"""The code of a text that nobody has described; it needs a clearance of its own."""
MAX_CHARACTERS = 500
_SEPARATOR = re.compile(r"[,;/+]|\bog\b|\bsamt\b|\band\b")
_WITH_REFERENCE_TO = re.compile(r"\bjfr?\b|\bcf\b")
_COMMA_BEFORE_REFERENCE = re.compile(r"[,;]\s*(?=(?:jfr?|cf)\b)")
_PLACE_IN_PARAGRAPH = re.compile(
    r"\b(\d+|første|fyrste|annet|andre|tredje|fjerde)\.?\s*ledd\b|\bnr\.?\s*\d+|\bbokstav\s+[a-zæøå]\b"
)


@dataclass(frozen=True, kw_only=True)
class Shielding:
    """One code and the texts that mean it, as they stand in mail."""

    code: str
    aliases: tuple[str, ...]


class ShieldingTable:
    """The known shielding codes, strictest first.

    If a text names several codes, the strictest one is required.
    """

    def __init__(self, strictest_first: Sequence[Shielding]) -> None:
        self.strictest_first: Final = tuple(strictest_first)
        self._codes = tuple(shielding.code for shielding in strictest_first)
        self.code_by_text: Final[Mapping[str, str]] = {
            normalise_text(text): shielding.code
            for shielding in strictest_first
            for text in (shielding.code, *shielding.aliases)
        }
        """Every known text, as `normalise_text` makes it, and its code."""

    def code_of(self, *texts: str | None) -> str | None:
        """The strictest code that these texts name.

        It is `?` if any part is unknown, and None if all texts are empty.
        """
        codes = {
            self._code_of_part(part)
            for text in texts
            if text is not None and text.strip()
            for part in _parts(text)
        }
        if not codes:
            return None
        if UNKNOWN_CODE in codes:
            return UNKNOWN_CODE
        return min(codes, key=self._codes.index)

    def _code_of_part(self, part: str) -> str:
        basis, *referred = _WITH_REFERENCE_TO.split(part)
        # What follows "jf." says which duty of secrecy the paragraph refers to: the code is the
        # same, as long as it is a paragraph of some law.
        if any("§" not in law for law in referred):
            return UNKNOWN_CODE
        return self.code_by_text.get(normalise_text(basis), UNKNOWN_CODE)


def _parts(text: str) -> list[str]:
    """The parts of a text that are listed side by side.

    References to subsections are left out. The result is never empty.
    """
    if len(text) > MAX_CHARACTERS:
        return [""]
    text = unicodedata.normalize("NFKC", text).casefold()
    text = _COMMA_BEFORE_REFERENCE.sub(" ", _PLACE_IN_PARAGRAPH.sub("", text))
    return [part for part in _SEPARATOR.split(text) if normalise_text(part)] or [""]


def normalise_text(text: str) -> str:
    """The text without case, full stops and spaces, so that `Offl. §13` is `offl § 13`."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[.\s]+", "", text.replace("§§", "§"))
