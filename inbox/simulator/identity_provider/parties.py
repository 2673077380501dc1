"""Who takes part: the clients that are registered, the people that can be chosen, the levels."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from inbox.simulator.identity_provider.loopback import check_loopback


class ClientAuthentication(StrEnum):
    """How a client shows at the token endpoint that it is itself (OIDC Core, section 9)."""

    SECRET_BASIC = "client_secret_basic"
    SECRET_POST = "client_secret_post"
    PRIVATE_KEY_JWT = "private_key_jwt"


SECRET_METHODS = (ClientAuthentication.SECRET_BASIC, ClientAuthentication.SECRET_POST)


@dataclass(frozen=True, kw_only=True)
class ProviderClient:
    """A service that is registered here; every address must be on loopback.

    Like ID-porten's self-service, it registers one method of authentication, and no other counts.
    """

    client_id: str
    redirect_uris: tuple[str, ...]
    secret: str | None = None
    """For the two methods with a secret."""
    jwks: Mapping[str, object] | None = None
    """Its public keys, as a JWKS, for `private_key_jwt`."""
    authentication: ClientAuthentication = ClientAuthentication.SECRET_BASIC
    scopes: frozenset[str] = frozenset({"openid", "profile", "email"})
    id_token_algorithm: str = "RS256"
    post_logout_redirect_uris: tuple[str, ...] = ()
    front_channel_logout_uri: str | None = None
    back_channel_logout_uri: str | None = None

    def __post_init__(self) -> None:
        for address in (*self.redirect_uris, *self.post_logout_redirect_uris):
            check_loopback(address, about=f"an address of {self.client_id}")
        for logout in (self.front_channel_logout_uri, self.back_channel_logout_uri):
            if logout is not None:
                check_loopback(logout, about=f"a logout address of {self.client_id}")
        if self.authentication in SECRET_METHODS and not self.secret:
            raise ValueError(f"{self.client_id} needs a secret for {self.authentication}")
        if self.authentication is ClientAuthentication.PRIVATE_KEY_JWT and not self.jwks:
            raise ValueError(f"{self.client_id} needs keys for {self.authentication}")


PROFILE_CLAIMS = frozenset({"name", "given_name", "family_name", "preferred_username"})
EMAIL_CLAIMS = frozenset({"email", "email_verified"})


@dataclass(frozen=True, kw_only=True)
class ProviderPerson:
    """Somebody who can be chosen on the page.

    `claims` are added to the ID token: `pid` in the style of ID-porten and Ansattporten, `tid` and
    `oid` in the style of Entra. `email` and what describes a profile come only with their scopes.
    """

    id: str
    name: str
    claims: Mapping[str, object] = field(default_factory=dict)
    strongest: str | None = None
    """The strongest level that this person can sign in with; None: all of them."""
    about: str = ""
    """A line below the name on the page, as *Fordeler, Dokumentsenteret*."""


@dataclass(frozen=True, kw_only=True)
class Manners:
    """In what real providers differ; the default is what the specifications ask for.

    `levels` are from the weakest to the strongest, each with the `amr` that it gives.
    """

    levels: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {"substantial": ("pwd",), "high": ("pwd", "mfa")}
    )
    level_claim: str = "acr"
    """`acrs` where levels are authentication contexts, asked for by the `claims` parameter."""
    names_itself: bool = True
    """The authorization response has `iss` (RFC 9207)."""
    names_itself_at_logout: bool = True
    """The front-channel logout has `iss` beside `sid`."""
    pairwise: bool = False
    """Each client sees another `sub` of the same person."""
    id_token_lasts: timedelta = timedelta(seconds=120)
    path: str = ""
    """The issuer is the address of the server and this path."""


ID_PORTEN = Manners(
    levels={"idporten-loa-substantial": ("Minid-PIN",), "idporten-loa-high": ("BankID",)},
    pairwise=True,
)
"""ID-porten: `sub` is pairwise, so `pid` says who it is; `amr` is a list today and was a string
once; the ID token lives for two minutes; PKCE, `state` and `nonce` are demanded; it has both kinds
of logout (docs.digdir.no: oidc_protocol_id_token, oidc_protocol_logout,
oidc_func_backchannel_logout; docs.nais.io: security/auth/idporten)."""

ANSATTPORTEN = Manners(
    levels={"substantial": ("Minid-PIN",), "high": ("BankID",)},
    pairwise=True,
)
"""Ansattporten: ID-porten's protocol with endpoints of its own and shorter names of levels. It also
has `entraid`, a sign-in at Entra ID, which is not made here; whom somebody represents is in
`authorization_details`, and no part of who they are (docs.digdir.no: ansattporten_protocol)."""

ENTRA = Manners(
    levels={"c1": ("pwd",), "c2": ("pwd", "mfa")},
    level_claim="acrs",
    names_itself=False,
    names_itself_at_logout=False,
    pairwise=True,
    id_token_lasts=timedelta(hours=1),
    path="/11111111-2222-4333-8444-555555555555/v2.0",
)
"""Entra ID: `sub` is pairwise, `tid` and `oid` say who it is; the issuer has the tenant in its
path; a level is an authentication context in `acrs`, asked for by `claims`; the front-channel
logout comes with `sid` alone (learn.microsoft.com: id-token-claims-reference,
developer-guide-conditional-access-authentication-context; github.com
nginxinc/nginx-openid-connect, issue 117)."""

KEYCLOAK = Manners(
    levels={"1": ("pwd",), "2": ("pwd", "otp")},
    id_token_lasts=timedelta(minutes=5),
    path="/realms/kommune",
)
"""Keycloak: `sub` is public, the realm is in the path, a session stays at the level that it has
reached, and disabling a user sends no logout (github.com keycloak/keycloak, discussion 39084 and
issue 37981)."""


def subject_of(person: ProviderPerson, client: ProviderClient, manners: Manners) -> str:
    """What `sub` says of a person to a client; the person's id only where it is public."""
    if not manners.pairwise:
        return person.id
    return hashlib.sha256(f"{client.client_id}\0{person.id}".encode()).hexdigest()
