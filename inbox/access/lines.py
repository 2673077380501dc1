"""Strict reading of policy files: bytes to lines or tables, or a refusal that says where."""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from inbox.errors import PolicyError

MAX_BYTES = 256 * 1024
_SHOWN_CHARACTERS = 80
_ROWS = re.compile(r"# rows: ([0-9]{1,4})")

Table = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line that is neither empty nor a comment, and where it stands (from 1)."""

    file: str
    number: int
    text: str

    def refuse(self, code: str, read: object, allowed: str) -> PolicyError:
        """The error for this line."""
        return refusal(f"{self.file}, line {self.number}", code, read, allowed)

    def locate(self, error: PolicyError) -> PolicyError:
        """An error from inside the line, with the place added."""
        return PolicyError(error.code, f"{self.file}, line {self.number}: {error.reason}")


def refusal(where: str, code: str, read: object, allowed: str) -> PolicyError:
    """A stable code, and what a policy editor needs to put it right."""
    shown = read if isinstance(read, str) else repr(read)
    if len(shown) > _SHOWN_CHARACTERS:
        shown = shown[:_SHOWN_CHARACTERS] + "..."
    return PolicyError(f"policy.{code}", f"{where}: read {shown!r}; allowed: {allowed}")


def read_text(file: str, raw: bytes) -> str:
    """UTF-8 without byte order mark, lines that end in a line feed, no other control characters."""
    if len(raw) > MAX_BYTES:
        raise refusal(file, "too_large", f"{len(raw)} bytes", f"at most {MAX_BYTES} bytes")
    if raw.startswith(b"\xef\xbb\xbf"):
        raise refusal(file, "byte_order_mark", "a byte order mark", "UTF-8 without one")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refusal(file, "encoding", f"byte {error.start}", "UTF-8") from error
    for number, line in enumerate(text.split("\n"), 1):
        if not line.isprintable():
            where = f"{file}, line {number}"
            raise refusal(where, "character", repr(line), "printable characters, line feeds")
    return text


def read_lines(file: str, raw: bytes) -> tuple[Line, ...]:
    """The lines that count. A comment has a line of its own; `# rows:` says how many there are."""
    text = read_text(file, raw)
    lines = tuple(_counting(file, text))
    for line in lines:
        if not line.text.isascii():
            raise line.refuse("not_ascii", line.text, "ASCII outside comments")
        if any(sign in line.text for sign in "#;\"'"):
            raise line.refuse("sign", line.text, "no comment, quote or semicolon inside a row")
    check_rows(file, text, len(lines))
    return lines


def _counting(file: str, text: str) -> Iterator[Line]:
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip(" ")
        if stripped and not stripped.startswith("#"):
            yield Line(file=file, number=number, text=stripped)


def check_rows(file: str, text: str, rows: int) -> None:
    """The file says how many rows it has, once: so a row that fell out, or in, is noticed."""
    stated = [found.group(1) for line in text.split("\n") if (found := _ROWS.fullmatch(line))]
    if len(stated) != 1:
        raise refusal(file, "rows_unstated", f"{len(stated)} such lines", "one line `# rows: 12`")
    if int(stated[0]) != rows:
        raise refusal(file, "rows_differ", f"{rows} rows", f"the {stated[0]} that the file states")


def read_toml(file: str, raw: bytes, keys: Collection[str]) -> tuple[str, Table]:
    """The text, and the table with exactly these keys."""
    text = read_text(file, raw)
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise refusal(file, "toml", str(error) or type(error).__name__, "TOML") from error
    return text, read_table(file, table, keys)


def read_table(where: str, value: object, keys: Collection[str]) -> Table:
    """The value as a table with exactly these keys."""
    if not isinstance(value, dict) or value.keys() != set(keys):
        read = sorted(value) if isinstance(value, dict) else value
        raise refusal(where, "keys", read, f"exactly {', '.join(sorted(keys))}")
    return value


def read_string(where: str, value: object) -> str:
    """The value as a text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise refusal(where, "text", value, "a text")
    return value


def read_strings(where: str, value: object) -> tuple[str, ...]:
    """The value as a list of texts, none twice."""
    if not isinstance(value, list):
        raise refusal(where, "list", value, "a list of texts")
    texts = tuple(read_string(where, one) for one in value)
    if len(set(texts)) != len(texts):
        raise refusal(where, "twice", value, "each word once")
    return texts
