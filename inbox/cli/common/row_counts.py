"""Counts the rows of policy files that somebody added rows to, before anything is active.

Each file states its number of rows (`# rows: 12`), so that a lost row is noticed. Where rows were
added by hand before the first start, nothing can have been lost against: the number follows.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from inbox.access.files.folder import load_draft
from inbox.errors import RowsDiffer
from inbox.wiring import read_rule_books

_STATEMENT: Final = "# rows: "


def count_added_rows(folder: Path) -> Iterator[str]:
    """Correct the number in each file that has more rows than it states, and say so.

    A file with fewer is left to be refused, as is one that this user may not write.
    """
    for read in (load_draft, _run_cases, read_rule_books):
        seen = set[str]()
        while True:
            try:
                read(folder)
            except RowsDiffer as error:
                if error.found < error.stated or error.file in seen:
                    break
                seen.add(error.file)
                if not _state(folder, error):
                    break
                yield f"{error.file} has {error.found} rows, stated {error.stated}: corrected"
            else:
                break


def _run_cases(folder: Path) -> None:
    """Read the cases as well; the next reader of the policy reports those that fail."""
    load_draft(folder).case_failures()


def _state(folder: Path, error: RowsDiffer) -> bool:
    """Whether the number could be written."""
    name = error.file
    path = next((p for p in (folder / name, folder / "routing" / name) if p.is_file()), None)
    if path is None:
        return False
    old, new = f"{_STATEMENT}{error.stated}", f"{_STATEMENT}{error.found}"
    try:
        lines = path.read_text("utf-8").split("\n")
        path.write_text("\n".join(new if line.rstrip("\r") == old else line for line in lines))
    except OSError:
        return False
    return True
