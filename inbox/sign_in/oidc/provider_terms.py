"""What is agreed with an identity provider: who it is, who we are there, and what is *strong*."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final


class ProviderKind(StrEnum):
    """The kinds of providers: each names people by claims of its own."""

    IDPORTEN = "idporten"
    ANSATTPORTEN = "ansattporten"
    ENTRA = "entra"
    KEYCLOAK = "keycloak"


class AssertionAudience(StrEnum):
    """To whom our own assertion is addressed: providers differ."""

    ISSUER = "issuer"
    TOKEN_ENDPOINT = "token_endpoint"  # noqa: S105 - the name of an address


class StrengthClaim(StrEnum):
    """The claims of a token that can say how somebody signed in."""

    ACR = "acr"
    AMR = "amr"
    ACRS = "acrs"
    """Entra's authentication contexts."""


SUBJECT_CLAIMS: Final[Mapping[ProviderKind, tuple[str, ...]]] = {
    ProviderKind.IDPORTEN: ("pid",),
    ProviderKind.ANSATTPORTEN: ("pid",),
    ProviderKind.ENTRA: ("tid", "oid"),
    ProviderKind.KEYCLOAK: ("sub",),
}
"""The claims that name a person: never an e-mail address, a user name or a name."""


@dataclass(frozen=True, kw_only=True)
class StrengthRow:
    """One row of the table of what is strong: any of these values in the claim is enough."""

    claim: StrengthClaim
    values: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class StrengthTable:
    """What counts as strong at one provider; without rows nothing does."""

    rows: tuple[StrengthRow, ...] = ()
    greatest_age: timedelta = timedelta(minutes=15)
    """How long ago the person may have proved it; a token that does not say when proves nothing."""


@dataclass(frozen=True, kw_only=True)
class ClientSecret:
    """A secret that is shared with the provider."""

    value: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ClientKey:
    """A private key, whose public half the provider has."""

    pem: bytes = field(repr=False)
    key_id: str | None = None
    certificate_pem: bytes | None = field(default=None, repr=False)
    """For a provider that knows the key by the thumbprint of its certificate (Entra)."""
    audience: AssertionAudience = AssertionAudience.ISSUER


@dataclass(frozen=True, kw_only=True)
class ProviderTerms:
    """One identity provider, as the settings describe it."""

    name: str
    """Our name for it, in addresses and in the audit."""
    title: str
    """What people read on the sign-in page."""
    kind: ProviderKind
    issuer: str
    client_id: str
    proof: ClientSecret | ClientKey = field(repr=False)
    scopes: tuple[str, ...] = ("openid",)
    acr_values: tuple[str, ...] = ()
    """Asked for at every sign-in."""
    strength: StrengthTable = StrengthTable()
