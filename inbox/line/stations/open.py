"""The station of a received message: open its package, or quarantine the message."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from inbox.domain import MessageState, OrgNumber
from inbox.errors import PackageRejected, Unavailable
from inbox.keys import DataKey
from inbox.line import Job, Line, Outcome
from inbox.line.active_rule_books import organisations_with_rule_book
from inbox.line.sealed_content import (
    plain_columns,
    reference_hashes,
    references_in,
    sealed_columns,
)
from inbox.line.stations.station import Settling
from inbox.line.task_kinds import OTHER_BYTES_CODE
from inbox.line.throttle.transfer_slots import LONG_TRANSFER_BYTES
from inbox.package import Package, open_package
from inbox.package.envelope import Envelope, read_envelope
from inbox.package.inputs import Expectations, StaleList, Trust
from inbox.package.verdict import PackageQuarantined
from inbox.tables import Message, MessageReference


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A package that was verified, and the hashes of the cases that it names."""

    outcome: Outcome
    references: Sequence[str]


def open_message(line: Line, job: Job[Message]) -> Outcome | Opened:
    """Verify the package and read its metadata.

    It only reads; the same bytes give the same result.
    """
    row, key = job.row, job.keys[job.row.id]
    if row.shares_wire_id and OTHER_BYTES_CODE not in row.waivers.split():
        return Outcome(became=MessageState.QUARANTINED, code=OTHER_BYTES_CODE)
    values: dict[str, object] = {}
    try:
        envelope = _envelope_of(row, key)
        values |= {"sender": envelope.sender, "sent_at": envelope.created_at}
        package = _open_with_current_lists(line, job, envelope)
    except PackageRejected as error:
        if isinstance(error, PackageQuarantined):
            values["verdict"] = json.dumps(error.verdict.as_json())
        return Outcome(became=MessageState.QUARANTINED, code=error.code, values=values)
    with line.store.reading_untimed() as session:
        policy = line.policies.current(session)
    values |= plain_columns(package)
    values |= sealed_columns(row.id, package, key, policy.shielding_code, line.keyring)
    hashes = reference_hashes(line.keyring, references_in(package))
    return Opened(outcome=Outcome(became=MessageState.OPENED, values=values), references=hashes)


def record_opened(settling: Settling[Message], found: Outcome | Opened) -> None:
    """With what a conflict of interest with a case is found by; erasing removes it."""
    if isinstance(found, Outcome):
        settling.move(found)
        return
    settling.move(found.outcome)
    settling.tx.add_all(
        MessageReference(message_id=settling.job.row.id, reference_hash=hashed)
        for hashed in found.references
    )


def _envelope_of(row: Message, key: DataKey) -> Envelope:
    if row.sealed_envelope is None:
        raise PackageRejected("envelope.absent")
    return read_envelope(
        key.unseal(row.sealed_envelope, table="message", column="sealed_envelope", row=row.id)
    )


def _open_with_current_lists(line: Line, job: Job[Message], envelope: Envelope) -> Package:
    """Try again if newer revocation lists arrived while this package was being read.

    The wake-up for waiting messages may already have passed. Raises `Unavailable` if a fresh
    list is missing, and `PackageRejected`.
    """
    with line.store.reading_untimed() as session:
        trust = line.trust.current_trust(session)
        own = organisations_with_rule_book(session)
    try:
        return _open_with_trust(line, job, envelope, own, trust)
    except Unavailable:
        if (changed := line.current_trust()) == trust:
            raise
        return _open_with_trust(line, job, envelope, own, changed)


def _open_with_trust(
    line: Line, job: Job[Message], envelope: Envelope, own: frozenset[OrgNumber], trust: Trust
) -> Package:
    row = job.row
    waited = job.now - row.received_at > line.terms.stale_list_wait
    assert row.object_name is not None
    if row.size > LONG_TRANSFER_BYTES:
        line.transfer_slots.move_to_long_slot()
    with line.vault.open(row.object_name, job.keys[row.id].object_key()) as source:
        return open_package(
            source,
            envelope,
            expected=Expectations(
                service=row.service,
                organisation=OrgNumber(row.organisation),
                own=own,
                on_behalf_of=line.terms.on_behalf_of,
                legacy_sha1_until=line.terms.legacy_sha1_until,
            ),
            trust=trust,
            limits=line.terms.limits,
            waivers=frozenset(row.waivers.split()),
            now=job.now,
            stale_is=StaleList.REJECT if waited else StaleList.WAIT,
            schemas=line.schemas,
        )
