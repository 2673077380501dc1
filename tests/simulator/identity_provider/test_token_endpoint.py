"""The token endpoint: each way in which a code or a client is refused, by its error."""

from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import RSAKey

from inbox.simulator.identity_provider.provider import IdentityProvider
from tests.gateway.scripted_gateway import NO_TLS
from tests.simulator.conftest import Clock
from tests.simulator.identity_provider.conftest import CLIENT_KEY
from tests.simulator.identity_provider.relying_party import (
    CALLBACK,
    JWT_BEARER,
    RelyingParty,
    answer_of,
)

SECRET = ("inbox", "a secret")


def _form(client: RelyingParty) -> dict[str, str]:
    """A right one, with a fresh code."""
    started = client.start()
    return {
        "grant_type": "authorization_code",
        "code": answer_of(client.choose(started))["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": started.verifier,
    }


def _told(answer: httpx.Response) -> tuple[int, str | None]:
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json().get("error")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({}, None),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"code": ""}, "invalid_request"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"redirect_uri": CALLBACK + "/"}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"client_id": "other"}, "invalid_request"),
        ({"client_secret": "a secret"}, "invalid_request"),
        ({"client_assertion": "a.b.c"}, "invalid_request"),
    ],
)
def test_token_request_with_one_thing_wrong_is_refused_by_its_error(
    relying_party: RelyingParty, changes: dict[str, str], error: str | None
) -> None:
    form = {**_form(relying_party), **changes}

    answer = relying_party.http.post(
        relying_party.discovery["token_endpoint"], data=form, auth=SECRET
    )

    assert _told(answer) == (200 if error is None else 400, error)


@pytest.mark.parametrize(
    "credentials",
    [
        {"auth": ("inbox", "another secret")},
        {"auth": ("unknown", "a secret")},
        {"auth": ("by-post", "a secret")},
        {"auth": ("by-key", "a secret")},
        {"headers": {"authorization": "Basic not-base64!"}},
        {"headers": {"authorization": "Bearer aW5ib3g6YSBzZWNyZXQ="}},
        {},
    ],
)
def test_client_that_does_not_show_who_it_is_is_invalid_client(
    relying_party: RelyingParty, credentials: dict[str, Any]
) -> None:
    form = _form(relying_party)

    answer = relying_party.http.post(
        relying_party.discovery["token_endpoint"], data=form, **credentials
    )

    assert _told(answer) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_secret_in_the_form_is_refused_from_a_client_that_registered_basic(
    relying_party: RelyingParty,
) -> None:
    form = {**_form(relying_party), "client_id": "inbox", "client_secret": "a secret"}

    answer = relying_party.http.post(relying_party.discovery["token_endpoint"], data=form)

    assert _told(answer) == (401, "invalid_client")


def test_repeated_parameter_and_json_body_are_invalid_requests(
    relying_party: RelyingParty,
) -> None:
    address, form = relying_party.discovery["token_endpoint"], _form(relying_party)

    answers = [
        relying_party.http.post(address, data={**form, "code": [form["code"], "b"]}, auth=SECRET),
        relying_party.http.post(address, json=form, auth=SECRET),
    ]

    assert [_told(answer) for answer in answers] == [(400, "invalid_request")] * 2


def test_replayed_code_is_refused_and_revokes_what_it_gave(relying_party: RelyingParty) -> None:
    address, form = relying_party.discovery["token_endpoint"], _form(relying_party)
    first = relying_party.http.post(address, data=form, auth=SECRET)
    bearer = {"authorization": f"Bearer {first.json()['access_token']}"}
    userinfo = relying_party.discovery["userinfo_endpoint"]
    before = relying_party.http.get(userinfo, headers=bearer).status_code

    second = relying_party.http.post(address, data=form, auth=SECRET)

    assert _told(second) == (400, "invalid_grant")
    assert (before, relying_party.http.get(userinfo, headers=bearer).status_code) == (200, 401)


def test_code_is_good_for_less_than_sixty_seconds(
    relying_party: RelyingParty, clock: Clock
) -> None:
    address = relying_party.discovery["token_endpoint"]
    forms = [_form(relying_party), _form(relying_party)]

    clock.passes(seconds=59)
    in_time = relying_party.http.post(address, data=forms[0], auth=SECRET)
    clock.passes(seconds=1)
    late = relying_party.http.post(address, data=forms[1], auth=SECRET)

    assert [_told(in_time), _told(late)] == [(200, None), (400, "invalid_grant")]


def test_code_of_one_client_is_refused_for_another_and_used_up(
    relying_party: RelyingParty,
) -> None:
    address, form = relying_party.discovery["token_endpoint"], _form(relying_party)

    stolen = relying_party.http.post(address, data=form, auth=("other", "another secret"))
    own = relying_party.http.post(address, data=form, auth=SECRET)

    assert [_told(stolen), _told(own)] == [(400, "invalid_grant")] * 2


