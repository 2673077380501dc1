"""Settings: one TOML file and the environment, read once, frozen; a wrong key is an error.

`INBOX_CONFIG` names the file. `INBOX_<KEY>` in the environment goes before a key of the file that
holds one value. Passwords come from a file or the environment, never from the TOML file. A relative
path in the file begins in the folder of the file, one in the environment where the program runs.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from inbox.domain import CONFIDENTIAL_PROCESS, OrgNumber, Service, parse_org_number
from inbox.errors import ConfigurationError, Invalid, NotThereYet
from inbox.gateway.http import check_protected
from inbox.settings_refusal import Allowed, SettingsSource, describe_refusals, read_settings_file
from inbox.sign_in.oidc.provider_calls import is_safe_address
from inbox.sign_in.provider_settings import PROVIDER_FILES, SECRET_NAME, ProviderSettings, Section
from inbox.trust.crl_download import is_list_address

PREFIX: Final = "INBOX_"
_CONFIG: Final = "INBOX_CONFIG"
_NOT_SETTINGS: Final = frozenset(
    {_CONFIG, "INBOX_BROWSER", "INBOX_LANGUAGE", "INBOX_SAMPLES", "INBOX_STRACE"}
)
"""Names with our prefix that are no settings."""
_MAX_ADDRESS: Final = 500
_SQLITE: Final = "sqlite:///"
_PATHS: Final = (
    "vault", "keys", "policies", "trust", "schemas", "tls_ca_file", "checkpoints", "audit_copy",
)  # fmt: skip
"""The settings at the top that are paths."""
_PASSWORD: Final = "INBOX_GATEWAY_PASSWORD_"  # noqa: S105 - the name of one, not one
_SECRETS: Final = (_PASSWORD, SECRET_NAME)


def _organisation(text: str) -> OrgNumber:
    try:
        return parse_org_number(text)
    except Invalid as error:
        raise ValueError(error.reason) from error


Organisation = Annotated[
    str,
    AfterValidator(_organisation),
    Allowed('organisation numbers such as "910075918": nine digits with a valid check digit'),
]


def _database_address(text: str) -> str:
    try:
        make_url(text)
    except (ArgumentError, ValueError) as error:
        raise ValueError("not an address") from error
    return text


DatabaseAddress = Annotated[
    str,
    AfterValidator(_database_address),
    Allowed('"sqlite:///PATH" or "postgresql://USER@HOST:5432/NAME"'),
]


class Listener(Section):
    """Where a listener binds."""

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    """0 takes a free one, and says which."""


class ApiListener(Listener):
    """Where the API for case systems binds."""

    port: int = Field(default=8080, ge=0, le=65535)


class OperatorListener(Listener):
    """Where the operators' listener binds."""

    port: int = Field(default=8081, ge=0, le=65535)


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if not is_safe_address(text) or parts.path not in {"", "/"} or parts.query:
        raise ValueError("not an origin")
    return text.rstrip("/")


