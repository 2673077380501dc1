"""The incoming side: find, peek, pop, delete, as forgiving and as strict as the real one."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

from inbox.simulator.gateway.queue import FILTERS, Damage, Source, Waiting
from inbox.simulator.gateway.state import State
from inbox.simulator.http.wire import (
    JSON,
    Call,
    Refusal,
    SimulatedResponse,
    json_answer,
    nano_time,
    page_of,
)
from inbox.simulator.packages import envelopes

ZIP = {
    "content-type": "application/vnd.etsi.asic-e+zip",
    "content-disposition": "attachment; filename=asic.zip",
}
ANNOUNCED_UP_TO = 8192
"""Bytes up to which an answer has a Content-Length; what is larger is chunked (§11.2)."""
CHUNK = 256 * 1024


def find(state: State, call: Call) -> SimulatedResponse:
    """Locked and unlocked alike; changes nothing."""
    sortable = {**FILTERS, "lastUpdated": lambda waiting: nano_time(waiting.last_updated)}
    with state.look() as inside:
        rows = inside.queue.matching(call.query)
        return json_answer(page_of(rows, call, show=lambda row: row.envelope, sortable=sortable))


def peek(state: State, call: Call) -> SimulatedResponse:
    """Lock one; HEAD locks too. 204 carries a content type all the same (§11.2)."""
    with state.look() as inside:
        waiting = inside.queue.peek(call.query, inside.now)
        if waiting is not None:
            unlocked = replace(waiting, locked_until=None)
            inside.remember(waiting.message_id, unlocked=unlocked)
    if waiting is None:
        return SimulatedResponse(status=204, headers=JSON)
    return json_answer(waiting.envelope, message_id=waiting.message_id)


def pop(state: State, call: Call) -> SimulatedResponse:
    """The package of a locked message, as often as asked; Range and Accept change nothing."""
    with state.look() as inside:
        waiting = inside.queue.locked(call.argument)
        package = waiting.package
        if package is Damage.FILE_MISSING:
            inside.remember(waiting.message_id)
            inside.queue.remove(waiting.message_id)
            inside.ledger.record(waiting.message_id, "FEIL", inside.now)
    if _is_receipt(waiting) or package is Damage.UNDECRYPTABLE:
        return SimulatedResponse(status=204)
    if package is Damage.EMPTY:
        return SimulatedResponse(headers=ZIP)
    if isinstance(package, Damage):
        missing = package in (Damage.FILE_MISSING, Damage.FILE_GONE)
        status, name = (404, "FileNotFoundException") if missing else (500, "AsicReadException")
        raise Refusal(status, name, "could not read the stored file")
    if package is None:
        name = "org.springframework.transaction.UnexpectedRollbackException"
        raise Refusal(500, name, "Transaction silently rolled back")
    return SimulatedResponse(headers=ZIP, body=_body(package))


def delete(state: State, call: Call) -> SimulatedResponse:
    """Needs a lock, anyone's, and no pop."""
    with state.look() as inside:
        waiting = inside.queue.locked(call.argument)
        inside.remember(waiting.message_id)
        inside.delete(waiting)
    return json_answer(waiting.envelope)


def _is_receipt(waiting: Waiting) -> bool:
    return envelopes.type_of(waiting.envelope) in envelopes.RECEIPT_TYPES


def _body(source: Source) -> bytes | Iterator[bytes]:
    """Bytes if there are few, otherwise chunks read as they are sent."""
    chunks = _chunks(source)
    first = b""
    for chunk in chunks:
        first += chunk
        if len(first) > ANNOUNCED_UP_TO:
            return chain([first], chunks)
    return first


def _chunks(source: Source) -> Iterator[bytes]:
    if isinstance(source, bytes):
        for start in range(0, len(source), CHUNK):
            yield source[start : start + CHUNK]
    elif isinstance(source, Path):
        with source.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    else:
        yield from source()
