"""Reads the rows of policy files strictly: bytes to lines, or a refusal with file and line."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from inbox.errors import PolicyError
from inbox.strict.phrases import READER_PHRASES, Said
from inbox.strict.refusal import FileFamily, ReadPosition, RefusedPolicyFile, refusal_of
from inbox.strict.source_text import check_row_count, odd_sign_in
from inbox.strict.source_text import read_text as decode


@dataclass(frozen=True, kw_only=True)
class SourceLine:
    """A line that is neither empty nor a comment, with its file and number (from 1)."""

    file: str
    number: int
    text: str

    @property
    def position(self) -> ReadPosition:
        """Where it stands."""
        return policy_position(self.file).at_line(self.number)

    def refuse(self, code: str, read: object, allowed: Said, *names: str) -> PolicyError:
        """The error for this line; of `names`, the nearest one is said, too."""
        return RefusedPolicyFile(self.position.refusal(code, read, allowed, names=names))

    def with_location(self, error: PolicyError) -> PolicyError:
        """The same error with this file and line added to its reason."""
        refusal = refusal_of(error)
        if refusal is None:
            return PolicyError(error.code, f"{self.position}: {error.reason}")
        return RefusedPolicyFile(replace(refusal, file=self.file, line=self.number))


def policy_position(file: str) -> ReadPosition:
    """The beginning of a policy file."""
    return ReadPosition(file=file, family=FileFamily.POLICY)


def refused_part(
    code: str, read: Said, allowed: Said, *, names: Collection[str] = ()
) -> PolicyError:
    """The error for a part of a line whose place is not known here: see `with_location`."""
    return RefusedPolicyFile(policy_position("").refusal(code, read, allowed, names=names))


def read_text(file: str, raw: bytes) -> str:
    """Decode text that must be UTF-8 without byte order mark.

    Lines end with a line feed, and no other control characters are allowed.
    """
    place = policy_position(file)
    text = decode(place, raw)
    for number, line in enumerate(text.split("\n"), 1):
        if not line.isprintable():
            here, odd = place.at_line(number), odd_sign_in(line)
            if odd is not None and odd.code in {"line_end", "no_break_space"}:
                raise here.refuse(*odd)
            raise here.refuse("character", repr(line), READER_PHRASES("printable"))
    return text


def read_lines(file: str, raw: bytes) -> tuple[SourceLine, ...]:
    """The lines that are neither empty nor comments.

    A comment has a line of its own; `# rows:` says how many there are.
    """
    lines = tuple(_significant_lines(file, read_text(file, raw)))
    for line in lines:
        if (odd := odd_sign_in(line.text)) is not None:
            raise line.refuse(*odd)
        if not line.text.isascii():
            raise line.refuse("not_ascii", line.text, READER_PHRASES("ascii"))
        if any(sign in line.text for sign in "#\"'"):
            raise line.refuse("sign", line.text, READER_PHRASES("no_sign_in_row"))
    return read_text_lines(file, raw)


def read_text_lines(file: str, raw: bytes) -> tuple[SourceLine, ...]:
    """The same of rows that contain texts: any printable characters may stand in them."""
    text = read_text(file, raw)
    lines = tuple(_significant_lines(file, text))
    check_row_count(policy_position(file), text, len(lines))
    return lines


def _significant_lines(file: str, text: str) -> Iterator[SourceLine]:
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip(" ")
        if stripped and not stripped.startswith("#"):
            yield SourceLine(file=file, number=number, text=stripped)