class PeopleListener(Listener):
    """Where the pages for people bind, and what people reach them by."""

    port: int = Field(default=8082, ge=0, le=65535)
    public_url: Annotated[
        str,
        AfterValidator(_public_url),
        Allowed("https://HOST, or http to this machine; no path, since the cookies have none"),
    ]
    organisation: str = Field(min_length=1, max_length=100)
    """Its name, on every page."""
    takes_personal_codes: bool = False
    """Let people sign in with personal codes, for a day without a provider."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    practice: bool = False
    """Whether all names and messages are made up: the pages say so, and show their components."""


class CallbacksListener(Listener):
    """Where machines from the internet call, such as a provider that signs somebody out."""

    port: int = Field(default=8083, ge=0, le=65535)


class GatewaySettings(Section):
    """One integrasjonspunkt."""

    channel: Annotated[str, Allowed("a-z, 0-9 and hyphens, at most 40 of them")] = Field(
        pattern=r"^[a-z0-9-]{1,40}$"
    )
    url: str
    user: str | None = None
    password_file: Path | None = None
    organisations: tuple[Organisation, ...] = Field(min_length=1)
    services: tuple[Service, ...] = (Service.DPO, Service.DPF)
    processes: tuple[str, ...] = (CONFIDENTIAL_PROCESS,)
    allow_insecure: bool = False
    """Accept plain http or no sign-in from another machine; said in the audit and by `doctor`."""


class WebhookTarget(Section):
    """Where webhook events may go."""

    host: str
    port: int = Field(ge=1, le=65535)
    networks: tuple[IPv4Network | IPv6Network, ...] = Field(min_length=1)


class Supplier(Section):
    """A supplier that signs for an organisation (*på vegne av*)."""

    signer: Organisation
    sender: Organisation


class WorkerSettings(Section):
    """How many jobs a worker runs at once, and how often it polls."""

    small: int = Field(default=3, ge=1, le=32)
    long: int = Field(default=2, ge=1, le=16)
    calls: int = Field(default=12, ge=3, le=64)
    """Calls to case systems at once, all together."""
    calls_per_case_system: int = Field(default=2, ge=1, le=16)
    """Of these to one case system; never more than a third of all."""
    poll_seconds: float = Field(default=0.5, ge=0.05, le=3600)


class TermSettings(Section):
    """Times and sizes of the line that an operator may set."""

    undo_minutes: float = Field(default=10, ge=0, le=24 * 60)
    placing_seconds: float = Field(default=60, ge=0, le=600)
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


ListAddress = Annotated[
    str,
    AfterValidator(_list_address),
    Allowed("http or https addresses of at most 500 characters, without user and password"),
]


Sha256 = Annotated[
    str,
    StringConstraints(to_lower=True, pattern=r"^[0-9a-fA-F]{64}$"),
    Allowed("SHA-256 digests of certificates: 64 hexadecimal digits each"),
]


class RevocationSettings(Section):
    """Where revocation lists are fetched from, beside the addresses in the trust folder."""

    addresses: tuple[ListAddress, ...] = ()
    fetch_minutes: float = Field(default=60, ge=1, le=24 * 60)
    without_lists: tuple[Sha256, ...] = ()
    """Authorities in the trust folder that publish no list: believed without one, for a pilot."""


class LimitSettings(Section):
    """Size limits of a package; a package above a limit is quarantined."""

    package_mib: int = Field(default=1280, ge=1, le=4095)
    inflated_mib: int = Field(default=4096, ge=1, le=65536)
    entries: int = Field(default=2000, ge=3, le=20_000)


class AccessSettings(Section):
    """How long access lasts, which use is unusual, and how much of the lists is rechecked."""

    grant_days: int = Field(default=90, ge=1, le=90)
    delegation_days: int = Field(default=90, ge=1, le=90)
    breakglass_minutes: int = Field(default=60, ge=1, le=60)
    breakglass_per_person_day: int = Field(default=3, ge=0, le=1000)
    breakglass_per_unit_week: int = Field(default=5, ge=0, le=10_000)
    opens_per_person_hour: int = Field(default=30, ge=0, le=10_000)
    recheck: float = Field(default=0.01, ge=0.001, le=1)
    """The share of what is listed that is decided once more."""


class Settings(Section):
    """All settings."""

    database: DatabaseAddress = Field(pattern=r"^(sqlite:///.|postgresql://)")
    vault: Path
    keys: Path
    policies: Path | None = None
    """The policy folder; the one shipped with the program if not set."""
    trust: Path | None = None
    schemas: Path | None = None
    """The folder of the published schemas (*.xsd) that arkivmelding.xml is compared with."""
    tls_ca_file: Path | None = None
    """Certificates (PEM) of an internal CA, believed of neighbours beside the public ones."""
    origin: Annotated[str, Allowed("letters, digits, `.`, `/` and `-`, at most 100")] = Field(
        default="inbox", pattern=r"^[A-Za-z0-9./-]{1,100}$"
    )
    """The name of this installation's audit log, in every checkpoint."""
    checkpoints: Path
    """The file that checkpoints are appended to; keep it, or a copy of it, on another machine."""
    audit_copy: Path | None = None
    """An `audit export`, as of a standby, that must be there when people accept a gap."""
    api: ApiListener = ApiListener()
    operator: OperatorListener = OperatorListener()
    people: PeopleListener | None = None
    callbacks: CallbacksListener | None = None
    providers: tuple[ProviderSettings, ...] = ()
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

    Raises `ConfigurationError`, which names the file, the line, the key, what was read there and
    what is allowed.
    """
    named = environment.get(_CONFIG)
    path = config or (Path(named) if named else None)
    source = SettingsSource() if path is None else read_settings_file(path)
    given = _environment_values(environment)
    values = dict(source.values) if path is None else _with_whole_paths(source.values, path)
    source = replace(source, values={**source.values, **given}, environment=frozenset(given))
    try:
        settings = Settings.model_validate({**values, **given})
    except ValidationError as error:
        told = describe_refusals(error, Settings, source)
        unnamed = "" if path else "no file is named by --config FILE or INBOX_CONFIG; "
        raise ConfigurationError("config.invalid", unnamed + told) from None
    for number, gateway in enumerate(settings.gateways):
        _check_gateway_settings(gateway, environment, source, number)
    return settings


def _environment_values(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings that the environment gives."""
    values = {}
    for name, text in environment.items():
        if not name.startswith(PREFIX) or name in _NOT_SETTINGS or name.startswith(_SECRETS):
            continue
        key = name.removeprefix(PREFIX).lower()
        if key not in _single_valued_keys():
            raise ConfigurationError(
                "config.unknown_key",
                f"{name} is no setting; there are {', '.join(sorted(_single_valued_keys()))}",
            )
        values[key] = text
    return values


