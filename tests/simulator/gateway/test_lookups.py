"""Statuses, conversations, authentication, health and webhooks, as observed."""

import json
import queue
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.packages.envelopes import sbd_json
from tests.simulator.conftest import Clock, Sample, Switch
from tests.simulator.gateway_requests import IN, OUT, answer_of, peek

Events = queue.Queue[dict[str, Any]]


@pytest.fixture
def message_id(gateway: GatewaySimulator, clock: Clock) -> str:
    return gateway.put(sbd_json(created_at=clock.now), b"bytes")


def test_gateway_statuses_are_paged_and_filtered_by_message_and_status(
    http: httpx.Client, gateway: GatewaySimulator, clock: Clock, message_id: str
) -> None:
    gateway.put(sbd_json(created_at=clock.now), b"bytes")

    one = http.get(f"/api/statuses/{message_id}")
    same = http.get("/api/statuses", params={"messageId": message_id}).json()
    every = http.get("/api/statuses").json()
    received = http.get("/api/statuses", params={"status": "INNKOMMENDE_MOTTATT"}).json()

    names = [each["status"] for each in one.json()["content"]]
    assert names == ["OPPRETTET", "INNKOMMENDE_MOTTATT"]
    assert same["content"] == one.json()["content"]
    assert [each["id"] for each in every["content"]] == [1, 2, 3, 4]
    assert received["totalElements"] == 2
    assert one.headers["content-type"] == "application/json;charset=utf-8"
    assert one.json()["content"][0]["lastUpdate"] == "2026-11-24T09:00:00.000000+01:00"


def test_gateway_statuses_are_sorted_by_known_fields_and_bounded_by_two_times(
    http: httpx.Client, gateway: GatewaySimulator, clock: Clock
) -> None:
    begin = clock.now
    gateway.put(sbd_json(created_at=begin), b"bytes")
    clock.now += timedelta(hours=1)
    gateway.put(sbd_json(created_at=clock.now), b"bytes")
    times = {"fromDateTime": begin.isoformat(), "toDateTime": "2030-01-01T00:00:00.000Z"}

    def numbers(**query: str) -> list[int]:
        return [each["id"] for each in http.get("/api/statuses", params=query).json()["content"]]

    assert numbers(sort="id,desc", size="3") == [4, 3, 2]
    assert numbers(sort="lastUpdate,desc", size="2") == [3, 4]
    assert numbers(**times) == [3, 4]
    assert numbers(fromDateTime=times["fromDateTime"]) == [1, 2, 3, 4]
    unknown = http.get("/api/statuses", params={"sort": "lastUpdated,desc"})
    odd = http.get("/api/statuses", params={"fromDateTime": "yesterday"})
    assert answer_of(unknown) == (500, "PropertyReferenceException")
    assert answer_of(odd) == (400, "MethodArgumentNotValidException")


def test_conversations_are_filtered_by_exact_values_the_latest_first(
    http: httpx.Client, gateway: GatewaySimulator, clock: Clock, message_id: str
) -> None:
    clock.now += timedelta(hours=1)
    later = gateway.put(sbd_json(created_at=clock.now), b"bytes")

    def ids(**query: str) -> list[str]:
        rows = http.get("/api/conversations", params=query).json()["content"]
        return [each["messageId"] for each in rows]

    assert ids() == ids(direction="INCOMING", serviceIdentifier="DPO") == [later, message_id]
    assert ids(receiverIdentifier="910077473") == ids(finished="true") == []
    assert ids(sort="lastUpdate,asc", finished="false") == [message_id, later]
    odd = http.get("/api/conversations", params={"direction": "incoming"})
    assert answer_of(odd) == (400, "MethodArgumentNotValidException")
    assert http.get("/api/conversations", params={"serviceIdentifier": "dpo"}).status_code == 500


def test_statuses_of_an_unknown_message_are_an_empty_page(http: httpx.Client) -> None:
    assert http.get("/api/statuses/nope").json()["content"] == []


def test_incoming_conversation_is_listed_but_lookup_by_message_id_is_404(
    http: httpx.Client, message_id: str
) -> None:
    before = http.get("/api/conversations", params={"messageId": message_id}).json()["content"]
    peek(http)
    http.delete(f"{IN}/{message_id}")

    (after,) = http.get("/api/conversations", params={"messageId": message_id}).json()["content"]
    single = http.get(f"/api/conversations/messageId/{message_id}")

    assert answer_of(single) == (404, "ConversationNotFoundException")
    assert ([each["finished"] for each in before], after["finished"]) == ([False], True)
    assert (after["messageTitle"], after["direction"]) == ("", "INCOMING")
    assert after["messageReference"] == after["conversationId"]


def test_outgoing_conversation_can_be_looked_up_by_message_id(
    http: httpx.Client, clock: Clock, message_id: str
) -> None:
    body = sbd_json(
        sender="910075918",
        receiver="910077473",
        created_at=clock.now,
        process="urn:no:difi:profile:arkivmelding:response:ver1.0",
        kind="arkivmelding_kvittering",
        body={"receiptType": "OK", "relatedToMessageId": message_id},
        message_id="c2b9a5d0-4d5b-4bc4-8c0e-0c9a7d1f3e50",
    )
    http.post(OUT, json=body)

    found = http.get("/api/conversations/messageId/c2b9a5d0-4d5b-4bc4-8c0e-0c9a7d1f3e50").json()

    assert (found["direction"], found["serviceIdentifier"]) == ("OUTGOING", "DPO")


