"""The pages of signing in and out: to a provider and back, by a code, and what sessions there are.

A sign-in begins with a link, not with a form: `form-action 'self'` forbids a form that is answered
by sending the browser to a provider.
"""

from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse, RedirectResponse

from inbox.errors import NotFound
from inbox.line import Line
from inbox.sign_in import sessions
from inbox.sign_in.callback import CallbackAnswer, take_back
from inbox.sign_in.capacity_names import capacity_name
from inbox.sign_in.code_sign_in import bind_and_begin, sign_in_with_personal_code, waits_for_code
from inbox.sign_in.desk import Browser, SignInDesk, SignInOutcome, send_to_provider
from inbox.sign_in.provider_sign_out import end_by_frame
from inbox.sign_in.refusal import SignInRefused
from inbox.sign_in.return_paths import address_and_back, safe_return_path
from inbox.sign_in.under_way import SignInPurpose
from inbox.web.people.forms import read_form
from inbox.web.people.rendering import render
from inbox.web.people.sign_in.cookies import (
    browser_cookie,
    drop_session_cookie,
    set_browser_cookie,
    set_session_cookie,
)
from inbox.web.people.sign_in.visitors import SignedIn, live_session

router: Final = APIRouter()
open_router: Final = APIRouter()
"""Pages that anybody may read; who is signed in is shown on them, if somebody is."""
SIGNED_OUT_PATH: Final = "/logg-ut/ferdig"
_SIGN_IN_PATH: Final = "/logg-inn"
_SEE_OTHER: Final = 303
_OK: Final = 200


@open_router.get(_SIGN_IN_PATH)
def sign_in_page(request: Request, til: str = "/") -> Response:
    """Which ways there are to sign in."""
    return _sign_in_page(request, safe_return_path(til))


@router.get("/logg-inn/sterk")
def step_up(request: Request, til: str = "/") -> Response:
    """Sign in once more, strongly, and come back; no other question comes in between."""
    session = live_session(request)
    if session is None or session.provider is None:
        return RedirectResponse(address_and_back(_SIGN_IN_PATH, til), _SEE_OTHER)
    return _send(request, session.provider, til, SignInPurpose.STEP_UP)


@router.get("/logg-inn/med/{provider}")
def begin(request: Request, provider: str, til: str = "/") -> Response:
    """Go to a provider; only from a page of ours, or from an address that somebody typed."""
    if request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        return RedirectResponse(_SIGN_IN_PATH, _SEE_OTHER)
    return _send(request, provider, til, SignInPurpose.SIGN_IN)


@router.post("/logg-inn/kode")
def by_personal_code(request: Request) -> Response:
    """Sign in with a personal code, where the settings allow that for a day."""
    desk: SignInDesk = request.app.state.desk
    form = read_form(request, None)
    back = safe_return_path(form.one("til"))
    try:
        outcome = sign_in_with_personal_code(
            desk, _browser(request), form.one("person"), form.one("kode"), return_to=back
        )
    except SignInRefused as error:
        if error.code != "code.wrong":
            raise
        return _sign_in_page(request, back, status=403)
    return _answer(outcome)


@router.get("/oidc/callback")
def callback(request: Request) -> Response:
    """Where a provider sends the browser back to."""
    query = request.query_params
    names = ("state", "code", "iss", "error", "error_description")
    if any(len(query.getlist(name)) > 1 for name in names):
        raise SignInRefused("sign_in.state", "a parameter stands there twice")
    answer = CallbackAnswer(
        state=query.get("state", ""),
        code=query.get("code"),
        issuer=query.get("iss"),
        error=query.get("error"),
        description=query.get("error_description"),
    )
    return _answer(take_back(request.app.state.desk, _browser(request), answer))


@open_router.get("/knytt")
def binding_page(request: Request) -> Response:
    """Where a person whose identity is nobody's yet types the code that two have issued."""
    if not waits_for_code(request.app.state.desk, _browser(request)):
        raise SignInRefused("binding_code.none")
    return render(request, "bind.html", wrong=False)


@router.post("/knytt")
def bind(request: Request) -> Response:
    """Take the code."""
    desk: SignInDesk = request.app.state.desk
    browser, form = _browser(request), read_form(request, None)
    try:
        return _answer(bind_and_begin(desk, browser, form.one("kode")))
    except SignInRefused as error:
        if error.code != "binding_code.wrong" or not waits_for_code(desk, browser):
            raise
    return render(request, "bind.html", status=403, wrong=True)


