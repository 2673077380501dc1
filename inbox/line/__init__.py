"""The line that a message travels: what a station receives (a job) and returns (an outcome).

A station reads: claim (short transaction) → work (no session, no transaction open) → settle (short
transaction). Deciding is pure, doing is thin.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Generic, TypeVar

from inbox.access.files.active import ActivePolicies
from inbox.access.lists.recheck import Recheck
from inbox.audit.standstill import Standstill
from inbox.casesystem import EventSender
from inbox.domain import OrgNumber, State
from inbox.gateway import Gateway
from inbox.keys import DataKey, Keyring
from inbox.line.active_rule_books import ActiveRuleBooks, organisations_with_rule_book
from inbox.line.throttle.case_system_places import CaseSystemPlaces
from inbox.line.throttle.erasure_pace import ErasurePace
from inbox.line.throttle.transfer_slots import TransferSlots
from inbox.package.arkivmelding.xsd import Schemas
from inbox.package.inputs import Limits, Trust
from inbox.store import Store
from inbox.tables import Arrival, Message, Outbox, Receipt
from inbox.trust.crl_schedule import CrlSchedule
from inbox.trust.trust_store import TrustStore
from inbox.vault import Vault

R = TypeVar("R", bound=Arrival | Message | Receipt | Outbox)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Time spans, counts and size limits of the line.

    `config.Settings` says which of them an operator may set.
    """

    lease: timedelta = timedelta(minutes=6)
    """How long a worker that says nothing keeps a row: longer than a gateway may be silent.

    Otherwise the next one asks for the same bytes in the meantime, and so on without end.
    """
    first_retry: timedelta = timedelta(seconds=5)
    longest_retry: timedelta = timedelta(hours=1)
    max_tries: int = 5
    """How often something is asked of a gateway that says it cannot, before it is MISSED."""
    gateway_silence: timedelta = timedelta(minutes=15)
    """Without an answer from a gateway for longer than this, the process is not ready."""
    escalate_after_attempts: int = 8
    """After so many attempts in vain a task is opened for a person."""
    undo_window: timedelta = timedelta(minutes=10)
    """How long what a person released waits, so that it can be withdrawn."""
    placing_grace: timedelta = timedelta(seconds=60)
    """How long a placing waits before the unit gets the message, so that it can be undone.

    Zero: it gets it at once, as it gets what is urgent.
    """
    proposal_life: timedelta = timedelta(days=14)
    keep_content: timedelta = timedelta(days=14)
    """How long content is kept after the sender was answered."""
    erasures_per_hour: int | None = None
    """How many messages a worker process erases in an hour at most; None: as many as are due."""
    receipt_retry_window: timedelta = timedelta(hours=24)
    """How long ReceiverDoesNotAcceptProcess is taken for an outage of the registry."""
    first_reminder: timedelta = timedelta(minutes=10)
    """The time after which an event that was heard is repeated, if its delivery is still OPEN."""
    longest_reminder: timedelta = timedelta(hours=6)
    uncollected_after: timedelta = timedelta(days=1)
    """How long events about a delivery are sent in vain before a task is opened for people."""
    stale_list_wait: timedelta = timedelta(days=7)
    """How long a message waits for a fresh revocation list before it is quarantined."""
    grant_shortest: timedelta = timedelta(days=1)
    grant_longest: timedelta = timedelta(days=90)
    delegation_longest: timedelta = timedelta(days=90)
    breakglass_duration: timedelta = timedelta(minutes=60)
    breakglass_per_person_day: int = 3
    """More emergency accesses in a day than these are reported as unusual."""
    breakglass_per_unit_week: int = 5
    """The same, to the messages of one unit in a week."""
    opens_per_person_hour: int = 30
    """The same, of different messages that one person opens in an hour."""
    min_free_bytes: int = 2_000_000_000
    """Below this much free space nothing is taken from a gateway."""
    limits: Limits = field(default_factory=Limits)
    legacy_sha1_until: date | None = None
    """From this date a package that is signed with SHA-1 is quarantined."""
    on_behalf_of: frozenset[tuple[OrgNumber, OrgNumber]] = frozenset()
    """Known suppliers: who may sign, for whom."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """Everything that stations and moves need; `wiring.build_line` puts it together."""

    store: Store
    vault: Vault
    keyring: Keyring
    policies: ActivePolicies
    rule_books: ActiveRuleBooks
    gateways: Mapping[str, Gateway]
    events: EventSender
    trust: TrustStore
    schemas: Schemas | None = None
    """The published schemas that arkivmelding.xml is compared with, if any are at hand."""
    crl_schedule: CrlSchedule | None = None
    """Where revocation lists are fetched; None: only the folder has any."""
    recheck: Recheck = field(default_factory=lambda: Recheck(1))
    """Doubt about this process's own lists; all of every list, unless less is said."""
    standstill: Standstill = field(default_factory=Standstill)
    """Whether nothing but intake goes on, because the database is an old one."""
    transfer_slots: TransferSlots = field(default_factory=TransferSlots)
    erasure_pace: ErasurePace = field(default_factory=ErasurePace)
    case_system_places: CaseSystemPlaces = field(default_factory=CaseSystemPlaces)
    terms: Terms = field(default_factory=Terms)

    def __post_init__(self) -> None:
        """Whatever this line writes is vouched for with its keys."""
        self.store.row_key = self.keyring.row_key

    def current_trust(self) -> Trust:
        """The trust anchors that are in force now, and all revocation lists at hand."""
        with self.store.reading_untimed() as session:
            return self.trust.current_trust(session)

    def organisations(self) -> frozenset[OrgNumber]:
        """The organisations that we receive mail for: those that have an active rule book."""
        with self.store.reading_untimed() as session:
            return organisations_with_rule_book(session)

    def has_free_space(self) -> bool:
        """Whether there is enough free space to take custody of another package."""
        return self.vault.free_bytes() >= self.terms.min_free_bytes


@dataclass(frozen=True, kw_only=True)
class Job(Generic[R]):
    """One claimed row as it was when claimed.

    `settle` checks that `row.version` is still the same.
    """

    row: R
    now: datetime
    keys: Mapping[str, DataKey] = field(default_factory=dict)
    """The data key of the row or of a receipt's message, by the id of what it belongs to."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The new state of a row and what goes with it.

    `settle` checks it against MOVES and writes it.
    """

    became: State
    code: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    due_at: datetime | None = None
    """When the new state's station may work on it; at once if None."""
    rule: str | None = None
    policy: str | None = None
