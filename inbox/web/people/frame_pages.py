"""The pages that belong to the frame: help with its keys, accessibility, the choice of language."""

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from inbox.errors import Invalid
from inbox.language import TextLanguage
from inbox.sign_in.sessions import set_language
from inbox.web.people.forms import has_token, read_form
from inbox.web.people.language_choice import remember_language
from inbox.web.people.rendering import render
from inbox.web.people.texts import to_translate
from inbox.web.people.visitor import visitor_of

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class PageKey:
    """An access key, and what it does."""

    key: str
    does: str
    """In bokmål."""


KEYS: Final = (
    PageKey(key="1", does=to_translate("Den første handlingen på siden, som foreslås")),
    PageKey(key="2", does=to_translate("Den andre")),
    PageKey(key="3", does=to_translate("Den tredje")),
    PageKey(key="4", does=to_translate("Velg blant alle enheter")),
    PageKey(key="j", does=to_translate("Neste i køen")),
    PageKey(key="k", does=to_translate("Forrige i køen")),
    PageKey(key="u", does=to_translate("Opp til køen")),
    PageKey(key="z", does=to_translate("Angre det siste")),
    PageKey(key="o", does=to_translate("Hent siden på nytt")),
    PageKey(key="s", does=to_translate("Finn en melding")),
    PageKey(key="h", does=to_translate("Oversikten")),
    PageKey(key="v", does=to_translate("Velg flere")),
    PageKey(key="p", does=to_translate("Sett på vent")),
    PageKey(key="t", does=to_translate("Skriv notat")),
    PageKey(key="0", does=to_translate("Denne siden")),
)
"""Not d, e and f: those are menus of browsers."""


@router.get("/hjelp")
def help_page(request: Request) -> Response:
    """What the pages can do, and every key."""
    return render(request, "help.html", keys=KEYS)


@router.get("/tilgjengelighet")
def accessibility_page(request: Request) -> Response:
    """The accessibility statement, and how to complain."""
    return render(request, "accessibility.html")


@router.post("/sprak")
def choose_language(request: Request) -> Response:
    """Keep the language that was chosen, and go back to the same page in it."""
    visitor = visitor_of(request)
    form = read_form(request, visitor if has_token(request) else None)
    chosen = form.one("sprak")
    if chosen not in set(TextLanguage):
        raise Invalid("form.language")
    if visitor is not None and hasattr(request.app.state, "desk"):
        with request.app.state.line.store.transaction() as tx:
            set_language(tx, visitor.person, TextLanguage(chosen))
    response = RedirectResponse(form.return_address, status_code=303)
    remember_language(response, TextLanguage(chosen))
    return response
