"""The provider met by Authlib and joserfc: the code flow from discovery to userinfo."""

import httpx
import pytest
from joserfc import jwt

from inbox.simulator.identity_provider.parties import (
    ENTRA,
    ID_PORTEN,
    KEYCLOAK,
    Manners,
    ProviderClient,
    ProviderPerson,
)
from inbox.simulator.identity_provider.provider import IdentityProvider
from tests.simulator.conftest import Clock
from tests.simulator.identity_provider.conftest import CLIENT_KEY, MakeProvider
from tests.simulator.identity_provider.relying_party import (
    CALLBACK,
    JWT_BEARER,
    RelyingParty,
    answer_of,
)


def test_discovery_document_names_its_issuer_and_what_openid_requires(
    relying_party: RelyingParty,
) -> None:
    document = relying_party.discovery

    required = {
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    }
    assert required <= document.keys()
    assert document["issuer"] == relying_party.issuer


@pytest.mark.parametrize(
    ("client_id", "method"), [("inbox", "client_secret_basic"), ("by-post", "client_secret_post")]
)
def test_authlib_signs_in_with_a_secret_by_either_method(
    provider: IdentityProvider, browser: httpx.Client, client_id: str, method: str
) -> None:
    client = RelyingParty(browser, provider.issuer, client_id=client_id, method=method)

    token = client.sign_in()

    assert client.claims(token)["aud"] == client_id


def test_joserfc_finds_nothing_wrong_with_a_right_id_token(
    relying_party: RelyingParty, clock: Clock
) -> None:
    started = relying_party.start(acr_values="high")
    token = relying_party.redeem(started, relying_party.choose(started))

    problems = relying_party.problems(token, started, now=clock.now.timestamp(), acr="high")

    assert problems == []


def test_id_token_says_who_signed_in_when_and_how_strongly(
    relying_party: RelyingParty, clock: Clock, provider: IdentityProvider
) -> None:
    claims = relying_party.claims(relying_party.sign_in(acr_values="high", ui_locales="nn"))

    now = int(clock.now.timestamp())
    del claims["nonce"], claims["jti"], claims["at_hash"]
    assert claims == {
        "iss": provider.issuer,
        "sub": "kari",
        "aud": "inbox",
        "iat": now,
        "exp": now + 120,
        "auth_time": now,
        "acr": "high",
        "amr": ["pwd", "mfa"],
        "sid": provider.sessions_of("kari")[0],
        "locale": "nn",
        "pid": "24816296473",
    }


def test_profile_and_email_come_with_their_scopes_only(relying_party: RelyingParty) -> None:
    relying_party.scope = "openid profile email"

    claims = relying_party.claims(relying_party.sign_in())

    assert (claims["name"], claims["email"]) == ("Kari Nordmann", "kari@kommune.example")


def test_assertion_by_a_private_key_is_accepted_from_the_client_that_registered_it(
    provider: IdentityProvider, browser: httpx.Client, clock: Clock
) -> None:
    client = RelyingParty(browser, provider.issuer, client_id="by-key")
    started = client.start()
    code = answer_of(client.choose(started))["code"]
    now = int(clock.now.timestamp())
    assertion = jwt.encode(
        {"alg": "RS256", "kid": "client-key"},
        {
            "iss": "by-key",
            "sub": "by-key",
            "aud": provider.issuer,
            "iat": now,
            "exp": now + 60,
            "jti": "1",
        },
        CLIENT_KEY,
    )

    answer = browser.post(
        client.discovery["token_endpoint"],
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": started.verifier,
            "client_assertion_type": JWT_BEARER,
            "client_assertion": assertion,
        },
    )

    assert client.claims(answer.json())["aud"] == "by-key"


def test_client_that_registered_es256_gets_its_id_token_signed_so(
    provider: IdentityProvider, browser: httpx.Client
) -> None:
    elliptic = ProviderClient(
        client_id="inbox",
        redirect_uris=(CALLBACK,),
        secret="a secret",
        id_token_algorithm="ES256",
    )
    provider.register(elliptic)
    client = RelyingParty(browser, provider.issuer)

    token = client.sign_in()

    decoded = jwt.decode(token["id_token"], client.keys(), algorithms=["ES256"])
    assert decoded.header["alg"] == "ES256"