@router.post("/logg-ut")
def sign_out(request: Request, visitor: SignedIn) -> Response:
    """End this session; the provider's own sign-out is a link, since a form may not lead there."""
    read_form(request, visitor)
    desk: SignInDesk = request.app.state.desk
    session = live_session(request)
    with desk.line.store.transaction() as tx:
        sessions.end_own_session(tx, visitor.person, visitor.session)
    provider = None if session is None else desk.providers.get(session.provider or "")
    back = desk.public_url.rstrip("/") + SIGNED_OUT_PATH
    request.state.visitor = None
    response = render(
        request,
        "signed_out.html",
        provider=None if provider is None else provider.terms.title,
        end_there=None if provider is None else provider.end_session_address(back),
    )
    drop_session_cookie(response)
    return response


@open_router.get(SIGNED_OUT_PATH)
def signed_out(request: Request) -> Response:
    """Back from a provider's own sign-out."""
    return render(request, "signed_out.html", provider=None, end_there=None)


@router.get("/oidc/front-logout")
def front_logout(request: Request, iss: str | None = None, sid: str | None = None) -> Response:
    """The one page that a provider may frame: it says that somebody has signed out there."""
    desk: SignInDesk = request.app.state.desk
    end_by_frame(desk, issuer=iss, sid=sid)
    issuers = sorted({_origin(each.terms.issuer) for each in desk.providers.values()})
    framers = " ".join(issuers) or "'none'"
    headers = {
        "content-security-policy": f"default-src 'none'; frame-ancestors {framers}",
        "cross-origin-resource-policy": "cross-origin",
    }
    return HTMLResponse("<!doctype html><title>.</title>", headers=headers)


@router.get("/kapasitet")
def capacity_page(request: Request, visitor: SignedIn, til: str = "/") -> Response:
    """In which capacity the person acts from now on."""
    line: Line = request.app.state.line
    with line.store.reading() as tx:
        found = sessions.capacities_of(tx, tx.now, visitor.person)
    named = [
        (each.id, capacity_name(each.role, each.unit_name, visitor.language)) for each in found
    ]
    chosen = None if visitor.capacity is None else visitor.capacity.id
    back = safe_return_path(til)
    return render(request, "capacity.html", capacities=named, chosen=chosen, back=back)


@router.post("/kapasitet")
def choose_capacity(request: Request, visitor: SignedIn) -> Response:
    """Act in it; nobody else's can be chosen."""
    form, line = read_form(request, visitor), request.app.state.line
    with line.store.transaction() as tx:
        sessions.choose_capacity(tx, visitor.session, visitor.person, form.one("kapasitet"))
    return RedirectResponse(safe_return_path(form.one("til")), _SEE_OTHER)


@router.get("/okter")
def sessions_page(request: Request, visitor: SignedIn) -> Response:
    """Where the person is signed in."""
    desk: SignInDesk = request.app.state.desk
    with desk.line.store.reading() as tx:
        listed = sessions.sessions_of(tx, tx.now, visitor.person)
    titles = {name: provider.terms.title for name, provider in desk.providers.items()}
    return render(request, "sessions.html", sessions=listed, titles=titles, own=visitor.session)


@router.post("/okter")
def end_session(request: Request, visitor: SignedIn) -> Response:
    """End one of the person's own sessions."""
    form, line = read_form(request, visitor), request.app.state.line
    with line.store.transaction() as tx:
        sessions.end_own_session(tx, visitor.person, form.one("okt"))
    return RedirectResponse("/okter", _SEE_OTHER)


def _sign_in_page(request: Request, back: str, *, status: int = 200) -> Response:
    desk: SignInDesk = request.app.state.desk
    return render(
        request,
        "sign_in.html",
        status=status,
        providers=[provider.terms for provider in desk.providers.values()],
        takes_codes=desk.takes_personal_codes,
        back=back,
        wrong=status != _OK,
    )


def _browser(request: Request) -> Browser:
    return Browser(cookie=browser_cookie(request), session=live_session(request))


def _send(request: Request, provider: str, back: str, purpose: SignInPurpose) -> Response:
    desk: SignInDesk = request.app.state.desk
    if provider not in desk.providers:
        raise NotFound
    browser = _browser(request)
    address = send_to_provider(desk, browser, provider, return_to=back, purpose=purpose)
    response = RedirectResponse(address, _SEE_OTHER)
    set_browser_cookie(response, browser.cookie)
    return response


def _answer(outcome: SignInOutcome) -> Response:
    if outcome.needs_code:
        return RedirectResponse("/knytt", _SEE_OTHER)
    back = safe_return_path(outcome.return_to)
    path = address_and_back(_SIGN_IN_PATH, back) if outcome.has_ended else back
    response = RedirectResponse(path, _SEE_OTHER)
    if outcome.has_ended:
        drop_session_cookie(response)
    if outcome.token is not None:
        set_session_cookie(response, outcome.token)
    return response


def _origin(issuer: str) -> str:
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}"
