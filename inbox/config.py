"""Settings: one TOML file and the environment, read once, frozen; a wrong key is an error.

`INBOX_CONFIG` names the file. `INBOX_<KEY>` in the environment goes before a key of the file that
holds one value. Passwords come from a file or the environment, never from the TOML file.
"""

import os
import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from inbox.domain import CONFIDENTIAL_PROCESS, OrgNumber, Service, parse_org_number
from inbox.errors import ConfigurationError, Invalid
from inbox.gateway.http import check_protected
from inbox.trust.crl_download import is_list_address

PREFIX: Final = "INBOX_"
_CONFIG: Final = "INBOX_CONFIG"
_NOT_SETTINGS: Final = frozenset({_CONFIG, "INBOX_SAMPLES", "INBOX_STRACE"})
"""Names with our prefix that are no settings."""
_MAX_ADDRESS: Final = 500
_PASSWORD: Final = "INBOX_GATEWAY_PASSWORD_"  # noqa: S105 - the name of one, not one


def _organisation(text: str) -> OrgNumber:
    try:
        return parse_org_number(text)
    except Invalid as error:
        raise ValueError(error.reason) from error


Organisation = Annotated[str, AfterValidator(_organisation)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listener(_Section):
    """Where a listener binds."""

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    """0 takes a free one, and says which."""


class GatewaySettings(_Section):
    """One integrasjonspunkt."""

    channel: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    url: str
    user: str | None = None
    password_file: Path | None = None
    organisations: tuple[Organisation, ...] = Field(min_length=1)
    services: tuple[Service, ...] = (Service.DPO, Service.DPF)
    processes: tuple[str, ...] = (CONFIDENTIAL_PROCESS,)
    allow_insecure: bool = False
    """Accept plain http or no sign-in from another machine; said in the audit and by `doctor`."""


class WebhookTarget(_Section):
    """Where webhook events may go."""

    host: str
    port: int = Field(ge=1, le=65535)
    networks: tuple[IPv4Network | IPv6Network, ...] = Field(min_length=1)


class Supplier(_Section):
    """A supplier that signs for an organisation (*på vegne av*)."""

    signer: Organisation
    sender: Organisation


class WorkerSettings(_Section):
    """How many jobs a worker runs at once, and how often it polls."""

    small: int = Field(default=3, ge=1, le=32)
    long: int = Field(default=2, ge=1, le=16)
    calls: int = Field(default=12, ge=3, le=64)
    """Calls to case systems at once, all together."""
    calls_per_case_system: int = Field(default=2, ge=1, le=16)
    """Of these to one case system; never more than a third of all."""
    poll_seconds: float = Field(default=0.5, ge=0.05, le=3600)


class TermSettings(_Section):
    """Times and sizes of the line that an operator may set."""

    undo_minutes: float = Field(default=10, ge=0, le=24 * 60)
    keep_content_days: float = Field(default=14, ge=0, le=3650)
    erasures_per_hour: int = Field(default=200, ge=1, le=100_000)
    first_retry_seconds: float = Field(default=5, ge=0.01, le=600)
    longest_retry_minutes: float = Field(default=60, ge=0.01, le=24 * 60)
    free_gigabytes: float = Field(default=2, ge=0)
    legacy_sha1_until: date | None = None
    stale_list_days: float = Field(default=7, ge=0, le=60)


def _list_address(text: str) -> str:
    if not is_list_address(text) or len(text) > _MAX_ADDRESS:
        raise ValueError("an http or https address without user and password")
    return text


class RevocationSettings(_Section):
    """Where revocation lists are fetched from, beside the addresses in the trust folder."""

    addresses: tuple[Annotated[str, AfterValidator(_list_address)], ...] = ()
    fetch_minutes: float = Field(default=60, ge=1, le=24 * 60)


class LimitSettings(_Section):
    """Size limits of a package; a package above a limit is quarantined."""

    package_mib: int = Field(default=1280, ge=1, le=4095)
    inflated_mib: int = Field(default=4096, ge=1, le=65536)
    entries: int = Field(default=2000, ge=3, le=20_000)


class AccessSettings(_Section):
    """How long access lasts, which use is unusual, and how much of the lists is rechecked."""

    grant_days: int = Field(default=90, ge=1, le=90)
    delegation_days: int = Field(default=90, ge=1, le=90)
    breakglass_minutes: int = Field(default=60, ge=1, le=60)
    breakglass_per_person_day: int = Field(default=3, ge=0, le=1000)
    breakglass_per_unit_week: int = Field(default=5, ge=0, le=10_000)
    opens_per_person_hour: int = Field(default=30, ge=0, le=10_000)
    recheck: float = Field(default=0.01, ge=0.001, le=1)
    """The share of what is listed that is decided once more."""


class Settings(_Section):
    """All settings."""

    database: str = Field(pattern=r"^(sqlite:///|postgresql://)")
    vault: Path
    keys: Path
    policies: Path | None = None
    """The policy folder; the one shipped with the program if not set."""
    trust: Path | None = None
    schemas: Path | None = None
    """The folder of the published schemas (*.xsd) that arkivmelding.xml is compared with."""
    origin: str = Field(default="inbox", pattern=r"^[A-Za-z0-9./-]{1,100}$")
    """The name of this installation's audit log, in every checkpoint."""
    checkpoints: Path
    """The file that checkpoints are appended to; keep it, or a copy of it, on another machine."""
    audit_copy: Path | None = None
    """An `audit export`, as of a standby, that must be there when people accept a gap."""
    api: Listener = Listener(port=8080)
    operator: Listener = Listener(port=8081)
    gateways: tuple[GatewaySettings, ...] = ()
    webhook_targets: tuple[WebhookTarget, ...] = ()
    suppliers: tuple[Supplier, ...] = ()
    worker: WorkerSettings = WorkerSettings()
    terms: TermSettings = TermSettings()
    limits: LimitSettings = LimitSettings()
    revocation: RevocationSettings = RevocationSettings()
    access: AccessSettings = AccessSettings()

    def undo_window(self) -> timedelta:
        """How long a released message can still be withdrawn."""
        return timedelta(minutes=self.terms.undo_minutes)


def read_settings(environment: Mapping[str, str], config: Path | None = None) -> Settings:
    """Read and check the settings.

    Raises `ConfigurationError`, which names the key and the allowed values.
    """
    named = environment.get(_CONFIG)
    path = config or (Path(named) if named else None)
    values = {} if path is None else _read_toml(path)
    for name, text in environment.items():
        if not name.startswith(PREFIX) or name in _NOT_SETTINGS or name.startswith(_PASSWORD):
            continue
        key = name.removeprefix(PREFIX).lower()
        if key not in _single_valued_keys():
            raise ConfigurationError(
                "config.unknown_key",
                f"{name} is no setting; there are {_comma_separated(_single_valued_keys())}",
            )
        values[key] = text
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigurationError("config.invalid", _describe_errors(error)) from error
    for gateway in settings.gateways:
        check_gateway(gateway, password_of(gateway, environment))
    return settings


def _single_valued_keys() -> frozenset[str]:
    """The settings that hold one value."""
    several = {"api", "operator", "gateways", "webhook_targets", "suppliers"}
    parts = {"worker", "terms", "limits", "revocation", "access"}
    return frozenset(Settings.model_fields) - several - parts


def _read_toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError("config.unreadable", f"{path.name}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError("config.toml", f"{path.name} is not TOML: {error}") from error


def _describe_errors(error: ValidationError) -> str:
    """Which key, and what is allowed; never the value, which may be a secret."""
    told = []
    for wrong in error.errors(include_input=False, include_url=False):
        key = ".".join(str(part) for part in wrong["loc"])
        text = "is no setting" if wrong["type"] == "extra_forbidden" else wrong["msg"]
        if wrong["type"] == "extra_forbidden":
            text += f"; there are {_comma_separated(_allowed_keys(wrong['loc']))}"
        told.append(f"{key}: {text}")
    return "; ".join(told)


def _allowed_keys(place: tuple[int | str, ...]) -> frozenset[str]:
    part: type[BaseModel] = Settings
    inner: dict[str, type[BaseModel]] = {
        "api": Listener,
        "operator": Listener,
        "gateways": GatewaySettings,
        "webhook_targets": WebhookTarget,
        "suppliers": Supplier,
        "worker": WorkerSettings,
        "terms": TermSettings,
        "limits": LimitSettings,
        "revocation": RevocationSettings,
        "access": AccessSettings,
    }
    if len(place) > 1:
        part = inner.get(str(place[0]), Settings)
    return frozenset(part.model_fields)


def _comma_separated(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def password_of(gateway: GatewaySettings, environment: Mapping[str, str]) -> str | None:
    """The gateway's password, from its file or from `INBOX_GATEWAY_PASSWORD_<CHANNEL>`."""
    if gateway.password_file is not None:
        try:
            return gateway.password_file.read_text("utf-8").strip()
        except OSError as error:
            raise ConfigurationError(
                "config.password_file", f"gateways.{gateway.channel}: {error.strerror}"
            ) from error
    return environment.get(_PASSWORD + gateway.channel.replace("-", "_").upper())


def check_gateway(gateway: GatewaySettings, password: str | None) -> None:
    """Raise `ConfigurationError` for an unprotected gateway, unless `allow_insecure` is set."""
    if (gateway.user is None) is not (password is None):
        raise ConfigurationError(
            "config.invalid",
            f"gateways.{gateway.channel}: user and password belong together; the password comes"
            " from password_file or the environment",
        )
    if not gateway.allow_insecure:
        credentials = None if gateway.user is None else (gateway.user, password or "")
        check_protected(gateway.url, credentials)


def environment() -> Mapping[str, str]:
    """The environment of this process."""
    return os.environ
