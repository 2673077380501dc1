"""A small product for case systems to talk to: deliveries to collect, and words to hear."""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from inbox.simulator.http.asgi import Receive, Scope, Send
from inbox.simulator.packages.builder import Parcel, ParcelDocument, package_bytes
from inbox.simulator.packages.certificates import TestAuthority

KEY = "made-up-key"
SECRET = b"a made-up secret of some length."


@dataclass
class Delivery:
    message_id: str
    package: bytes
    documents: tuple[ParcelDocument, ...]
    told_digests: dict[int, str] = field(default_factory=dict)
    """In place of the right ones."""
    served_package: bytes | None = None
    """In place of the right one."""
    word: tuple[str, str] | None = None
    kept_from: int = 0
    """The next so many requests about it are answered 503."""


class Product:
    """Answers as the delivery API does; `heard` is every word with what was answered to it."""

    def __init__(self) -> None:
        self.deliveries: dict[str, Delivery] = {}
        self.heard: list[tuple[str, str, Mapping[str, str], int]] = []
        self.pages: list[int] = []

    def add(self, delivery_id: str, message_id: str, *texts: str) -> Delivery:
        documents = tuple(
            ParcelDocument(f"brev æøå {number}.txt", "text/plain", text.encode())
            for number, text in enumerate(texts or ("Kjære kommune",), start=1)
        )
        parcel = Parcel(
            sender="910077473",
            receiver="910075918",
            signer=TestAuthority().issue("910077473"),
            documents=documents,
        )
        delivery = Delivery(message_id, package_bytes(parcel), documents)
        self.deliveries[delivery_id] = delivery
        return delivery

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            event = await receive()
            part = event.get("body", b"")
            assert isinstance(part, bytes)
            body += part
            more = bool(event.get("more_body", False))
        headers, query = scope["headers"], scope["query_string"]
        assert isinstance(headers, list)
        assert isinstance(query, bytes)
        if dict(headers).get(b"authorization") != f"Bearer {KEY}".encode():
            status, answer = 401, b'{"code": "unauthorised"}'
        else:
            path = str(scope["path"]).removeprefix("/api/v1/deliveries")
            status, answer = self._answer(str(scope["method"]), path, query.decode(), body)
        length = [(b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": length})
        await send({"type": "http.response.body", "body": answer})

    def _answer(self, method: str, path: str, query: str, body: bytes) -> tuple[int, bytes]:
        if not path:
            return 200, json.dumps({"deliveries": self._page(query)}).encode()
        found = re.fullmatch(r"/([\w-]+)(?:/(\w+)(?:/(\d+))?)?", path)
        assert found is not None
        delivery_id, part, number = found.groups()
        delivery = self.deliveries.get(delivery_id)
        if delivery is None:
            return 404, b'{"code": "not_found"}'
        if delivery.kept_from > 0:
            delivery.kept_from -= 1
            return 503, b"{}"
        if method == "POST":
            return self._hear(delivery_id, delivery, part, json.loads(body or b"{}"))
        return 200, _part(delivery_id, delivery, part, int(number or 0))

    def _page(self, query: str) -> list[dict[str, str]]:
        asked = httpx.QueryParams(query)
        standing = [name for name, each in self.deliveries.items() if each.word is None]
        after = asked.get("after")
        start = list(self.deliveries).index(after) + 1 if after else 0
        later = [name for name in standing if list(self.deliveries).index(name) >= start]
        page = later[: int(asked["limit"])]
        self.pages.append(len(page))
        return [{"delivery_id": name} for name in page]

    def _hear(
        self, delivery_id: str, delivery: Delivery, word: str, body: Mapping[str, str]
    ) -> tuple[int, bytes]:
        final = (word, body.get("reference") or body.get("code") or "")
        status, said = 200, "done"
        if word != "accepted":
            if delivery.word not in (None, final):
                status, said = 409, "conflict"
            elif delivery.word == final:
                said = "repeated"
            else:
                delivery.word = final
        self.heard.append((delivery_id, word, body, status))
        return status, json.dumps({"said": said}).encode()


def _part(delivery_id: str, delivery: Delivery, part: str | None, number: int) -> bytes:
    if part == "package":
        return delivery.served_package or delivery.package
    if part == "documents":
        content = delivery.documents[number - 1].content
        assert isinstance(content, bytes)
        return content
    return json.dumps(_shown(delivery_id, delivery)).encode()


def _shown(delivery_id: str, delivery: Delivery) -> dict[str, object]:
    documents = []
    for number, document in enumerate(delivery.documents, start=1):
        content = document.content
        assert isinstance(content, bytes)
        digest = hashlib.sha256(content).hexdigest()
        documents.append(
            {
                "number": number,
                "name": document.name,
                "size": len(content),
                "sha256": delivery.told_digests.get(number, digest),
            }
        )
    digest = hashlib.sha256(delivery.package).hexdigest()
    package = {"sha256": digest, "size": len(delivery.package)}
    return {
        "delivery_id": delivery_id,
        "wire_id": delivery.message_id,
        "package": package,
        "documents": documents,
    }


def hook(
    delivery_id: str, *, at: datetime, event_id: str = "event-1", secret: bytes = SECRET
) -> tuple[bytes, dict[str, str]]:
    """A webhook as the product sends it: body and headers."""
    body = json.dumps({"specversion": "1.0", "data": {"delivery_id": delivery_id}}).encode()
    timestamp = str(int(at.timestamp()))
    signed = f"{event_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
    return body, {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1a,AAAA v1,{signature}",
    }


def wait_until(true: Callable[[], object], seconds: float = 10) -> None:
    """Look every few milliseconds; fails when the time is over."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)
