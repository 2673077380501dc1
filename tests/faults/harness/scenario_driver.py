"""The errand that tells the story: each time it is begun it goes on from what has been done."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

import httpx
from sqlmodel import col, select

from inbox.casesystem.webhook import Target, WebhookSender
from inbox.domain import ArrivalState, MessageState
from inbox.line import Terms
from inbox.tables import Arrival, AuditEntry, Message, Proposal, Receipt
from tests.faults.harness.crash_points import with_crash_points
from tests.faults.harness.effect_points import WatchedSender
from tests.faults.harness.line_process import LineProcess
from tests.faults.harness.scenario import PARTS, Part, Step
from tests.faults.harness.scenario_actions import MessageContext

_PAST_THE_LEASE = Terms().lease + timedelta(seconds=10)
_PAUSE = timedelta(hours=2)

Entry = Mapping[str, Any]


def run_scenario(inside: LineProcess) -> None:
    """Tell the story as far as it goes in this chapter, dying where the plan says."""
    run_until_idle(with_webhook_sender(with_crash_points(inside)))


def with_webhook_sender(inside: LineProcess) -> LineProcess:
    """The same line, whose webhooks may go where the plan says."""
    url = urlsplit(inside.plan.words["hook_url"])
    target = Target(
        host=url.hostname or "", port=url.port or 0, networks=(ip_network("127.0.0.0/8"),)
    )
    sender = WebhookSender(httpx.Client(trust_env=False, timeout=5), [target])
    events = inside.line.events
    assert isinstance(events, WatchedSender)
    return replace(inside, line=replace(inside.line, events=replace(events, real=sender)))


def run_until_idle(inside: LineProcess) -> None:
    """Act, collect and work in rounds, until nothing happens any more."""
    inside.clock.advance(_PAST_THE_LEASE)
    still = 0
    for _ in range(60):
        acted = sum(1 for _ in iter(lambda: act_once(inside), 0))
        busy = acted + inside.collect() + inside.work()
        inside.clock.advance(_PAUSE)
        still = 0 if busy else still + 1
        if still > 1:
            return
    raise AssertionError("the story does not come to an end")


def act_once(inside: LineProcess) -> int:
    """Let everybody do what there is to do now, one thing to a message; how many did."""
    wire_ids = json.loads(inside.plan.words["wire_ids"])
    told = inside.folder / "told"
    heard = told.read_text().split() if told.exists() else []
    chapter, acted = int(inside.plan.words["chapter"]), 0
    for name, scene, history in message_contexts(inside, wire_ids):
        step = next_step(PARTS[name], history)
        if step is None or step.from_chapter > chapter or _state(scene, step) is not step.when:
            continue
        if step.told and scene.delivery().id not in heard:
            continue
        step.act(scene)
        acted += 1
    return acted


def next_step(part: Part, history: list[Entry]) -> Step | None:
    """The first step that the audit does not have, in the order of the story."""
    done = iter([f"{entry['event']}/{entry['by']}" for entry in history])
    return next((step for step in part.steps if step.done not in done), None)


def message_contexts(
    inside: LineProcess, wire_ids: dict[str, str]
) -> Iterator[tuple[str, MessageContext, list[Entry]]]:
    """Every message of the story that has been announced, with what the audit says of it."""
    with inside.line.store.reading() as tx:
        leaves = tx.exec(select(AuditEntry.leaf).order_by(col(AuditEntry.seq)))
        entries = [json.loads(leaf) for leaf in leaves]
        arrivals = {
            row.wire_id: row
            for row in tx.exec(select(Arrival).order_by(col(Arrival.announced_at).desc()))
        }
        messages = {row.wire_id: row for row in tx.exec(select(Message))}
        proposals = {row.id: row.subject_id for row in tx.exec(select(Proposal))}
    history: dict[str, list[Entry]] = {}
    for entry in entries:
        subject = entry["subject"]
        for about in {entry["message"], subject, proposals.get(subject)} - {None}:
            history.setdefault(about, []).append(entry)
    for name, wire_id in wire_ids.items():
        arrival, found = arrivals.get(wire_id), messages.get(wire_id)
        if arrival is not None:
            scene = MessageContext(inside=inside, arrival=arrival, found=found, wire_ids=wire_ids)
            about = arrival.id if found is None else found.id
            yield name, scene, history.get(about, [])


def _state(scene: MessageContext, step: Step) -> object:
    if isinstance(step.when, ArrivalState):
        return scene.arrival.state
    if scene.found is None or isinstance(step.when, MessageState):
        return None if scene.found is None else scene.found.state
    with scene.inside.line.store.reading() as tx:
        receipt = tx.exec(select(Receipt).where(col(Receipt.message_id) == scene.found.id)).first()
    return None if receipt is None else receipt.state
