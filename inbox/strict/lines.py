"""Reads policy files strictly: bytes to lines, or a refusal that names the file and line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from inbox.errors import PolicyError, RowsDiffer

MAX_BYTES = 256 * 1024
_MAX_SHOWN_CHARACTERS = 80
_ROWS = re.compile(r"# rows: ([0-9]{1,4})")


@dataclass(frozen=True, kw_only=True)
class SourceLine:
    """A line that is neither empty nor a comment, with its file and number (from 1)."""

    file: str
    number: int
    text: str

    def refuse(self, code: str, read: object, allowed: str) -> PolicyError:
        """The error for this line."""
        return refusal(f"{self.file}, line {self.number}", code, read, allowed)

    def with_location(self, error: PolicyError) -> PolicyError:
        """The same error with this file and line added to its reason."""
        return PolicyError(error.code, f"{self.file}, line {self.number}: {error.reason}")


def refusal(where: str, code: str, read: object, allowed: str) -> PolicyError:
    """A `PolicyError` with a stable code and a full explanation.

    It contains everything that a policy editor needs to correct the file.
    """
    shown = read if isinstance(read, str) else repr(read)
    if len(shown) > _MAX_SHOWN_CHARACTERS:
        shown = shown[:_MAX_SHOWN_CHARACTERS] + "..."
    return PolicyError(f"policy.{code}", f"{where}: read {shown!r}; allowed: {allowed}")


def read_text(file: str, raw: bytes) -> str:
    """Decode text that must be UTF-8 without byte order mark.

    Lines end with a line feed, and no other control characters are allowed.
    """
    first = f"{file}, line 1"
    if len(raw) > MAX_BYTES:
        raise refusal(first, "too_large", f"{len(raw)} bytes", f"at most {MAX_BYTES} bytes")
    if raw.startswith(b"\xef\xbb\xbf"):
        raise refusal(first, "byte_order_mark", "a byte order mark", "UTF-8 without one")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        where = f"{file}, line {1 + raw.count(10, 0, error.start)}"
        raise refusal(where, "encoding", f"byte {error.start}", "UTF-8") from error
    for number, line in enumerate(text.split("\n"), 1):
        if not line.isprintable():
            where = f"{file}, line {number}"
            raise refusal(where, "character", repr(line), "printable characters, line feeds")
    return text


def read_lines(file: str, raw: bytes) -> tuple[SourceLine, ...]:
    """The lines that are neither empty nor comments.

    A comment has a line of its own; `# rows:` says how many there are.
    """
    lines = tuple(_significant_lines(file, read_text(file, raw)))
    for line in lines:
        if not line.text.isascii():
            raise line.refuse("not_ascii", line.text, "ASCII outside comments")
        if any(sign in line.text for sign in "#;\"'"):
            raise line.refuse("sign", line.text, "no comment, quote or semicolon inside a row")
    return read_text_lines(file, raw)


def read_text_lines(file: str, raw: bytes) -> tuple[SourceLine, ...]:
    """The same of rows that contain texts: any printable characters may stand in them."""
    text = read_text(file, raw)
    lines = tuple(_significant_lines(file, text))
    check_row_count(file, text, len(lines))
    return lines


def _significant_lines(file: str, text: str) -> Iterator[SourceLine]:
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip(" ")
        if stripped and not stripped.startswith("#"):
            yield SourceLine(file=file, number=number, text=stripped)


def check_row_count(file: str, text: str, rows: int) -> None:
    """Check that the file states its number of rows exactly once and correctly.

    A lost or added row is thereby noticed.
    """
    stated = [
        SourceLine(file=file, number=number, text=found.group(1))
        for number, line in enumerate(text.split("\n"), 1)
        if (found := _ROWS.fullmatch(line))
    ]
    if len(stated) != 1:
        number = stated[1].number if stated else 1
        where = f"{file}, line {number}"
        raise refusal(where, "rows_unstated", f"{len(stated)} such lines", "one line `# rows: 12`")
    if int(stated[0].text) != rows:
        allowed = f"the {stated[0].text} that the file states"
        refused = stated[0].refuse("rows_differ", f"{rows} rows", allowed)
        raise RowsDiffer(refused, file=file, stated=int(stated[0].text), found=rows)
