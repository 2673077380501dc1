"""Receivers of events on loopback, each with a mistake that vendors make."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from inbox.simulator.http.asgi import Receive, Scope, Send

SECRET = b"the secret of this receiver, yes"
SECRET_TEXT = "whsec_" + base64.b64encode(SECRET).decode()
KEY = "Aanh5PBboW0BlEn96LxlTqb_a43dswACpq_sQNL2r2k"
Check = Callable[[Mapping[str, str], bytes], bool]


def v1(secret: bytes, content: bytes) -> str:
    """A signature, computed here and not by the program."""
    return "v1," + base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()


def content_of(headers: Mapping[str, str], body: bytes) -> bytes:
    """What is signed."""
    return f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body


def is_genuine(headers: Mapping[str, str], body: bytes) -> bool:
    """The check without a mistake."""
    young = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    return young and headers["webhook-signature"] == v1(SECRET, content_of(headers, body))


def signs(compute: Callable[[Mapping[str, str], bytes], str]) -> Check:
    """A check that compares with a signature of its own computing."""
    return lambda headers, body: headers["webhook-signature"] == compute(headers, body)


def formatted(body: bytes, **how: Any) -> bytes:
    """The JSON, parsed and written anew."""
    return json.dumps(json.loads(body), **how).encode()


MISTAKEN: Mapping[str, tuple[Check, str]] = {
    "python-json": (
        signs(lambda h, body: v1(SECRET, content_of(h, formatted(body)))),
        "the signature was computed over re-formatted JSON, not over the bytes",
    ),
    "pretty-json": (
        signs(lambda h, body: v1(SECRET, content_of(h, formatted(body, indent=2)))),
        "the signature was computed over re-formatted JSON, not over the bytes",
    ),
    "sorted-json": (
        signs(
            lambda h, body: v1(
                SECRET, content_of(h, formatted(body, sort_keys=True, separators=(",", ":")))
            )
        ),
        "the signature was computed over re-formatted JSON, not over the bytes",
    ),
    "no-body": (
        signs(lambda h, _: v1(SECRET, content_of(h, b"{}"))),
        "the signature was computed over an empty body. The content type is",
    ),
    "secret-as-text": (
        signs(lambda h, body: v1(SECRET_TEXT.encode(), content_of(h, body))),
        "the secret was used as text",
    ),
    "secret-as-text-without-its-beginning": (
        signs(lambda h, body: v1(SECRET_TEXT[6:].encode(), content_of(h, body))),
        "the secret was used as text",
    ),
    "key-as-secret": (
        signs(lambda h, body: v1(KEY.encode(), content_of(h, body))),
        "the key of the API was used in place of the secret",
    ),
    "body-alone": (
        signs(lambda _, body: v1(SECRET, body)),
        "the signature was computed over the body alone",
    ),
    "hexadecimal": (
        signs(lambda h, body: hmac.new(SECRET, content_of(h, body), hashlib.sha256).hexdigest()),
        "the signature was compared in another spelling",
    ),
    "other-hash": (
        signs(
            lambda h, body: (
                "v1,"
                + base64.b64encode(
                    hmac.new(SECRET, content_of(h, body), "sha512").digest()
                ).decode()
            )
        ),
        "another hash was used",
    ),
}


@dataclass
class Receiver:
    """Answers 204 to what its check believes and 401 to the rest, and keeps the ids."""

    check: Check
    refusal: int = 401
    believed: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one event."""
        body, more = b"", True
        while more:
            message = await receive()
            part = message.get("body", b"")
            assert isinstance(part, bytes)
            body += part
            more = bool(message.get("more_body", False))
        raw = scope["headers"]
        assert isinstance(raw, list)
        headers = {name.decode(): value.decode() for name, value in raw}
        genuine = self.check(headers, body)
        if genuine:
            self.believed.append(json.loads(body)["data"]["delivery_id"])
        status = 204 if genuine else self.refusal
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})
