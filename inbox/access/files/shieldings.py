"""Strictly reads `shielding.toml` and its cases: which texts in mail mean which shielding code."""

from typing import Final

from inbox.access.files.phrases import POLICY_PHRASES
from inbox.access.policy.shielding import UNKNOWN_CODE, Shielding, ShieldingTable
from inbox.strict.phrases import Phrase
from inbox.strict.toml import TomlFile, TomlTable

SHIELDING_FILE: Final = "shielding.toml"
SHIELDING_CASES_FILE: Final = "tests/shielding.toml"
_LANGUAGES: Final = ("nb", "en")
"""The languages in which a folder explains its codes."""


def read_shieldings(raw: bytes) -> ShieldingTable:
    """Read the shielding codes, strictest first, and the texts that mean each of them."""
    document = TomlFile(SHIELDING_FILE, raw)
    document.top(("shielding",))
    tables = document.table_list("shielding")
    read = [(table, _read_shielding(table)) for table in tables]
    codes: set[str] = set()
    for table, shielding in read:
        if shielding.code in codes:
            raise table.refuse("twice", "code", shielding.code, POLICY_PHRASES("each_code_once"))
        codes.add(shielding.code)
    document.check_row_count(len(tables))
    shieldings = ShieldingTable([shielding for _, shielding in read])
    for table, shielding in read:
        for name in (shielding.code, *shielding.aliases):
            if shieldings.code_of(name) != shielding.code:
                allowed = POLICY_PHRASES("texts_of_one_code")
                raise table.refuse("shielding", "called", name, allowed)
    return shieldings


def _read_shielding(table: TomlTable) -> Shielding:
    table.check_keys(("code", "called", *_LANGUAGES))
    for language in _LANGUAGES:
        table.text(language)
    code = table.text("code")
    if code == UNKNOWN_CODE:
        raise table.refuse("code", "code", code, POLICY_PHRASES("any_other_code"))
    return Shielding(code=code, aliases=table.texts("called"))


def run_shielding_cases(shieldings: ShieldingTable, raw: bytes) -> tuple[Phrase, ...]:
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
        POLICY_PHRASES(
            "shielding_code", text=repr(text), got=str(shieldings.code_of(text)), expected=code
        )
        for text, code in expected.items()
        if shieldings.code_of(text) != code
    ]
    known = {text for shielding in shieldings.strictest_first for text in shielding.aliases}
    missing = sorted(known - expected.keys())
    return (*failures, *(POLICY_PHRASES("case_has_no", text=repr(text)) for text in missing))
