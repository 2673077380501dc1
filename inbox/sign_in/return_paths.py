r"""Where somebody goes after signing in: a path of ours, and nothing that a browser takes further.

Browsers read `\` as `/`, drop tabs and line breaks, and take `//host` for another host.
"""

import re
from typing import Final
from urllib.parse import quote, unquote, urlsplit

FRONT_PAGE: Final = "/"
_LONGEST: Final = 500
_PATH: Final = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@%-][A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?")
_NEVER: Final = ("/logg-inn", "/logg-ut", "/oidc", "/knytt")
"""Pages of the sign-in itself: one would come back for ever."""


def safe_return_path(text: str | None) -> str:
    """The path if it is one of ours, else the front page."""
    if text is None or len(text) > _LONGEST or _PATH.fullmatch(text) is None:
        return FRONT_PAGE
    decoded = unquote(text)
    if not decoded.isprintable() or "\\" in decoded or "//" in decoded.partition("?")[0]:
        return FRONT_PAGE
    parts = urlsplit(text)
    if parts.scheme or parts.netloc:
        return FRONT_PAGE
    segments = decoded.partition("?")[0].split("/")
    if ".." in segments or "." in segments:
        return FRONT_PAGE
    path = decoded.partition("?")[0]
    if any(path == never or path.startswith(f"{never}/") for never in _NEVER):
        return FRONT_PAGE
    return text


def address_and_back(path: str, back: str | None) -> str:
    """The address of a page of the sign-in, from which a person comes back to the path."""
    safe = safe_return_path(back)
    return path if safe == FRONT_PAGE else f"{path}?til={quote(safe, safe='/')}"
