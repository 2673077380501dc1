"""The rows of a directory, the same for TOML, CSV and the database."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from inbox.access.policy.vocabulary import Role
from inbox.directory.format.phrases import DIRECTORY_PHRASES
from inbox.domain import Mode, OrgNumber, parse_org_number
from inbox.errors import Invalid
from inbox.strict.phrases import READER_PHRASES, Said
from inbox.tables.periods import has_ended

Cell: TypeAlias = str | bool
RowKey: TypeAlias = tuple[str, ...]


class RowKind(StrEnum):
    """The kinds of rows, by their names in a file."""

    CASE_SYSTEM = "case_system"
    UNIT = "unit"
    PERSON = "person"
    CAPACITY = "capacity"
    CLEARANCE = "clearance"
    CONFLICT = "conflict"
    DELEGATION = "delegation"
    REFERENCE = "reference"
    IDENTITY = "identity"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: a key of a table in TOML, a column in CSV."""

    name: str
    allowed: Said
    is_valid: Callable[[str], bool] | None
    """None: true or false."""
    required: bool = True
    is_key: bool = False
    """It belongs to what names the row; a row of other names is another row."""

    @property
    def words(self) -> tuple[str, ...]:
        """The words that it is limited to, if it is."""
        return tuple(self.allowed.split(", ")) if isinstance(self.allowed, str) else ()

    def accepts(self, value: object) -> bool:
        """Whether the column accepts the value."""
        if self.is_valid is None:
            return isinstance(value, bool)
        return isinstance(value, str) and self.is_valid(value)


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _single_line(longest: int) -> Callable[[str], bool]:
    return lambda text: 0 < len(text) <= longest and text.isprintable() and text == text.strip()


def _is_org_number(text: str) -> bool:
    try:
        parse_org_number(text)
    except Invalid:
        return False
    return True


_ROLES: Final = tuple(role.value for role in Role if role is not Role.CASE_SYSTEM)
_MODES: Final = tuple(mode.value for mode in Mode)
_Allowed: TypeAlias = tuple[Said, Callable[[str], bool]]
_ID: Final = (DIRECTORY_PHRASES("id"), _matches(r"[a-z0-9][a-z0-9-]{0,30}"))
_NAME: Final = (DIRECTORY_PHRASES("one_line"), _single_line(200))
_NUMBER: Final = (READER_PHRASES("org_number"), _is_org_number)
_TEXT: Final = (DIRECTORY_PHRASES("one_line"), _single_line(200))
_HASH: Final = (DIRECTORY_PHRASES("hash"), _matches(r"[0-9a-f]{64}"))
_CODE: Final = (DIRECTORY_PHRASES("shielding_code"), _single_line(40))
_MESSAGE_ID: Final = (DIRECTORY_PHRASES("message_id"), _matches(r"[0-9a-f]{32}"))
_ADDRESS: Final = (DIRECTORY_PHRASES("address"), _matches(r"https?://[!-~]{1,290}"))

_ISSUER: Final = (DIRECTORY_PHRASES("issuer"), _matches(r"https?://[!-~]{1,290}"))
_GUID: Final = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_SUBJECT: Final = (
    DIRECTORY_PHRASES("subject"),
    _matches(rf"pid:[0-9]{{11}}|oid:{_GUID}/{_GUID}|sub:[!-~]{{1,255}}"),
)
NEVER_REPEATED: Final = frozenset({"name", "subject"})
"""Columns whose values stand in no refusal, whatever they look like."""


def _column(name: str, kind: _Allowed, *, required: bool = True) -> Column:
    return Column(name=name, allowed=kind[0], is_valid=kind[1], required=required)


def _key_column(name: str, kind: _Allowed = _ID, *, required: bool = True) -> Column:
    return replace(_column(name, kind, required=required), is_key=True)


def _one_of(words: tuple[str, ...]) -> _Allowed:
    return ", ".join(words), lambda text: text in words


