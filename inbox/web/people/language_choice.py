"""In which language a page answers: the chosen one, else the person's own, else a Norwegian one.

The choice is a cookie that holds nothing but the name of a language.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from inbox.language import TextLanguage

LANGUAGE_COOKIE: Final = "__Host-sprak"
_A_YEAR: Final = 365 * 24 * 3600
_NORWEGIAN: Final = {
    "nb": TextLanguage.NB,
    "no": TextLanguage.NB,
    "nn": TextLanguage.NN,
}


def language_of(request: Request, own: TextLanguage | None = None) -> TextLanguage:
    """The language of this request's answer; `own` is the one that the person has set, if any."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in set(TextLanguage):
        return TextLanguage(chosen)
    return own or _asked_for(request.headers.get("accept-language", ""))


def remember_language(response: Response, language: TextLanguage) -> None:
    """Keep the choice in this browser."""
    response.set_cookie(
        LANGUAGE_COOKIE,
        language,
        max_age=_A_YEAR,
        secure=True,
        httponly=True,
        samesite="lax",
    )


def _asked_for(header: str) -> TextLanguage:
    """The first Norwegian language of the browser's list; bokmål where there is none.

    Browsers are set up in English for many who work in Norwegian, so English is only ever chosen.
    """
    for entry in header.split(",")[:10]:
        name = entry.partition(";")[0].strip().partition("-")[0].lower()
        if name in _NORWEGIAN:
            return _NORWEGIAN[name]
    return TextLanguage.NB
