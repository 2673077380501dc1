"""What a client reads: the discovery document, the keys, and who an access token is about."""

from dataclasses import replace

from inbox.simulator.identity_provider.authorization import LOCALES
from inbox.simulator.identity_provider.id_tokens import claims_about
from inbox.simulator.identity_provider.parties import ClientAuthentication
from inbox.simulator.identity_provider.sign_in import OTHER_ISSUER
from inbox.simulator.identity_provider.state import ProviderState
from inbox.simulator.identity_provider.wire import ProviderAnswer, ProviderCall, json_body
from inbox.simulator.identity_provider.wrong_answers import WrongAnswer


def discovery(state: ProviderState, _call: ProviderCall) -> ProviderAnswer:
    """OIDC Discovery, section 3."""
    if state.wrong.strike(WrongAnswer.DISCOVERY_AWAY):
        return json_body({"error": "temporarily_unavailable"}, status=503)
    issuer, algorithms = state.issuer, list(state.keys.ALGORITHMS)
    other = state.wrong.strike(WrongAnswer.DISCOVERY_ISSUER)
    return json_body(
        {
            "issuer": OTHER_ISSUER if other else issuer,
            "authorization_endpoint": issuer + "/authorize",
            "token_endpoint": issuer + "/token",
            "userinfo_endpoint": issuer + "/userinfo",
            "end_session_endpoint": issuer + "/logout",
            "jwks_uri": issuer + "/jwks",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "scopes_supported": ["openid", "profile", "email"],
            "subject_types_supported": ["pairwise" if state.manners.pairwise else "public"],
            "id_token_signing_alg_values_supported": algorithms,
            "token_endpoint_auth_methods_supported": [each.value for each in ClientAuthentication],
            "token_endpoint_auth_signing_alg_values_supported": algorithms,
            "code_challenge_methods_supported": ["S256"],
            "prompt_values_supported": ["none", "login", "select_account"],
            "acr_values_supported": state.levels,
            "ui_locales_supported": list(LOCALES),
            "claims_parameter_supported": True,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
            "authorization_response_iss_parameter_supported": state.manners.names_itself,
            "frontchannel_logout_supported": True,
            "frontchannel_logout_session_supported": True,
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
        }
    )


def jwks(state: ProviderState, _call: ProviderCall) -> ProviderAnswer:
    """Newest first."""
    if state.wrong.strike(WrongAnswer.KEYS_AWAY):
        return json_body({"error": "temporarily_unavailable"}, status=503)
    if state.wrong.strike(WrongAnswer.KEYS_EMPTY):
        return json_body({"keys": []})
    use = "enc" if state.wrong.strike(WrongAnswer.KEYS_FOR_ENCRYPTION) else "sig"
    return json_body({"keys": [key.public_jwk(use=use) for key in state.keys.published()]})


def userinfo(state: ProviderState, call: ProviderCall) -> ProviderAnswer:
    """OIDC Core, section 5.3; the token only in the header (RFC 6750, section 2.1)."""
    scheme, _, access_token = call.headers.get("authorization", "").partition(" ")
    grant = state.access.get(access_token) if scheme.lower() == "bearer" else None
    if grant is None or state.now >= grant.until or grant.person.id in state.disabled:
        challenge = 'Bearer error="invalid_token"' if access_token else "Bearer"
        answer = json_body({"error": "invalid_token"}, status=401)
        return replace(answer, headers=(*answer.headers, ("www-authenticate", challenge)))
    person = grant.person
    if state.wrong.strike(WrongAnswer.USERINFO_OF_ANOTHER):
        person = next((each for each in state.people.values() if each.id != person.id), person)
    return json_body(claims_about(person, grant.client, grant.scopes, state))
