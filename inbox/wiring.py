"""The one place where the parts are put together: from settings to a `Line`."""

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path

import httpx
from sqlalchemy import Connection
from sqlmodel import select

from inbox import audit
from inbox.access.files.active import ActivePolicies
from inbox.access.lists.recheck import Recheck
from inbox.audit.gap import checkpoint_text
from inbox.audit.standstill import Standstill
from inbox.audit.state import take_state
from inbox.casesystem.webhook import Target, WebhookSender, webhook_client
from inbox.config import GatewaySettings, Settings, environment, password_of
from inbox.domain import OrgNumber
from inbox.errors import ConfigurationError, NotThereYet
from inbox.gateway import Gateway
from inbox.gateway.http import DEFAULT_BOUNDS, Bounds
from inbox.gateway.integrasjonspunkt import Integrasjonspunkt, Subscription, client_for
from inbox.keys import Keyring
from inbox.line import Line, Terms
from inbox.line.active_rule_books import ActiveRuleBooks
from inbox.line.throttle.case_system_places import CaseSystemPlaces
from inbox.line.throttle.transfer_slots import TransferSlots
from inbox.migrations import shipped_folder, upgrade
from inbox.package.arkivmelding.xsd import Schemas
from inbox.package.inputs import Limits
from inbox.routing.rule_book import RuleBook
from inbox.routing.rule_reader import read_rules
from inbox.sign_in.desk import SignInDesk
from inbox.sign_in.oidc.provider import Provider
from inbox.sign_in.oidc.provider_calls import ProviderCalls, build_provider_client
from inbox.sign_in.provider_settings import ProviderSettings, terms_of_provider
from inbox.store import Clock, SteadyClock, Store, Transaction, create_engine, database_clock
from inbox.tables import AuditHead, Installation
from inbox.trust.crl_download import CrlDownloader, build_http_client
from inbox.trust.crl_schedule import CrlSchedule
from inbox.trust.trust_store import TrustStore
from inbox.vault import FolderVault


def build_line(settings: Settings) -> Line:
    """Build the line and check the schema, the keys, the channels and their rules. Starts nothing.

    Raises `ConfigurationError` for whatever would keep it from working.
    """
    line = build_line_before_rules(settings)
    with line.store.reading() as tx:
        for gateway in settings.gateways:
            for organisation in map(OrgNumber, gateway.organisations):
                if line.rule_books.current(tx, organisation) is None:
                    raise _missing_rule_book(line, organisation, gateway.channel)
    return line


def _missing_rule_book(line: Line, organisation: OrgNumber, channel: str) -> ConfigurationError:
    unread = line.rule_books.problem(organisation)
    if unread is not None:
        return unread
    return ConfigurationError(
        "route.no_book",
        f"{organisation} receives mail on {channel}, but has no active routing rules:"
        " run `inbox route propose`",
    )


def build_line_before_rules(settings: Settings, *, clock: Clock = database_clock) -> Line:
    """The same without checking each channel's rules, for commands that may run before that.

    The database is compared with the newest checkpoint outside. Only the demo has a clock of its
    own.
    """
    store = build_store(settings, clock=clock)
    store.check_schema()
    keyring = Keyring.load(settings.keys)
    standstill, signed = Standstill(), checkpoint_text(settings.checkpoints)
    store.row_key = keyring.row_key
    with store.transaction() as tx:
        ensure_installation(tx, keyring, settings)
        tx.flush()
        standstill.compare(tx, keyring, [signed])
    tls = neighbour_tls(settings)
    return Line(
        store=store,
        vault=FolderVault(settings.vault),
        keyring=keyring,
        policies=ActivePolicies(),
        rule_books=ActiveRuleBooks(),
        gateways={g.channel: build_gateway(g, environment(), tls=tls) for g in settings.gateways},
        events=WebhookSender(
            webhook_client(tls=tls),
            [
                Target(host=target.host, port=target.port, networks=target.networks)
                for target in settings.webhook_targets
            ],
        ),
        trust=trust_store(settings),
        schemas=None if settings.schemas is None else read_schemas(settings.schemas),
        crl_schedule=build_crl_schedule(settings, tls=tls),
        recheck=Recheck(settings.access.recheck),
        standstill=standstill,
        transfer_slots=TransferSlots(small=settings.worker.small, long=settings.worker.long),
        case_system_places=CaseSystemPlaces(
            total=settings.worker.calls, each=settings.worker.calls_per_case_system
        ),
        terms=terms_of(settings),
    )


