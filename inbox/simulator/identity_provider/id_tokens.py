"""ID tokens, right ones and, on demand, wrong ones."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from inbox.simulator.identity_provider.parties import (
    EMAIL_CLAIMS,
    PROFILE_CLAIMS,
    ProviderClient,
    ProviderPerson,
    subject_of,
)
from inbox.simulator.identity_provider.provider_keys import new_key
from inbox.simulator.identity_provider.sign_in import OTHER_CLIENT, OTHER_ISSUER
from inbox.simulator.identity_provider.signatures import (
    Claims,
    ProviderKey,
    at_hash_of,
    base64url,
    from_base64url,
    unsigned,
)
from inbox.simulator.identity_provider.state import CodeGrant, ProviderState, new_secret
from inbox.simulator.identity_provider.wrong_answers import WrongAnswer

_HOUR, _DAY = 3600, 86400


def claims_about(
    person: ProviderPerson, client: ProviderClient, scopes: tuple[str, ...], state: ProviderState
) -> Claims:
    """What these scopes let a client know of a person."""
    all_claims = {"name": person.name, **person.claims}
    hidden = set() if "profile" in scopes else {*PROFILE_CLAIMS}
    hidden |= set() if "email" in scopes else {*EMAIL_CLAIMS}
    known = {name: value for name, value in all_claims.items() if name not in hidden}
    return {**known, "sub": subject_of(person, client, state.manners)}


def id_token_for(
    state: ProviderState, grant: CodeGrant, client: ProviderClient, access_token: str
) -> str:
    """Signed by the algorithm that the client registered."""
    claims = _right_claims(state, grant, client, access_token)
    for wrong, change in _CHANGES.items():
        if state.wrong.strike(wrong):
            change(claims)
    if state.wrong.strike(WrongAnswer.EMAIL_OF_ANOTHER):
        claims |= _looks_of_another(state, grant.person)
    if state.wrong.strike(WrongAnswer.WEAKER_LEVEL):
        claims |= _level_claims(state, state.levels[0])
    return _signed(state, client.id_token_algorithm, claims)


def _right_claims(
    state: ProviderState, grant: CodeGrant, client: ProviderClient, access_token: str
) -> Claims:
    now = int(state.now.timestamp())
    return {
        **claims_about(grant.person, client, grant.request.scopes, state),
        "iss": state.issuer,
        "aud": client.client_id,
        "exp": now + int(state.manners.id_token_lasts / timedelta(seconds=1)),
        "iat": now,
        "auth_time": int(grant.auth_time.timestamp()),
        "nonce": grant.request.nonce,
        "sid": grant.sid,
        "jti": new_secret(),
        "at_hash": at_hash_of(access_token),
        "locale": grant.request.locale,
        **_level_claims(state, grant.level),
    }


def _level_claims(state: ProviderState, level: str) -> Claims:
    """`acr` is one level; `acrs` lists every context that has been reached, as Entra does."""
    methods = list(state.manners.levels[level])
    if state.manners.level_claim == "acr":
        return {"acr": level, "amr": methods}
    reached = state.levels[: state.levels.index(level) + 1]
    return {state.manners.level_claim: reached, "amr": methods}


def _looks_of_another(state: ProviderState, person: ProviderPerson) -> Claims:
    """What a client must never take for who somebody is: here it is somebody else's."""
    others = (each for each in state.people.values() if each.id != person.id)
    other = next(others, person)
    email = other.claims.get("email", f"{other.id}@kommune.example")
    name = other.claims.get("preferred_username", email)
    looks = {"name": other.name, "preferred_username": name, "email": email}
    return {**looks, "email_verified": True}


def _expired(claims: Claims) -> None:
    for name in ("iat", "exp", "auth_time"):
        claims[name] -= _DAY


def _later(claims: Claims) -> None:
    claims["iat"] += _HOUR
    claims["exp"] += _HOUR


def _old(claims: Claims) -> None:
    claims["auth_time"] -= _DAY


def _more_audiences(claims: Claims) -> None:
    claims["aud"] = [claims["aud"], OTHER_CLIENT]


def _other_party(claims: Claims) -> None:
    _more_audiences(claims)
    claims["azp"] = OTHER_CLIENT


def _set(name: str, value: Callable[[], str]) -> Callable[[Claims], None]:
    return lambda claims: claims.update({name: value()})


def _drop(name: str) -> Callable[[Claims], None]:
    return lambda claims: claims.pop(name)


_CHANGES: Mapping[WrongAnswer, Callable[[Claims], None]] = {
    WrongAnswer.NONCE: _set("nonce", new_secret),
    WrongAnswer.NO_NONCE: _drop("nonce"),
    WrongAnswer.ISSUER: _set("iss", lambda: OTHER_ISSUER),
    WrongAnswer.AUDIENCE: _set("aud", lambda: OTHER_CLIENT),
    WrongAnswer.MORE_AUDIENCES: _more_audiences,
    WrongAnswer.OTHER_PARTY: _other_party,
    WrongAnswer.EXPIRED: _expired,
    WrongAnswer.ISSUED_LATER: _later,
    WrongAnswer.NO_SUBJECT: _drop("sub"),
    WrongAnswer.ACCESS_TOKEN_HASH: _set("at_hash", lambda: at_hash_of(new_secret())),
    WrongAnswer.OLD_SIGN_IN: _old,
}


def _signed(state: ProviderState, algorithm: str, claims: Claims) -> str:
    key = state.keys.signing(algorithm)
    header = header_of(key)
    if state.wrong.strike(WrongAnswer.UNSIGNED):
        return unsigned(header, claims)
    if state.wrong.strike(WrongAnswer.SIGNED_WITH_PUBLIC_KEY):
        return key.sign_with_public_key(header, claims)
    if state.wrong.strike(WrongAnswer.UNKNOWN_KEY):
        key = new_key(algorithm)
        header = header_of(key)
    if state.wrong.strike(WrongAnswer.NO_KEY_ID):
        del header["kid"]
    token = key.sign(header, claims)
    if state.wrong.strike(WrongAnswer.BROKEN_SIGNATURE):
        return broken(token)
    return token


def header_of(key: ProviderKey, kind: str = "JWT") -> dict[str, str]:
    """The header of a token that this key signs."""
    return {"typ": kind, "alg": key.algorithm, "kid": key.kid}


def broken(token: str) -> str:
    """The same with one bit of its signature changed."""
    signed, _, signature = token.rpartition(".")
    raw = bytearray(from_base64url(signature))
    raw[len(raw) // 2] ^= 1
    return f"{signed}.{base64url(bytes(raw))}"
