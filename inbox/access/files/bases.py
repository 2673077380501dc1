"""Strictly reads `bases.csv`: the legal bases that the rows of a policy name.

A row is `id, act, section, from, until, successor, nb, en`. A cell that contains a comma stands in
double quotes. Days are written 2026-11-30, and are left out where they are not known.
"""

import csv
import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from inbox.access.files.phrases import POLICY_PHRASES
from inbox.access.policy.legal_basis import LegalBasis
from inbox.access.policy.names import MeaningLanguage
from inbox.strict.lines import SourceLine, read_text_lines
from inbox.strict.phrases import READER_PHRASES
from inbox.strict.source_text import odd_sign_in

BASES_FILE: Final = "bases.csv"
_COLUMNS: Final = ("id", "act", "section", "from", "until", "successor", "nb", "en")
_REQUIRED: Final = ("id", "act", "nb", "en")
_ID: Final = re.compile(r"[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


def read_bases(raw: bytes) -> Mapping[str, LegalBasis]:
    """The legal bases by their ids, in the order of the file. Raises `PolicyError`."""
    found: dict[str, LegalBasis] = {}
    lines: dict[str, SourceLine] = {}
    for line in read_text_lines(BASES_FILE, raw):
        basis = _read_basis(line)
        if basis.id in found:
            raise line.refuse("basis_twice", basis.id, POLICY_PHRASES("each_id_once"))
        found[basis.id], lines[basis.id] = basis, line
    for basis in found.values():
        _check_successors(lines[basis.id], basis, found)
    return found


def _read_basis(line: SourceLine) -> LegalBasis:
    cells = _cells(line)
    if len(cells) != len(_COLUMNS):
        if (odd := odd_sign_in(line.text)) is not None:
            raise line.refuse(*odd)
        raise line.refuse("cells", line.text, ", ".join(_COLUMNS))
    row = dict(zip(_COLUMNS, cells, strict=True))
    if missing := [name for name in _REQUIRED if not row[name]]:
        read = READER_PHRASES("missing", name=", ".join(missing))
        raise line.refuse("cells", read, POLICY_PHRASES("text_in_each"))
    if _ID.fullmatch(row["id"]) is None:
        raise line.refuse("basis_id", row["id"], POLICY_PHRASES("basis_id"))
    first, last = _day(line, row["from"]), _day(line, row["until"])
    if first is not None and last is not None and last < first:
        allowed = POLICY_PHRASES("day_from", day=str(first))
        raise line.refuse("basis_period", row["until"], allowed)
    if row["successor"] and last is None:
        allowed = POLICY_PHRASES("successor_after_last_day")
        raise line.refuse("basis_period", row["successor"], allowed)
    return LegalBasis(
        id=row["id"],
        act=row["act"],
        section=row["section"],
        valid_from=first,
        valid_until=last,
        successor=row["successor"] or None,
        text={MeaningLanguage.NB: row["nb"], MeaningLanguage.EN: row["en"]},
    )


def _cells(line: SourceLine) -> list[str]:
    try:
        (cells,) = csv.reader([line.text], skipinitialspace=True, strict=True)
    except csv.Error as error:
        raise line.refuse("quotes", line.text, POLICY_PHRASES("comma_in_quotes")) from error
    return [cell.strip() for cell in cells]


def _day(line: SourceLine, text: str) -> date | None:
    if not text:
        return None
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise line.refuse("day", text, POLICY_PHRASES("day_or_nothing"))


def _check_successors(line: SourceLine, basis: LegalBasis, known: Mapping[str, LegalBasis]) -> None:
    """Check that each successor is in the file, and that none leads back to where it began."""
    seen = [basis.id]
    while (following := known[seen[-1]].successor) is not None:
        if following not in known:
            raise line.refuse("basis_unknown", following, POLICY_PHRASES("id_of_file"), *known)
        if following in seen:
            circle = " ".join((*seen, following))
            raise line.refuse("basis_circle", circle, POLICY_PHRASES("no_circle"))
        seen.append(following)
