"""The data key of one message or arrival, for a move that must seal or unseal something."""

from sqlmodel import Session

from inbox.errors import Conflict
from inbox.keys import DataKey
from inbox.line import Line
from inbox.line.work import unwrap
from inbox.tables import WrappedKey


def data_key(session: Session, line: Line, owner: str) -> DataKey:
    """The data key of a message or arrival. Raises `Conflict` once it has been erased."""
    stored = session.get(WrappedKey, owner)
    key = None if stored is None else unwrap(line, stored)
    if key is None:
        raise Conflict("erased", "its content has been erased")
    return key
