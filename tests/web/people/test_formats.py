"""How days, times, numbers and sizes are written, and what never breaks."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from inbox.language import TextLanguage
from inbox.web.people import formats

AT = datetime(2026, 11, 30, 6, 52, tzinfo=UTC)
NB, NN, EN = TextLanguage.NB, TextLanguage.NN, TextLanguage.EN


@pytest.mark.parametrize(
    ("write", "nb", "nn", "en"),
    [
        (formats.full_day, "mandag 30. november", "måndag 30. november", "Monday 30 November"),
        (formats.full_day_with_year, "mandag 30. november 2026", "måndag 30. november 2026",
         "Monday 30 November 2026"),
        (formats.short_day, "ma.\xa030.11.", "må.\xa030.11.", "Mon 30 Nov"),
        (formats.clock, "07.52", "07.52", "07:52"),
        (formats.moment, "mandag 30. november kl. 07.52", "måndag 30. november kl. 07.52",
         "Monday 30 November at 07:52"),
        (formats.short_moment, "30.11. 07.52", "30.11. 07.52", "30 Nov 07:52"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)  # fmt: skip
def test_time_is_written_as_people_here_write_it(
    write: Callable[[datetime, TextLanguage], str], nb: str, nn: str, en: str
) -> None:
    assert [write(AT, each) for each in (NB, NN, EN)] == [nb, nn, en]


def test_day_alone_is_written_as_the_same_day() -> None:
    assert formats.full_day(date(2026, 12, 1), NB) == "tirsdag 1. desember"


def test_instant_late_in_the_evening_is_on_the_next_day_here() -> None:
    assert formats.full_day(datetime(2026, 7, 1, 22, 30, tzinfo=UTC), NB) == "torsdag 2. juli"


@pytest.mark.parametrize(
    ("count", "nb", "en"),
    [
        (1, "1\xa0kB", "1\xa0kB"),
        (999_499, "999\xa0kB", "999\xa0kB"),
        (2_400_000, "2,4\xa0MB", "2.4\xa0MB"),
        (3_000_000_000, "3\xa0GB", "3\xa0GB"),
    ],
)
def test_size_is_written_in_the_unit_that_people_read(count: int, nb: str, en: str) -> None:
    assert (formats.size(count, NB), formats.size(count, EN)) == (nb, en)


def test_organisation_number_is_three_groups_that_never_break() -> None:
    assert formats.orgnr("312100010") == "312\xa0100\xa0010"


def test_number_has_groups_as_the_language_has_them() -> None:
    assert formats.number(12400, NB) in {"12\xa0400", "12\u202f400"}
    assert formats.number(12400, EN) == "12,400"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("<p>§ 13 og nr. 2, kl. 08</p>", "<p>§\xa013 og nr.\xa02, kl.\xa008</p>"),
        ("<p>25. november, 7 MB</p>", "<p>25.\xa0november, 7\xa0MB</p>"),
        ('<a title="kl. 08">kl. 09</a>', '<a title="kl. 08">kl.\xa009</a>'),
        ("<textarea>\nkl. 08</textarea>", "<textarea>\nkl. 08</textarea>"),
        ('<input value="§ 13">', '<input value="§ 13">'),
        ("<p>ankl. 5 og 7 kg</p>", "<p>ankl. 5 og 7 kg</p>"),
    ],
)
def test_page_holds_numbers_and_their_words_together_in_prose_alone(
    written: str, kept: str
) -> None:
    assert formats.unbreakable(written) == kept
