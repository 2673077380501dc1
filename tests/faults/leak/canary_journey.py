"""A journey in which everything happens to messages that are full of canaries."""

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from ipaddress import ip_network
from urllib.parse import urlsplit

import httpx
import sqlalchemy as sa
from sqlmodel import select

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.casesystem.webhook import Target, WebhookSender
from inbox.domain import HoldCause, MessageState
from inbox.line.case_systems import capacity_of
from inbox.line.moves import archive_staff, case_system, content, holds, notes, unit
from inbox.line.moves.registration import data_key
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.line.sealed_content import unseal_json
from inbox.package.envelope import read_envelope
from inbox.simulator.gateway.simulator import OtherEnd
from inbox.simulator.http.asgi import Receive, Scope, Send
from inbox.simulator.http.server import serve
from inbox.simulator.packages.builder import Tamper
from inbox.simulator.packages.envelopes import sbd_json
from inbox.tables import CaseSystem, Message, table_of
from tests.faults.leak.canary_messages import REFERENCE, canary, package_of, send
from tests.package.zip.zip_writer import Part
from tests.package_builder import opened, pack, plus
from tests.worlds import World

_REASON = canary("begrunnelse")
_LEFT_HALF_WRITTEN = """
import os, sys
from pathlib import Path
from inbox.vault import FolderVault
def chunks():
    for _ in range(30):
        yield os.urandom(10_000) + sys.argv[2].encode() * 1_000
    os._exit(9)
FolderVault(Path(sys.argv[1])).store("left-by-a-crash", chunks(), os.urandom(32))
"""


@dataclass
class Observations:
    """What the outside was given or told on the way."""

    events: list[bytes] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)

    def failing(self, attempt: Callable[[], object]) -> None:
        """Do what must fail, and keep every text of the exception."""
        try:
            attempt()
        except Exception as error:  # noqa: BLE001 - whatever it is, its texts are looked at
            self.exceptions += [str(error), repr(error), *traceback.format_exception(error)]
            self.exceptions += [str(getattr(error, "reason", ""))]
        else:
            raise AssertionError("it was to fail")


