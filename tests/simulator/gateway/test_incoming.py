"""Finding and peeking, row by row as a running integrasjonspunkt was seen to behave."""

import json
from email.utils import parsedate_to_datetime

import httpx
import pytest

from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.server import serve
from inbox.simulator.packages.envelopes import ADMINISTRASJON, TAUSHETSBELAGT, sbd_json
from tests.simulator.conftest import Clock, Sample
from tests.simulator.gateway_requests import IN, answer_of, id_of, peek, put


def test_gateway_peek_locks_the_message_and_returns_its_envelope(
    gateway: GatewaySimulator, http: httpx.Client, envelope: dict[str, object]
) -> None:
    message_id = gateway.put(envelope, b"bytes")

    response = http.get(f"{IN}/peek")

    assert (response.status_code, response.json()) == (200, envelope)
    assert response.headers["content-type"] == "application/json"
    assert b'\n  "standardBusinessDocumentHeader" : {' in response.content
    assert gateway.locked() == [message_id]


def test_second_peek_answers_204_with_content_type_and_no_body(
    gateway: GatewaySimulator, http: httpx.Client, envelope: dict[str, object]
) -> None:
    gateway.put(envelope)
    http.get(f"{IN}/peek")

    response = http.get(f"{IN}/peek")

    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["content-type"] == "application/json"


def test_head_on_peek_locks_one_message_each_time(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock
) -> None:
    ids = [put(gateway, clock) for _ in range(3)]

    codes = [http.head(f"{IN}/peek").status_code for _ in range(4)]

    assert codes == [200, 200, 200, 204]
    assert gateway.locked() == ids


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 1),
        ("process=" + TAUSHETSBELAGT, 1),
        ("process=" + ADMINISTRASJON, 0),
        ("receiverIdentifier=910075918", 1),
        ("receiverIdentifier=0192:910075918", 0),
        ("senderIdentifier=910077473", 1),
        ("senderIdentifier=0192:910077473", 0),
        ("serviceIdentifier=DPO", 1),
        ("serviceIdentifier=DPF", 0),
        ("messageId=11111111-1111-4111-8111-111111111111", 1),
        ("messageId=22222222-1111-4111-8111-111111111111", 0),
        ("conversationId=33333333-1111-4111-8111-111111111111", 1),
        ("messageID=22222222-1111-4111-8111-111111111111", 1),
        ("Process=" + ADMINISTRASJON, 1),
        ("senderIdentifier=", 0),
        ("process=", 0),
        (f"process={TAUSHETSBELAGT}&serviceIdentifier=DPO&receiverIdentifier=910075918", 1),
        (f"process={TAUSHETSBELAGT}&serviceIdentifier=DPF&receiverIdentifier=910075918", 0),
    ],
)
def test_gateway_filters_match_exactly_and_unknown_filter_names_are_ignored(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock, query: str, found: int
) -> None:
    put(
        gateway,
        clock,
        message_id="11111111-1111-4111-8111-111111111111",
        conversation_id="33333333-1111-4111-8111-111111111111",
    )

    listed = http.get(f"{IN}?{query}").json()["totalElements"]
    peeked = http.get(f"{IN}/peek?{query}").status_code

    assert (listed, peeked) == (found, 200 if found else 204)


@pytest.mark.parametrize("value", ["dpo", "NOPE"])
@pytest.mark.parametrize("place", [IN, f"{IN}/peek"])
def test_unknown_service_identifier_at_the_gateway_is_500(
    http: httpx.Client, place: str, value: str
) -> None:
    response = http.get(place, params={"serviceIdentifier": value})

    assert answer_of(response) == (500, "InvalidDataAccessApiUsageException")


def test_gateway_error_body_has_its_members_in_the_observed_order(http: httpx.Client) -> None:
    response = http.get(f"{IN}/pop/nope")

    body = json.loads(response.content)
    assert list(body) == ["timestamp", "exception", "message", "status", "error", "path"]
    assert body["timestamp"] == "2026-11-24T09:00:00.000000859+01:00"
    assert (body["status"], body["error"], body["path"]) == (404, "Not Found", f"{IN}/pop/nope")


