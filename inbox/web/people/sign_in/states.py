"""What a page says when somebody is not signed in, or could not be; where each goes from there."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, urlencode

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from inbox.errors import InboxError
from inbox.line import Line
from inbox.sign_in.drafts import keep_draft
from inbox.sign_in.refusal import ProviderAway, SignInRefused
from inbox.sign_in.return_paths import address_and_back
from inbox.sign_in.sessions import DraftOwner, person_of_ended_session
from inbox.web.people.forms import Form, read_form
from inbox.web.people.sign_in.cookies import session_cookie, set_browser_cookie
from inbox.web.people.sign_in.visitors import DRAFT_FIELD, AskProvider, StrongNeeded, address_of
from inbox.web.people.state_pages import (
    NO_CAPACITY,
    NOT_SIGNED_IN,
    StatePage,
    state_page,
)
from inbox.web.people.texts import to_translate
from inbox.web.people.visitor import NoCapacity, NotSignedIn, visitor_of

_AGAIN: Final = to_translate("Logg inn på nytt")
_REFUSED: Final = StatePage(
    status=403,
    title=to_translate("Innloggingen ble ikke godtatt"),
    lead=to_translate("Svaret fra innloggingstjenesten kunne ikke godtas, så du er ikke inne."),
    advice=(to_translate("Logg inn på nytt. Skjer det igjen, si fra til driften."),),
    link="/logg-inn",
    link_text=_AGAIN,
)
_NOT_FINISHED: Final = replace(
    _REFUSED,
    title=to_translate("Innloggingen ble ikke fullført"),
    lead=to_translate(
        "Den var begynt i en annen nettleser, for mer enn ti minutter siden, eller er brukt før."
    ),
    advice=(to_translate("Logg inn på nytt herfra."),),
)
_CANCELLED: Final = replace(
    _REFUSED,
    title=to_translate("Du avbrøt innloggingen"),
    lead=to_translate("Ingenting er gjort, og du er ikke inne."),
    advice=(),
)
_NOT_STRONG: Final = replace(
    _REFUSED,
    title=to_translate("Innloggingen var ikke sterk nok"),
    lead=to_translate("Det du ville gjøre, krever en sterkere innlogging enn den du brukte."),
    advice=(to_translate("Prøv igjen, og velg en sterkere måte å logge inn på."),),
    link="/",
    link_text=to_translate("Til oversikten"),
)
_STRONG_FIRST: Final = StatePage(
    status=403,
    title=to_translate("Dette krever en ny, sterk innlogging"),
    lead=to_translate("Ingenting er gjort ennå. Det du skrev, står i skjemaet når du er tilbake."),
    link="/logg-inn/sterk",
    link_text=_AGAIN,
)
_OTHER_PERSON: Final = replace(
    _REFUSED,
    title=to_translate("En annen logget inn"),
    lead=to_translate("Økten tilhører en annen enn den som nå logget inn. Ingenting er gjort."),
    advice=(to_translate("Logg ut først hvis dere deler maskin."),),
)
_TAKEN: Final = replace(
    _REFUSED,
    title=to_translate("Innloggingen er en annens"),
    lead=to_translate("Denne innloggingen er alt knyttet til en annen person i katalogen."),
    advice=(to_translate("Si fra til den som fører folk og enheter hos dere."),),
)
_PROVIDER_AWAY: Final = StatePage(
    status=503,
    title=to_translate("Innloggingstjenesten svarer ikke"),
    lead=to_translate(
        "Vi når ikke tjenesten du logger inn med. De som er inne, kan arbeide videre."
    ),
    advice=(to_translate("Prøv igjen om litt. Varer det, si fra til driften."),),
    link="/logg-inn",
    link_text=_AGAIN,
    headers={"retry-after": "30"},
)
_PAGE_OF_CODE: Final[Mapping[str, StatePage]] = {
    "sign_in.state": _NOT_FINISHED,
    "sign_in.cancelled": _CANCELLED,
    "sign_in.not_strong": _NOT_STRONG,
    "sign_in.other_identity": _OTHER_PERSON,
    "identity.taken": _TAKEN,
    "binding_code.none": _NOT_FINISHED,
}
_READING: Final = frozenset({"GET", "HEAD"})


def install_sign_in_states(app: FastAPI) -> None:
    """Send people to sign in, to choose a capacity, or to sign in more strongly, and back."""

    @app.exception_handler(AskProvider)
    def ask(request: Request, error: AskProvider) -> Response:
        del request
        response = RedirectResponse(error.address, status_code=303)
        set_browser_cookie(response, error.cookie)
        return response

    @app.exception_handler(NotSignedIn)
    def not_signed_in(request: Request, error: NotSignedIn) -> Response:
        del error
        if request.method in _READING:
            return _redirect("/logg-inn", address_of(request))
        with suppress(InboxError):
            back = _kept(request, read_form(request, None), _owner_by_cookie(request))
            return state_page(
                request, replace(NOT_SIGNED_IN, link=address_and_back("/logg-inn", back))
            )
        return state_page(request, NOT_SIGNED_IN)

    @app.exception_handler(NoCapacity)
    def no_capacity(request: Request, error: NoCapacity) -> Response:
        del error
        if request.method in _READING:
            return _redirect("/kapasitet", address_of(request))
        return state_page(request, NO_CAPACITY)

    @app.exception_handler(StrongNeeded)
    def strong_needed(request: Request, error: StrongNeeded) -> Response:
        return _strong_first(request, error.form)

    @app.exception_handler(SignInRefused)
    def refused(request: Request, error: SignInRefused) -> Response:
        return state_page(request, _PAGE_OF_CODE.get(error.code, _REFUSED))

    @app.exception_handler(ProviderAway)
    def away(request: Request, error: ProviderAway) -> Response:
        del error
        return state_page(request, _PROVIDER_AWAY)


def _strong_first(request: Request, form: Form | None) -> Response:
    """On to the provider; from a form by a link, since `form-action 'self'` ends it there."""
    back = address_of(request)
    if form is not None:
        back = _kept(request, form, _owner_by_visitor(request))
    if request.method in _READING:
        return _redirect("/logg-inn/sterk", back)
    return state_page(
        request, replace(_STRONG_FIRST, link=address_and_back("/logg-inn/sterk", back))
    )


def _redirect(path: str, back: str) -> Response:
    return RedirectResponse(address_and_back(path, back), status_code=303)


def _owner_by_cookie(request: Request) -> DraftOwner | None:
    line: Line = request.app.state.line
    with line.store.reading() as tx:
        return person_of_ended_session(tx, tx.now, session_cookie(request))


def _owner_by_visitor(request: Request) -> DraftOwner | None:
    visitor = visitor_of(request)
    if visitor is None:
        return None
    capacity = visitor.capacity
    return DraftOwner(
        session=visitor.session,
        person=visitor.person,
        capacity=None if capacity is None else capacity.id,
    )


def _kept(request: Request, form: Form, owner: DraftOwner | None) -> str:
    """The address of the page that the form was on, with what was typed kept beside it."""
    path, _, query = form.return_address.partition("?")
    if owner is None or not form.typed:
        return form.return_address
    line: Line = request.app.state.line
    with line.store.transaction() as tx:
        draft_id = keep_draft(line, tx, owner, form=path, fields=form.typed)
    others = [(name, value) for name, value in parse_qsl(query) if name != DRAFT_FIELD]
    return f"{path}?{urlencode([*others, (DRAFT_FIELD, draft_id)])}"
