"""Ends a session at the provider, and tells the clients: by frames in a page and by a POST each.

RP-Initiated, Front-Channel and Back-Channel Logout 1.0.
"""

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from inbox.simulator.identity_provider.id_tokens import broken, header_of
from inbox.simulator.identity_provider.loopback import origin_of
from inbox.simulator.identity_provider.pages import sign_out_question, signed_out_page
from inbox.simulator.identity_provider.parties import ProviderClient, subject_of
from inbox.simulator.identity_provider.sign_in import OTHER_CLIENT, OTHER_ISSUER, cookie_name
from inbox.simulator.identity_provider.signatures import Claims, InvalidToken, unsigned
from inbox.simulator.identity_provider.state import ProviderSession, ProviderState, new_secret
from inbox.simulator.identity_provider.wire import (
    LogoutPost,
    Parameters,
    ProviderAnswer,
    ProviderCall,
    RefusedHere,
    redirect,
)
from inbox.simulator.identity_provider.wrong_answers import WrongAnswer

EVENT = "http://schemas.openid.net/event/backchannel-logout"
_DAY = 86400


def end_session(state: ProviderState, call: ProviderCall) -> ProviderAnswer:
    """The end session endpoint. Without a hint that fits the session, the person is asked."""
    sent = call.sent()
    hint = _hint_of(state, sent)
    client = _client_of(state, sent, hint)
    back = _checked_return(sent, client)
    session = state.session_of(call.cookie(cookie_name(state, "session")))
    hinted = session is not None and hint is not None and hint.get("sid") == session.sid
    asked = call.method == "POST" and sent.get("confirmed") == "yes" and _is_own_form(state, call)
    if session is not None and not hinted and not asked:
        kept = [pair for pair in sent.pairs if pair[0] != "confirmed"]
        return sign_out_question(urlsplit(state.issuer).path + "/logout", kept)
    frames, posts = end(state, session) if session is not None else ([], [])
    if back is not None and not frames:
        answer = redirect(back, state=sent.get("state"))
    else:
        link = None if back is None else _location(redirect(back, state=sent.get("state")))
        answer = signed_out_page(frames=frames, back=link)
    return ProviderAnswer(
        status=answer.status, headers=answer.headers, body=answer.body, logouts=tuple(posts)
    )


def end(state: ProviderState, session: ProviderSession) -> tuple[list[str], list[LogoutPost]]:
    """End one session; gives the addresses for frames, and the logout tokens to post."""
    state.sessions.pop(session.cookie, None)
    frames, posts = [], []
    for client_id in session.client_ids:
        client = state.clients[client_id]
        if client.front_channel_logout_uri is not None:
            frames.append(_front_address(state, client.front_channel_logout_uri, session.sid))
        if client.back_channel_logout_uri is not None:
            logout_token = logout_token_for(state, session, client)
            post = LogoutPost(
                client_id=client_id, address=client.back_channel_logout_uri, token=logout_token
            )
            posts.append(post)
    return frames, posts


def logout_token_for(state: ProviderState, session: ProviderSession, client: ProviderClient) -> str:
    """Back-Channel Logout, section 2.4; wrong on demand."""
    before = state.last_logout_tokens.get(client.client_id)
    if before is not None and state.wrong.strike(WrongAnswer.LOGOUT_REPLAYED):
        return before
    now = int(state.now.timestamp())
    claims: Claims = {
        "iss": state.issuer,
        "sub": subject_of(session.person, client, state.manners),
        "aud": client.client_id,
        "iat": now,
        "exp": now + 120,
        "jti": new_secret(),
        "sid": session.sid,
        "events": {EVENT: {}},
    }
    for wrong, change in _CHANGES.items():
        if state.wrong.strike(wrong):
            change(claims)
    key = state.keys.signing(client.id_token_algorithm)
    header = header_of(key, "logout+jwt")
    if state.wrong.strike(WrongAnswer.LOGOUT_UNSIGNED):
        return unsigned(header, claims)
    signed = key.sign(header, claims)
    if state.wrong.strike(WrongAnswer.LOGOUT_BROKEN_SIGNATURE):
        return broken(signed)
    state.last_logout_tokens[client.client_id] = signed
    return signed


def _expired(claims: Claims) -> None:
    claims["iat"] -= _DAY
    claims["exp"] -= _DAY


def _nameless(claims: Claims) -> None:
    del claims["sub"], claims["sid"]


_CHANGES: dict[WrongAnswer, Callable[[Claims], None]] = {
    WrongAnswer.LOGOUT_WITHOUT_EVENTS: lambda claims: claims.pop("events"),
    WrongAnswer.LOGOUT_WITH_NONCE: lambda claims: claims.update(nonce=new_secret()),
    WrongAnswer.LOGOUT_AUDIENCE: lambda claims: claims.update(aud=OTHER_CLIENT),
    WrongAnswer.LOGOUT_ISSUER: lambda claims: claims.update(iss=OTHER_ISSUER),
    WrongAnswer.LOGOUT_EXPIRED: _expired,
    WrongAnswer.LOGOUT_NO_SUBJECT: _nameless,
}


def _hint_of(state: ProviderState, sent: Parameters) -> Claims | None:
    """The claims of an ID token of ours, expired or not; any other hint is refused."""
    if repeated := sent.repeated():
        raise RefusedHere(f"Parameteren {repeated[0]} står flere ganger.")
    hint = sent.get("id_token_hint")
    if hint is None:
        return None
    try:
        claims = state.keys.claims_of(hint)
    except InvalidToken as error:
        raise RefusedHere("Beviset for innloggingen er ikke herfra (id_token_hint).") from error
    if claims.get("iss") != state.issuer:
        raise RefusedHere("Beviset for innloggingen er ikke herfra (id_token_hint).")
    return claims


def _client_of(
    state: ProviderState, sent: Parameters, hint: Claims | None
) -> ProviderClient | None:
    named = {str(each) for each in (sent.get("client_id"), (hint or {}).get("aud")) if each}
    if len(named) > 1:
        raise RefusedHere("Tjenesten er en annen enn den som ble logget inn (client_id).")
    if not named:
        return None
    client = state.clients.get(named.pop())
    if client is None:
        raise RefusedHere("Tjenesten er ikke kjent her (client_id).")
    return client


def _checked_return(sent: Parameters, client: ProviderClient | None) -> str | None:
    """Registered, character for character; without knowing the client there is none."""
    address = sent.get("post_logout_redirect_uri")
    if address is None:
        return None
    if client is None or address not in client.post_logout_redirect_uris:
        raise RefusedHere(
            "Adressen å komme tilbake til er ikke registrert (post_logout_redirect_uri)."
        )
    return address


def _is_own_form(state: ProviderState, call: ProviderCall) -> bool:
    own = origin_of(state.issuer)
    return call.headers.get("origin", own) == own


def _front_address(state: ProviderState, address: str, sid: str) -> str:
    said = {"iss": state.issuer} if state.manners.names_itself_at_logout else {}
    return address + ("&" if "?" in address else "?") + urlencode({**said, "sid": sid})


def _location(answer: ProviderAnswer) -> str:
    return dict(answer.headers)["location"]