def test_find_pages_include_locked_messages_and_lock_nothing(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock
) -> None:
    ids = []
    for _ in range(12):
        ids.append(put(gateway, clock))
        clock.passes(seconds=1)
    peek(http)

    first = http.get(IN, params={"sort": "lastUpdated,asc"}).json()
    second = http.get(IN, params={"sort": "lastUpdated,asc", "page": "1"}).json()
    backwards = http.get(IN, params={"sort": "lastUpdated,desc", "size": "1"}).json()

    assert [id_of(each) for each in first["content"] + second["content"]] == ids
    assert [id_of(each) for each in backwards["content"]] == ids[-1:]
    assert (first["totalPages"], first["totalElements"], first["last"]) == (2, 12, False)
    assert (second["numberOfElements"], second["first"], second["last"]) == (2, False, True)
    assert len(gateway.locked()) == 1


def test_find_page_size_is_capped_and_an_unknown_sort_field_is_500(http: httpx.Client) -> None:
    size = http.get(IN, params={"size": "9999"}).json()["size"]
    sort = answer_of(http.get(IN, params={"sort": "tittel,asc"}))

    assert (size, sort) == (2000, (500, "PropertyReferenceException"))


@pytest.mark.samples
def test_empty_find_page_has_the_shape_of_the_sample(http: httpx.Client, sample: Sample) -> None:
    page = http.get(IN).json()

    assert page == json.loads(sample("composed/find_page.json").read_bytes())
    assert list(page["sort"]) == ["empty", "sorted", "unsorted"]


@pytest.mark.samples
def test_simulated_envelope_has_the_shape_of_the_sample(sample: Sample) -> None:
    theirs = json.loads(sample("composed/sbd_taushetsbelagt.json").read_bytes())

    ours = sbd_json(sender_ref="x", channel="barnevern-01", body=theirs["arkivmelding"])

    assert _names(ours) == _names(theirs)
    assert ours["arkivmelding"] == theirs["arkivmelding"]


def _names(value: object) -> object:
    if isinstance(value, dict):
        return {name: _names(each) for name, each in value.items()}
    return [_names(each) for each in value] if isinstance(value, list) else type(value)


def test_trailing_slash_is_404_at_gateway_version_4_and_answered_by_older_versions(
    clock: Clock,
) -> None:
    for older, expected in ((False, 404), (True, 204)):
        gateway = GatewaySimulator(clock=clock, trailing_slash=older)
        with serve(gateway.app) as url:
            response = httpx.get(f"{url}{IN}/peek/", trust_env=False)
        assert response.status_code == expected


def test_wrong_method_at_the_gateway_is_405_and_a_climbing_path_is_400(http: httpx.Client) -> None:
    method = answer_of(http.post(f"{IN}/peek"))
    nowhere = answer_of(http.get("/api/nowhere"))
    climbing = http.get(f"{IN}/pop/%2e%2e/peek")

    assert method == (405, "HttpRequestMethodNotSupportedException")
    assert nowhere == (404, "NoResourceFoundException")
    assert climbing.status_code == 400


def test_gateway_date_header_follows_the_gateway_clock(http: httpx.Client, clock: Clock) -> None:
    clock.passes(hours=7)

    response = http.get(f"{IN}/peek")

    assert parsedate_to_datetime(response.headers["date"]) == clock.now


def test_gateway_journal_records_every_request_in_order(
    gateway: GatewaySimulator, http: httpx.Client, envelope: dict[str, object]
) -> None:
    message_id = gateway.put(envelope, b"bytes")
    http.get(f"{IN}/peek", params={"serviceIdentifier": "DPO"})
    http.get(f"{IN}/pop/{message_id}")
    http.delete(f"{IN}/{message_id}")

    journal = [(s.method, s.path, s.message_id, s.status, s.whole) for s in gateway.journal]

    assert journal == [
        ("GET", f"{IN}/peek", message_id, 200, True),
        ("GET", IN + "/pop/{messageId}", message_id, 200, True),
        ("DELETE", IN + "/{messageId}", message_id, 200, True),
    ]
    assert gateway.journal[0].query == "serviceIdentifier=DPO"
    assert gateway.journal[1].body_bytes == 5
