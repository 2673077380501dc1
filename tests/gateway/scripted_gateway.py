"""A gateway that gives the answers it was told to give, in order, and keeps what it was asked."""

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx

from inbox.domain import CONFIDENTIAL_PROCESS, OrgNumber, Service, WireId
from inbox.gateway import Notice
from inbox.gateway.integrasjonspunkt import Bounds, Integrasjonspunkt, Subscription, client_for

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody, and is quickly made."""
OURS = OrgNumber("910075918")
THEIRS = OrgNumber("910077473")
WIRE_ID = WireId("0b6c2f2e-6c1f-4a53-9a54-6f0a3c1d8e11")
RECEIPT_ID = "c2b9a5d0-4d5b-4bc4-8c0e-0c9a7d1f3e50"
ASIC = "application/vnd.etsi.asic-e+zip"
SUBSCRIPTION = Subscription(organisation=OURS, service=Service.DPO, process=CONFIDENTIAL_PROCESS)
NOTICE = Notice(channel="ip", service=Service.DPO, organisation=OURS, wire_id=WIRE_ID)


class Broken(httpx.SyncByteStream):
    """A body that breaks off after its parts."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts
        raise httpx.RemoteProtocolError("peer closed connection")


class Whole(httpx.SyncByteStream):
    """A body without a length of its own."""

    closed = False

    def __init__(self, *parts: bytes) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._parts)

    def close(self) -> None:
        self.closed = True


class Endless(httpx.SyncByteStream):
    """A body that does not end; `given` counts the kilobytes that were taken."""

    given = 0

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.given += 1
            yield b"[" * 1024


class Scripted:
    """Each request takes the next answer; an exception in its place is raised."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def asked(self) -> list[str]:
        """Method and path of every request."""
        return [f"{request.method} {request.url.path}" for request in self.requests]


@contextmanager
def gateway_of(
    handler: Callable[[httpx.Request], httpx.Response],
    *subscriptions: Subscription,
    bounds: Bounds | None = None,
    now: Callable[[], datetime] = lambda: datetime(2026, 11, 23, 12, tzinfo=UTC),
) -> Iterator[Integrasjonspunkt]:
    """Our client of it; subscribed to `SUBSCRIPTION` unless told otherwise."""
    transport = httpx.MockTransport(handler)
    with client_for("https://gateway.test", transport=transport, tls=NO_TLS) as client:
        yield Integrasjonspunkt(
            client,
            channel="ip",
            subscriptions=subscriptions or (SUBSCRIPTION,),
            bounds=bounds or Bounds(),
            now=now,
        )


def sbd(
    *,
    wire_id: str = WIRE_ID,
    process: str = CONFIDENTIAL_PROCESS,
    receiver: str = "0192:910075918",
    expires: str | None = "2026-11-24T22:30:39.333599859+01:00",
) -> dict[str, object]:
    """An envelope as peek gives it."""
    life = [] if expires is None else [{"expectedResponseDateTime": expires}]
    return {
        "arkivmelding": {"sikkerhetsnivaa": 3},
        "standardBusinessDocumentHeader": {
            "sender": [{"identifier": {"value": "0192:910077473"}}],
            "receiver": [{"identifier": {"value": receiver}}],
            "documentIdentification": {"instanceIdentifier": wire_id, "type": "arkivmelding"},
            "businessScope": {
                "scope": [
                    {"type": "SenderRef", "instanceIdentifier": "not it"},
                    {"type": "ConversationId", "identifier": process, "scopeInformation": life},
                ]
            },
        },
    }


def shown(envelope: Mapping[str, object] | None = None) -> httpx.Response:
    """200 with an envelope."""
    return httpx.Response(200, json=envelope or sbd())


def nothing() -> httpx.Response:
    """204, as peek gives it: with a media type and without a body."""
    return httpx.Response(204, headers={"Content-Type": "application/json"})


def refusal(status: int, exception: str, **more: object) -> httpx.Response:
    """An error body in the gateway's shape, with a text that nobody may repeat."""
    words = {"message": "about 12345678901 and a secret title", "description": "secret title"}
    return httpx.Response(
        status, json={"exception": exception, **words, "status": status, "path": "/x", **more}
    )


def named(status: int, name: str) -> httpx.Response:
    """An error with one of the gateway's own exceptions."""
    return refusal(status, f"no.difi.meldingsutveksling.exceptions.{name}Exception")


def page(status: int = 200) -> httpx.Response:
    """What a proxy or a log-in wall says."""
    return httpx.Response(status, html="<!DOCTYPE html><title>Velkommen</title>")


def package(content: bytes = b"PK", **headers: str) -> httpx.Response:
    """200 with a container."""
    return httpx.Response(200, headers={"Content-Type": ASIC, **headers}, content=content)


def statuses(*names: str, of: str = RECEIPT_ID, last: bool = True) -> httpx.Response:
    """One page of statuses."""
    content = [{"status": name, "messageId": of, "convId": 1} for name in names]
    return httpx.Response(200, content=json.dumps({"content": content, "last": last}).encode())


OUTAGES = [
    (httpx.ConnectError("x"), "gateway.unavailable"),
    (httpx.ConnectTimeout("x"), "gateway.unavailable"),
    (httpx.ReadTimeout("x"), "gateway.unavailable"),
    (httpx.RemoteProtocolError("x"), "gateway.unavailable"),
    (httpx.Response(429), "gateway.unavailable"),
    (named(500, "MessagePersist"), "gateway.unavailable"),
    (httpx.Response(500), "gateway.unavailable"),
    (page(502), "gateway.unavailable"),
    (page(503), "gateway.unavailable"),
    (page(504), "gateway.unavailable"),
    (httpx.Response(401, json={"status": 401, "error": "Unauthorized"}), "gateway.unauthorised"),
    (page(403), "gateway.unauthorised"),
    (page(404), "gateway.unexpected"),
    (refusal(404, "org.springframework.web.NoResourceFoundException"), "gateway.unexpected"),
    (page(400), "gateway.unexpected"),
    (httpx.Response(405), "gateway.unexpected"),
    (httpx.Response(301, headers={"Location": "/"}), "gateway.unexpected"),
    (page(200), "gateway.garbled"),
    (httpx.Response(200, content=b"\xff{"), "gateway.garbled"),
    (httpx.Response(200, json=[1]), "gateway.garbled"),
    (httpx.Response(200, stream=Broken(b'{"standard')), "gateway.truncated"),
]
"""What is worth another try, whatever was asked."""
