"""Finds out whether a caller at the token endpoint is the client that it says it is."""

import base64
import binascii
import hmac
from datetime import UTC, datetime, timedelta
from typing import NoReturn
from urllib.parse import unquote_plus

from inbox.simulator.identity_provider.parties import ClientAuthentication, ProviderClient
from inbox.simulator.identity_provider.signatures import (
    Claims,
    InvalidToken,
    read_token,
    verify,
)
from inbox.simulator.identity_provider.state import ProviderState
from inbox.simulator.identity_provider.wire import Parameters, ProviderCall, ProviderRefusal

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_ASSERTION = timedelta(seconds=120)
"""What Digdir allows a grant of Maskinporten (docs.digdir.no: maskinporten_protocol_jwtgrant)."""
_SKEW = timedelta(seconds=10)


def client_of(state: ProviderState, call: ProviderCall, form: Parameters) -> ProviderClient:
    """The client, shown by the one method that it registered (OIDC Core, section 9)."""
    basic = call.headers.get("authorization")
    assertion = form.get("client_assertion")
    used = [each for each in (basic, assertion, form.get("client_secret")) if each is not None]
    if len(used) > 1:
        raise ProviderRefusal("invalid_request", "more than one method of authentication")
    if basic is not None:
        client_id, secret = _basic(basic)
        if form.get("client_id") not in (None, client_id):
            raise ProviderRefusal("invalid_request", "two clients are named")
        return _by_secret(state, client_id, secret, ClientAuthentication.SECRET_BASIC)
    if assertion is not None:
        return _by_assertion(state, form, assertion)
    client_id, secret = form.get("client_id") or "", form.get("client_secret") or ""
    return _by_secret(state, client_id, secret, ClientAuthentication.SECRET_POST)


def _refuse(why: str) -> NoReturn:
    raise ProviderRefusal("invalid_client", why, status=401)


def _basic(header: str) -> tuple[str, str]:
    """Both halves are form-encoded inside the base64 (RFC 6749, section 2.3.1)."""
    scheme, _, encoded = header.partition(" ")
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        _refuse("the credentials are unreadable")
    client_id, colon, secret = text.partition(":")
    if scheme.lower() != "basic" or not colon:
        _refuse("the credentials are unreadable")
    return unquote_plus(client_id), unquote_plus(secret)


def _by_secret(
    state: ProviderState, client_id: str, secret: str, method: ClientAuthentication
) -> ProviderClient:
    client = state.clients.get(client_id)
    if client is None or client.secret is None or client.authentication is not method:
        _refuse("the client is unknown or registered another method")
    if not hmac.compare_digest(client.secret.encode(), secret.encode()):
        _refuse("the secret is wrong")
    return client


def _by_assertion(state: ProviderState, form: Parameters, assertion: str) -> ProviderClient:
    """A JWT that the client signed for us alone, just now, and sends once (RFC 7523)."""
    if form.get("client_assertion_type") != JWT_BEARER:
        raise ProviderRefusal("invalid_request", "client_assertion_type is invalid")
    try:
        header, unverified = read_token(assertion)
        client = state.clients.get(str(unverified.get("sub")))
        if client is None or client.authentication is not ClientAuthentication.PRIVATE_KEY_JWT:
            _refuse("the client is unknown or registered another method")
        claims = verify(assertion, _key_of(client, header.get("kid")))
    except InvalidToken as error:
        _refuse(f"the assertion is invalid: {error}")
    if claims.get("iss") != client.client_id or form.get("client_id") not in (
        None,
        client.client_id,
    ):
        _refuse("the assertion is another client's")
    _check_audience(state, claims)
    _check_times(state, claims)
    return client


def _key_of(client: ProviderClient, kid: object) -> dict[str, object]:
    """By its name; without one only if there is but one key."""
    listed = (client.jwks or {}).get("keys")
    keys = [dict(key) for key in listed] if isinstance(listed, list) else []
    found = [key for key in keys if kid is None or key.get("kid") == kid]
    if len(found) != 1:
        raise InvalidToken("kid")
    return found[0]


def _check_audience(state: ProviderState, claims: Claims) -> None:
    """The issuer (ID-porten, Maskinporten) or the token endpoint (Entra), and nobody beside.

    An assertion that is good for two could be used by the one at the other.
    """
    audience = claims.get("aud")
    single = audience[0] if isinstance(audience, list) and len(audience) == 1 else audience
    if single not in (state.issuer, state.issuer + "/token"):
        _refuse("the audience of the assertion is wrong")


def _check_times(state: ProviderState, claims: Claims) -> None:
    try:
        issued = datetime.fromtimestamp(float(claims["iat"]), UTC)
        expires = datetime.fromtimestamp(float(claims["exp"]), UTC)
        jti = str(claims["jti"])
    except (KeyError, TypeError, ValueError, OverflowError):
        _refuse("the assertion needs iat, exp and jti")
    if not issued - _SKEW <= state.now < expires or expires - issued > LONGEST_ASSERTION:
        _refuse("the assertion has expired, or lives for too long")
    state.assertions = {name: at for name, at in state.assertions.items() if at > state.now}
    if jti in state.assertions:
        _refuse("the assertion was used before")
    state.assertions[jti] = expires
