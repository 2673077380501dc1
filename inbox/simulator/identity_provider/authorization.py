"""The authorization endpoint: checks the request, and signs in, by a session or by a choice."""

import json
import re
from dataclasses import dataclass
from datetime import timedelta

from inbox.simulator.identity_provider.parties import ProviderClient
from inbox.simulator.identity_provider.state import (
    AuthorizationRequest,
    ProviderSession,
    ProviderState,
)
from inbox.simulator.identity_provider.wire import Parameters, ProviderRefusal, RefusedHere

PROMPTS = {"none", "login", "select_account"}
LOCALES = ("nb", "nn", "en", "se")
"""What ID-porten has (docs.digdir.no: oidc_guide_english)."""
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
"""SHA-256 in base64url."""
_NOT_SUPPORTED = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}


@dataclass(frozen=True, kw_only=True)
class ReturnAddress:
    """Where an answer may go: only after client and address have been recognised together."""

    client: ProviderClient
    redirect_uri: str
    state: str | None


def return_address_of(state: ProviderState, sent: Parameters) -> ReturnAddress:
    """RefusedHere unless the client is known and the address is one of its own.

    Addresses are compared character for character (RFC 9700, section 2.1), and nothing goes to an
    address before that (RFC 6749, section 4.1.2.1).
    """
    repeated = {"client_id", "redirect_uri"} & {*sent.repeated()}
    if repeated:
        raise RefusedHere(f"Parameteren {min(repeated)} står flere ganger.")
    client = state.clients.get(sent.get("client_id") or "")
    if client is None:
        raise RefusedHere("Tjenesten er ikke kjent her (client_id).")
    address = sent.get("redirect_uri")
    if address is None or address not in client.redirect_uris:
        raise RefusedHere("Adressen å komme tilbake til er ikke registrert (redirect_uri).")
    return ReturnAddress(client=client, redirect_uri=address, state=sent.get("state"))


def read_request(
    state: ProviderState, sent: Parameters, back: ReturnAddress
) -> AuthorizationRequest:
    """The request, or ProviderRefusal with the error that goes back to the client."""
    _check_shape(sent)
    scopes = tuple((sent.get("scope") or "").split())
    if "openid" not in scopes or not back.client.scopes.issuperset(scopes):
        raise ProviderRefusal("invalid_scope", "scope must have openid and what is registered")
    _check_challenge(sent)
    level, essential = _level_of(state, sent)
    return AuthorizationRequest(
        client=back.client,
        redirect_uri=back.redirect_uri,
        state=_required(sent, "state"),
        nonce=_required(sent, "nonce"),
        challenge=_required(sent, "code_challenge"),
        scopes=scopes,
        prompts=_prompts_of(sent),
        max_age=_max_age_of(sent),
        level=level,
        essential=essential,
        login_hint=sent.get("login_hint"),
        locale=_locale_of(sent),
    )


def is_signed_in_enough(
    state: ProviderState, request: AuthorizationRequest, session: ProviderSession
) -> bool:
    """Whether the session answers the request without a dialogue."""
    if request.prompts & {"login", "select_account"}:
        return False
    if request.max_age is not None and state.now - session.auth_time > request.max_age:
        return False
    if request.level is None:
        return True
    return state.levels.index(session.level) >= state.levels.index(request.level)


def level_reached(
    state: ProviderState, request: AuthorizationRequest, strongest: str | None
) -> str:
    """The level of a sign-in: what was asked for, as far as the person can; else the weakest.

    `acr_values` is voluntary: who cannot reach the level is signed in below it, and the client
    must look (OIDC Core, section 3.1.2.1). An essential level is none or all.
    """
    wanted = request.level or state.levels[0]
    if strongest is None or state.levels.index(strongest) >= state.levels.index(wanted):
        return wanted
    if request.essential:
        raise ProviderRefusal("access_denied", "the required level cannot be reached")
    return strongest


def _check_shape(sent: Parameters) -> None:
    if repeated := sent.repeated():
        raise ProviderRefusal("invalid_request", f"{repeated[0]} is repeated")
    for name, error in _NOT_SUPPORTED.items():
        if sent.get(name) is not None:
            raise ProviderRefusal(error, f"{name} is not supported")
    if _required(sent, "response_type") != "code":
        raise ProviderRefusal("unsupported_response_type", "response_type must be code")
    if sent.get("response_mode") not in (None, "query"):
        raise ProviderRefusal("invalid_request", "response_mode must be query")


def _check_challenge(sent: Parameters) -> None:
    """PKCE is demanded, as ID-porten does (docs.nais.io: security/auth/idporten), and only S256."""
    if sent.get("code_challenge_method") != "S256":
        raise ProviderRefusal("invalid_request", "code_challenge_method must be S256")
    if not _CHALLENGE.fullmatch(_required(sent, "code_challenge")):
        raise ProviderRefusal("invalid_request", "code_challenge is invalid")


def _required(sent: Parameters, name: str) -> str:
    value = sent.get(name)
    if value is None:
        raise ProviderRefusal("invalid_request", f"{name} is required")
    return value


def _prompts_of(sent: Parameters) -> frozenset[str]:
    prompts = frozenset((sent.get("prompt") or "").split())
    if not prompts <= PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise ProviderRefusal("invalid_request", "prompt is invalid")
    return prompts


def _max_age_of(sent: Parameters) -> timedelta | None:
    text = sent.get("max_age")
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ProviderRefusal("invalid_request", "max_age is invalid")
    return timedelta(seconds=int(text))


def _locale_of(sent: Parameters) -> str:
    wanted = (sent.get("ui_locales") or "").replace("no", "nb").split()
    return next((each for each in wanted if each in LOCALES), LOCALES[0])


def _level_of(state: ProviderState, sent: Parameters) -> tuple[str | None, bool]:
    """The first known level that is asked for, and whether it is essential.

    Unknown ones do not count, as in Keycloak.
    """
    name = state.manners.level_claim
    asked = _claim_asked_for(sent, name)
    values = asked.get("values")
    wanted = [str(each) for each in (values if isinstance(values, list) else [asked.get("value")])]
    if not asked and name == "acr":
        wanted = (sent.get("acr_values") or "").split()
    known = [each for each in wanted if each in state.manners.levels]
    essential = asked.get("essential") is True
    if essential and not known:
        raise ProviderRefusal("access_denied", "the required level cannot be reached")
    return (known[0] if known else None), essential


def _claim_asked_for(sent: Parameters, name: str) -> dict[str, object]:
    """What `claims` says of one claim of the ID token (OIDC Core, section 5.5)."""
    text = sent.get("claims")
    if text is None:
        return {}
    try:
        claims = json.loads(text)
        found = claims.get("id_token", {}).get(name) or {}
        values = found.get("values", [])
    except (ValueError, AttributeError) as error:
        raise ProviderRefusal("invalid_request", "claims is invalid") from error
    if not isinstance(values, list):
        raise ProviderRefusal("invalid_request", "claims is invalid")
    return dict(found)
