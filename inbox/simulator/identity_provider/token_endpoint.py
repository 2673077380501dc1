"""The token endpoint: a code becomes tokens once, for the client that it was made for."""

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import replace

from inbox.simulator.identity_provider.client_proof import client_of
from inbox.simulator.identity_provider.id_tokens import id_token_for
from inbox.simulator.identity_provider.parties import ProviderClient
from inbox.simulator.identity_provider.signatures import base64url
from inbox.simulator.identity_provider.state import (
    ACCESS_TOKEN_LASTS,
    CodeGrant,
    ProviderState,
    TokenGrant,
    new_secret,
)
from inbox.simulator.identity_provider.wire import (
    NO_STORE,
    Parameters,
    ProviderAnswer,
    ProviderCall,
    ProviderRefusal,
    json_body,
)
from inbox.simulator.identity_provider.wrong_answers import WrongAnswer

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
"""RFC 7636, section 4.1."""


def token(state: ProviderState, call: ProviderCall) -> ProviderAnswer:
    """The token response, or an error by its name in RFC 6749, section 5.2."""
    if (staged := _in_its_place(state)) is not None:
        return staged
    try:
        answer = _redeem(state, call)
    except ProviderRefusal as refusal:
        return _refused(refusal)
    if state.wrong.strike(WrongAnswer.TOKEN_SLOW):
        return replace(answer, first_wait=state.wrong.slow_by)
    if state.wrong.strike(WrongAnswer.TOKEN_TRICKLE):
        return replace(answer, pause=state.wrong.slow_by / 60)
    return answer


def _redeem(state: ProviderState, call: ProviderCall) -> ProviderAnswer:
    form = call.form
    if form is None:
        raise ProviderRefusal("invalid_request", "the body must be a form")
    if repeated := form.repeated():
        raise ProviderRefusal("invalid_request", f"{repeated[0]} is repeated")
    client = client_of(state, call, form)
    if _required(form, "grant_type") != "authorization_code":
        raise ProviderRefusal("unsupported_grant_type", "grant_type must be authorization_code")
    code = _required(form, "code")
    grant = _used(state, code)
    _check_binding(state, grant, client, form)
    access_token = new_secret()
    state.used_codes[code].append(access_token)
    scopes = grant.request.scopes
    state.access[access_token] = TokenGrant(
        client=client, person=grant.person, scopes=scopes, until=state.now + ACCESS_TOKEN_LASTS
    )
    body = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": int(ACCESS_TOKEN_LASTS.total_seconds()),
        "scope": " ".join(scopes),
    }
    if not state.wrong.strike(WrongAnswer.NO_ID_TOKEN):
        body["id_token"] = id_token_for(state, grant, client, access_token)
    return json_body(body)


def _used(state: ProviderState, code: str) -> CodeGrant:
    """The grant; the code is used up, whatever comes of it.

    A second time also takes back what the first gave (RFC 6749, section 4.1.2).
    """
    if code in state.used_codes:
        state.revoke(state.used_codes[code])
        raise ProviderRefusal("invalid_grant", "the code was used before")
    grant = state.codes.pop(code, None)
    if grant is None:
        raise ProviderRefusal("invalid_grant", "the code is unknown")
    state.used_codes[code] = []
    return grant


def _check_binding(
    state: ProviderState, grant: CodeGrant, client: ProviderClient, form: Parameters
) -> None:
    if grant.client_id != client.client_id:
        raise ProviderRefusal("invalid_grant", "the code belongs to another client")
    if state.now >= grant.until:
        raise ProviderRefusal("invalid_grant", "the code has expired")
    if _required(form, "redirect_uri") != grant.request.redirect_uri:
        raise ProviderRefusal("invalid_grant", "redirect_uri is another than in the request")
    verifier = _required(form, "code_verifier")
    challenge = base64url(hashlib.sha256(verifier.encode()).digest())
    right = hmac.compare_digest(challenge, grant.request.challenge)
    if not _VERIFIER.fullmatch(verifier) or not right:
        raise ProviderRefusal("invalid_grant", "code_verifier is wrong")
    if grant.person.id in state.disabled:
        raise ProviderRefusal("invalid_grant", "the person is disabled")


def _required(form: Parameters, name: str) -> str:
    value = form.get(name)
    if value is None:
        raise ProviderRefusal("invalid_request", f"{name} is required")
    return value


def _refused(refusal: ProviderRefusal) -> ProviderAnswer:
    body = {"error": refusal.error, "error_description": refusal.description}
    answer = json_body(body, status=refusal.status)
    if refusal.status != 401:  # noqa: PLR2004 - the one that must name a scheme
        return answer
    return replace(answer, headers=(*answer.headers, ("www-authenticate", 'Basic realm="token"')))


def _in_its_place(state: ProviderState) -> ProviderAnswer | None:
    """A wrong answer that comes instead of doing anything."""
    wrong = state.wrong
    if wrong.strike(WrongAnswer.TOKEN_HUGE):
        kind = ("content-type", "application/json")
        return ProviderAnswer(headers=(kind, *NO_STORE), body=_huge(wrong.huge_bytes))
    if wrong.strike(WrongAnswer.TOKEN_REDIRECT):
        return ProviderAnswer(status=307, headers=(("location", state.issuer + "/elsewhere"),))
    if wrong.strike(WrongAnswer.TOKEN_NOT_JSON):
        kind = ("content-type", "text/html; charset=utf-8")
        return ProviderAnswer(headers=(kind,), body=b"<!DOCTYPE html><title>Velkommen</title>")
    if wrong.strike(WrongAnswer.TOKEN_FAILS):
        return json_body({"error": "server_error"}, status=500)
    if wrong.strike(WrongAnswer.TOKEN_REFUSED):
        return _refused(ProviderRefusal("invalid_grant", "on demand"))
    return None


def _huge(length: int) -> Iterator[bytes]:
    """JSON that would be right if anybody read it to its end."""
    yield b'{"token_type": "Bearer", "access_token": "'
    chunk = b"a" * 65536
    for _ in range(-(-length // len(chunk))):
        yield chunk
    yield b'"}'
