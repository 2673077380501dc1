"""Switches one allow row of a policy off, in its files: nothing else of them changes."""

import re
from typing import Final

from inbox.access.files.rule_rows import (
    ALLOW_FILE,
    DENY_FILE,
    EFFECT_CELL,
    SWITCHED_OFF,
    cells_of,
)
from inbox.access.files.versions import FilesByName
from inbox.errors import Conflict, NotFound

_EFFECT: Final = re.compile(rf"^((?:[^,]*,){{{EFFECT_CELL}}} *)allow\b")
"""The cell of the effect, and everything before it."""


def with_row_off(files: FilesByName, row_id: str) -> FilesByName:
    """The same files with `off` in place of `allow` in one row.

    Raises:
        NotFound: there is no such row.
        Conflict: it denies something, or is off already.
    """
    lines = files[ALLOW_FILE].decode().split("\n")
    for number, line in enumerate(lines):
        if _id_of(line) == row_id:
            if cells_of(line)[EFFECT_CELL] == SWITCHED_OFF:
                raise Conflict("policy.off", "the row is switched off already")
            lines[number] = _EFFECT.sub(rf"\g<1>{SWITCHED_OFF}", line)
            return {**files, ALLOW_FILE: "\n".join(lines).encode()}
    if row_id in map(_id_of, files[DENY_FILE].decode().split("\n")):
        raise Conflict("policy.takes_two", f"{row_id} denies: without it more would be allowed")
    raise NotFound("policy.no_row", "no row has this id: see `inbox policy show`")


def _id_of(line: str) -> str | None:
    """The id in a line of a file that has been read: each row of it has all its cells."""
    cells = cells_of(line)
    return cells[1] if cells[0] == "p" else None
