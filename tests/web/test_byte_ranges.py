"""Ranges of a download: what a request asks for, and which bytes it gets."""

import pytest

from inbox.web.byte_ranges import ByteRange, RangeAsked, RangeNotThere

SHA = "a" * 64
WHOLE = bytes(range(100))


def asked(header: str, only_if: str = "") -> ByteRange | None:
    return RangeAsked(header=header, only_if=only_if).of(len(WHOLE), SHA)


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=90-", 90, 99),
        ("bytes=0-", 0, 99),
        ("bytes=95-500", 95, 99),
        ("bytes=-10", 90, 99),
        ("bytes=-500", 0, 99),
    ],
)
def test_range_has_these_bytes(header: str, first: int, last: int) -> None:
    found = asked(header)
    assert found == ByteRange(first=first, last=last)
    assert found.content_range(100) == f"bytes {first}-{last}/100"
    for step in (1, 7, 50, 100):
        chunks = (WHOLE[at : at + step] for at in range(0, 100, step))
        got = b"".join(found.of_chunks(chunks))
        assert (got, len(got)) == (WHOLE[first : last + 1], found.length)


@pytest.mark.parametrize(
    "header",
    ["", "bytes=-", "bytes=a-b", "bytes=1-2,5-6", "lines=1-2", "bytes=1 - 2", "bytes=1-2 "],
)
def test_header_without_a_single_range_means_the_whole(header: str) -> None:
    assert asked(header) is None


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=20-10", "bytes=-0"])
def test_range_behind_the_end_is_not_there(header: str) -> None:
    with pytest.raises(RangeNotThere) as raised:
        asked(header)
    assert raised.value.size == len(WHOLE)


def test_range_of_other_bytes_is_the_whole() -> None:
    assert asked("bytes=10-19", f'"{SHA}"') == ByteRange(first=10, last=19)
    assert asked("bytes=10-19", '"something else"') is None


def test_range_is_read_to_the_end_so_that_the_last_check_is_made() -> None:
    def spoilt() -> object:
        yield WHOLE
        raise RuntimeError("the checksum differs")

    with pytest.raises(RuntimeError):
        list(ByteRange(first=0, last=1).of_chunks(spoilt()))  # type: ignore[arg-type]


def test_only_what_begins_behind_the_beginning_goes_on() -> None:
    headers = ("", "bytes=0-", "bytes=1-", "bytes=-5", "x", "bytes=40-50")
    going_on = [each for each in headers if RangeAsked(header=each).goes_on]
    assert going_on == ["bytes=1-", "bytes=40-50"]
