"""Says what a row of the directory changes, in one line and one language."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from inbox.access.policy.names import program_vocabulary
from inbox.cli.common.language import StaffTexts
from inbox.days import in_norway
from inbox.directory.diff import RowChange, RowChangeType
from inbox.directory.format.rows import COLUMNS_BY_KIND
from inbox.language import TextLanguage

SAID: Final = StaffTexts(Path(__file__).with_name("directory_texts.toml"))
_SIGN: Final[Mapping[RowChangeType, str]] = {
    RowChangeType.ADDED: "+",
    RowChangeType.CHANGED: "~",
    RowChangeType.ENDED: "-",
}
_SHOWN_WITHOUT_LABEL: Final = ("id", "person", "unit")
_HIDDEN: Final = ("name", "reference_hash")
"""Never printed: that they change is said, not what they are."""
_WITH_WORDS: Final = ("mode", "shares_unassigned")
"""The columns whose values are words of the program, and not names that somebody gave."""


def describe_change(change: RowChange, language: TextLanguage = TextLanguage.EN) -> str:
    """One line such as `+ capacity kari bv role leader until 2026-12-31  (widens)`.

    No person's name is in it.
    """
    words = [
        _SIGN[change.change_type],
        SAID(f"kind.{change.kind}", language),
        *_key_fields(change, language),
    ]
    if change.change_type is RowChangeType.CHANGED:
        words += [_field(change, name, language) for name in change.fields]
    else:
        words += [
            f"{SAID.column(name, language)} {value}"
            for name, value in _other_fields(change, language)
        ]
    if change.change_type is RowChangeType.ADDED:
        words += _period(change.after.since, "since", language)
        words += _period(change.after.until, "until", language)
    return " ".join(words) + (f"  {SAID('change.widens', language)}" if change.widens else "")


def role_word(role: str, language: TextLanguage) -> str:
    """A role: in English by its code, otherwise by its code and its meaning."""
    if language is TextLanguage.EN:
        return role
    return f"{role} ({program_vocabulary().meaning_of(role, language)})"


def _key_fields(change: RowChange, language: TextLanguage) -> Iterator[str]:
    for column in COLUMNS_BY_KIND[change.kind]:
        if column.is_key and column.name in change.after.cells:
            shown = _cell(column.name, change.after.cells[column.name], language)
            if column.name in _HIDDEN:
                yield SAID("value.a_case", language)
            elif column.name in _SHOWN_WITHOUT_LABEL:
                yield shown
            else:
                yield f"{SAID.column(column.name, language)} {shown}"


def _other_fields(change: RowChange, language: TextLanguage) -> Iterator[tuple[str, str]]:
    for column in COLUMNS_BY_KIND[change.kind]:
        if not column.is_key and column.name in change.after.cells and column.name not in _HIDDEN:
            yield column.name, _cell(column.name, change.after.cells[column.name], language)


def _cell(name: str, value: object, language: TextLanguage) -> str:
    if name == "role":
        return role_word(str(value), language)
    if name in _WITH_WORDS:
        return SAID(f"value.{str(value).lower()}", language)
    return str(value)


def _field(change: RowChange, name: str, language: TextLanguage) -> str:
    if name in _HIDDEN:
        return SAID("change.differs", language, column=SAID.column(name, language))
    before, after = change.before, change.after
    assert before is not None
    if name == "from":
        was, became = _time(before.since, language), _time(after.since, language, nothing="now")
        return SAID("change.begins", language, was=was, became=became)
    if name == "until":
        was, became = _time(before.until, language), _time(after.until, language)
        return SAID("change.ends", language, was=was, became=became)
    was, became = (
        _cell(name, row.cells[name], language)
        if name in row.cells
        else SAID("value.nothing", language)
        for row in (before, after)
    )
    return SAID(
        "change.value", language, column=SAID.column(name, language), was=was, became=became
    )


def _period(at: datetime | None, key: str, language: TextLanguage) -> list[str]:
    return [] if at is None else [SAID(f"change.{key}", language, at=_time(at, language))]


def _time(at: datetime | None, language: TextLanguage, *, nothing: str = "no_end") -> str:
    if at is None:
        return SAID(f"value.{nothing}", language)
    return in_norway(at).isoformat(timespec="minutes")
