"""Events: signed, thin, and sent only to addresses that are listed."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import httpx
import pytest

from inbox.call_deadline import DeadlineTransport
from inbox.casesystem import DeliveryEvent
from inbox.casesystem.webhook import (
    Target,
    WebhookSender,
    check_target,
    event_body,
    sign,
    webhook_client,
)
from inbox.errors import Invalid, Unavailable
from inbox.simulator.http.asgi import Receive, Scope, Send
from inbox.simulator.http.server import serve
from tests.gateway.scripted_gateway import NO_TLS
from tests.trickle_server import Trickle, trickling

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EVENT = DeliveryEvent(
    id="e1",
    kind="no.inbox.delivery.offered.v1",
    organisation="910075918",
    delivery_id="d1",
    occurred_at=NOW,
)
LOOPBACK = (ip_network("127.0.0.0/8"),)


class _Hook:
    """A case system's webhook that answers with one status and keeps what it was sent."""

    def __init__(self, status: int = 204, location: str = "", cookie: str = "") -> None:
        self.status, self.location, self.cookie = status, location, cookie
        self.seen: list[dict[str, str]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope["headers"]
        assert isinstance(raw, list)
        headers = {k.decode(): v.decode() for k, v in raw}
        message = await receive()
        content = message["body"]
        assert isinstance(content, bytes)
        self.seen.append({**headers, "body": content.decode()})
        more = {"location": self.location, "set-cookie": self.cookie}
        extra = [(name.encode(), text.encode()) for name, text in more.items() if text]
        await send({"type": "http.response.start", "status": self.status, "headers": extra})
        await send({"type": "http.response.body", "body": b""})


@contextmanager
def _sender(*targets: Target) -> Iterator[WebhookSender]:
    with httpx.Client(trust_env=False, timeout=5) as client:
        yield WebhookSender(client, targets)


def _target(url: str) -> Target:
    return Target(host="127.0.0.1", port=int(url.rsplit(":", 1)[1]), networks=LOOPBACK)


def test_webhook_signature_matches_the_standard_webhooks_example() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    at = datetime.fromtimestamp(1614265330, tz=UTC)

    signed = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_webhook_event_is_signed_over_its_exact_bytes_and_contains_only_ids() -> None:
    hook = _Hook()
    with serve(hook) as url, _sender(_target(url)) as sender:
        sender.send(f"{url}/hooks", b"secret", EVENT, NOW)

    (seen,) = hook.seen
    assert seen["webhook-signature"] == sign(b"secret", "e1", NOW, seen["body"].encode())
    assert seen["webhook-id"] == "e1"
    assert json.loads(seen["body"])["data"] == {"delivery_id": "d1"}
    assert set(json.loads(event_body(EVENT))) == {
        "specversion",
        "id",
        "type",
        "source",
        "time",
        "datacontenttype",
        "data",
    }


@pytest.mark.parametrize("status", [301, 400, 410, 500])
def test_webhook_response_other_than_2xx_raises_unavailable(status: int) -> None:
    hook = _Hook(status)
    with (
        serve(hook) as url,
        _sender(_target(url)) as sender,
        pytest.raises(Unavailable, match=r"webhook\.refused"),
    ):
        sender.send(f"{url}/hooks", b"s", EVENT, NOW)


def test_webhook_redirect_is_not_followed() -> None:
    other = _Hook()
    with serve(other) as elsewhere:
        hook = _Hook(307, f"{elsewhere}/x")
        with (
            serve(hook) as url,
            _sender(_target(url), _target(elsewhere)) as sender,
            pytest.raises(Unavailable),
        ):
            sender.send(f"{url}/hooks", b"s", EVENT, NOW)

    assert other.seen == []


def test_unreachable_webhook_raises_unavailable() -> None:
    target = Target(host="127.0.0.1", port=9, networks=LOOPBACK)
    with _sender(target) as sender, pytest.raises(Unavailable, match=r"webhook\.unavailable"):
        sender.send("http://127.0.0.1:9/hooks", b"s", EVENT, NOW)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.2:9000/h",
        "http://127.0.0.1:9001/h",
        "http://localhost:9000/h",
        "http://user@127.0.0.1:9000/h",
        "ftp://127.0.0.1:9000/h",
        "file:///etc/passwd",
        "http://127.0.0.1:9000/h#x",
        "http://127.0.0.1:99999/h",
        "http://127.0.0.1:port/h",
        "http://[127.0.0.1:9000/h",
    ],
)
def test_webhook_url_must_match_a_listed_host_and_port(url: str) -> None:
    listed = [Target(host="127.0.0.1", port=9000, networks=LOOPBACK)]

    assert check_target("http://127.0.0.1:9000/h", listed)
    with pytest.raises(Invalid):
        check_target(url, listed)


def test_webhook_host_resolving_outside_its_networks_is_not_contacted() -> None:
    hook = _Hook()
    with serve(hook) as url:
        port = int(url.rsplit(":", 1)[1])
        elsewhere = Target(host="127.0.0.1", port=port, networks=(ip_network("10.0.0.0/8"),))
        with _sender(elsewhere) as sender, pytest.raises(Unavailable, match="address_not_listed"):
            sender.send(f"{url}/hooks", b"s", EVENT, NOW)

    assert hook.seen == []


@pytest.mark.parametrize(
    "trickle",
    [
        Trickle(
            head=b"HTTP/1.1 204 No Content\r\nX-Slow: ",
            piece=b"a",
            tail=b"\r\nContent-Length: 0\r\n\r\n",
        ),
        Trickle(piece=b"HTTP/1.1 100 Continue\r\n\r\n", tail=b"HTTP/1.1 204 No Content\r\n\r\n"),
        Trickle(tail=b"HTTP/1.1 204 No Content\r\n\r\n"),
    ],
    ids=["header", "continue", "silence"],
)
def test_webhook_that_answers_a_byte_at_a_time_is_cut_off_at_the_deadline(
    trickle: Trickle,
) -> None:
    with trickling(trickle), httpx.Client(transport=DeadlineTransport(tls=NO_TLS)) as client:
        sender = WebhookSender(client, [_target(trickle.url)], within=timedelta(seconds=0.3))

        with pytest.raises(Unavailable, match=r"webhook\.(unavailable|slow)"):
            sender.send(f"{trickle.url}/hooks", b"s", EVENT, NOW)

    assert trickle.given[0] < trickle.pieces / 2


def test_webhook_client_of_the_program_has_a_deadline_on_the_whole_call() -> None:
    trickle = Trickle(
        head=b"HTTP/1.1 204 No Content\r\nX-Slow: ", piece=b"a", tail=b"\r\n\r\n", pieces=60
    )
    with trickling(trickle), webhook_client(tls=NO_TLS) as client:
        sender = WebhookSender(client, [_target(trickle.url)], within=timedelta(seconds=0.3))

        with pytest.raises(Unavailable):
            sender.send(f"{trickle.url}/hooks", b"s", EVENT, NOW)


def test_webhook_client_of_the_program_keeps_no_cookies() -> None:
    hook = _Hook(cookie="who=you; Path=/")

    with serve(hook) as url, webhook_client(tls=NO_TLS) as client:
        port = int(url.rsplit(":", 1)[1])
        target = Target(host="127.0.0.1", port=port, networks=LOOPBACK)
        for _ in range(2):
            WebhookSender(client, [target]).send(f"{url}/hook", b"secret", EVENT, NOW)

    assert len(hook.seen) == 2
    assert not any("cookie" in seen for seen in hook.seen)
