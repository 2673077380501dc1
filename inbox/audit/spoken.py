"""What a stored leaf says of itself that other columns repeat."""

import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """The number, the message and the marks of the salts in a leaf, and whether it erased."""

    seq: int
    message_id: str | None
    salts: Mapping[str, str]
    erases: bool


def spoken(leaf: object) -> Spoken | None:
    """What the leaf says; None for what is no leaf: SQLite keeps whatever somebody wrote."""
    if not isinstance(leaf, bytes):
        return None
    try:
        facts = json.loads(leaf)
        seq, message_id, salts = facts["seq"], facts["message"], facts["salts"]
        erases = facts["event"] == "message:erased"
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    shaped = isinstance(message_id, str | None) and isinstance(salts, dict)
    return Spoken(seq=seq, message_id=message_id, salts=salts, erases=erases) if shaped else None