def test_code_of_a_person_who_is_disabled_meanwhile_is_refused(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    form = _form(relying_party)
    provider.disable("kari")

    answer = relying_party.http.post(
        relying_party.discovery["token_endpoint"], data=form, auth=SECRET
    )

    assert _told(answer) == (400, "invalid_grant")


def _assertion(
    issuer: str,
    now: datetime,
    changes: dict[str, Any],
    *,
    header: dict[str, str] | None = None,
    key: RSAKey = CLIENT_KEY,
) -> str:
    at = int(now.timestamp())
    claims = {
        "iss": "by-key",
        "sub": "by-key",
        "aud": issuer,
        "iat": at,
        "exp": at + 120,
        "jti": "once",
    }
    claims |= {name: at + v if name in ("iat", "exp") else v for name, v in changes.items()}
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(header or {"alg": "RS256", "kid": "client-key"}, claims, key)


def _send(client: RelyingParty, form: dict[str, str], assertion: str) -> httpx.Response:
    proof = {"client_assertion_type": JWT_BEARER, "client_assertion": assertion}
    return client.http.post(client.discovery["token_endpoint"], data={**proof, **form})


@pytest.fixture
def by_key(provider: IdentityProvider, browser: httpx.Client) -> RelyingParty:
    return RelyingParty(browser, provider.issuer, client_id="by-key")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"aud": ["ISSUER"]}, 200),
        ({"aud": "ISSUER/token"}, 200),
        ({"aud": ["ISSUER", "https://other.example"]}, 401),
        ({"aud": "https://other.example"}, 401),
        ({"aud": None}, 401),
        ({"iss": "inbox"}, 401),
        ({"sub": "inbox"}, 401),
        ({"sub": "unknown"}, 401),
        ({"exp": 121}, 401),
        ({"exp": 0}, 401),
        ({"exp": 3600}, 401),
        ({"iat": 60, "exp": 120}, 401),
        ({"jti": None}, 401),
    ],
)
def test_assertion_with_one_claim_changed_is_judged_as_the_standards_say(
    by_key: RelyingParty, clock: Clock, changes: dict[str, Any], status: int
) -> None:
    audience = changes.get("aud")
    if isinstance(audience, list):
        changes = {"aud": [each.replace("ISSUER", by_key.issuer) for each in audience]}
    if isinstance(audience, str):
        changes = {"aud": audience.replace("ISSUER", by_key.issuer)}

    answer = _send(by_key, _form(by_key), _assertion(by_key.issuer, clock.now, changes))

    assert answer.status_code == status
    assert answer.json().get("error") == (None if status == 200 else "invalid_client")


def test_assertion_is_refused_under_another_key_another_name_and_a_broken_signature(
    by_key: RelyingParty, clock: Clock
) -> None:
    foreign = RSAKey.generate_key(2048)
    unknown = {"alg": "RS256", "kid": "unknown"}
    good = _assertion(by_key.issuer, clock.now, {})
    assertions = [
        _assertion(by_key.issuer, clock.now, {}, key=foreign),
        _assertion(by_key.issuer, clock.now, {}, header=unknown),
        good[:-8] + "AAAAAAAA",
        good.rpartition(".")[0] + ".",
        "nonsense",
    ]

    answers = [_send(by_key, _form(by_key), each) for each in assertions]

    assert [_told(answer) for answer in answers] == [(401, "invalid_client")] * 5


def test_assertion_is_good_for_one_call(by_key: RelyingParty, clock: Clock) -> None:
    assertion = _assertion(by_key.issuer, clock.now, {})

    answers = [_send(by_key, _form(by_key), assertion) for _ in range(2)]

    assert [_told(answer) for answer in answers] == [(200, None), (401, "invalid_client")]


def test_assertion_of_another_type_is_an_invalid_request(
    by_key: RelyingParty, clock: Clock
) -> None:
    form = {**_form(by_key), "client_assertion_type": "jwt"}

    answer = _send(by_key, form, _assertion(by_key.issuer, clock.now, {}))

    assert _told(answer) == (400, "invalid_request")


@pytest.mark.parametrize(("lives", "accepted"), [(None, False), (60, True)])
def test_assertion_that_lives_an_hour_as_authlib_makes_it_is_refused(
    by_key: RelyingParty, clock: Clock, lives: int | None, *, accepted: bool
) -> None:
    """Why a client of ID-porten must set the life itself."""
    clock.now = datetime.now(UTC)
    started = by_key.start()
    callback = by_key.choose(started)
    address = by_key.discovery["token_endpoint"]
    until = {} if lives is None else {"exp": int(clock.now.timestamp()) + lives}
    client = OAuth2Client(
        client_id="by-key",
        client_secret=CLIENT_KEY.as_pem(private=True),
        token_endpoint_auth_method="private_key_jwt",
        redirect_uri=CALLBACK,
        verify=NO_TLS,
        trust_env=False,
    )
    proof = PrivateKeyJWT(address, claims=until, headers={"kid": "client-key"})
    client.register_client_auth_method(proof)

    with client, nullcontext() if accepted else pytest.raises(OAuthError, match="invalid_client"):
        client.fetch_token(
            address,
            authorization_response=callback,
            state=started.state,
            code_verifier=started.verifier,
        )
