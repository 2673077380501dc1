"""Strictly reads `bases.csv`: the legal bases that the rows of a policy name.

A row is `id, act, section, from, until, successor, nb, en`. A cell that contains a comma stands in
double quotes. Days are written 2026-11-30, and are left out where they are not known.
"""

import csv
import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from inbox.access.policy.legal_basis import LegalBasis
from inbox.access.policy.names import MeaningLanguage
from inbox.strict.lines import SourceLine, read_text_lines

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
            raise line.refuse("basis_twice", basis.id, "each id once")
        found[basis.id], lines[basis.id] = basis, line
    for basis in found.values():
        _check_successors(lines[basis.id], basis, found)
    return found


def _read_basis(line: SourceLine) -> LegalBasis:
    cells = _cells(line)
    if len(cells) != len(_COLUMNS):
        raise line.refuse("cells", line.text, ", ".join(_COLUMNS))
    row = dict(zip(_COLUMNS, cells, strict=True))
    if missing := [name for name in _REQUIRED if not row[name]]:
        raise line.refuse("cells", f"no {', '.join(missing)}", "a text in each of these")
    if _ID.fullmatch(row["id"]) is None:
        raise line.refuse("basis_id", row["id"], "small letters, digits, - and ., such as fvl-13b")
    first, last = _day(line, row["from"]), _day(line, row["until"])
    if first is not None and last is not None and last < first:
        raise line.refuse("basis_period", row["until"], f"a day from {first}")
    if row["successor"] and last is None:
        raise line.refuse("basis_period", row["successor"], "a successor only beside a last day")
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
        raise line.refuse("quotes", line.text, "a comma inside a cell only in quotes") from error
    return [cell.strip() for cell in cells]


def _day(line: SourceLine, text: str) -> date | None:
    if not text:
        return None
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise line.refuse("day", text, "a day, such as 2026-11-30, or nothing")


def _check_successors(line: SourceLine, basis: LegalBasis, known: Mapping[str, LegalBasis]) -> None:
    """Check that each successor is in the file, and that none leads back to where it began."""
    seen = [basis.id]
    while (following := known[seen[-1]].successor) is not None:
        if following not in known:
            raise line.refuse("basis_unknown", following, "an id of this file")
        if following in seen:
            raise line.refuse("basis_circle", " ".join((*seen, following)), "no circle")
        seen.append(following)
