"""What a strict reader says of a file that it refuses: file, line, what was read, what is allowed.

One form for policies, routing rules and the directory, in three languages. The text of an error is
the English one; where somebody chose a language, the refusal has the others.
"""

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from inbox.errors import InboxError, Invalid, PolicyError
from inbox.language import TextLanguage
from inbox.strict.phrases import READER_PHRASES, Phrase, Said, said_in
from inbox.strict.toml_lines import KeyPath, nearest_line

_MAX_SHOWN_CHARACTERS = 80


class FileFamily(StrEnum):
    """What a file is of; the codes of its refusals begin so."""

    POLICY = "policy"
    ROUTING = "routing"
    DIRECTORY = "directory"


@dataclass(frozen=True, kw_only=True)
class FileRefusal:
    """Why a file is refused: everything that its editor needs to correct it."""

    code: str
    file: str
    line: int | None
    inside: Said
    """Where in the file: a rule, a table or a case."""
    read: Said
    allowed: Said
    nearest: str | None = None
    """The allowed name that is most like what was read."""

    def text(self, language: TextLanguage) -> str:
        """The refusal in one line, with file and line."""
        if not self.file:
            return self.sentence(language)
        parts = [self.file]
        if self.line is not None:
            parts.append(READER_PHRASES("line", number=self.line).text(language))
        return f"{', '.join(parts)}{', ' if self.inside else ': '}{self.sentence(language)}"

    def sentence(self, language: TextLanguage) -> str:
        """The same without file and line."""
        said = READER_PHRASES("read_and_allowed", read=self.read, allowed=self.allowed)
        parts = [said.text(language)]
        if self.nearest is not None:
            parts.append(READER_PHRASES("nearest", name=self.nearest).text(language))
        inside = said_in(self.inside, language)
        return f"{f'{inside}: ' if inside else ''}{'; '.join(parts)}"


class RefusedPolicyFile(PolicyError):
    """A file of a policy or of routing rules is refused."""

    def __init__(self, refusal: FileRefusal) -> None:
        super().__init__(refusal.code, refusal.text(TextLanguage.EN))
        self.refusal = refusal


class RefusedDirectoryFile(Invalid):
    """A file of the directory is refused."""

    def __init__(self, refusal: FileRefusal) -> None:
        super().__init__(refusal.code, refusal.text(TextLanguage.EN))
        self.refusal = refusal


@dataclass(frozen=True, kw_only=True)
class ReadPosition:
    """The position in a file that is being read; every refusal begins with it."""

    file: str
    family: FileFamily = FileFamily.ROUTING
    inside: Said = ""
    path: KeyPath = ()
    lines: Mapping[KeyPath, int] = field(default_factory=dict, repr=False)

    def at(self, inside: Said, *keys: str | int) -> "ReadPosition":
        """The position further inside, by these keys: a rule, a table or a case."""
        return replace(self, inside=inside, path=(*self.path, *keys))

    def at_line(self, line: int) -> "ReadPosition":
        """The same position, with a known line."""
        return replace(self, path=("line",), lines={("line",): line})

    @property
    def line(self) -> int | None:
        """The line of this key, or of the innermost enclosing one."""
        return nearest_line(self.lines, self.path)

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}" if self.line else self.file

    def refusal(
        self, code: str, read: object, allowed: Said, *, names: Collection[str] = ()
    ) -> FileRefusal:
        """The refusal; of `names`, the one that is most like what was read is said, too."""
        close = difflib.get_close_matches(read, names, n=1) if isinstance(read, str) else []
        return FileRefusal(
            code=f"{self.family}.{code}",
            file=self.file,
            line=self.line,
            inside=self.inside,
            read=_shown(read),
            allowed=allowed,
            nearest=close[0] if close else None,
        )

    def refuse(
        self, code: str, read: object, allowed: Said, *, names: Collection[str] = ()
    ) -> PolicyError | Invalid:
        """The error to raise, with a stable code."""
        refusal = self.refusal(code, read, allowed, names=names)
        if self.family is FileFamily.DIRECTORY:
            return RefusedDirectoryFile(refusal)
        return RefusedPolicyFile(refusal)


def refusal_of(error: InboxError) -> FileRefusal | None:
    """The refusal that an error was made of, or that caused it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, RefusedPolicyFile | RefusedDirectoryFile):
            return cause.refusal
        cause = cause.__cause__
    return None


def _shown(read: object) -> Said:
    """What was read, in quotation marks; a phrase says it without."""
    if isinstance(read, Phrase):
        return read
    shown = read if isinstance(read, str) else repr(read)
    if len(shown) > _MAX_SHOWN_CHARACTERS:
        shown = shown[:_MAX_SHOWN_CHARACTERS] + "…"
    return f"«{shown}»"
