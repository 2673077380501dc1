"""Sends signed webhook events: Standard Webhooks headers over a CloudEvents body.

Targets are an explicit list of host, port and addresses. The address that was checked is the
address connected to, so that a name that resolves anew between the two cannot lead elsewhere; a
redirect is a failure.
"""

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

import httpx

from inbox.casesystem import DeliveryEvent
from inbox.errors import Invalid, Unavailable

Network = IPv4Network | IPv6Network
_OK: Final = range(200, 300)
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class Target:
    """An allowed target: a host and port, and the networks that its addresses must be in."""

    host: str
    port: int
    networks: tuple[Network, ...]


def sign(secret: bytes, event_id: str, at: datetime, body: bytes) -> str:
    """The Standard Webhooks `v1` signature: HMAC-SHA256 over id, time in seconds and the bytes."""
    signed = f"{event_id}.{int(at.timestamp())}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


def event_body(event: DeliveryEvent) -> bytes:
    """The CloudEvents 1.0 body: ids only."""
    return json.dumps(
        {
            "specversion": "1.0",
            "id": event.id,
            "type": event.kind,
            "source": f"/organisations/{event.organisation}",
            "time": event.occurred_at.isoformat(),
            "datacontenttype": "application/json",
            "data": {"delivery_id": event.delivery_id},
        },
        separators=(",", ":"),
    ).encode()


def check_target(url: str, targets: Sequence[Target]) -> Target:
    """Return the listed target of a URL. Raises `Invalid` if it is not listed."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or parts.username or parts.password or parts.fragment:
        raise Invalid("webhook.url", "a webhook is http or https, without credentials")
    port = parts.port or _PORTS[parts.scheme]
    for target in targets:
        if (target.host, target.port) == (parts.hostname, port):
            return target
    raise Invalid("webhook.not_listed", "the host and port are not among the listed targets")


class WebhookSender:
    """Sends events to listed targets only.

    `client` must not follow redirects or read the environment.
    """

    def __init__(self, client: httpx.Client, targets: Sequence[Target]) -> None:
        self._client = client
        self._targets = tuple(targets)

    def send(self, url: str, secret: bytes, event: DeliveryEvent, now: datetime) -> None:
        """Resolve the host, check its addresses, connect to one of them, require a 2xx."""
        try:
            target = check_target(url, self._targets)
        except Invalid as error:
            raise Unavailable(error.code, error.reason) from error
        body = event_body(event)
        request = self._client.build_request(
            "POST",
            httpx.URL(url).copy_with(host=_checked_address(target), port=target.port),
            content=body,
            headers={
                "host": urlsplit(url).netloc,
                "content-type": "application/cloudevents+json",
                "webhook-id": event.id,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": sign(secret, event.id, now, body),
            },
            extensions={"sni_hostname": target.host},
        )
        try:
            answer = self._client.send(request, stream=True)
            answer.close()
        except httpx.HTTPError as error:
            raise Unavailable("webhook.unavailable", type(error).__name__) from error
        if answer.status_code not in _OK:
            raise Unavailable("webhook.refused", f"status {answer.status_code}")


def _checked_address(target: Target) -> str:
    """One address of the host; every one it has must be allowed."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unavailable("webhook.unresolved") from error
    addresses = [ip_address(str(entry[4][0])) for entry in found]
    for address in addresses:
        if not any(address in network for network in target.networks):
            raise Unavailable("webhook.address_not_listed")
    return str(addresses[0])
