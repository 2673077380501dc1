"""The cursor of a list, newest first: the row after which the next page begins (keyset pagination).

It stays where it is while mail comes and goes. As text it names the last row that was shown, which
its holder has seen, and it looks up nothing: a made-up one teaches nothing.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from inbox.errors import Invalid

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_CURSOR_TEXT: Final = re.compile(r"(\d{1,17}) ([0-9a-z-]{1,32})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """The time and the id of the last row that was shown."""

    at: datetime
    id: str

    def as_text(self) -> str:
        """The cursor as text, which a caller sends back to get the next page."""
        spoken = f"{(self.at - _EPOCH) // _MICROSECOND} {self.id}"
        return base64.urlsafe_b64encode(spoken.encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """Read the text of a cursor. Raises `Invalid` for what no page has given."""
    try:
        spoken = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
        found = _CURSOR_TEXT.fullmatch(spoken)
        if found is None:
            raise Invalid("list.cursor")
        place = Cursor(at=_EPOCH + int(found.group(1)) * _MICROSECOND, id=found.group(2))
    except (ValueError, OverflowError, binascii.Error):
        raise Invalid("list.cursor") from None
    if place.as_text() != text:
        raise Invalid("list.cursor")
    return place
