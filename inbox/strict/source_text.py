"""Bytes to text: UTF-8, and a word of its own for each thing that office programs write instead.

Windows line ends, a byte order mark, semicolons, no-break spaces and curly quotation marks cannot
be seen, or look right, where they are wrong: so each is named.
"""

import re
from typing import NamedTuple

from inbox.errors import RowsDiffer
from inbox.strict.phrases import READER_PHRASES, Phrase
from inbox.strict.refusal import ReadPosition

MAX_BYTES = 256 * 1024
_ROWS = re.compile(r"# rows: ([0-9]{1,4})")
_NO_BREAK_SPACE = re.compile("[\u00a0\u2007\u202f]")
_CURLY_QUOTE = re.compile("[\u2018-\u201f]")
_TOML_TEXT = re.compile(r'"(?:\\.|[^"\\])*"' + r"|'[^']*'|#.*")


class OddSign(NamedTuple):
    """A sign that an office program wrote: its code, what was read, and what is allowed."""

    code: str
    read: Phrase
    allowed: Phrase


def odd_sign_in(text: str) -> OddSign | None:
    """The first kind of odd sign in a text, if it has any."""
    if "\r" in text:
        return OddSign("line_end", READER_PHRASES("windows_line_end"), READER_PHRASES("line_feed"))
    if _NO_BREAK_SPACE.search(text):
        return OddSign(
            "no_break_space", READER_PHRASES("no_break_space"), READER_PHRASES("ordinary_space")
        )
    if curly := _CURLY_QUOTE.search(text):
        read = READER_PHRASES("curly_quote", sign=curly.group())
        return OddSign("curly_quote", read, READER_PHRASES("straight_quote"))
    if ";" in text:
        return OddSign("semicolon", READER_PHRASES("semicolon"), READER_PHRASES("comma_or_nothing"))
    return None


def odd_sign_of_toml(line: str) -> OddSign | None:
    """The same for a line of TOML, in which a text or a comment may hold what it likes."""
    return odd_sign_in(_TOML_TEXT.sub("", line.removesuffix("\r")))


def read_text(place: ReadPosition, raw: bytes, *, max_bytes: int = MAX_BYTES) -> str:
    """Decode text that must be UTF-8 without byte order mark."""
    if len(raw) > max_bytes:
        read = READER_PHRASES("bytes", count=len(raw))
        raise place.refuse("too_large", read, READER_PHRASES("at_most_bytes", count=max_bytes))
    if raw.startswith(b"\xef\xbb\xbf"):
        raise place.at_line(1).refuse(
            "byte_order_mark",
            READER_PHRASES("byte_order_mark"),
            READER_PHRASES("no_byte_order_mark"),
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        here = place.at_line(raw.count(b"\n", 0, error.start) + 1)
        read = READER_PHRASES("not_utf8", number=error.start)
        raise here.refuse("encoding", read, "UTF-8") from None  # It would quote the file.


def check_row_count(place: ReadPosition, text: str, rows: int) -> None:
    """Check that the file states its number of rows exactly once and correctly.

    A lost or added row is thereby noticed.
    """
    stated = [
        (number, int(found[1]))
        for number, line in enumerate(text.split("\n"), 1)
        if (found := _ROWS.fullmatch(line.removesuffix("\r")))
    ]
    if len(stated) != 1:
        here = place.at_line(stated[1][0] if stated else 1)
        read = READER_PHRASES("such_lines", count=len(stated))
        raise here.refuse("rows_unstated", read, READER_PHRASES("one_rows_line", count=rows))
    if stated[0][1] != rows:
        number, count = stated[0]
        refused = place.at_line(number).refuse(
            "rows_differ",
            READER_PHRASES("rows", count=rows),
            READER_PHRASES("rows_stated", count=count),
        )
        differs = RowsDiffer(refused, file=place.file, stated=count, found=rows)
        raise differs from refused
