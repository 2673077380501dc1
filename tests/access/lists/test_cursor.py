"""A cursor is the place that it was made of, to the microsecond, and nothing else is a cursor."""

import base64
from datetime import timedelta

import pytest

from inbox.access.lists.cursor import Cursor, read_cursor
from inbox.errors import Invalid
from tests.access.town import NOW


@pytest.mark.parametrize("length", range(1, 33))
def test_cursor_is_read_back_to_the_microsecond(length: int) -> None:
    for microseconds in (0, 1, 2, 999_999):
        place = Cursor(at=NOW + timedelta(microseconds=microseconds), id="a" * length)

        assert read_cursor(place.as_text()) == place


def cursor(spoken: str) -> str:
    return base64.urlsafe_b64encode(spoken.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "=", "å" * 9, "A" * 81, "A" * 100_000),
        *map(cursor, ("1 a b", "-1 a", "1", " a", "1 A", "1  a", "01 a", "1 " + "a" * 33)),
        *map(cursor, ("9" * 18 + " a", "٣ a", "1 ä", "1 a\n")),
        cursor("1 a") + "=",
        cursor("1 a") + "A",
    ],
)
def test_invalid_cursor_text_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_cursor(text)

    assert refused.value.code == "list.cursor"