def _single_valued_keys() -> frozenset[str]:
    """The settings that hold one value."""
    listeners = {"api", "operator", "people", "callbacks"}
    several = {*listeners, "providers", "gateways", "webhook_targets", "suppliers"}
    parts = {"worker", "terms", "limits", "revocation", "access"}
    return frozenset(Settings.model_fields) - several - parts


def _with_whole_paths(values: Mapping[str, object], config: Path) -> dict[str, object]:
    """The values of a file, its relative paths as paths from the folder that the file is in."""
    folder, found = config.absolute().parent, dict(values)
    for key in _PATHS:
        found[key] = _whole_path(folder, values.get(key))
    address = values.get("database")
    if isinstance(address, str) and address.startswith(_SQLITE):
        path, question, rest = address.removeprefix(_SQLITE).partition("?")
        if path and not path.startswith((":memory:", "file:")):
            found["database"] = f"{_SQLITE}{folder / path}{question}{rest}"
    for part, keys in (("gateways", ("password_file",)), ("providers", PROVIDER_FILES)):
        listed = values.get(part)
        if isinstance(listed, list):
            found[part] = [
                {**each, **{key: _whole_path(folder, each[key]) for key in keys if key in each}}
                if isinstance(each, dict)
                else each
                for each in listed
            ]
    return {key: value for key, value in found.items() if value is not None}


def _whole_path(folder: Path, value: object) -> object:
    """The path from the root; what is no text is left to be refused."""
    return str(folder / value) if isinstance(value, str) else value


def _check_gateway_settings(
    gateway: GatewaySettings, environment: Mapping[str, str], source: SettingsSource, number: int
) -> None:
    """The same as `check_gateway`; what is wrong names the place in the settings."""
    try:
        check_gateway(gateway, password_of(gateway, environment))
    except ConfigurationError as error:
        key = {"config.password_file": "password_file", "config.invalid": "user"}
        where = source.where(("gateways", number, key.get(error.code, "url")))
        raise type(error)(error.code, f"{where}: {error.reason}") from None


def password_of(gateway: GatewaySettings, environment: Mapping[str, str]) -> str | None:
    """The gateway's password, from its file or from `INBOX_GATEWAY_PASSWORD_<CHANNEL>`."""
    if gateway.password_file is not None:
        try:
            return gateway.password_file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "not UTF-8"
            kind = NotThereYet if isinstance(error, FileNotFoundError) else ConfigurationError
            raise kind(
                "config.password_file",
                f"password_file cannot be read ({why}); allowed: a file with the password that the"
                " program's user may read",
            ) from error
    return environment.get(_PASSWORD + gateway.channel.replace("-", "_").upper())


def check_gateway(gateway: GatewaySettings, password: str | None) -> None:
    """Raise `ConfigurationError` for an unprotected gateway, unless `allow_insecure` is set."""
    if (gateway.user is None) is not (password is None):
        read = "a user and no password" if password is None else "a password and no user"
        raise ConfigurationError(
            "config.invalid",
            f"read {read}; allowed: both, the password from password_file or the environment,"
            " or neither",
        )
    if not gateway.allow_insecure:
        credentials = None if gateway.user is None else (gateway.user, password or "")
        check_protected(gateway.url, credentials)


def environment() -> Mapping[str, str]:
    """The environment of this process."""
    return os.environ
