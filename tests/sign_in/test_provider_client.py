"""What a provider sees of us: our proof, our pace, and how few questions a page costs."""

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from joserfc import jwt
from joserfc.jwk import RSAKey

from inbox.sign_in.desk import SignInDesk
from inbox.sign_in.oidc.client_proof import prove
from inbox.sign_in.oidc.provider import Provider
from inbox.sign_in.oidc.provider_calls import ProviderCalls, build_provider_client
from inbox.sign_in.oidc.provider_terms import AssertionAudience, ClientKey
from inbox.simulator.identity_provider.parties import ClientAuthentication
from tests.gateway.scripted_gateway import NO_TLS
from tests.sign_in.office import Office

KEY = RSAKey.generate_key(2048, {"kid": "ours"})


def test_client_that_signs_an_assertion_is_believed(house: Office) -> None:
    house.client(
        secret=None,
        jwks={"keys": [KEY.as_dict(private=False)]},
        authentication=ClientAuthentication.PRIVATE_KEY_JWT,
    )
    old = house.desk.provider("p")
    proof = ClientKey(pem=KEY.as_pem(private=True), key_id="ours")
    with build_provider_client(tls=NO_TLS) as client:
        terms = replace(old.terms, proof=proof)
        house.app.state.desk = SignInDesk(
            line=house.world.line,
            providers={"p": Provider(terms, ProviderCalls(client))},
            public_url=house.desk.public_url,
        )
        anne = house.person()
        anne.sign_in()

        assert anne.is_in()
        fields, headers = prove(terms, old.metadata(), house.world.clock.now)
        by_endpoint = replace(
            terms, proof=replace(proof, audience=AssertionAudience.TOKEN_ENDPOINT)
        )
        other, _ = prove(by_endpoint, old.metadata(), house.world.clock.now)
    assert headers == {}
    claims = _claims(fields["client_assertion"])
    assert claims["exp"] - claims["iat"] <= 120
    assert claims["aud"] == old.terms.issuer
    assert _claims(other["client_assertion"])["aud"] == old.metadata().token_endpoint


def _claims(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, KEY, algorithms=["RS256"]).claims
    return found


def test_wrong_secret_is_a_condition_and_signs_nobody_in(house: Office) -> None:
    house.client(secret="another")
    anne = house.person()

    assert anne.sign_in().status_code == 503
    assert not anne.is_in()


def test_page_costs_one_statement_for_who_asks_and_a_second_once_a_minute(both: Office) -> None:
    anne = both.person()
    anne.sign_in()
    seen: list[str] = []

    @sa.event.listens_for(both.world.line.store.engine, "before_cursor_execute")
    def note(*given: object) -> None:
        seen.append(str(given[2]))

    anne.get("/side")

    assert next(each for each in seen if "session" in each.lower()).startswith("SELECT")
    assert len([each for each in seen if not each.startswith(("BEGIN", "SET"))]) == 1
