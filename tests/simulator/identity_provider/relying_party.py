"""A client of another maker: Authlib talks to the provider, joserfc looks at what it signs."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core.util import create_half_hash
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.util import urlsafe_b64decode

from inbox.simulator.identity_provider.browser import choose_person
from tests.gateway.scripted_gateway import NO_TLS

CALLBACK = "http://127.0.0.1:9/oidc/callback"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, kw_only=True)
class Started:
    """What the client keeps while the person is away."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass
class RelyingParty:
    """One service; `http` is both the browser and the client."""

    http: httpx.Client
    issuer: str
    client_id: str = "inbox"
    secret: str = "a secret"
    method: str = "client_secret_basic"
    scope: str = "openid"
    discovery: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        address = self.issuer + "/.well-known/openid-configuration"
        self.discovery = self.http.get(address).raise_for_status().json()

    def client(self) -> OAuth2Client:
        return OAuth2Client(
            client_id=self.client_id,
            client_secret=self.secret,
            token_endpoint_auth_method=self.method,
            scope=self.scope,
            redirect_uri=CALLBACK,
            code_challenge_method="S256",
            verify=NO_TLS,
            trust_env=False,
        )

    def start(self, **more: str) -> Started:
        nonce, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(48)
        with self.client() as client:
            url, state = client.create_authorization_url(
                self.discovery["authorization_endpoint"],
                nonce=nonce,
                code_verifier=verifier,
                **more,
            )
        return Started(url=url, state=state, nonce=nonce, verifier=verifier)

    def choose(self, started: Started, person: str = "kari") -> str:
        return choose_person(self.http, started.url, person)

    def redeem(self, started: Started, callback: str) -> dict[str, Any]:
        """The token response, or Authlib's error."""
        with self.client() as client:
            token: dict[str, Any] = client.fetch_token(
                self.discovery["token_endpoint"],
                authorization_response=callback,
                state=started.state,
                code_verifier=started.verifier,
            )
        return token

    def sign_in(self, person: str = "kari", **more: str) -> dict[str, Any]:
        started = self.start(**more)
        return self.redeem(started, self.choose(started, person))

    def keys(self) -> KeySet:
        listed = self.http.get(self.discovery["jwks_uri"]).raise_for_status().json()
        return KeySet.import_key_set(listed)

    def claims(self, token: dict[str, Any]) -> dict[str, Any]:
        """Verified by joserfc."""
        algorithms = self.discovery["id_token_signing_alg_values_supported"]
        return jwt.decode(token["id_token"], self.keys(), algorithms=algorithms).claims

    def problems(
        self, token: dict[str, Any], started: Started, *, now: float, acr: str | None = None
    ) -> list[str]:
        """What is wrong with an ID token (OIDC Core, section 3.1.3.7): every check that fails."""
        header, claims = unverified(token["id_token"])
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        half = create_half_hash(token["access_token"], "RS256")
        checks = {
            "signature": self._is_signed(token["id_token"]),
            "algorithm": header.get("alg") == "RS256",
            "kid": "kid" in header,
            "iss": claims["iss"] == self.issuer,
            "aud": audiences == [self.client_id],
            "azp": claims.get("azp", self.client_id) == self.client_id,
            "exp": now < claims["exp"],
            "iat": claims["iat"] <= now,
            "sub": bool(claims.get("sub")),
            "nonce": claims.get("nonce") == started.nonce,
            "at_hash": claims["at_hash"] == half.decode(),
            "acr": acr in (None, claims["acr"]),
            "auth_time": now - claims["auth_time"] < 3600,
        }
        return [name for name, right in checks.items() if not right]

    def _is_signed(self, id_token: str) -> bool:
        try:
            jwt.decode(id_token, self.keys(), algorithms=["RS256"])
        except (JoseError, ValueError):
            return False
        return True


def unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims = (json.loads(urlsafe_b64decode(part.encode())) for part in token.split(".")[:2])
    return header, claims


def answer_of(callback: str) -> dict[str, str]:
    """The parameters of an authorization response."""
    return {name: values[0] for name, values in parse_qs(urlsplit(callback).query).items()}
