"""Errors as pages: what happened, and what to do; the counterpart of `inbox.web.problems`.

One table says which page an error gets. None of them holds a word of the error, of what was sent or
of what was asked for, so what is not there and what is not yours are the same bytes.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from inbox import log
from inbox.audit.gap import CUT, FORK
from inbox.errors import (
    ConcurrentWrite,
    Conflict,
    InboxError,
    Invalid,
    NotFound,
    NotPermitted,
    Unavailable,
)
from inbox.web.people.forms import ChangedByAnother, ForeignForm, FormExpired, TooFast
from inbox.web.people.rendering import page_texts, render
from inbox.web.people.same_page import SamePage
from inbox.web.people.texts import to_translate
from inbox.web.people.visitor import NoCapacity, NotSignedIn

_INTERNAL_STATUS: Final = 500
TOO_FAST: Final = to_translate("Det gikk for fort. Trykk en gang til.")
OPEN_TOO_LONG: Final = to_translate(
    "Siden var åpen for lenge, så ingenting er gjort. Det du skrev, står der fortsatt."
)


@dataclass(frozen=True, kw_only=True)
class StatePage:
    """What happened and what to do, in bokmål, and where one goes from here."""

    status: int
    title: str
    """What happened; the heading of the page and its title."""
    lead: str
    """The same in one whole sentence."""
    advice: tuple[str, ...] = ()
    """What to do; each a paragraph."""
    link: str = "/"
    link_text: str = to_translate("Til oversikten")
    headers: Mapping[str, str] | None = None
    is_signed_out: bool = False
    """Whether nobody is signed in any more, so that the frame names nobody."""
    is_ours: bool = False
    """Whether it is our fault: then the page says the time and an id that the log has, too."""


NOT_HERE: Final = StatePage(
    status=404,
    title=to_translate("Finnes ikke her"),
    lead=to_translate("Det er ingenting på denne adressen som du har tilgang til."),
    advice=(
        to_translate("Enten finnes det ikke, eller så er det ikke ditt. Vi sier ikke hvilket."),
        to_translate(
            "Fikk du adressen av en kollega? Se etter at du handler i rett rolle; den står øverst."
        ),
    ),
)
FOREIGN: Final = StatePage(
    status=403,
    title=to_translate("Skjemaet kom ikke herfra"),
    lead=to_translate("Ingenting er gjort: skjemaet hørte til en annen økt eller en annen side."),
    advice=(
        to_translate("Gå til siden på nytt og gjør det derfra."),
        to_translate("Kom du hit fra en lenke du ikke ventet? Si fra til driften."),
    ),
)
CHANGED: Final = StatePage(
    status=409,
    title=to_translate("Noen andre kom først"),
    lead=to_translate("Det du valgte, er ikke gjort, for det har endret seg i mellomtiden."),
    advice=(to_translate("Gå til det på nytt, se hva som er sant nå, og velg igjen."),),
)
EXPIRED: Final = StatePage(
    status=409,
    title=to_translate("Siden var åpen for lenge"),
    lead=to_translate("Ingenting er gjort. Det du skrev, er tatt vare på i en halv time."),
    advice=(to_translate("Gå til siden på nytt, se over, og send en gang til."),),
)
ERASED: Final = StatePage(
    status=410,
    title=to_translate("Slettet i mellomtiden"),
    lead=to_translate("Innholdet er slettet, fordi meldingen er journalført og besvart."),
    advice=(
        to_translate("Det du valgte, er ikke gjort. Fagsystemet har det som ble journalført."),
    ),
)
NO_CAPACITY: Final = StatePage(
    status=403,
    title=to_translate("Du handler ikke i noen rolle nå"),
    lead=to_translate("Rollen er ikke valgt, eller så er den avsluttet."),
    advice=(
        to_translate(
            "Har du ingen roller å velge? Den som fører folk og enheter hos dere, kan gi deg en."
        ),
    ),
    link="/kapasitet",
    link_text=to_translate("Velg rolle"),
)
NOT_SIGNED_IN: Final = StatePage(
    status=401,
    title=to_translate("Du er ikke logget inn"),
    lead=to_translate("Økten er over, eller så har du ikke logget inn ennå."),
    advice=(to_translate("Det du skrev like før, er tatt vare på i en halv time."),),
    link="/logg-inn",
    link_text=to_translate("Logg inn"),
    is_signed_out=True,
)
NOT_PERMITTED: Final = StatePage(
    status=403,
    title=to_translate("Dette kan du ikke gjøre"),
    lead=to_translate("Ingenting er gjort: rollen du handler i, kan ikke gjøre dette."),
    advice=(to_translate("Har du en annen rolle som kan? Bytt den øverst. Ellers: spør arkivet."),),
)
NO_POLICY: Final = StatePage(
    status=503,
    title=to_translate("Tilgangsreglene er ikke i kraft"),
    lead=to_translate("Ingen får se eller gjøre noe før reglene er i kraft igjen."),
    advice=(to_translate("Post tas fortsatt imot. Driften har fått beskjed; prøv igjen om litt."),),
    headers={"retry-after": "60"},
)
DATABASE_AWAY: Final = StatePage(
    status=503,
    title=to_translate("Databasen svarer ikke"),
    lead=to_translate("Ingenting er gjort, og ingenting er tapt."),
    advice=(to_translate("Prøv igjen om et minutt. Varer det, si fra til driften."),),
    headers={"retry-after": "30"},
)
AWAY: Final = replace(
    DATABASE_AWAY,
    title=to_translate("Noe vi trenger, er borte akkurat nå"),
)
GAP: Final = StatePage(
    status=503,
    title=to_translate("Innboksen står stille"),
    lead=to_translate(
        "Databasen er eldre enn loggen den er signert med. Alle er logget ut til det er ordnet."
    ),
    advice=(
        to_translate(
            "Post tas fortsatt imot. Driften må sette inn den nyeste databasen, eller to må godta"
            " hullet."
        ),
    ),
    headers={"retry-after": "300"},
    is_signed_out=True,
)
TOO_MANY: Final = StatePage(
    status=429,
    title=to_translate("For mange forespørsler"),
    lead=to_translate("Det kom flere forespørsler herfra enn en person rekker å sende."),
    advice=(to_translate("Vent et halvt minutt og prøv igjen. Ingenting er gjort i mellomtiden."),),
    headers={"retry-after": "30"},
)
TOO_LARGE: Final = StatePage(
    status=413,
    title=to_translate("Det ble for mye tekst"),
    lead=to_translate("Ingenting er gjort: et skjema kan ha høyst 64 kB."),
    advice=(to_translate("Gå tilbake med nettleserens knapp, forkort teksten og send igjen."),),
)
INVALID: Final = StatePage(
    status=422,
    title=to_translate("Skjemaet kan ikke leses"),
    lead=to_translate("Ingenting er gjort."),
    advice=(to_translate("Gå til siden på nytt og gjør det derfra."),),
)
NOT_THIS_WAY: Final = StatePage(
    status=405,
    title=to_translate("Det kan ikke gjøres på denne måten"),
    lead=to_translate("Ingenting er gjort."),
    advice=(to_translate("Gå til siden på nytt og gjør det derfra."),),
)
INTERNAL: Final = StatePage(
    status=_INTERNAL_STATUS,
    title=to_translate("Noe gikk galt hos oss"),
    lead=to_translate("Vi vet ikke om det du valgte, ble gjort."),
    advice=(
        to_translate("Se etter før du gjør det på nytt."),
        to_translate("Skjer det igjen, gi driften tidspunktet og nummeret under."),
    ),
    is_ours=True,
)
STATE_PAGES: Final[Mapping[str, StatePage]] = {
    "not_here": NOT_HERE,
    "foreign": FOREIGN,
    "changed": CHANGED,
    "expired": EXPIRED,
    "erased": ERASED,
    "no_capacity": NO_CAPACITY,
    "not_signed_in": NOT_SIGNED_IN,
    "not_permitted": NOT_PERMITTED,
    "no_policy": NO_POLICY,
    "database_away": DATABASE_AWAY,
    "away": AWAY,
    "gap": GAP,
    "too_many": TOO_MANY,
    "too_large": TOO_LARGE,
    "invalid": INVALID,
    "not_this_way": NOT_THIS_WAY,
    "internal": INTERNAL,
}
"""Every state page by a name, for the page that shows them all."""
_PAGE_OF_ERROR: Final[Mapping[type[InboxError], StatePage]] = {
    NotFound: NOT_HERE,
    NotSignedIn: NOT_SIGNED_IN,
    NoCapacity: NO_CAPACITY,
    ForeignForm: FOREIGN,
    FormExpired: EXPIRED,
    NotPermitted: NOT_PERMITTED,
    ConcurrentWrite: CHANGED,
    Conflict: CHANGED,
    Invalid: INVALID,
    Unavailable: AWAY,
}
_PAGE_OF_CODE: Final[Mapping[str, StatePage]] = {
    "message.erased": ERASED,
    "policy.not_active": NO_POLICY,
    "policy.nobody": NO_POLICY,
    "standstill": GAP,
    CUT: GAP,
    FORK: GAP,
}
"""For codes that say it better than their kind of error."""
_PAGE_OF_STATUS: Final[Mapping[int, StatePage]] = {404: NOT_HERE, 405: NOT_THIS_WAY}


def state_page(request: Request, page: StatePage) -> Response:
    """A page of the table, in the visitor's language."""
    signed_out: dict[str, object] = {"visitor": None, "side": None} if page.is_signed_out else {}
    return render(
        request,
        "state.html",
        status=page.status,
        headers=page.headers,
        page=page,
        request_id=getattr(request.state, "request_id", "") if page.is_ours else "",
        here="/",
        **signed_out,
    )


