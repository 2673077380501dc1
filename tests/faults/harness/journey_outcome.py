"""What became of each message, by what others saw: gateway, senders, case systems, and the disk."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from inbox.audit import verify
from inbox.audit.state import verify_state
from inbox.simulator.packages.envelopes import look, text_at
from tests.faults.harness.doubled_events import doubled_events
from tests.faults.harness.external_archive import ArchiveServer
from tests.faults.harness.outside_world import OutsideWorld

_OK = 200


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A message as its sender knows it."""

    wire_id: str
    sha256: str


def send_two(outside: OutsideWorld) -> tuple[Sent, Sent]:
    """One that a rule sends to a webhook, and one that a person must place; lists are renewed."""
    revoked = outside.authority.crl(outside.clock.now)
    (outside.folder / "trust" / "root.crl").write_bytes(revoked)
    return _send(outside, "Melding om barnevern"), _send(outside, "Ingen regel")


def _send(outside: OutsideWorld, public_title: str) -> Sent:
    wire_id = outside.send(public_title, content=os.urandom(32).hex().encode())
    with outside.gateway._state.look() as inside:
        package = inside.delivered[wire_id].package
    assert isinstance(package, bytes)
    return Sent(wire_id=wire_id, sha256=hashlib.sha256(package).hexdigest())


def outcome_faults(outside: OutsideWorld, archive: ArchiveServer, *sent: Sent) -> list[str]:
    """What is wrong with the end of these messages; nothing, if each was seen to once."""
    return [
        *(wrong for each in sent for wrong in _wrongs_of(outside, archive, each)),
        *(f"{name} lies in the vault" for name in objects(outside)),
        *doubled_events(outside.line, {event for event, _ in archive.events}),
    ]


def objects(outside: OutsideWorld) -> list[str]:
    """Every file in the vault, whole or half-written."""
    vault = outside.folder / "vault"
    return [str(path.relative_to(vault)) for path in vault.rglob("*") if path.is_file()]


def audit_findings(outside: OutsideWorld) -> list[verify.AuditFinding]:
    """What the audit's verifier finds, with the checkpoints outside; the database is left again."""
    notes = (outside.folder / "checkpoints.txt").read_text()
    with outside.line.store.reading() as tx:
        report = verify.verify(tx, outside.line.keyring, [notes])
        assert report.size > 0
        assert report.checkpoints > 0
        assert verify_state(tx, outside.line.keyring.row_key()).findings == ()
    outside.line.store.engine.dispose()
    return list(report.findings)


def _wrongs_of(outside: OutsideWorld, archive: ArchiveServer, sent: Sent) -> Iterator[str]:
    wire_id = sent.wire_id
    taken = [
        call
        for call in outside.gateway.journal
        if (call.method, call.message_id, call.effect) == ("DELETE", wire_id, _OK)
    ]
    if len(taken) != 1 or wire_id in outside.gateway.queue():
        yield f"{wire_id} was taken {len(taken)} times"
    entries = archive.entries(wire_id)
    if [entry.sha256 for entry in entries] != [sent.sha256]:
        yield f"{wire_id} was registered {len(entries)} times, or with other bytes"
    answers = [
        (receipt["receiptType"], *_references(receipt["body"]))
        for receipt in outside.gateway.receipts_at_sender()
        if receipt["relatedToMessageId"] == wire_id
    ]
    if answers != [("OK", entry.reference) for entry in entries]:
        yield f"{wire_id} was answered {answers}"


def _references(body: object) -> list[str]:
    messages = look(body, "messages")
    assert isinstance(messages, list)
    return [text_at(each, "text") for each in messages if text_at(each, "code") == "ID"]
