"""Random values in cookies and addresses: made here, stored as digests, and read strictly."""

import hashlib
import re
import secrets
from typing import Final

_BYTES: Final = 32
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """32 random bytes as text."""
    return secrets.token_urlsafe(_BYTES)


def is_token(text: str) -> bool:
    """Whether the text could be one of ours."""
    return _SHAPE.fullmatch(text) is not None


def token_digest(token: str) -> str:
    """What is stored of a token: it has so much chance in it that no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()
