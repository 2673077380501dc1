"""From a checked request to a code: by the session of the browser, or by somebody being chosen."""

from dataclasses import replace
from urllib.parse import urlsplit

from inbox.simulator.identity_provider.authorization import (
    ReturnAddress,
    is_signed_in_enough,
    level_reached,
    read_request,
    return_address_of,
)
from inbox.simulator.identity_provider.loopback import origin_of
from inbox.simulator.identity_provider.pages import choice_page
from inbox.simulator.identity_provider.parties import ProviderPerson
from inbox.simulator.identity_provider.state import (
    CHOICE_LASTS,
    CODE_LASTS,
    AuthorizationRequest,
    CodeGrant,
    OpenChoice,
    ProviderSession,
    ProviderState,
    new_secret,
)
from inbox.simulator.identity_provider.wire import (
    ProviderAnswer,
    ProviderCall,
    ProviderRefusal,
    RefusedHere,
    redirect,
)
from inbox.simulator.identity_provider.wrong_answers import WrongAnswer

OTHER_ISSUER = "http://other-issuer.localhost"
OTHER_CLIENT = "another-client"


def authorize(state: ProviderState, call: ProviderCall) -> ProviderAnswer:
    """The authorization endpoint; from here on errors go to the client, by redirect."""
    back = return_address_of(state, call.sent())
    try:
        request = read_request(state, call.sent(), back)
    except ProviderRefusal as refusal:
        return _with_error(state, back, refusal)
    session = state.session_of(call.cookie(cookie_name(state, "session")))
    if session is not None and is_signed_in_enough(state, request, session):
        return _with_code(state, request, session)
    if "none" in request.prompts:
        required = ProviderRefusal("login_required", "the person must sign in")
        return _with_error(state, back, required)
    return _ask(state, call, request, session)


def choose(state: ProviderState, call: ProviderCall) -> ProviderAnswer:
    """Somebody was chosen on the page that this browser was shown."""
    form = call.sent()
    browser = call.cookie(cookie_name(state, "browser"))
    if call.headers.get("origin", origin_of(state.issuer)) != origin_of(state.issuer):
        raise RefusedHere("Valget kom fra en annen side.")
    choice = state.choices.get(form.get("choice") or "")
    if choice is None or choice.browser != browser or state.now >= choice.until:
        raise RefusedHere("Valget er for gammelt, brukt før eller fra en annen nettleser.")
    del state.choices[form.get("choice") or ""]
    person = state.people.get(form.get("person") or "")
    if person is None:
        raise RefusedHere("Denne personen finnes ikke.")
    request = choice.request
    back = ReturnAddress(
        client=request.client, redirect_uri=request.redirect_uri, state=request.state
    )
    if person.id in state.disabled:
        return _with_error(state, back, ProviderRefusal("access_denied", "the person is disabled"))
    try:
        level = level_reached(state, request, person.strongest)
    except ProviderRefusal as refusal:
        return _with_error(state, back, refusal)
    session = _renewed(state, call, person, level)
    return _with_cookie(state, _with_code(state, request, session), "session", session.cookie)


def cookie_name(state: ProviderState, purpose: str) -> str:
    """Of this provider alone: a browser sends cookies to every port of a host."""
    return f"identity_provider_{urlsplit(state.issuer).port or 'default'}_{purpose}"


def _ask(
    state: ProviderState,
    call: ProviderCall,
    request: AuthorizationRequest,
    session: ProviderSession | None,
) -> ProviderAnswer:
    """The page of people; the one who is hinted at, or signed in, comes first."""
    browser = call.cookie(cookie_name(state, "browser")) or new_secret()
    state.choices = {name: each for name, each in state.choices.items() if each.until > state.now}
    choice = new_secret()
    state.choices[choice] = OpenChoice(
        browser=browser, request=request, until=state.now + CHOICE_LASTS
    )
    hints = {request.login_hint, session.person.id if session is not None else None} - {None}
    people = [person for person in state.people.values() if person.id not in state.disabled]
    page = choice_page(
        sorted(people, key=lambda person: not hints & {person.id, person.claims.get("email")}),
        action=urlsplit(state.issuer).path + "/choose",
        choice=choice,
        reason=_reason(request, session),
        redirect_uri=request.redirect_uri,
    )
    return _with_cookie(state, page, "browser", browser)


def _reason(request: AuthorizationRequest, session: ProviderSession | None) -> str:
    if session is None:
        return "Velg en person å logge inn som."
    if request.level is not None:
        return f"{session.person.name} er logget inn. Tjenesten ber om en sikrere innlogging."
    return f"{session.person.name} er logget inn. Tjenesten ber om en ny innlogging."


def _renewed(
    state: ProviderState, call: ProviderCall, person: ProviderPerson, level: str
) -> ProviderSession:
    """A session under a new cookie. The same person keeps `sid`; no client hears of another's."""
    before = state.session_of(call.cookie(cookie_name(state, "session")))
    now = state.now.replace(microsecond=0)
    fresh = ProviderSession(
        cookie=new_secret(),
        sid=new_secret(),
        person=person,
        began_at=now,
        auth_time=now,
        level=level,
    )
    if before is not None:
        del state.sessions[before.cookie]
        if before.person.id == person.id:
            fresh = replace(
                fresh, sid=before.sid, began_at=before.began_at, client_ids=before.client_ids
            )
    state.sessions[fresh.cookie] = fresh
    return fresh


def _with_code(
    state: ProviderState, request: AuthorizationRequest, session: ProviderSession
) -> ProviderAnswer:
    client_id, wrong = request.client.client_id, state.wrong
    if client_id not in session.client_ids:
        session.client_ids.append(client_id)
    code = new_secret()
    other = wrong.strike(WrongAnswer.CODE_OF_ANOTHER_CLIENT)
    state.codes[code] = CodeGrant(
        client_id=OTHER_CLIENT if other else client_id,
        request=request,
        person=session.person,
        sid=session.sid,
        auth_time=session.auth_time,
        level=session.level,
        until=state.now + CODE_LASTS,
    )
    return redirect(
        request.redirect_uri,
        code=code,
        state=_state_said(state, request.state),
        iss=_issuer_said(state),
    )


def _with_error(
    state: ProviderState, back: ReturnAddress, refusal: ProviderRefusal
) -> ProviderAnswer:
    """Errors name the issuer, too (RFC 9207, section 2)."""
    return redirect(
        back.redirect_uri,
        error=refusal.error,
        error_description=refusal.description,
        state=_state_said(state, back.state),
        iss=_issuer_said(state),
    )


def _state_said(state: ProviderState, right: str | None) -> str | None:
    return new_secret() if state.wrong.strike(WrongAnswer.RESPONSE_STATE) else right


def _issuer_said(state: ProviderState) -> str | None:
    if state.wrong.strike(WrongAnswer.RESPONSE_NO_ISSUER):
        return None
    if state.wrong.strike(WrongAnswer.RESPONSE_ISSUER):
        return OTHER_ISSUER
    return state.issuer if state.manners.names_itself else None


def _with_cookie(
    state: ProviderState, answer: ProviderAnswer, purpose: str, value: str
) -> ProviderAnswer:
    path = urlsplit(state.issuer).path or "/"
    secure = "; Secure" if state.issuer.startswith("https:") else ""
    cookie = f"{cookie_name(state, purpose)}={value}; Path={path}; HttpOnly; SameSite=Lax{secure}"
    return replace(answer, headers=(*answer.headers, ("set-cookie", cookie)))
