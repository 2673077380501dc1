"""One identity provider: where it sends people, what it says of them, and whether it is there.

The code flow of OpenID Connect with PKCE (RFC 7636), `iss` in answers (RFC 9207), and one exchange
of a code for an ID token. What it says of itself is kept for an hour.
"""

import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Final
from urllib.parse import urlencode, urlsplit

from inbox.sign_in.oidc.client_proof import prove
from inbox.sign_in.oidc.discovery import ProviderMetadata, discovery_address, read_metadata
from inbox.sign_in.oidc.id_token import SignedInWord, read_id_token
from inbox.sign_in.oidc.logout_token import LogoutWord, read_logout_token
from inbox.sign_in.oidc.provider_calls import OK, ProviderCalls
from inbox.sign_in.oidc.provider_keys import ProviderKeys
from inbox.sign_in.oidc.provider_terms import ProviderTerms
from inbox.sign_in.refusal import ProviderAway, SignInRefused

_KEPT_SECONDS: Final = 3600.0
_UNKNOWN_CLIENT: Final = ("invalid_client", "unauthorized_client")
"""The second is Keycloak's word for a wrong secret."""
_PROBED_SECONDS: Final = 10.0
"""Whether it is there is asked once in so long, however many people wait."""
_PROBE_PATIENCE: Final = timedelta(seconds=3)


class Provider:
    """An identity provider over HTTP. It keeps its description and its keys, and nobody's."""

    def __init__(
        self,
        terms: ProviderTerms,
        calls: ProviderCalls,
        *,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self.terms = terms
        self._calls = calls
        self._tick = tick
        self._lock = Lock()
        self._kept: tuple[ProviderMetadata, float] | None = None
        self.keys = ProviderKeys(lambda: calls.get(self.metadata().jwks_uri), tick=tick)

    def metadata(self) -> ProviderMetadata:
        """What it says of itself, at most an hour old. Raises `ProviderAway`."""
        return self._metadata(_KEPT_SECONDS, None)

    def probe(self) -> None:
        """Raise `ProviderAway` unless it answers now; not asked again for some seconds."""
        self._metadata(_PROBED_SECONDS, _PROBE_PATIENCE)

    def _metadata(self, kept_seconds: float, patience: timedelta | None) -> ProviderMetadata:
        with self._lock:
            kept = self._kept
        if kept is not None and self._tick() - kept[1] < kept_seconds:
            return kept[0]
        address = discovery_address(self.terms.issuer)
        found = read_metadata(self._calls.get(address, patience=patience), self.terms.issuer)
        with self._lock:
            self._kept = (found, self._tick())
        return found

    def authorization_address(
        self, *, state: str, nonce: str, verifier: str, return_to: str, asked: Mapping[str, str]
    ) -> str:
        """Where the browser goes to sign in; `return_to` is our callback."""
        acr = {"acr_values": " ".join(self.terms.acr_values)} if self.terms.acr_values else {}
        parameters = {
            "response_type": "code",
            "client_id": self.terms.client_id,
            "redirect_uri": return_to,
            "scope": " ".join(self.terms.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
            **acr,
            **asked,
        }
        endpoint = self.metadata().authorization_endpoint
        joint = "&" if urlsplit(endpoint).query else "?"
        return f"{endpoint}{joint}{urlencode(parameters)}"

    def check_sender(self, issuer: str | None) -> None:
        """Whether an answer in a browser is from here (RFC 9207). Raises `SignInRefused`."""
        if issuer is None and self.metadata().names_itself:
            raise SignInRefused("sign_in.no_issuer", "it always names itself, and here it does not")
        if issuer is not None and issuer != self.terms.issuer:
            raise SignInRefused("sign_in.other_issuer", "the answer is another provider's")

    def redeem(
        self, code: str, *, verifier: str, nonce: str, return_to: str, now: datetime
    ) -> SignedInWord:
        """Exchange a code for what the provider says of somebody.

        Raises `SignInRefused`, and `ProviderAway`.
        """
        metadata = self.metadata()
        fields, headers = prove(self.terms, metadata, now)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": return_to,
            "code_verifier": verifier,
            **fields,
        }
        answer = self._calls.post(metadata.token_endpoint, form, headers)
        if answer.status != OK:
            if answer.values.get("error") in _UNKNOWN_CLIENT:
                raise ProviderAway("provider.client", "it does not know us", status=answer.status)
            raise SignInRefused("sign_in.code", str(answer.status))
        return read_id_token(answer.values, self.terms, self.keys, nonce=nonce, now=now)

    def read_logout(self, token: object, now: datetime) -> LogoutWord:
        """What a logout token says. Raises `SignInRefused`, and `ProviderAway`."""
        return read_logout_token(token, self.terms, self.keys, now=now)

    def end_session_address(self, return_to: str) -> str | None:
        """Where a person signs out there too; None where it has no such page, or is away.

        Without the ID token, which would put a national id into an address.
        """
        try:
            endpoint = self.metadata().end_session_endpoint
        except ProviderAway:
            return None
        if endpoint is None:
            return None
        parameters = {"client_id": self.terms.client_id, "post_logout_redirect_uri": return_to}
        joint = "&" if urlsplit(endpoint).query else "?"
        return f"{endpoint}{joint}{urlencode(parameters)}"


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