def build_store(settings: Settings, *, clock: Clock = database_clock) -> Store:
    """The database with its clock and its audit; no connection is opened yet.

    The keys are read when rows are written that the audit vouches for, if not before.
    """
    return Store(
        create_engine(settings.database),
        seal=audit.seal,
        clock=SteadyClock(clock),
        row_key=cache(lambda: Keyring.load(settings.keys).row_key()),
    )


def upgrade_database(
    settings: Settings, *, check: Callable[[Connection], None] | None = None
) -> None:
    """Bring the database to this program's version; a second run does nothing.

    `check` is called before anything is changed, and may refuse.
    """
    store = build_store(settings)
    upgrade(store.engine, check=check)


def trust_store(settings: Settings) -> TrustStore:
    """The trust folder, and whose certificates are believed without a revocation list."""
    return TrustStore(settings.trust, without_lists=settings.revocation.without_lists)


def policy_folder(settings: Settings) -> Path:
    """The policy folder in use."""
    return settings.policies or shipped_folder("policies")


def read_rule_books(folder: Path) -> Mapping[OrgNumber, RuleBook]:
    """Read the rule books in a folder, one per organisation. Raises `PolicyError`."""
    books = [
        read_rules(path.name, path.read_bytes())
        for path in sorted((folder / "routing").glob("*.toml"))
    ]
    return {book.organisation: book for book in books}


def read_schemas(folder: Path) -> Schemas:
    """The published schemas in a folder, read once. Raises `ConfigurationError`."""
    try:
        return Schemas({path.name: path.read_bytes() for path in sorted(folder.glob("*.xsd"))})
    except OSError as error:
        raise ConfigurationError("schemas.unreadable", f"schemas: {error.strerror}") from error


def neighbour_tls(settings: Settings) -> ssl.SSLContext:
    """How the certificates of neighbours are checked: by the public authorities and by our own.

    Raises `ConfigurationError` for a file of authorities that cannot be read.
    """
    context = httpx.create_ssl_context(trust_env=False)
    if settings.tls_ca_file is not None:
        try:
            context.load_verify_locations(cafile=settings.tls_ca_file)
        except FileNotFoundError as error:
            raise NotThereYet("config.tls_ca_file", "tls_ca_file is not there") from error
        except OSError as error:
            raise ConfigurationError(
                "config.tls_ca_file",
                f"read {settings.tls_ca_file.name}, which cannot be used; allowed: a file of"
                " certificates (PEM) that the program's user may read",
            ) from error
    return context


