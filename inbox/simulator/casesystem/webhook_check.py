"""A case system's own check of webhooks: Standard Webhooks signatures, old news, replays."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import re
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from inbox.simulator.http.asgi import Receive, Scope, Send

HOOK = "/hooks/inbox"
WINDOW = timedelta(minutes=5)
"""How far `webhook-timestamp` may be from our clock, either way."""
NO_CONTENT = 204
_PREFIX = "whsec_"


class HookRefused(Exception):
    """The webhook is not believed, and answered with this status."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


def read_secret(secret: bytes | str) -> bytes:
    """The key of a secret: the bytes, or what `whsec_` and base64 say."""
    if isinstance(secret, bytes):
        return secret
    return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)


def check_signature(secret: bytes, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The event's id, if one `v1` signature over `id.timestamp.body` is right and it is not old.

    Header names are in lower case. Signatures of other versions are passed over.
    """
    event_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not event_id or "." in event_id or re.fullmatch(r"[0-9]{1,12}", timestamp) is None:
        raise HookRefused(400, "headers")
    if abs(now.timestamp() - int(timestamp)) > WINDOW.total_seconds():
        raise HookRefused(401, "old")
    wanted = hmac.digest(secret, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256)
    given = headers.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(wanted, signature) for signature in _signatures(given)):
        raise HookRefused(401, "signature")
    return event_id


def _signatures(given: list[str]) -> list[bytes]:
    found = []
    for each in given:
        version, _, encoded = each.partition(",")
        if version == "v1":
            try:
                found.append(base64.b64decode(encoded, validate=True))
            except binascii.Error:
                continue
    return found


class Memory:
    """The ids that have been, and what they came with; may be shared by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, bytes] = {}

    def check(self, event_id: str, body: bytes) -> None:
        """Refuse an id that came with another body before; the same event again is harmless."""
        digest = hashlib.sha256(body).digest()
        with self._lock:
            known = self._seen.setdefault(event_id, digest)
        if known != digest:
            raise HookRefused(409, "replay")


def read_event(body: bytes) -> str:
    """The delivery that a CloudEvents body speaks of."""
    try:
        event = json.loads(body)
        delivery_id = event["data"]["delivery_id"]
    except (ValueError, KeyError, TypeError) as error:
        raise HookRefused(400, "body") from error
    if not isinstance(delivery_id, str) or re.fullmatch(r"[\w-]{1,64}", delivery_id) is None:
        raise HookRefused(400, "body")
    return delivery_id


class HookApp:
    """The ASGI application: one address, and `take` gives the status for headers and body."""

    def __init__(self, take: Callable[[Mapping[str, str], bytes], int]) -> None:
        self._take = take

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            event = await receive()
            part = event.get("body", b"")
            body += part if isinstance(part, bytes) else b""
            more = bool(event.get("more_body", False))
        pairs = scope["headers"]
        assert isinstance(pairs, list)
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in pairs}
        there = (scope["method"], scope["path"]) == ("POST", HOOK)
        status = await asyncio.to_thread(self._take, headers, body) if there else 404
        length = [(b"content-length", b"0")] if status != NO_CONTENT else []
        await send({"type": "http.response.start", "status": status, "headers": length})
        await send({"type": "http.response.body", "body": b""})
