"""Reads what commands name as ID=NAME: a person or a unit."""

import re
from typing import Final

from inbox.errors import Invalid

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_LONGEST_NAME: Final = 200


def id_and_name(text: str) -> tuple[str, str]:
    """ID=NAME in its two parts. Raises `Invalid` (`init.named`)."""
    key, _, name = (part.strip() for part in text.partition("="))
    if _ID.fullmatch(key) is None or not 0 < len(name) <= _LONGEST_NAME:
        raise Invalid(
            "init.named", "write ID=NAME; an id is of a-z, 0-9 and hyphens, at most 31 of them"
        )
    return key, name