def page_of(error: InboxError) -> StatePage:
    """Which page an error of ours gets."""
    if error.code in _PAGE_OF_CODE:
        return _PAGE_OF_CODE[error.code]
    if isinstance(error, Unavailable) and error.code.startswith("database."):
        return DATABASE_AWAY
    kinds = (kind for kind in type(error).__mro__ if issubclass(kind, InboxError))
    return next((_PAGE_OF_ERROR[kind] for kind in kinds if kind in _PAGE_OF_ERROR), INTERNAL)


class StateAnswer:
    """One page of the table as an ASGI app, for a limit that is met before the app is asked."""

    def __init__(self, app: FastAPI, page: StatePage) -> None:
        self._app = app
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the page."""
        scope.setdefault("app", self._app)
        await state_page(Request(scope, receive), self._page)(scope, receive, send)


def install_state_pages(app: FastAPI) -> None:
    """Turn every error of the app into a page, including unknown paths and methods."""

    @app.exception_handler(TooFast)
    def too_fast(request: Request, error: TooFast) -> Response:
        return SamePage(error.form, page_texts(request).gettext(TOO_FAST))

    @app.exception_handler(ChangedByAnother)
    def changed(request: Request, error: ChangedByAnother) -> Response:
        del request
        return SamePage(error.form, error.notice)

    @app.exception_handler(FormExpired)
    def expired(request: Request, error: FormExpired) -> Response:
        return SamePage(error.form, page_texts(request).gettext(OPEN_TOO_LONG))

    @app.exception_handler(InboxError)
    def ours(request: Request, error: InboxError) -> Response:
        page = page_of(error)
        if page.status >= _INTERNAL_STATUS:
            _log(request, error, error.code)
        return state_page(request, page)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        # Only paths and closed filters are read that way: an address that nobody was given.
        del error
        return state_page(request, NOT_HERE)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        return state_page(request, _PAGE_OF_STATUS.get(error.status_code, INVALID))

    @app.exception_handler(Exception)
    def internal(request: Request, error: Exception) -> Response:
        _log(request, error, "internal")
        return state_page(request, INTERNAL)


def new_request_id() -> str:
    """A short random id, which a person can read out on the telephone."""
    return secrets.token_hex(4)


def _log(request: Request, error: Exception, code: str) -> None:
    """Its code, its type and the request's id, never its text."""
    log.emit(
        log.LogEvent.FAILED,
        {
            log.LogField.CODE: code,
            log.LogField.ERROR: type(error).__name__,
            log.LogField.REQUEST_ID: getattr(request.state, "request_id", None),
        },
    )
