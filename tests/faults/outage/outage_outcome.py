"""What is seen from outside: custody at the moment of DELETE, every log line, and the judgement."""

import asyncio
import logging
import re
import traceback
from collections import Counter
from collections.abc import Sequence
from typing import Self

from sqlmodel import col, select

from inbox.errors import InboxError
from inbox.keys import WrappedDataKey
from inbox.line import Line
from inbox.simulator.demo_mail.judge import Journal
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.asgi import Receive, Scope, Send
from inbox.store import Store
from inbox.tables import Message
from inbox.tables import WrappedKey as WrappedKeyRow

CANARY = "Kanarifugl"
"""Stands in every title, file name and document: where it turns up, something leaks."""
_IN = re.compile(r"/api/messages/in/([^/]+)")
_OUT = re.compile(r"/api/messages/out(?:/[^/]+)?")


class Custody:
    """Stands in front of the gateway, and looks at disk and database at the moment of each DELETE.

    It looks through a connection of its own, so it sees what has been committed and no more.
    """

    def __init__(
        self, gateway: GatewaySimulator, store: Store, line: Line, sent: dict[str, bytes]
    ) -> None:
        self._gateway, self._store, self._line, self._sent = gateway, store, line, sent
        self.journals: Sequence[Journal] = ()
        self.deletes: list[tuple[str, bool]] = []
        """Each DELETE, and whether the bytes could be read back at that moment."""
        self.receipts: list[bool] = []
        """Each call about a kvittering, and whether anything was in a journal by then."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = str(scope["path"]), scope.get("method")
        deleted = _IN.fullmatch(path)
        if method == "DELETE" and deleted is not None:
            held = await asyncio.to_thread(self.holds, deleted[1])
            self.deletes.append((deleted[1], held))
        if method == "POST" and _OUT.fullmatch(path):
            self.receipts.append(any(journal.registered for journal in self.journals))
        await self._gateway.app(scope, receive, send)

    def reads_with(self, line: Line) -> None:
        """From now on the keys of another process count."""
        self._line = line

    def holds(self, wire_id: str) -> bool:
        """Whether the sender's very bytes can be read back through committed rows."""
        with self._store.reading() as tx:
            rows = tx.exec(select(Message).where(col(Message.wire_id) == wire_id)).all()
            keys = [tx.get(WrappedKeyRow, row.id) for row in rows]
        return any(self._reads(row, key, wire_id) for row, key in zip(rows, keys, strict=True))

    def _reads(self, row: Message, stored: WrappedKeyRow | None, wire_id: str) -> bool:
        if stored is None or stored.wrapped is None or row.object_name is None:
            return False
        key = self._line.keyring.unwrap(
            WrappedDataKey(kek_id=stored.kek_id or "", wrapped=stored.wrapped)
        )
        try:
            with self._line.vault.open(row.object_name, key.object_key()) as source:
                return source.read() == self._sent[wire_id]
        except InboxError:
            return False


class Logged(logging.Handler):
    """Everything that anybody logs, with every field and trace, until the `with` ends."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self._before: list[tuple[logging.Logger, int]] = []

    def emit(self, record: logging.LogRecord) -> None:
        trace = traceback.format_exception(*record.exc_info) if record.exc_info else []
        self.lines.append(f"{record.getMessage()} {vars(record)} {''.join(trace)}")

    def __enter__(self) -> Self:
        for logger in (logging.getLogger(), logging.getLogger("inbox")):
            self._before.append((logger, logger.level))
            logger.setLevel(logging.INFO)
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
        for logger, level in self._before:
            logger.setLevel(level)

    def leaks(self) -> list[str]:
        """The lines with a confidential word."""
        return [line for line in self.lines if CANARY.lower() in line.lower()]


def faults_in(
    gateway: GatewaySimulator, custody: Custody, logged: Logged, answered: dict[str, int]
) -> list[str]:
    """What is wrong at the end, seen from outside; `answered` is how often each was delivered.

    Nothing lost, nothing registered twice, one true receipt, no early DELETE, nothing in a log.
    """
    found = []
    entries = Counter(e.message_id for each in custody.journals for e in each.registered)
    receipts = gateway.receipts_at_sender()
    told = Counter(str(receipt["relatedToMessageId"]) for receipt in receipts)
    taken = Counter(
        seen.message_id
        for seen in gateway.journal
        if (seen.method, seen.effect) == ("DELETE", 200) and "/in/" in seen.path
    )
    for wire_id, times in answered.items():
        seen = {"journal": entries[wire_id], "receipts": told[wire_id]}
        found += [f"{what}: {count} of 1" for what, count in seen.items() if count != 1]
        if "LEVERT" not in gateway.sender_statuses(wire_id):
            found.append("its sender was not told LEVERT")
        if taken[wire_id] > times:
            found.append(f"taken {taken[wire_id]} times of {times}")
        if wire_id in gateway.queue():
            found.append("still waits at the gateway")
    found += [f"a receipt says {r['receiptType']}" for r in receipts if r["receiptType"] != "OK"]
    found += [f"untrue: {text}" for text in _untrue(receipts, custody.journals)]
    found += [f"early DELETE of {wire_id}" for wire_id, held in custody.deletes if not held]
    if not all(custody.receipts):
        found.append("a kvittering before anything was registered")
    if not logged.lines:
        found.append("nothing was logged")
    return found + [f"leaked: {line[:200]}" for line in logged.leaks()]


def _untrue(receipts: list[dict[str, object]], journals: Sequence[Journal]) -> list[str]:
    """References that senders were told and no journal has."""
    known = {entry.reference for each in journals for entry in each.registered}
    told = set(re.findall(r"\d{4}/\d{6}-\d+", " ".join(str(r["body"]) for r in receipts)))
    return sorted(told - known) + ([] if told or not receipts else ["no reference told"])
