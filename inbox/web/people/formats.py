"""How days, times, numbers and sizes are written on pages, and what never breaks over two lines."""

import re
from datetime import date, datetime
from typing import Final

from babel.dates import format_date
from babel.numbers import format_decimal

from inbox.days import day_of, in_norway
from inbox.language import TextLanguage

_NO_BREAK: Final = "\u00a0"
_LOCALES: Final = {TextLanguage.NB: "nb", TextLanguage.NN: "nn", TextLanguage.EN: "en_GB"}
_MONTHS: Final = (
    "januar|februar|mars|april|mai|juni|juli|august|september|oktober|november|desember"
    "|January|February|March|May|June|July|August|September|October|November|December"
)
_JOINED: Final = re.compile(
    rf"(?:(?<=§)|(?<=\bnr\.)|(?<=\bkl\.)|(?<=\bNo\.)) (?=\d)|(?<=\d) (?=(?:{_MONTHS})\b)"
    rf"|(?<=\d\.) (?=(?:{_MONTHS})\b)|(?<=\d) (?=(?:kB|MB|GB|%)(?:\W|$))"
)
_NOT_PROSE: Final = re.compile(r"(<textarea\b.*?</textarea>|<[^>]*>)", re.DOTALL)
_KILO: Final = 1000


def full_day(at: datetime | date, language: TextLanguage) -> str:
    """*mandag 30. november*; the year is said where it is not this one's business to guess."""
    pattern = "EEEE d MMMM" if language is TextLanguage.EN else "EEEE d. MMMM"
    return format_date(_day(at), pattern, locale=_LOCALES[language])


def full_day_with_year(at: datetime | date, language: TextLanguage) -> str:
    """*mandag 30. november 2026*, for what is printed, or years old."""
    return f"{full_day(at, language)} {_day(at).year}"


def short_day(at: datetime | date, language: TextLanguage) -> str:
    """*ma. 30.11.*, for rows; *Mon 30 Nov* in English."""
    day = _day(at)
    if language is TextLanguage.EN:
        return format_date(day, "EEE d MMM", locale="en_GB")
    weekday = format_date(day, "EEEEEE", locale=_LOCALES[language]).rstrip(".")
    return f"{weekday}.{_NO_BREAK}{day.day}.{day.month}."


def clock(at: datetime, language: TextLanguage) -> str:
    """*07.52*; *07:52* in English."""
    local = in_norway(at)
    mark = ":" if language is TextLanguage.EN else "."
    return f"{local.hour:02}{mark}{local.minute:02}"


def moment(at: datetime, language: TextLanguage) -> str:
    """*mandag 30. november kl. 07.52*, for sentences."""
    at_the_clock = " at " if language is TextLanguage.EN else " kl. "
    return f"{full_day(at, language)}{at_the_clock}{clock(at, language)}"


def short_moment(at: datetime, language: TextLanguage) -> str:
    """*25.11. 10.02*, for rows; *25 Nov 10:02* in English."""
    day = day_of(at)
    if language is TextLanguage.EN:
        return f"{format_date(day, 'd MMM', locale='en_GB')} {clock(at, language)}"
    return f"{day.day}.{day.month}. {clock(at, language)}"


def short_weekday_moment(at: datetime, language: TextLanguage) -> str:
    """*ma. 30.11. 12.00*, for deadlines in rows; *Mon 30 Nov 12:00* in English."""
    return f"{short_day(at, language)} {clock(at, language)}"


def orgnr(number: str) -> str:
    """*312 100 010*, which never breaks."""
    return _NO_BREAK.join((number[:3], number[3:6], number[6:]))


def size(count: int, language: TextLanguage) -> str:
    """*2,4 MB*: kilobytes of a thousand bytes, as file managers write them."""
    for unit, bytes_of_unit in (("GB", _KILO**3), ("MB", _KILO**2)):
        if count >= bytes_of_unit:
            shown = format_decimal(count / bytes_of_unit, "#,##0.#", locale=_LOCALES[language])
            return f"{shown}{_NO_BREAK}{unit}"
    return f"{max(1, round(count / _KILO))}{_NO_BREAK}kB"


def number(count: int, language: TextLanguage) -> str:
    """*12 400*; *12,400* in English."""
    return format_decimal(count, locale=_LOCALES[language])


def unbreakable(page: str) -> str:
    """The page with *§ 13*, *nr. 2*, *kl. 08* and *25. november* held together.

    Only between tags, and never in a field: what a person typed comes back as it was typed.
    """
    parts = _NOT_PROSE.split(page)
    parts[::2] = [_JOINED.sub(_NO_BREAK, prose) for prose in parts[::2]]
    return "".join(parts)


def _day(at: datetime | date) -> date:
    return day_of(at) if isinstance(at, datetime) else at