COLUMNS_BY_KIND: Final[Mapping[RowKind, tuple[Column, ...]]] = {
    RowKind.CASE_SYSTEM: (
        _key_column("id"),
        _column("name", _NAME),
        _column("mode", _one_of(_MODES)),
        _column("webhook_url", _ADDRESS, required=False),
    ),
    RowKind.UNIT: (
        _key_column("id"),
        _column("name", _NAME),
        _column("parent", _ID, required=False),
        _column("case_system", _ID, required=False),
        Column(name="shares_unassigned", allowed="true, false", is_valid=None, required=False),
        _column("successor", _ID, required=False),
    ),
    RowKind.PERSON: (_key_column("id"), _column("name", _NAME)),
    RowKind.CAPACITY: (
        _key_column("person"),
        _key_column("unit"),
        _key_column("role", _one_of(_ROLES)),
    ),
    RowKind.CLEARANCE: (_key_column("person"), _key_column("shielding", _CODE)),
    RowKind.CONFLICT: (
        _key_column("person"),
        _key_column("message", _MESSAGE_ID, required=False),
        _key_column("sender", _NUMBER, required=False),
        _key_column("reference", _TEXT, required=False),
        _key_column("reference_hash", _HASH, required=False),
    ),
    RowKind.DELEGATION: (
        _key_column("unit"),
        _key_column("absent"),
        _key_column("substitute"),
        _column("given_by", _ID),
    ),
    RowKind.REFERENCE: (
        _key_column("counterparty", _NUMBER),
        _key_column("reference", _TEXT, required=False),
        _key_column("reference_hash", _HASH, required=False),
        _column("unit", _ID),
    ),
    RowKind.IDENTITY: (
        _column("person", _ID),
        _key_column("issuer", _ISSUER),
        _key_column("subject", _SUBJECT, required=False),
        _key_column("subject_hash", _HASH, required=False),
    ),
}
PERIOD_COLUMNS: Final = ("from", "until")
"""Every table but `reference` has these two beside its columns."""
EXACTLY_ONE_OF: Final[Mapping[RowKind, tuple[str, ...]]] = {
    RowKind.CONFLICT: ("message", "sender", "reference", "reference_hash"),
    RowKind.REFERENCE: ("reference", "reference_hash"),
    RowKind.IDENTITY: ("subject", "subject_hash"),
}
"""Exactly one of these stands in a row."""
KINDS_WITH_ID: Final = (RowKind.CASE_SYSTEM, RowKind.UNIT, RowKind.PERSON)
"""What has one row for all time, however often it ended and began again."""


@dataclass(frozen=True, kw_only=True)
class DirectoryRow:
    """One row of a directory.

    Without `since` it begins when it is taken in; without `until` it does not end.
    """

    kind: RowKind
    cells: Mapping[str, Cell]
    since: datetime | None = None
    until: datetime | None = None
    location: str = field(default="", compare=False)
    """File and line, for refusals."""
    row_id: str = field(default="", compare=False)
    """The row in the database, if it stands there."""

    @property
    def key(self) -> RowKey:
        """The key that identifies the row among the rows of its kind."""
        return tuple(
            str(self.cells.get(c.name, "")) for c in COLUMNS_BY_KIND[self.kind] if c.is_key
        )

    def text(self, name: str) -> str | None:
        """The text in a cell; None if the cell is empty."""
        value = self.cells.get(name)
        return value if isinstance(value, str) else None

    def has_ended(self, now: datetime) -> bool:
        """Whether its period has ended."""
        return has_ended(self.until, now)

    def is_active_on(self, at: datetime, now: datetime) -> bool:
        """Whether the row is active at a time; a row without a beginning begins now."""
        return (self.since or now) <= at and not self.has_ended(at)


RowsByKind: TypeAlias = Mapping[RowKind, Mapping[RowKey, DirectoryRow]]


@dataclass(frozen=True, kw_only=True)
class Directory:
    """The directory of one organisation, or a part of it.

    `rows` has only the kinds that it lists. A complete one ends what is missing of those.
    """

    organisation: OrgNumber
    complete: bool = False
    rows: RowsByKind


def with_hashed_references(
    directory: Directory, of: Callable[[str], str], of_subject: Callable[[str, str], str]
) -> Directory:
    """The same directory with each case reference and each subject replaced by a keyed hash."""

    def hashed(row: DirectoryRow) -> DirectoryRow:
        reference, subject = row.text("reference"), row.text("subject")
        found = {}
        if reference is not None:
            found["reference_hash"] = of(reference)
        if subject is not None:
            found["subject_hash"] = of_subject(row.text("issuer") or "", subject)
        rest = {n: value for n, value in row.cells.items() if n not in {"reference", "subject"}}
        return replace(row, cells=rest | found) if found else row

    return replace(
        directory,
        rows={
            kind: {row.key: row for row in map(hashed, rows.values())}
            for kind, rows in directory.rows.items()
        },
    )