def test_userinfo_tells_the_same_subject_as_the_id_token(relying_party: RelyingParty) -> None:
    token = relying_party.sign_in()

    answer = relying_party.http.get(
        relying_party.discovery["userinfo_endpoint"],
        headers={"authorization": f"Bearer {token['access_token']}"},
    )

    assert answer.json() == {"sub": "kari", "pid": "24816296473"}


def test_userinfo_refuses_an_unknown_an_expired_and_a_missing_access_token(
    relying_party: RelyingParty, clock: Clock
) -> None:
    token = relying_party.sign_in()
    clock.passes(minutes=10)
    address = relying_party.discovery["userinfo_endpoint"]
    bearer = [{"authorization": f"Bearer {each}"} for each in (token["access_token"], "unknown")]

    answers = [relying_party.http.get(address, headers=each) for each in (*bearer, {})]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert "invalid_token" in answers[0].headers["www-authenticate"]


def test_old_keys_stay_published_after_a_rotation_until_they_are_dropped(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    before = relying_party.keys()
    provider.rotate_keys()
    between = relying_party.keys()
    token = relying_party.sign_in()
    provider.drop_old_keys()
    after = relying_party.keys()

    names = [{key.kid for key in keys.keys} for keys in (before, between, after)]

    assert names[1] == names[0] | names[2]
    assert not names[0] & names[2]
    assert jwt.decode(token["id_token"], after, algorithms=["RS256"]).header["kid"] in names[2]


def test_id_porten_gives_each_client_another_subject_and_the_same_pid(
    make_provider: MakeProvider, browser: httpx.Client
) -> None:
    issuer = make_provider(ID_PORTEN).issuer
    clients = [
        RelyingParty(browser, issuer),
        RelyingParty(browser, issuer, client_id="other", secret="another secret"),
    ]

    claims = [client.claims(client.sign_in(acr_values="idporten-loa-high")) for client in clients]

    assert claims[0]["sub"] != claims[1]["sub"]
    assert [each["pid"] for each in claims] == ["24816296473"] * 2
    assert (claims[0]["acr"], claims[0]["amr"]) == ("idporten-loa-high", ["BankID"])


def test_entra_has_its_tenant_in_the_issuer_and_levels_in_acrs(
    make_provider: MakeProvider, browser: httpx.Client
) -> None:
    provider = make_provider(ENTRA)
    ids = {"tid": "11111111-2222-4333-8444-555555555555", "oid": "a-b-c"}
    provider.add(ProviderPerson(id="liv", name="Liv", claims=ids))
    client = RelyingParty(browser, provider.issuer)
    started = client.start(claims='{"id_token": {"acrs": {"essential": true, "value": "c2"}}}')

    callback = client.choose(started, "liv")

    claims = client.claims(client.redeem(started, callback))
    assert "iss" not in answer_of(callback)
    assert claims["iss"].endswith("/11111111-2222-4333-8444-555555555555/v2.0")
    assert (claims["tid"], claims["oid"]) == (ids["tid"], "a-b-c")
    assert (claims["acrs"], "acr" in claims) == (["c1", "c2"], False)


def test_keycloak_has_its_realm_in_the_issuer_and_public_subjects(
    make_provider: MakeProvider, browser: httpx.Client
) -> None:
    client = RelyingParty(browser, make_provider(KEYCLOAK).issuer)

    claims = client.claims(client.sign_in(acr_values="2"))

    assert claims["iss"].endswith("/realms/kommune")
    assert (claims["sub"], claims["acr"]) == ("kari", "2")


def test_two_providers_share_neither_keys_nor_their_names() -> None:
    first, second = (IdentityProvider(clients=[], people=[], manners=Manners()) for _ in range(2))

    names = [{key.kid for key in each._state.keys.published()} for each in (first, second)]

    assert len(names[0]) == 2
    assert not names[0] & names[1]
