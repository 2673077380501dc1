"""Neighbours that do nothing, at no cost: what is left is the line's own work."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from inbox import audit
from inbox.casesystem import DeliveryEvent
from inbox.domain import OrgNumber, Service, WireId
from inbox.gateway import ConfirmResult, IncomingPackage, Notice, ReceiptRoute, SendStatus
from inbox.line import Line
from inbox.line.intake import announce
from inbox.simulator.packages.arkivmelding import ArkivmeldingLetter, arkivmelding_xml
from inbox.simulator.packages.builder import Parcel, ParcelDocument, package_bytes
from inbox.simulator.packages.certificates import TestAuthority
from inbox.simulator.packages.envelopes import message_id_of, sbd_json
from inbox.store import Store, create_engine, database_clock
from tests.bench.outcome import notified_messages
from tests.worlds import OURS, SENDER, furnish, line_of, settle_in

DOCUMENT_BYTES = 20_000


@dataclass(frozen=True)
class StillChannel:
    """A channel that gives the same package for every notice and agrees to everything."""

    package: bytes
    channel: str = "eformidling"

    def waiting_notices(self, at_most: int) -> Iterator[Notice]:
        """Nothing new."""
        del at_most
        return iter(())

    @contextmanager
    def fetch(self, notice: Notice) -> Iterator[IncomingPackage]:
        """The package."""
        del notice
        yield IncomingPackage(chunks=iter([self.package]))

    def confirm(self, notice: Notice) -> ConfirmResult:
        """Done."""
        del notice
        return ConfirmResult.DELIVERED

    def undelivered(self, since: datetime) -> Iterator[Mapping[WireId, str]]:
        """Nothing ended undelivered."""
        del since
        return iter(())

    def undelivered_notice(self, wire_id: WireId) -> None:
        """Nothing was for us."""

    def taken(self, since: datetime) -> Iterator[list[WireId]]:
        """Nobody took anything."""
        del since
        return iter(())

    def taken_notice(self, wire_id: WireId) -> None:
        """Nothing was for us."""

    def waiting_envelope(self, notice: Notice) -> None:
        """Nothing waits."""

    def setup_faults(self) -> tuple[()]:
        """It is set up for us."""
        return ()

    def receipt_route(self, receiver: OrgNumber) -> ReceiptRoute:
        """There is one."""
        del receiver
        return ReceiptRoute()

    def create_receipt(self, receipt_id: str, body: Mapping[str, object]) -> None:
        """Done."""

    def send_receipt(self, receipt_id: str) -> None:
        """Done."""

    def receipt_status(self, receipt_id: str) -> SendStatus:
        """It has arrived."""
        del receipt_id
        return SendStatus.CONFIRMED

    def clock_skew(self) -> timedelta | None:
        """None."""
        return None


class StillSender:
    """A case system that hears every event at once."""

    def send(self, url: str, secret: bytes, event: DeliveryEvent, now: datetime) -> None:
        """Done."""


def furnished(url: str, folder: Path) -> None:
    """A folder and a database in which lines of any number of processes can be built."""
    now = datetime.now(UTC)
    authority = furnish(folder, now)
    (folder / "package").write_bytes(_package(authority, now))
    line = still_line(url, folder)
    settle_in(line)
    line.store.engine.dispose()


def _package(authority: TestAuthority, now: datetime) -> bytes:
    letter = replace(
        ArkivmeldingLetter(), public_title="Melding om barnevern", file_names=("brev.pdf",)
    )
    return package_bytes(
        Parcel(
            sender=SENDER,
            receiver=OURS,
            signer=authority.issue(SENDER),
            documents=(ParcelDocument("brev.pdf", "application/pdf", b"x" * DOCUMENT_BYTES),),
            arkivmelding=arkivmelding_xml(letter),
            signed_at=now,
        )
    )


def still_line(url: str, folder: Path) -> Line:
    """A line of this process, with neighbours that do nothing."""
    store = Store(create_engine(url), seal=audit.seal, clock=database_clock)
    line = line_of(store, folder, StillChannel((folder / "package").read_bytes()))
    return replace(line, events=StillSender())


def announce_all(line: Line, messages: int) -> int:
    """So many appearances, each with an envelope of its own.

    Returns how many messages case systems have heard of when all of them are through.
    """
    expected, now = notified_messages(line) + messages, datetime.now(UTC)
    for _ in range(messages):
        envelope = sbd_json(sender=SENDER, receiver=OURS, created_at=now, life=timedelta(hours=24))
        announce(
            line,
            Notice(
                channel="eformidling",
                service=Service.DPO,
                organisation=OrgNumber(OURS),
                wire_id=WireId(message_id_of(envelope)),
                envelope=json.dumps(envelope).encode(),
            ),
            now,
        )
    return expected