@contextmanager
def hooked(world: World, seen: Observations) -> Iterator[None]:
    """A case system that takes the webhook events and keeps their bytes and headers."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while (event := await receive())["type"] == "http.request":
            part = event.get("body")
            body += part if isinstance(part, bytes) else b""
            if not event.get("more_body"):
                break
        seen.events.append(repr(scope.get("headers")).encode() + body)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with serve(app) as url, httpx.Client(trust_env=False, timeout=5) as client:
        port = urlsplit(url).port
        assert port is not None
        target = Target(host="127.0.0.1", port=port, networks=(ip_network("127.0.0.0/8"),))
        before = world.line.events
        world.line = replace(world.line, events=WebhookSender(client, [target]))
        with world.line.store.transaction() as tx:
            tx.get_one(CaseSystem, "sak").webhook_url = f"{url}/hooks"
        yield
        world.line = replace(world.line, events=before)


def walk(world: World, seen: Observations) -> None:
    """Everything that can happen to a message, one thing after another, and the erasure."""
    for chapter in (
        _registered_by_word,
        _refused_by_a_system_and_conflicting,
        _by_hand,
        _handed_back_placed_withdrawn_and_late,
        _quarantined_and_refused,
        _released_from_quarantine,
        _redelivered_with_these_bytes_and_with_others,
        _missed_and_given_up,
        _receipts_that_fail,
        _cut_transfers,
    ):
        chapter(world)
    _damaged(world, seen)
    _half_written(world)


def erase(world: World) -> None:
    """Let the time pass after which what was answered is erased."""
    world.clock.advance(timedelta(days=15))
    world.work()
    with world.line.store.reading() as tx:
        states = set(tx.exec(select(Message.state)))
    assert {MessageState.ERASED, MessageState.RETURNED, MessageState.QUARANTINED} <= states


def _system(world: World, name: str) -> Capacity:
    with world.line.store.reading() as tx:
        return capacity_of(tx.get_one(CaseSystem, name))


def _arrive(world: World, public_title: str, *, answered: bool = True) -> Message:
    wire_id = send(world, public_title, answered=answered)
    world.collect()
    world.work()
    return world.message(wire_id)


def _staff(world: World, who: str = "anne") -> Capacity:
    return world.person(who, Role.ARCHIVIST, "desk")


def _leader(world: World, of: str = "bv") -> Capacity:
    return world.person("kari", Role.LEADER, of)


def _register(world: World, message: Message, name: str = "sak") -> None:
    delivery = world.delivery(message.id)
    case_system.collect(world.line, _system(world, name), delivery.id)
    case_system.acknowledge_accepted(world.line, _system(world, name), delivery.id)
    case_system.acknowledge_registered(
        world.line, _system(world, name), delivery.id, reference=REFERENCE
    )
    world.settle(rounds=4, pause=timedelta(minutes=1))


def _registered_by_word(world: World) -> None:
    for title, name in (("Melding om barnevern", "sak"), ("Om sakkyndig", "fag")):
        message = _arrive(world, title)
        assert message.state is MessageState.OFFERED
        _register(world, message, name)
        assert world.message(message.wire_id).state is MessageState.ANSWERED


def _refused_by_a_system_and_conflicting(world: World) -> None:
    message = _arrive(world, "Melding om barnevern", answered=False)
    own, delivery = _system(world, "sak"), world.delivery(message.id)
    text = canary("fagsystemets-tekst")
    case_system.acknowledge_refused(world.line, own, delivery.id, code="missing.case", text=text)
    case_system.acknowledge_registered(world.line, own, delivery.id, reference=REFERENCE)
    assert world.message(message.wire_id).state is MessageState.RETURNED


def _by_hand(world: World) -> None:
    message = _arrive(world, "Om en elev")
    handler = world.person("ola", Role.HANDLER, "skole")
    unit.take(world.line, handler, message.id)
    unit.release(world.line, handler, message.id, expected_version=message.version)
    world.work()
    seen = world.message(message.wire_id).version
    content.collect_by_hand(world.line, handler, message.id)
    unit.register(world.line, handler, message.id, reference=REFERENCE, expected_version=seen)
    world.settle(rounds=4, pause=timedelta(minutes=1))


def _handed_back_placed_withdrawn_and_late(world: World) -> None:
    message = _arrive(world, "Om en elev", answered=False)
    line, seen = world.line, message.version
    last, leader = world.clock.now.date() + timedelta(days=1), _leader(world, "skole")
    holds.hold(line, leader, message.id, cause=HoldCause.SENDER_ASKED, last_day=last)
    notes.write_note(line, leader, message.id, text=canary("notat"))
    assert [each.text for each in notes.read_notes(line, leader, message.id)] == [canary("notat")]
    unit.hand_back(line, leader, message.id, expected_version=seen, reason=_REASON)
    seen = world.message(message.wire_id).version
    archive_staff.place(
        line, _staff(world), message.id, unit="bv", expected_version=seen, reason=_REASON
    )
    seen = world.message(message.wire_id).version
    unit.release(line, _leader(world), message.id, expected_version=seen)
    world.work()
    delivery, seen = world.delivery(message.id), world.message(message.wire_id).version
    unit.withdraw(line, _leader(world), message.id, expected_version=seen, reason=_REASON)
    case_system.acknowledge_registered(
        line, _system(world, "sak"), delivery.id, reference=REFERENCE
    )
    assert "late_word" in world.open_tasks(message.id)
    message_proposals.propose(
        line, _leader(world), ProposalKind.DISMISS, message.id, reason=_REASON
    )


def _quarantined_and_refused(world: World) -> None:
    wire_id = send(world, "Melding om barnevern", tamper=Tamper.BROKEN_SIGNATURE)
    left = send(world, "Melding", tamper=Tamper.CHANGED_DOCUMENT, answered=False)
    world.collect()
    world.work()
    assert world.message(left).state is MessageState.QUARANTINED
    message = world.message(wire_id)
    proposal = message_proposals.propose(
        world.line,
        _staff(world),
        ProposalKind.REFUSE,
        message.id,
        code="signature",
        reason=_REASON,
    )
    message_proposals.approve(world.line, _staff(world, "bjorn"), proposal)
    world.settle(rounds=4, pause=timedelta(minutes=1))


def _released_from_quarantine(world: World) -> None:
    wire_id = send(world, "Melding om barnevern", tamper=Tamper.UNSIGNED_FILE, answered=False)
    world.collect()
    world.work()
    message = world.message(wire_id)
    assert message.state is MessageState.QUARANTINED
    archive_staff.recheck(world.line, _staff(world), message.id, expected_version=message.version)
    world.work()


def _redelivered_with_these_bytes_and_with_others(world: World) -> None:
    message = _arrive(world, "Melding om barnevern", answered=False)
    world.gateway.redeliver(message.wire_id)
    world.collect()
    world.work()
    other = package_of(world, "Noe ganske annet", more=b"andre byte")
    world.gateway.redeliver(message.wire_id, other)
    world.collect()
    world.work()
    with world.line.store.reading() as tx:
        twins = tx.exec(select(Message).where(Message.wire_id == message.wire_id)).all()
    (twin,) = [each for each in twins if each.state is MessageState.QUARANTINED]
    proposal = message_proposals.propose(
        world.line,
        _staff(world),
        ProposalKind.QUARANTINE_RELEASE,
        twin.id,
        code="arrival.other_bytes",
        reason=_REASON,
    )
    message_proposals.approve(world.line, _staff(world, "bjorn"), proposal)
    world.work()


def _missed_and_given_up(world: World) -> None:
    wire_id = send(world, "Melding om barnevern", answered=False)
    world.collect()
    world.gateway.lose(wire_id)
    world.work()
    arrival = world.arrival(wire_id)
    proposal = message_proposals.propose(
        world.line, _staff(world), ProposalKind.ABANDON, arrival.id, reason=_REASON
    )
    message_proposals.approve(world.line, _staff(world, "bjorn"), proposal)
    world.work()


def _receipts_that_fail(world: World) -> None:
    world.gateway.other_end(OtherEnd.FAILS)
    message = _arrive(world, "Melding om barnevern")
    _register(world, message)
    archive_staff.resend(world.line, _staff(world), message.id, reason=_REASON)
    world.settle(rounds=4, pause=timedelta(minutes=1))
    archive_staff.accept_failure(world.line, _staff(world), message.id, reason=_REASON)
    world.gateway.other_end(OtherEnd.TAKES)


def _cut_transfers(world: World) -> None:
    world.gateway.stage("end the first pop after 2000 bytes")
    send(world, "Melding om barnevern", answered=False)
    world.collect()
    world.work()


def _damaged(world: World, seen: Observations) -> None:
    """Rows whose sealed columns were changed, and an insertion that the database refuses."""
    message = _arrive(world, "Melding om barnevern", answered=False)
    line = world.line
    with line.store.reading() as tx:
        key = data_key(tx, line, message.id)
    for column in ("sealed_metadata", "sealed_archive", "sealed_documents"):
        sealed = getattr(message, column)
        changed = message.model_copy(update={column: sealed[:-1] + bytes([sealed[-1] ^ 1])})
        seen.failing(partial(unseal_json, changed, key, column))
    without = {**message.model_dump(), "id": "f" * 32, "wire_id": "another", "digest": None}
    for values in (message.model_dump(), without):
        seen.failing(partial(_insert, world, values))
    sealed = message.sealed_documents or b""
    with line.store.transaction() as tx:
        tx.execute(
            sa.update(table_of(Message))
            .where(table_of(Message).c.wire_id == message.wire_id)
            .values(sealed_documents=sealed[:-1], sealed_metadata=sealed)
        )


def _insert(world: World, values: Mapping[str, object]) -> None:
    """Fails: there is such a row already, or the database wants a value."""
    with world.line.store.transaction() as tx:
        tx.execute(sa.insert(table_of(Message)), values)


def refuse_packages(seen: Observations) -> None:
    """What is said of containers and envelopes that are wrong, full of the same words."""
    name = f"../{canary('filnavn')}"
    part = Part(name=name, content=canary("innhold").encode() * 50)
    for raw in (
        pack(parts=plus(part)),
        pack(parts=plus(Part(name=canary("ekstra"), content=b"x"))),
        pack(manifest=lambda text: text.replace("brev.pdf", canary("filnavn"))),
        pack(files={"arkivmelding.xml": f"<{canary('element')}".encode(), "brev.pdf": b"%PDF"}),
        pack(files={f"{canary('fil')}.exe": b"MZ", f"{canary('fil').upper()}.exe": b"MZ"}),
        canary("ingen-zip").encode() * 100,
    ):
        seen.failing(partial(opened, raw))
    wrong: tuple[object, ...] = (
        {**sbd_json(), "standardBusinessDocumentHeader": canary("hode")},
        sbd_json(sender=canary("avsender")),
        sbd_json(kind=canary("type")),
        [canary("liste")],
    )
    for each in wrong:
        raw = json.dumps(each, ensure_ascii=False).encode()
        seen.failing(partial(read_envelope, raw))
    seen.failing(partial(read_envelope, f"{{{canary('json')}".encode()))


def _half_written(world: World) -> None:
    """A process that dies in the midst of writing an object."""
    command = [sys.executable, "-c", _LEFT_HALF_WRITTEN, str(world.folder / "vault"), canary("del")]
    assert subprocess.run(command, check=False, env=dict(os.environ)).returncode == 9
    assert list((world.folder / "vault" / "parts").iterdir())
