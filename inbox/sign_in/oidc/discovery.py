"""What a provider says of itself (OpenID Connect Discovery 1.0), read strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from inbox.sign_in.oidc.provider_calls import is_safe_address
from inbox.sign_in.refusal import ProviderAway

_PATH: Final = "/.well-known/openid-configuration"


@dataclass(frozen=True, kw_only=True)
class ProviderMetadata:
    """The addresses of a provider, and what it promises."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None
    names_itself: bool
    """Every answer to a browser has `iss` (RFC 9207)."""
    token_auth_methods: frozenset[str]
    algorithms: frozenset[str]
    """Of ID tokens, as it says."""


def discovery_address(issuer: str) -> str:
    """Where a provider describes itself."""
    return issuer.rstrip("/") + _PATH


def read_metadata(document: Mapping[str, object], issuer: str) -> ProviderMetadata:
    """Read it. Raises `ProviderAway` for another issuer's, and for what lacks an address."""
    if document.get("issuer") != issuer:
        # Compared exactly: a provider that describes another one is how answers get mixed up.
        raise ProviderAway("provider.issuer", "it describes itself as another issuer")
    return ProviderMetadata(
        authorization_endpoint=_address(document, "authorization_endpoint"),
        token_endpoint=_address(document, "token_endpoint"),
        jwks_uri=_address(document, "jwks_uri"),
        end_session_endpoint=_address(document, "end_session_endpoint")
        if document.get("end_session_endpoint")
        else None,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        token_auth_methods=_words(document, "token_endpoint_auth_methods_supported"),
        algorithms=_words(document, "id_token_signing_alg_values_supported"),
    )


def _address(document: Mapping[str, object], name: str) -> str:
    found = document.get(name)
    if not isinstance(found, str) or not is_safe_address(found):
        raise ProviderAway("provider.metadata", f"{name} is no https address")
    return found


def _words(document: Mapping[str, object], name: str) -> frozenset[str]:
    found = document.get(name)
    return (
        frozenset(each for each in found if isinstance(each, str))
        if isinstance(found, list)
        else frozenset()
    )
