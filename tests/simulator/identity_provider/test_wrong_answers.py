"""Each wrong answer is wrong in what it says, right in all else, and counted."""

import hashlib
import hmac
from datetime import timedelta
from typing import Any

import httpx
import pytest
from authlib.integrations.base_client.errors import OAuthError
from joserfc.jwk import RSAKey
from joserfc.util import urlsafe_b64encode

from inbox.simulator.identity_provider.provider import IdentityProvider
from inbox.simulator.identity_provider.wrong_answers import WrongAnswer
from tests.simulator.conftest import Clock
from tests.simulator.identity_provider.relying_party import (
    CALLBACK,
    RelyingParty,
    Started,
    answer_of,
    unverified,
)

IN_ID_TOKEN = {
    WrongAnswer.NONCE: ["nonce"],
    WrongAnswer.NO_NONCE: ["nonce"],
    WrongAnswer.ISSUER: ["iss"],
    WrongAnswer.AUDIENCE: ["aud"],
    WrongAnswer.MORE_AUDIENCES: ["aud"],
    WrongAnswer.OTHER_PARTY: ["aud", "azp"],
    WrongAnswer.EXPIRED: ["exp", "auth_time"],
    WrongAnswer.ISSUED_LATER: ["iat"],
    WrongAnswer.NO_SUBJECT: ["sub"],
    WrongAnswer.ACCESS_TOKEN_HASH: ["at_hash"],
    WrongAnswer.EMAIL_OF_ANOTHER: [],
    WrongAnswer.WEAKER_LEVEL: ["acr"],
    WrongAnswer.OLD_SIGN_IN: ["auth_time"],
    WrongAnswer.UNSIGNED: ["signature", "algorithm"],
    WrongAnswer.SIGNED_WITH_PUBLIC_KEY: ["signature", "algorithm"],
    WrongAnswer.UNKNOWN_KEY: ["signature"],
    WrongAnswer.NO_KEY_ID: ["signature", "kid"],  # joserfc finds no key without a name
    WrongAnswer.BROKEN_SIGNATURE: ["signature"],
}
IN_RESPONSE = {
    WrongAnswer.RESPONSE_ISSUER,
    WrongAnswer.RESPONSE_NO_ISSUER,
    WrongAnswer.RESPONSE_STATE,
    WrongAnswer.CODE_OF_ANOTHER_CLIENT,
}
IN_TOKEN_RESPONSE = {
    WrongAnswer.TOKEN_HUGE,
    WrongAnswer.TOKEN_SLOW,
    WrongAnswer.TOKEN_TRICKLE,
    WrongAnswer.TOKEN_REDIRECT,
    WrongAnswer.TOKEN_NOT_JSON,
    WrongAnswer.TOKEN_FAILS,
    WrongAnswer.TOKEN_REFUSED,
    WrongAnswer.NO_ID_TOKEN,
}
IN_DOCUMENTS = {
    WrongAnswer.DISCOVERY_ISSUER,
    WrongAnswer.DISCOVERY_AWAY,
    WrongAnswer.KEYS_AWAY,
    WrongAnswer.KEYS_EMPTY,
    WrongAnswer.KEYS_FOR_ENCRYPTION,
    WrongAnswer.USERINFO_OF_ANOTHER,
    WrongAnswer.AWAY,
}


def test_every_wrong_answer_is_tried_here_or_with_the_logout_tokens() -> None:
    logout = {each for each in WrongAnswer if each.name.startswith("LOGOUT_")}

    tried = {*IN_ID_TOKEN} | IN_RESPONSE | IN_TOKEN_RESPONSE | IN_DOCUMENTS | logout

    assert len(logout) == 9
    assert tried == {*WrongAnswer}


@pytest.mark.parametrize(("wrong", "problems"), IN_ID_TOKEN.items())
def test_wrong_id_token_is_wrong_in_that_and_nothing_else(
    relying_party: RelyingParty,
    provider: IdentityProvider,
    clock: Clock,
    wrong: WrongAnswer,
    problems: list[str],
) -> None:
    started = relying_party.start(acr_values="high")
    callback = relying_party.choose(started)
    provider.wrong.stage(wrong)

    token = relying_party.redeem(started, callback)

    found = relying_party.problems(token, started, now=clock.now.timestamp(), acr="high")
    assert found == problems
    assert provider.wrong.given(wrong) == 1


