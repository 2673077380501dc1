"""Settings of identity providers: who signs people in, who we are there, and what is *strong*."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from inbox.errors import ConfigurationError, NotThereYet
from inbox.settings_refusal import Allowed
from inbox.sign_in.oidc.client_proof import certificate_thumbprint, read_private_key
from inbox.sign_in.oidc.provider_calls import is_safe_address
from inbox.sign_in.oidc.provider_terms import (
    AssertionAudience,
    ClientKey,
    ClientSecret,
    ProviderKind,
    ProviderTerms,
    StrengthClaim,
    StrengthRow,
    StrengthTable,
)

SECRET_NAME: Final = "INBOX_PROVIDER_SECRET_"  # noqa: S105 - the name of one, not one
PROVIDER_FILES: Final = ("secret_file", "key_file", "certificate_file")


class Section(BaseModel):
    """A part of the settings: frozen, and with no key that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _issuer(text: str) -> str:
    if not is_safe_address(text) or "?" in text or len(text) > 290:  # noqa: PLR2004 - the column's
        raise ValueError("not an issuer")
    return text


class StrengthSettings(Section):
    """One row of the table of what is strong."""

    claim: StrengthClaim
    values: tuple[str, ...] = Field(min_length=1)


class ProviderSettings(Section):
    """One identity provider."""

    name: Annotated[str, Allowed("a-z, 0-9 and hyphens, at most 30 of them")] = Field(
        pattern=r"^[a-z0-9-]{1,30}$"
    )
    title: str = Field(min_length=1, max_length=60)
    """What people read on the sign-in page."""
    kind: ProviderKind
    issuer: Annotated[
        str, AfterValidator(_issuer), Allowed("the issuer, exactly as its discovery document says")
    ]
    client_id: str = Field(min_length=1, max_length=200)
    secret_file: Path | None = None
    key_file: Path | None = None
    key_id: str | None = None
    certificate_file: Path | None = None
    audience: AssertionAudience = AssertionAudience.ISSUER
    scopes: tuple[str, ...] = ("openid",)
    acr_values: tuple[str, ...] = ()
    strong: tuple[StrengthSettings, ...] = ()
    strong_minutes: float = Field(default=15, gt=0, le=15)
    """The greatest age of a strong sign-in at the provider."""

    @model_validator(mode="after")
    def _has_openid(self) -> Self:
        if "openid" not in self.scopes:
            raise ValueError("scopes must have openid")
        return self


def terms_of_provider(settings: ProviderSettings, env: Mapping[str, str]) -> ProviderTerms:
    """What is agreed with a provider, with its secret or our key. Raises `ConfigurationError`."""
    return ProviderTerms(
        name=settings.name,
        title=settings.title,
        kind=settings.kind,
        issuer=settings.issuer,
        client_id=settings.client_id,
        proof=_proof(settings, env),
        scopes=settings.scopes,
        acr_values=settings.acr_values,
        strength=StrengthTable(
            rows=tuple(
                StrengthRow(claim=row.claim, values=frozenset(row.values))
                for row in settings.strong
            ),
            greatest_age=timedelta(minutes=settings.strong_minutes),
        ),
    )


def _proof(settings: ProviderSettings, env: Mapping[str, str]) -> ClientSecret | ClientKey:
    secret = env.get(SECRET_NAME + settings.name.replace("-", "_").upper())
    if settings.secret_file is not None:
        secret = _read(settings, "secret_file", settings.secret_file).decode().strip()
    if (secret is None) is (settings.key_file is None):
        raise ConfigurationError(
            "config.provider_proof",
            f"providers {settings.name}: read both a secret and a key_file, or neither; allowed:"
            " one of them, the secret from secret_file or the environment",
        )
    if settings.key_file is None:
        return ClientSecret(value=secret or "")
    key = _read(settings, "key_file", settings.key_file)
    read_private_key(key)
    certificate = settings.certificate_file and _read(
        settings, "certificate_file", settings.certificate_file
    )
    if certificate:
        certificate_thumbprint(certificate)
    return ClientKey(
        pem=key,
        key_id=settings.key_id,
        certificate_pem=certificate or None,
        audience=settings.audience,
    )


def _read(settings: ProviderSettings, name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        kind = NotThereYet if isinstance(error, FileNotFoundError) else ConfigurationError
        raise kind(
            "config.provider_file",
            f"providers {settings.name}: {name} cannot be read ({error.strerror}); allowed: a"
            " file that the program's user may read",
        ) from error
