"""Sends signed webhook events: Standard Webhooks headers over a CloudEvents body.

Targets are an explicit list of host, port and addresses. The address that was checked is the
address connected to, so that a name that resolves anew between the two cannot lead elsewhere; a
redirect is a failure.
"""

import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

import httpx

from inbox.call_deadline import CallDeadline, DeadlineTransport, addresses_of, connection_fault
from inbox.casesystem import DeliveryEvent
from inbox.errors import Invalid, Unavailable

Network = IPv4Network | IPv6Network
_OK: Final = range(200, 300)
_PORTS: Final = {"http": 80, "https": 443}
EVENT_TYPE: Final = "application/cloudevents+json"
"""The content type of every event."""
WEBHOOK_TIME_LIMIT: Final = timedelta(seconds=15)
"""For the whole call, from the name of the host to the end of the answer's headers."""


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
    try:
        parts = urlsplit(url)
        given = parts.port
    except ValueError:
        raise Invalid("webhook.url", "it cannot be read, or its port is invalid") from None
    if parts.scheme not in _PORTS or parts.username or parts.password or parts.fragment:
        raise Invalid("webhook.url", "a webhook is http or https, without credentials")
    port = given or _PORTS[parts.scheme]
    for target in targets:
        if (target.host, target.port) == (parts.hostname, port):
            return target
    raise Invalid("webhook.not_listed", "the host and port are not among the listed targets")


def webhook_client(*, tls: ssl.SSLContext | None = None) -> httpx.Client:
    """The HTTP client for webhooks: no proxy of the environment, no redirects, no cookies kept."""
    return httpx.Client(
        transport=DeadlineTransport(tls=tls),
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        timeout=WEBHOOK_TIME_LIMIT.total_seconds(),
        trust_env=False,
        follow_redirects=False,
    )


class WebhookRefused(Unavailable):
    """The address answered, with a status that is no 2xx."""

    status: int

    def __init__(self, status: int) -> None:
        super().__init__("webhook.refused", f"status {status}", status=status)


class WebhookSender:
    """Sends events to listed targets only; `within` is the time limit of a whole call.

    `client` must not follow redirects or read the environment.
    """

    def __init__(
        self,
        client: httpx.Client,
        targets: Sequence[Target],
        *,
        within: timedelta = WEBHOOK_TIME_LIMIT,
    ) -> None:
        self._client = client
        self._targets = tuple(targets)
        self._within = within

    def send(self, url: str, secret: bytes, event: DeliveryEvent, now: datetime) -> None:
        """Send the event, signed. Raises `Unavailable` unless the answer was a 2xx."""
        body = event_body(event)
        self.post(url, event.id, now, body, sign(secret, event.id, now, body))

    def post(self, url: str, event_id: str, at: datetime, body: bytes, signature: str) -> int:
        """Resolve the host, check its addresses, connect to one of them, require a 2xx; gives it.

        Raises `WebhookRefused` for another status, and `Unavailable`.
        """
        try:
            target = check_target(url, self._targets)
        except Invalid as error:
            raise Unavailable(error.code, error.reason) from error
        deadline = CallDeadline(self._within)
        request = self._client.build_request(
            "POST",
            httpx.URL(url).copy_with(host=_checked_address(target, deadline), port=target.port),
            content=body,
            headers={
                "host": urlsplit(url).netloc,
                "content-type": EVENT_TYPE,
                "webhook-id": event_id,
                "webhook-timestamp": str(int(at.timestamp())),
                "webhook-signature": signature,
            },
            extensions={
                "sni_hostname": target.host,
                **deadline.extensions(self._client.timeout),
            },
        )
        try:
            answer = self._client.send(request, stream=True)
            answer.close()
        except httpx.HTTPError as error:
            code = f"webhook.{connection_fault(error, deadline)}"
            raise Unavailable(code, type(error).__name__) from error
        if answer.status_code not in _OK:
            raise WebhookRefused(answer.status_code)
        return answer.status_code


def _checked_address(target: Target, deadline: CallDeadline) -> str:
    """One address of the host; every one it has must be allowed."""
    try:
        found = addresses_of(target.host, target.port, deadline)
    except OSError as error:
        raise Unavailable("webhook.unresolved") from error
    addresses = [ip_address(each) for each in found]
    for address in addresses:
        if not any(address in network for network in target.networks):
            raise Unavailable("webhook.address_not_listed")
    return str(addresses[0])