def test_email_of_another_person_comes_with_the_right_subject(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    provider.wrong.stage(WrongAnswer.EMAIL_OF_ANOTHER)

    claims = relying_party.claims(relying_party.sign_in("kari"))

    assert (claims["sub"], claims["email"]) == ("kari", "ola@kommune.example")
    assert (claims["name"], claims["email_verified"]) == ("Ola Hansen", True)


def test_key_confusion_is_signed_by_the_public_key_that_everybody_has(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    """Verified by hand: no library of today would."""
    provider.wrong.stage(WrongAnswer.SIGNED_WITH_PUBLIC_KEY)
    token = relying_party.sign_in()["id_token"]
    kid = unverified(token)[0]["kid"]
    public = next(key for key in relying_party.keys().keys if key.kid == kid)

    signed, _, signature = token.rpartition(".")
    assert isinstance(public, RSAKey)
    pem = public.as_bytes(encoding="PEM", private=False)

    expected = hmac.new(pem, signed.encode(), hashlib.sha256).digest()
    assert signature == urlsafe_b64encode(expected).decode()


def test_answer_that_is_staged_once_is_given_once_and_calm_ends_the_rest(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    provider.wrong.stage(WrongAnswer.NO_SUBJECT, times=1)
    provider.wrong.stage(WrongAnswer.NO_NONCE)

    claims = [relying_party.claims(relying_party.sign_in())]
    claims.append(relying_party.claims(relying_party.sign_in()))
    provider.wrong.calm()
    claims.append(relying_party.claims(relying_party.sign_in()))

    assert [("sub" in each, "nonce" in each) for each in claims] == [
        (False, False),
        (True, False),
        (True, True),
    ]
    assert provider.wrong.given(WrongAnswer.NO_SUBJECT) == 1
    assert provider.wrong.given(WrongAnswer.NO_NONCE) == 2


def test_wrong_authorization_responses_change_issuer_and_state_alone(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    answers = {}
    for wrong in (
        WrongAnswer.RESPONSE_ISSUER,
        WrongAnswer.RESPONSE_NO_ISSUER,
        WrongAnswer.RESPONSE_STATE,
    ):
        provider.wrong.stage(wrong, times=1)
        started = relying_party.start()
        said = answer_of(relying_party.choose(started))
        answers[wrong] = (said.get("iss"), said["state"] == started.state, "code" in said)

    assert answers == {
        WrongAnswer.RESPONSE_ISSUER: ("http://other-issuer.localhost", True, True),
        WrongAnswer.RESPONSE_NO_ISSUER: (None, True, True),
        WrongAnswer.RESPONSE_STATE: (relying_party.issuer, False, True),
    }
    assert [provider.wrong.given(wrong) for wrong in answers] == [1, 1, 1]


def test_code_of_another_client_is_refused_at_the_token_endpoint(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    provider.wrong.stage(WrongAnswer.CODE_OF_ANOTHER_CLIENT)
    started = relying_party.start()
    callback = relying_party.choose(started)

    with pytest.raises(OAuthError, match="invalid_grant"):
        relying_party.redeem(started, callback)
    assert provider.wrong.given(WrongAnswer.CODE_OF_ANOTHER_CLIENT) == 1


def _token_answer(client: RelyingParty, started: Started, **how: Any) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "code": answer_of(client.choose(started))["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": started.verifier,
    }
    address = client.discovery["token_endpoint"]
    return client.http.post(address, data=form, auth=("inbox", "a secret"), **how)


@pytest.mark.parametrize(
    ("wrong", "status", "kind", "error"),
    [
        (WrongAnswer.TOKEN_REDIRECT, 307, None, None),
        (WrongAnswer.TOKEN_NOT_JSON, 200, "text/html; charset=utf-8", None),
        (WrongAnswer.TOKEN_FAILS, 500, "application/json", "server_error"),
        (WrongAnswer.TOKEN_REFUSED, 400, "application/json", "invalid_grant"),
        (WrongAnswer.NO_ID_TOKEN, 200, "application/json", None),
    ],
)
def test_wrong_token_response_comes_in_place_of_the_right_one(
    relying_party: RelyingParty,
    provider: IdentityProvider,
    wrong: WrongAnswer,
    status: int,
    kind: str | None,
    error: str | None,
) -> None:
    provider.wrong.stage(wrong)

    answer = _token_answer(relying_party, relying_party.start())

    assert (answer.status_code, answer.headers.get("content-type")) == (status, kind)
    assert b"id_token" not in answer.content
    if kind == "application/json":
        assert answer.json().get("error") == error
    assert provider.wrong.given(wrong) == 1


def test_huge_token_response_has_the_length_that_was_asked_for(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    provider.wrong.stage(WrongAnswer.TOKEN_HUGE)
    provider.wrong.huge_bytes = 1_000_000

    answer = _token_answer(relying_party, relying_party.start())

    assert len(answer.json()["access_token"]) >= 1_000_000
    assert provider.wrong.given(WrongAnswer.TOKEN_HUGE) == 1


def test_slow_token_response_does_not_begin(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    provider.wrong.stage(WrongAnswer.TOKEN_SLOW)

    with pytest.raises(httpx.ReadTimeout):
        _token_answer(relying_party, relying_party.start(), timeout=0.1)
    assert provider.wrong.given(WrongAnswer.TOKEN_SLOW) == 1


def test_trickling_token_response_comes_byte_by_byte_and_is_whole(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    started = relying_party.start()
    code = answer_of(relying_party.choose(started))["code"]
    provider.wrong.stage(WrongAnswer.TOKEN_TRICKLE)
    provider.wrong.slow_by = timedelta(milliseconds=60)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": started.verifier,
    }
    address = relying_party.discovery["token_endpoint"]

    with relying_party.http.stream(
        "POST", address, data=form, auth=("inbox", "a secret")
    ) as answer:
        pieces = list(answer.iter_raw())

    assert len(pieces) > 20
    assert b"id_token" in b"".join(pieces)
    assert provider.wrong.given(WrongAnswer.TOKEN_TRICKLE) == 1


def test_wrong_documents_differ_in_what_is_staged(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    discovery = relying_party.issuer + "/.well-known/openid-configuration"
    keys = relying_party.discovery["jwks_uri"]
    answers = {}
    for wrong, address in {
        WrongAnswer.DISCOVERY_ISSUER: discovery,
        WrongAnswer.DISCOVERY_AWAY: discovery,
        WrongAnswer.KEYS_AWAY: keys,
        WrongAnswer.KEYS_EMPTY: keys,
        WrongAnswer.KEYS_FOR_ENCRYPTION: keys,
        WrongAnswer.AWAY: keys,
    }.items():
        provider.wrong.stage(wrong, times=1)
        answers[wrong] = relying_party.http.get(address)

    right = relying_party.discovery
    other = {**right, "issuer": "http://other-issuer.localhost"}
    assert answers[WrongAnswer.DISCOVERY_ISSUER].json() == other
    away = (WrongAnswer.DISCOVERY_AWAY, WrongAnswer.KEYS_AWAY, WrongAnswer.AWAY)
    assert [answers[each].status_code for each in away] == [503, 503, 503]
    assert answers[WrongAnswer.KEYS_EMPTY].json() == {"keys": []}
    uses = {key["use"] for key in answers[WrongAnswer.KEYS_FOR_ENCRYPTION].json()["keys"]}
    assert uses == {"enc"}
    assert [provider.wrong.given(wrong) for wrong in answers] == [1] * 6
    assert relying_party.http.get(discovery).json() == right


def test_userinfo_of_another_person_has_another_subject(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    bearer = {"authorization": f"Bearer {relying_party.sign_in()['access_token']}"}
    provider.wrong.stage(WrongAnswer.USERINFO_OF_ANOTHER)

    answer = relying_party.http.get(relying_party.discovery["userinfo_endpoint"], headers=bearer)

    assert answer.json()["sub"] == "ola"
    assert provider.wrong.given(WrongAnswer.USERINFO_OF_ANOTHER) == 1