@pytest.mark.parametrize(
    ("auth", "path", "status"),
    [
        (None, f"{IN}/peek", 401),
        (("inbox", "wrong"), f"{IN}/peek", 401),
        (("inbox", "right"), f"{IN}/peek", 204),
        (None, "/manage/health", 200),
        (None, "/manage/info", 200),
        (None, "/manage/health/liveness", 401),
        (("inbox", "wrong"), "/manage/health", 401),
        (("inbox", "right"), "/manage/health/liveness", 200),
        (None, "/api/nowhere", 401),
        (("inbox", "right"), "/api/nowhere", 404),
    ],
)
def test_gateway_with_credentials_requires_basic_auth_except_for_health_and_info(
    switch: Switch, clock: Clock, auth: tuple[str, str] | None, path: str, status: int
) -> None:
    switch.gateway = GatewaySimulator(clock=clock, credentials=("inbox", "right"))

    response = httpx.get(switch.url + path, auth=auth, trust_env=False)

    assert response.status_code == status
    if status == 401:
        assert response.headers["www-authenticate"] == 'Basic realm="Realm"'
        assert "exception" not in response.json()


def test_malformed_authorization_header_at_the_gateway_is_401(switch: Switch, clock: Clock) -> None:
    switch.gateway = GatewaySimulator(clock=clock, credentials=("inbox", "right"))

    headers = {"Authorization": "Basic ?"}
    response = httpx.get(switch.url + "/manage/health", headers=headers, trust_env=False)

    assert response.status_code == 401


def test_gateway_without_credentials_ignores_basic_auth(http: httpx.Client) -> None:
    assert http.get(f"{IN}/peek", auth=("any", "body")).status_code == 204


def test_gateway_health_is_503_when_the_gateway_is_down(
    gateway: GatewaySimulator, http: httpx.Client
) -> None:
    up = http.get("/manage/health")
    gateway.healthy(up=False)
    down = http.get("/manage/health")

    assert (up.status_code, up.json()["status"]) == (200, "UP")
    assert (down.status_code, down.json()["status"]) == (503, "DOWN")


@pytest.fixture
def hook() -> Iterator[tuple[str, Events]]:
    """An endpoint that keeps what it is told and answers 500, which nobody minds."""
    events: Events = queue.Queue()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            events.put(json.loads(self.rfile.read(length)))
            self.send_error(500)

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", events
    server.shutdown()
    thread.join()
    server.server_close()


def test_gateway_webhook_sends_a_ping_and_then_each_status_once(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock, hook: tuple[str, Events]
) -> None:
    url, events = hook
    fields = {"name": "inbox", "pushEndpoint": url, "resource": "all", "event": "all"}
    created = http.post("/api/subscriptions", json=fields)
    message_id = gateway.put(sbd_json(created_at=clock.now), b"bytes")
    peek(http)
    http.delete(f"{IN}/{message_id}")

    told = [events.get(timeout=5) for _ in range(4)]

    assert (created.status_code, created.json()["id"]) == (200, 1)
    assert told[0]["event"] == "ping"
    assert [each["status"] for each in told[1:]] == [
        "OPPRETTET",
        "INNKOMMENDE_MOTTATT",
        "INNKOMMENDE_LEVERT",
    ]
    assert {each["messageId"] for each in told[1:]} == {message_id}


@pytest.mark.samples
def test_gateway_webhook_event_has_the_sample_members_except_an_empty_description(
    gateway: GatewaySimulator,
    http: httpx.Client,
    clock: Clock,
    hook: tuple[str, Events],
    sample: Sample,
) -> None:
    url, events = hook
    http.post("/api/subscriptions", json={"name": "inbox", "pushEndpoint": url})
    gateway.put(sbd_json(created_at=clock.now), b"bytes")

    ping, event = events.get(timeout=5), events.get(timeout=5)

    status = json.loads(sample("composed/webhook_status.json").read_bytes())
    assert list(ping) == list(json.loads(sample("composed/webhook_ping.json").read_bytes()))
    assert [*event, "description"] == list(status)


def test_gateway_webhook_filter_with_a_misspelled_status_never_fires(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock, hook: tuple[str, Events]
) -> None:
    url, events = hook
    for name, status in (
        ("wrong", "INNKOMMENDE_MOTTAT"),
        ("right", "opprettet,innkommende_mottatt"),
    ):
        fields = {"pushEndpoint": url, "filter": f"status={status}&direction=INCOMING"}
        http.post("/api/subscriptions", json={"name": name, **fields})
    gateway.put(sbd_json(created_at=clock.now), b"bytes")

    told = [events.get(timeout=5) for _ in range(4)]

    assert [each.get("status") for each in told] == [None, None, "OPPRETTET", "INNKOMMENDE_MOTTATT"]
    assert events.empty()


def test_gateway_subscriptions_can_be_listed_changed_removed_and_not_duplicated(
    http: httpx.Client, hook: tuple[str, Events]
) -> None:
    fields = {"name": "inbox", "pushEndpoint": hook[0], "event": "all"}
    http.post("/api/subscriptions", json=fields)

    doubled = http.post("/api/subscriptions", json=fields)
    changed = http.put("/api/subscriptions/1", json={"event": "status"}).json()
    listed = http.get("/api/subscriptions").json()["content"]
    removed = http.delete("/api/subscriptions/1").status_code

    assert answer_of(doubled) == (400, "SubscriptionWithSameNameAndPushEndpointAlreadyExists")
    assert changed == {"id": 1, **fields, "event": "status"}
    assert (listed, removed) == ([changed], 200)
    assert answer_of(http.get("/api/subscriptions/1")) == (404, "SubscriptionNotFoundException")
    assert answer_of(http.post("/api/subscriptions", json={})) == (
        400,
        "MethodArgumentNotValidException",
    )