def build_gateway(
    settings: GatewaySettings,
    env: Mapping[str, str],
    *,
    tls: ssl.SSLContext | None = None,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> Gateway:
    """One channel with its client, for as long as the process lives."""
    return _gateway_over(_client_of(settings, env, tls), settings, bounds)


@contextmanager
def open_gateway(
    settings: GatewaySettings, env: Mapping[str, str], *, tls: ssl.SSLContext | None = None
) -> Iterator[Gateway]:
    """The same for a command; its connections are closed at the end."""
    with _client_of(settings, env, tls) as client:
        yield _gateway_over(client, settings)


def _client_of(
    settings: GatewaySettings, env: Mapping[str, str], tls: ssl.SSLContext | None
) -> httpx.Client:
    password = password_of(settings, env)
    credentials = None if settings.user is None else (settings.user, password or "")
    return client_for(settings.url, credentials=credentials, tls=tls)


def _gateway_over(
    client: httpx.Client, settings: GatewaySettings, bounds: Bounds = DEFAULT_BOUNDS
) -> Gateway:
    return Integrasjonspunkt(
        client,
        channel=settings.channel,
        bounds=bounds,
        subscriptions=tuple(
            Subscription(organisation=OrgNumber(organisation), service=service, process=process)
            for organisation in settings.organisations
            for service in settings.services
            for process in settings.processes
        ),
    )


def build_sign_in_desk(line: Line, settings: Settings) -> SignInDesk:
    """The identity providers, each with its client. Raises `ConfigurationError`."""
    people, tls = settings.people, neighbour_tls(settings)
    return SignInDesk(
        line=line,
        providers={each.name: build_provider(each, tls=tls) for each in settings.providers},
        public_url="" if people is None else people.public_url,
        takes_personal_codes=people is not None and people.takes_personal_codes,
    )


def build_provider(settings: ProviderSettings, *, tls: ssl.SSLContext | None = None) -> Provider:
    """One identity provider with its client, for as long as the process lives."""
    terms = terms_of_provider(settings, environment())
    return Provider(terms, ProviderCalls(build_provider_client(tls=tls)))


def build_crl_schedule(settings: Settings, *, tls: ssl.SSLContext | None = None) -> CrlSchedule:
    """The schedule of revocation lists: their addresses, and how often they are fetched."""
    return CrlSchedule(
        source=CrlDownloader(build_http_client(tls=tls)),
        listed=settings.revocation.addresses,
        every=timedelta(minutes=settings.revocation.fetch_minutes),
    )


def terms_of(settings: Settings) -> Terms:
    """The line's times and limits."""
    terms, access = settings.terms, settings.access
    return Terms(
        first_retry=timedelta(seconds=terms.first_retry_seconds),
        longest_retry=timedelta(minutes=terms.longest_retry_minutes),
        undo_window=settings.undo_window(),
        placing_grace=timedelta(seconds=terms.placing_seconds),
        keep_content=timedelta(days=terms.keep_content_days),
        erasures_per_hour=terms.erasures_per_hour,
        grant_longest=timedelta(days=access.grant_days),
        delegation_longest=timedelta(days=access.delegation_days),
        breakglass_duration=timedelta(minutes=access.breakglass_minutes),
        breakglass_per_person_day=access.breakglass_per_person_day,
        breakglass_per_unit_week=access.breakglass_per_unit_week,
        opens_per_person_hour=access.opens_per_person_hour,
        min_free_bytes=int(terms.free_gigabytes * 1_000_000_000),
        legacy_sha1_until=terms.legacy_sha1_until,
        limits=limits_of(settings),
        stale_list_wait=timedelta(days=terms.stale_list_days),
        on_behalf_of=frozenset(
            (OrgNumber(supplier.signer), OrgNumber(supplier.sender))
            for supplier in settings.suppliers
        ),
    )


def limits_of(settings: Settings) -> Limits:
    """How much a package may have."""
    limits = settings.limits
    return Limits(
        max_container_bytes=limits.package_mib << 20,
        max_entries=limits.entries,
        max_inflated_bytes=limits.inflated_mib << 20,
    )


def ensure_installation(tx: Transaction, keyring: Keyring, settings: Settings) -> None:
    """Insert the installation's rows into an empty database, or check that the keys are its own.

    The first start of a version that vouches for rows vouches for those that stand.
    """
    installation = tx.exec(select(Installation)).first()
    if installation is None:
        tx.add(AuditHead(id=1, size=0, frontier=b""))
        tx.flush()
        tx.add(
            Installation(
                id=1,
                origin=settings.origin,
                key_proof=keyring.proof(),
                created_at=tx.now,
                state_taken_at=tx.now,
            )
        )
        audit.record(
            tx,
            audit.Entry(event="installation:made", who="operator", subject=settings.origin),
        )
        return
    if installation.origin != settings.origin:
        raise ConfigurationError(
            "config.origin",
            f"this database is the installation {json.dumps(installation.origin)}: set origin so",
        )
    if not keyring.matches_proof(installation.key_proof):
        raise ConfigurationError(
            "keys.not_these",
            "the keys at hand are not those that this database was made with: put the right"
            " key folder in place; nothing is taken from a gateway until then",
        )
    if installation.state_taken_at is None:
        installation.state_taken_at = tx.now
        tx.flush()
        take_state(tx)
