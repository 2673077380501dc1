"""The words of a code: what it means, what happens if nothing is done, who can mend it, and how."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from inbox.health.condition import HealthCondition
from inbox.language import TextLanguage, read_texts


class Mender(StrEnum):
    """Who can mend it."""

    OPERATOR = "operator"
    ARCHIVIST = "archivist"
    LEADER = "leader"
    RECORDS_MANAGER = "records manager"
    HANDLER = "handler"
    REVIEWER = "reviewer"
    DIRECTORY = "directory"
    """The people who keep units and people."""
    VENDOR = "vendor"
    """Of the case system."""


_TEXTS: Final = Path(__file__).with_name("condition_texts.toml")
_NUMBER_IN_BRACKETS: Final = re.compile(r" \([^()]*\{count\}[^()]*\)")


@dataclass(frozen=True, kw_only=True)
class ConditionWords:
    """What is said of a condition, in one language."""

    means: str
    otherwise: str
    """What happens if nothing is done."""
    who: str
    how: str


def words_of(condition: HealthCondition, language: TextLanguage) -> ConditionWords:
    """The words of a condition, with its name and number filled in."""
    code = nearest_code(condition.code)
    texts, mender = _table()[code]
    beside = read_texts(_TEXTS)
    name, unnamed = condition.name, ""
    if ":" not in condition.subject:
        unnamed = beside.text_or(f"unnamed.{condition.kind}", language, "")
        name = unnamed or name
    filled = {key: _fill(text, name, condition.count) for key, text in texts[language].items()}
    means = filled["means"]
    if unnamed and language is not TextLanguage.EN:
        means = means[:1].upper() + means[1:]
    return ConditionWords(
        means=means,
        otherwise=filled["otherwise"],
        who=beside.text(f"mender.{mender}", language),
        how=filled["do"],
    )


def _fill(text: str, name: str, count: int | None) -> str:
    """The text with name and number; what is said in brackets of a number goes if there is none."""
    if count is None:
        text = _NUMBER_IN_BRACKETS.sub("", text)
    number = "…" if count is None else str(count)
    return text.replace("{name}", name).replace("{count}", number)


def nearest_code(code: str) -> str:
    """The longest beginning of a code that has words; `program` has those for all others."""
    known = [each for each in _table() if code == each or code.startswith((f"{each}.", f"{each}_"))]
    return max(known, key=len, default="program")


def codes() -> tuple[str, ...]:
    """Every code that has words of its own, as in the file."""
    return tuple(_table())


@cache
def _table() -> Mapping[str, tuple[Mapping[TextLanguage, Mapping[str, str]], Mender]]:
    raw = tomllib.loads(Path(__file__).with_name("conditions.toml").read_text("utf-8"))
    return {
        code: ({language: entry[language] for language in TextLanguage}, Mender(entry["who"]))
        for code, entry in raw.items()
    }
