"""Reads what a policy says of itself: for which vocabulary it was written, and what is fenced.

It stands in `policy.toml`. A folder from before that file has `facts.toml`, `vocabulary.toml` and
`model.conf` instead, which explained the program's names: such a folder is read as it always was.
It was written for the names that those files list.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from inbox.access.files.phrases import POLICY_PHRASES
from inbox.access.files.versions import FilesByName
from inbox.access.policy.engine import model_text
from inbox.access.policy.names import Vocabulary
from inbox.errors import PolicyError
from inbox.strict.lines import policy_position, read_text
from inbox.strict.phrases import Said
from inbox.strict.toml import TomlFile, TomlTable

HEADER_FILE: Final = "policy.toml"
OLDER_FACTS_FILE: Final = "facts.toml"
OLDER_VOCABULARY_FILE: Final = "vocabulary.toml"
OLDER_MODEL_FILE: Final = "model.conf"
OLDER_HEADER_FILES: Final = (OLDER_FACTS_FILE, OLDER_MODEL_FILE, OLDER_VOCABULARY_FILE)
"""What a folder has instead that was written before `policy.toml` was."""
_VERSION: Final = "vocabulary"
_NEVER_OVERRIDDEN: Final = "never_overridden"
_OLDER_LANGUAGES: Final = ("nb", "en")
_OLDER_TABLES: Final = ("actions", "roles", "duties")
_OLDER_KINDS: Final = ("row", "request")


@dataclass(frozen=True, kw_only=True)
class PolicyHeader:
    """What a policy says of itself."""

    written_for: int | None
    """The version of the vocabulary; None if it is from before there were any."""
    known: frozenset[str]
    """The names that the policy was written for."""
    never_overridden: tuple[str, ...]
    """Facts that some row must deny for."""
    table: TomlTable
    """Where that stands."""

    def refuse_never_overridden(
        self, code: str, read: object, allowed: Said, *names: str
    ) -> PolicyError:
        """The error for the list of facts that some row must deny for."""
        return self.table.refuse(code, _NEVER_OVERRIDDEN, read, allowed, *names)


def is_older(files: FilesByName) -> bool:
    """Whether the files are of a folder from before `policy.toml`."""
    return HEADER_FILE not in files and any(name in files for name in OLDER_HEADER_FILES)


def read_header(files: FilesByName, vocabulary: Vocabulary) -> PolicyHeader:
    """Read what the policy says of itself. Raises `PolicyError`."""
    if is_older(files):
        return _read_older(files)
    table = TomlFile(HEADER_FILE, files[HEADER_FILE]).top((_VERSION, _NEVER_OVERRIDDEN))
    written_for = table.number(_VERSION)
    return PolicyHeader(
        written_for=written_for,
        known=vocabulary.names_of_version(written_for),
        never_overridden=table.texts(_NEVER_OVERRIDDEN),
        table=table,
    )


def _read_older(files: FilesByName) -> PolicyHeader:
    """The same of an older folder.

    A name in these files that this program does not know is no error: no row need use it.
    """
    _check_model(files[OLDER_MODEL_FILE])
    document = TomlFile(OLDER_VOCABULARY_FILE, files[OLDER_VOCABULARY_FILE])
    top = document.top((*_OLDER_TABLES, _NEVER_OVERRIDDEN))
    tables = [document.single_table(name) for name in _OLDER_TABLES]
    words = [name for table in tables for name in _explained_names(table)]
    document.check_row_count(len(words))
    return PolicyHeader(
        written_for=None,
        known=frozenset((*words, *_read_facts(files[OLDER_FACTS_FILE]))),
        never_overridden=top.texts(_NEVER_OVERRIDDEN),
        table=top,
    )


def _read_facts(raw: bytes) -> Iterator[str]:
    document = TomlFile(OLDER_FACTS_FILE, raw)
    names = document.keys()
    top = document.top(names)
    for name in names:
        fact = top.table(name)
        kind = fact.value.get("kind")
        if kind not in _OLDER_KINDS:
            raise fact.refuse("kind", "kind", kind, ", ".join(_OLDER_KINDS), *_OLDER_KINDS)
        _check_meaning(fact, "kind")
        yield name
    document.check_row_count(len(names))


def _explained_names(table: TomlTable) -> Iterator[str]:
    for name in table.value:
        _check_meaning(table.table(name))
        yield name


def _check_meaning(table: TomlTable, *beside: str) -> None:
    table.check_keys((*_OLDER_LANGUAGES, *beside))
    for language in _OLDER_LANGUAGES:
        table.text(language)


def _check_model(raw: bytes) -> None:
    """Check that `model.conf` is the casbin model that the program runs.

    Comments are ignored in the comparison. The file exists for readers.
    """
    known = model_text().splitlines()
    lines = enumerate(read_text(OLDER_MODEL_FILE, raw).split("\n"), 1)
    read = [(number, line) for number, line in lines if line and not line.startswith("#")]
    file = policy_position(OLDER_MODEL_FILE)
    end = raw.count(b"\n") + 1, POLICY_PHRASES("end_of_file")
    for place, line in enumerate(known):
        number, text = read[place] if place < len(read) else end
        if text != line:
            raise file.at_line(number).refuse("model", text, line)
    if len(read) > len(known):
        number, text = read[len(known)]
        raise file.at_line(number).refuse("model", text, POLICY_PHRASES("only_the_model"))
