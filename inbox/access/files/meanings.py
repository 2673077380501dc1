"""Strictly reads the files that explain names.

The files are `facts.toml`, `vocabulary.toml` and `shielding.toml`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inbox.access.facts.registry import FACTS
from inbox.access.policy.shielding import UNKNOWN_CODE, Shielding, ShieldingTable
from inbox.access.policy.vocabulary import Action, Duty, Role
from inbox.strict.toml import TomlFile, TomlTable

FACTS_FILE: Final = "facts.toml"
VOCABULARY_FILE: Final = "vocabulary.toml"
SHIELDING_FILE: Final = "shielding.toml"
SHIELDING_CASES_FILE: Final = "tests/shielding.toml"
_ENUMS: Final[Mapping[str, type[StrEnum]]] = {"actions": Action, "roles": Role, "duties": Duty}
_OVERRIDE = "never_overridden"


class MeaningLanguage(StrEnum):
    """The languages in which the meanings of a policy are written."""

    NB = "nb"
    EN = "en"


_LANGUAGES: Final = tuple(language.value for language in MeaningLanguage)


@dataclass(frozen=True, kw_only=True)
class Meanings:
    """What each fact, action, role and duty means, by name, in each language."""

    texts: Mapping[str, Mapping[str, str]]
    never_overridden: tuple[str, ...]
    """Facts that some row must deny for."""
    override_line: int

    def meaning_of(self, name: str, language: MeaningLanguage) -> str:
        """The meaning of a name."""
        return self.texts[name][language]


NEWER_FACTS: Final = frozenset({"needs_reviewer"})
"""Facts that a version whose digest is of rule 1 may lack: it was made before them."""


def read_meanings(
    facts: bytes, vocabulary: bytes, *, may_lack: frozenset[str] = frozenset()
) -> Meanings:
    """Read the meanings of facts, actions, roles and duties.

    The names must be exactly those of the program, but for facts that `may_lack` names.
    """
    said = _read_facts(TomlFile(FACTS_FILE, facts), may_lack)
    document = TomlFile(VOCABULARY_FILE, vocabulary)
    top = document.top((*_ENUMS, _OVERRIDE))
    rows = 0
    for name, words in _ENUMS.items():
        table = document.single_table(name)
        table.check_keys(list(words))
        for word in words:
            said[word.value] = _read_meaning(table.table(word))
        rows += len(words)
    document.check_row_count(rows)
    return Meanings(
        texts=said, never_overridden=top.texts(_OVERRIDE), override_line=top.lines[_OVERRIDE]
    )


def _read_facts(document: TomlFile, may_lack: frozenset[str]) -> dict[str, Mapping[str, str]]:
    names = [name for name in FACTS if name not in may_lack or name in document]
    top = document.top(names)
    said = {}
    for name in names:
        fact = top.table(name)
        kind = "row" if FACTS[name].from_request is None else "request"
        if fact.value.get("kind") != kind:
            raise fact.refuse("kind", "kind", fact.value.get("kind"), kind)
        said[name] = _read_meaning(fact, "kind")
    document.check_row_count(len(said))
    return said


def _read_meaning(table: TomlTable, *beside: str) -> Mapping[str, str]:
    table.check_keys((*_LANGUAGES, *beside))
    return {language: table.text(language) for language in _LANGUAGES}


def read_shieldings(raw: bytes) -> ShieldingTable:
    """Read the shielding codes, strictest first, and the texts that mean each of them."""
    document = TomlFile(SHIELDING_FILE, raw)
    document.top(("shielding",))
    tables = document.table_list("shielding")
    read = [(table, _read_shielding(table)) for table in tables]
    codes: set[str] = set()
    for table, shielding in read:
        if shielding.code in codes:
            raise table.refuse("twice", "code", shielding.code, "each code once")
        codes.add(shielding.code)
    document.check_row_count(len(tables))
    shieldings = ShieldingTable([shielding for _, shielding in read])
    for table, shielding in read:
        for name in (shielding.code, *shielding.aliases):
            if shieldings.code_of(name) != shielding.code:
                allowed = "texts that mean one code, without and/og , ; / +"
                raise table.refuse("shielding", "called", name, allowed)
    return shieldings


def _read_shielding(table: TomlTable) -> Shielding:
    table.check_keys(("code", "called", *_LANGUAGES))
    for language in _LANGUAGES:
        table.text(language)
    code = table.text("code")
    if code == UNKNOWN_CODE:
        raise table.refuse("code", "code", code, "any other: this one stands for the unknown")
    return Shielding(code=code, aliases=table.texts("called"))


def run_shielding_cases(shieldings: ShieldingTable, raw: bytes) -> tuple[str, ...]:
    """Run the cases in `tests/shielding.toml` and return the failures.

    The file must list every known text under its code.

    So a slip of one character, which would make a code of a text that was unknown, is noticed.

    Raises:
        PolicyError: the cases cannot be read.
    """
    document = TomlFile(SHIELDING_CASES_FILE, raw)
    document.top(("case",))
    expected: dict[str, str] = {}
    for table in document.table_list("case"):
        table.check_keys(("texts", "code"))
        expected |= dict.fromkeys(table.texts("texts"), table.text("code"))
    document.check_row_count(len(expected))
    failures = [
        f"{text!r} has the code {shieldings.code_of(text)}, not {code}"
        for text, code in expected.items()
        if shieldings.code_of(text) != code
    ]
    known = {text for shielding in shieldings.strictest_first for text in shielding.aliases}
    return (*failures, *(f"no case has {text!r}" for text in sorted(known - expected.keys())))
