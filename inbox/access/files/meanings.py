"""What names mean: `facts.toml`, `vocabulary.toml` and `shielding.toml`, read strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inbox.access.facts.registry import FACTS
from inbox.access.policy.shielding import UNKNOWN, Shielding, Shieldings
from inbox.access.policy.vocabulary import Action, Duty, Role
from inbox.strict.toml import Document, Table

FACTS_FILE: Final = "facts.toml"
VOCABULARY: Final = "vocabulary.toml"
SHIELDING: Final = "shielding.toml"
SHIELDING_CASES: Final = "tests/shielding.toml"
_LISTS: Final[Mapping[str, type[StrEnum]]] = {"actions": Action, "roles": Role, "duties": Duty}
_OVERRIDE = "never_overridden"


class Language(StrEnum):
    """The languages in which the meanings of a policy are written."""

    NB = "nb"
    EN = "en"


_LANGUAGES: Final = tuple(language.value for language in Language)


@dataclass(frozen=True, kw_only=True)
class Meanings:
    """What each fact, action, role and duty means, by name, in each language."""

    said: Mapping[str, Mapping[str, str]]
    never_overridden: tuple[str, ...]
    """Facts that some row must deny for."""
    override_line: int

    def of(self, name: str, language: Language) -> str:
        """The meaning of a name."""
        return self.said[name][language]


def read_meanings(facts: bytes, vocabulary: bytes) -> Meanings:
    """Facts, actions, roles and duties: closed lists, the same as the program's own."""
    said = _read_facts(Document(FACTS_FILE, facts))
    document = Document(VOCABULARY, vocabulary)
    top = document.top((*_LISTS, _OVERRIDE))
    rows = 0
    for name, words in _LISTS.items():
        table = document.one(name)
        table.check_keys(list(words))
        for word in words:
            said[word.value] = _read_said(table.table(word))
        rows += len(words)
    document.check_rows(rows)
    return Meanings(
        said=said, never_overridden=top.texts(_OVERRIDE), override_line=top.lines[_OVERRIDE]
    )


def _read_facts(document: Document) -> dict[str, Mapping[str, str]]:
    top = document.top(FACTS)
    said = {}
    for name in FACTS:
        fact = top.table(name)
        kind = "row" if FACTS[name].given is None else "request"
        if fact.value.get("kind") != kind:
            raise fact.refuse("kind", "kind", fact.value.get("kind"), kind)
        said[name] = _read_said(fact, "kind")
    document.check_rows(len(said))
    return said


def _read_said(table: Table, *beside: str) -> Mapping[str, str]:
    table.check_keys((*_LANGUAGES, *beside))
    return {language: table.text(language) for language in _LANGUAGES}


def read_shieldings(raw: bytes) -> Shieldings:
    """Read the shielding codes, strictest first, and the texts that mean each of them."""
    document = Document(SHIELDING, raw)
    document.top(("shielding",))
    tables = document.many("shielding")
    read = [(table, _read_shielding(table)) for table in tables]
    codes: set[str] = set()
    for table, shielding in read:
        if shielding.code in codes:
            raise table.refuse("twice", "code", shielding.code, "each code once")
        codes.add(shielding.code)
    document.check_rows(len(tables))
    shieldings = Shieldings([shielding for _, shielding in read])
    for table, shielding in read:
        for name in (shielding.code, *shielding.called):
            if shieldings.code_of(name) != shielding.code:
                allowed = "texts that mean one code, without and/og , ; / +"
                raise table.refuse("shielding", "called", name, allowed)
    return shieldings


def _read_shielding(table: Table) -> Shielding:
    table.check_keys(("code", "called", *_LANGUAGES))
    for language in _LANGUAGES:
        table.text(language)
    code = table.text("code")
    if code == UNKNOWN:
        raise table.refuse("code", "code", code, "any other: this one stands for the unknown")
    return Shielding(code=code, called=table.texts("called"))


def run_shielding_cases(shieldings: Shieldings, raw: bytes) -> tuple[str, ...]:
    """What is not as `tests/shielding.toml` says: every text stands there too, under its code.

    So a slip of one character, which would make a code of a text that was unknown, is noticed.

    Raises:
        PolicyError: the cases cannot be read.
    """
    document = Document(SHIELDING_CASES, raw)
    document.top(("case",))
    expected: dict[str, str] = {}
    for table in document.many("case"):
        table.check_keys(("texts", "code"))
        expected |= dict.fromkeys(table.texts("texts"), table.text("code"))
    document.check_rows(len(expected))
    failures = [
        f"{text!r} has the code {shieldings.code_of(text)}, not {code}"
        for text, code in expected.items()
        if shieldings.code_of(text) != code
    ]
    known = {text for shielding in shieldings.strictest_first for text in shielding.called}
    return (*failures, *(f"no case has {text!r}" for text in sorted(known - expected.keys())))
