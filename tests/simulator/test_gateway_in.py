"""The incoming side, row by row as a running integrasjonspunkt was seen to behave."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from inbox.simulator.envelopes import ADMINISTRASJON, TAUSHETSBELAGT, receipt_json, sbd_json
from inbox.simulator.gateway import Damage, GatewaySimulator
from inbox.simulator.server import serve
from tests.simulator.asking import IN, answer_of, id_of, peek
from tests.simulator.conftest import Clock, Sample


@pytest.fixture
def envelope(clock: Clock) -> dict[str, object]:
    return sbd_json(created_at=clock.now)


def put(gateway: GatewaySimulator, clock: Clock, **fields: str) -> str:
    return gateway.put(sbd_json(created_at=clock.now, **fields), b"bytes")  # type: ignore[arg-type]  # texts only


def test_peek_locks_and_gives_the_envelope(
    gateway: GatewaySimulator, http: httpx.Client, envelope: dict[str, object]
) -> None:
    message_id = gateway.put(envelope, b"bytes")

    response = http.get(f"{IN}/peek")

    assert (response.status_code, response.json()) == (200, envelope)
    assert response.headers["content-type"] == "application/json"
    assert b'\n  "standardBusinessDocumentHeader" : {' in response.content
    assert gateway.locked() == [message_id]


def test_a_second_peek_is_204_with_a_content_type_and_no_body(
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
def test_filters_are_exact_and_an_unknown_name_filters_nothing(
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
def test_an_unknown_service_is_500(http: httpx.Client, place: str, value: str) -> None:
    response = http.get(place, params={"serviceIdentifier": value})

    assert answer_of(response) == (500, "InvalidDataAccessApiUsageException")


def test_the_error_body_has_the_order_that_was_seen(http: httpx.Client) -> None:
    response = http.get(f"{IN}/pop/nope")

    body = json.loads(response.content)
    assert list(body) == ["timestamp", "exception", "message", "status", "error", "path"]
    assert body["timestamp"] == "2026-11-24T09:00:00.000000859+01:00"
    assert (body["status"], body["error"], body["path"]) == (404, "Not Found", f"{IN}/pop/nope")


def test_pop_and_delete_need_a_lock(
    gateway: GatewaySimulator, http: httpx.Client, envelope: dict[str, object]
) -> None:
    message_id = gateway.put(envelope, b"bytes")

    answers = [
        answer_of(http.get(f"{IN}/pop/{message_id}")),
        answer_of(http.delete(f"{IN}/{message_id}")),
    ]

    assert answers == [(400, "MessageNotLockedException")] * 2
    assert gateway.queue() == [message_id]


@pytest.mark.parametrize("message_id", ["11111111-1111-4111-8111-111111111111", "not-a-uuid"])
def test_an_unknown_id_is_404(http: httpx.Client, message_id: str) -> None:
    answers = [
        answer_of(http.get(f"{IN}/pop/{message_id}")),
        answer_of(http.delete(f"{IN}/{message_id}")),
    ]

    assert answers == [(404, "MessageNotFoundException")] * 2


def test_pop_gives_the_same_bytes_as_often_as_asked_whatever_range_and_accept_say(
    gateway: GatewaySimulator, http: httpx.Client, envelope: dict[str, object]
) -> None:
    message_id = gateway.put(envelope, b"0123456789")
    peek(http)

    headers = {"Range": "bytes=2-3", "Accept": "application/json"}
    responses = [
        http.get(f"{IN}/pop/{message_id}"),
        http.get(f"{IN}/pop/{message_id}", headers=headers),
    ]

    assert [(r.status_code, r.content) for r in responses] == [(200, b"0123456789")] * 2
    assert responses[0].headers["content-type"] == "application/vnd.etsi.asic-e+zip"
    assert responses[0].headers["content-disposition"] == "attachment; filename=asic.zip"
    assert responses[0].headers["content-length"] == "10"
    assert gateway.sender_statuses(message_id) == ["OPPRETTET", "SENDT", "MOTTATT"]


def _in_a_file(folder: Path) -> Path:
    (folder / "asic.zip").write_bytes(b"ab" * 300_000)
    return folder / "asic.zip"


def _in_pieces() -> Iterator[bytes]:
    for _ in range(6):
        yield b"ab" * 50_000


@pytest.mark.parametrize("kind", ["bytes", "path", "callable"])
def test_a_large_container_comes_chunked_from_wherever_it_lies(
    gateway: GatewaySimulator,
    http: httpx.Client,
    envelope: dict[str, object],
    tmp_path: Path,
    kind: str,
) -> None:
    source = {"bytes": b"ab" * 300_000, "path": _in_a_file(tmp_path), "callable": _in_pieces}[kind]
    message_id = gateway.put(envelope, source)  # type: ignore[arg-type]  # one of the three
    peek(http)

    response = http.get(f"{IN}/pop/{message_id}")

    assert response.content == b"ab" * 300_000
    assert "content-length" not in response.headers
    assert response.headers["transfer-encoding"] == "chunked"


def test_delete_gives_the_envelope_and_tells_the_sender_and_works_without_pop(
    gateway: GatewaySimulator, http: httpx.Client, envelope: dict[str, object]
) -> None:
    message_id = gateway.put(envelope, b"bytes")
    peek(http)

    response = http.delete(f"{IN}/{message_id}")

    assert (response.status_code, response.json()) == (200, envelope)
    assert gateway.queue() == []
    assert gateway.sender_statuses(message_id) == ["OPPRETTET", "SENDT", "MOTTATT", "LEVERT"]
    assert gateway.statuses(message_id) == [
        "OPPRETTET",
        "INNKOMMENDE_MOTTATT",
        "INNKOMMENDE_LEVERT",
    ]
    assert answer_of(http.delete(f"{IN}/{message_id}")) == (404, "MessageNotFoundException")
    assert answer_of(http.get(f"{IN}/pop/{message_id}")) == (404, "MessageNotFoundException")


def test_a_lock_has_no_owner_and_runs_out_after_five_minutes(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock, envelope: dict[str, object]
) -> None:
    message_id = gateway.put(envelope, b"bytes")
    peek(http)

    clock.passes(minutes=4, seconds=59)
    still = http.get(f"{IN}/pop/{message_id}", headers={"User-Agent": "another"}).status_code
    clock.passes(seconds=1)
    after = answer_of(http.delete(f"{IN}/{message_id}"))

    assert (still, after) == (200, (400, "MessageNotLockedException"))
    assert peek(http) == message_id


def test_the_oldest_comes_first_and_what_lost_its_lock_goes_to_the_back(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock
) -> None:
    first = put(gateway, clock)
    clock.passes(seconds=1)
    second = put(gateway, clock)

    assert peek(http) == first
    clock.passes(minutes=5)

    assert [peek(http), peek(http)] == [second, first]


def test_no_lock_is_given_twice_to_many_who_ask_at_once(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock
) -> None:
    ids = {put(gateway, clock) for _ in range(14)}
    got: list[str | None] = []

    def ask() -> None:
        got.extend(peek(http) for _ in range(3))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    locked = [each for each in got if each is not None]
    assert (len(locked), set(locked)) == (14, ids)


def test_what_expires_is_removed_even_under_a_lock_and_both_sides_are_told(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock
) -> None:
    message_id = gateway.put(sbd_json(created_at=clock.now, life=timedelta(minutes=1)), b"bytes")
    peek(http)

    clock.passes(minutes=1)

    assert answer_of(http.get(f"{IN}/pop/{message_id}")) == (404, "MessageNotFoundException")
    assert gateway.statuses(message_id)[-1] == "LEVETID_UTLOPT"
    assert gateway.sender_statuses(message_id)[-1] == "LEVETID_UTLOPT"


def test_without_an_end_the_life_is_24_hours(gateway: GatewaySimulator, clock: Clock) -> None:
    message_id = gateway.put(sbd_json(created_at=clock.now, life=None), b"bytes")

    clock.passes(hours=23, minutes=59)
    before = gateway.queue()
    clock.passes(minutes=1)

    assert (before, gateway.queue()) == ([message_id], [])


def test_what_comes_too_late_is_dropped(gateway: GatewaySimulator, clock: Clock) -> None:
    message_id = gateway.put(sbd_json(created_at=clock.now - timedelta(days=2)), b"bytes")

    assert gateway.queue() == []
    assert gateway.sender_statuses(message_id)[-1] == "LEVETID_UTLOPT"


def test_on_dpf_the_sender_has_levert_from_the_start_and_is_never_told_of_expiry(
    gateway: GatewaySimulator, clock: Clock
) -> None:
    message_id = gateway.put(sbd_json(created_at=clock.now), b"bytes", service="DPF")

    clock.passes(hours=25)

    assert gateway.queue() == []
    assert gateway.sender_statuses(message_id) == ["OPPRETTET", "SENDT", "LEVERT"]


def test_redelivery_after_delete_is_the_same_id_again_and_history_stays(
    gateway: GatewaySimulator, http: httpx.Client, envelope: dict[str, object]
) -> None:
    message_id = gateway.put(envelope, b"bytes")
    peek(http)
    http.delete(f"{IN}/{message_id}")
    before = gateway.statuses(message_id)

    gateway.redeliver(message_id)

    assert peek(http) == message_id
    assert http.get(f"{IN}/pop/{message_id}").content == b"bytes"
    assert gateway.statuses(message_id) == before


def test_redelivery_while_it_waits_only_overwrites_the_package(
    gateway: GatewaySimulator, http: httpx.Client, envelope: dict[str, object]
) -> None:
    message_id = gateway.put(envelope, b"bytes")
    peek(http)

    gateway.redeliver(message_id, b"other bytes")

    assert gateway.queue() == gateway.locked() == [message_id]
    assert http.get(f"{IN}/pop/{message_id}").content == b"other bytes"


def test_pop_of_a_kvittering_is_204_without_content_type(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock
) -> None:
    receipt = receipt_json(related_to="x", sender="910077473", receiver="910075918")
    receipt["standardBusinessDocumentHeader"] = sbd_json(
        created_at=clock.now, kind="arkivmelding_kvittering"
    )["standardBusinessDocumentHeader"]
    message_id = gateway.put(receipt)
    peek(http)

    response = http.get(f"{IN}/pop/{message_id}")

    assert (response.status_code, response.content) == (204, b"")
    assert "content-type" not in response.headers


@pytest.mark.parametrize(
    ("package", "status", "exception"),
    [
        (Damage.UNDECRYPTABLE, 204, None),
        (None, 500, "UnexpectedRollbackException"),
        (Damage.UNREADABLE, 500, "AsicReadException"),
    ],
)
def test_what_cannot_be_given_stays_and_can_be_deleted(
    gateway: GatewaySimulator,
    http: httpx.Client,
    envelope: dict[str, object],
    package: Damage | None,
    status: int,
    exception: str | None,
) -> None:
    message_id = gateway.put(envelope, package)
    peek(http)

    responses = [http.get(f"{IN}/pop/{message_id}") for _ in range(2)]

    assert [each.status_code for each in responses] == [status] * 2
    if exception is not None:
        assert answer_of(responses[1]) == (status, exception)
    assert gateway.statuses(message_id) == ["OPPRETTET", "INNKOMMENDE_MOTTATT"]
    assert http.delete(f"{IN}/{message_id}").status_code == 200


def test_a_stored_file_that_vanished_removes_the_message_and_the_sender_hears_nothing(
    gateway: GatewaySimulator, http: httpx.Client, envelope: dict[str, object]
) -> None:
    message_id = gateway.put(envelope, Damage.FILE_MISSING)
    peek(http)

    answers = [answer_of(http.get(f"{IN}/pop/{message_id}")) for _ in range(2)]

    assert answers == [(404, "FileNotFoundException"), (404, "MessageNotFoundException")]
    assert gateway.statuses(message_id)[-1] == "FEIL"
    assert gateway.sender_statuses(message_id)[-1] == "MOTTATT"


def test_find_pages_without_showing_or_taking_locks(
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


def test_a_page_size_is_capped_and_an_unknown_sort_field_is_500(http: httpx.Client) -> None:
    size = http.get(IN, params={"size": "9999"}).json()["size"]
    sort = answer_of(http.get(IN, params={"sort": "tittel,asc"}))

    assert (size, sort) == (2000, (500, "PropertyReferenceException"))


@pytest.mark.samples
def test_an_empty_page_has_the_shape_of_the_sample(http: httpx.Client, sample: Sample) -> None:
    page = http.get(IN).json()

    assert page == json.loads(sample("composed/find_page.json").read_bytes())
    assert list(page["sort"]) == ["empty", "sorted", "unsorted"]


@pytest.mark.samples
def test_an_envelope_has_the_shape_of_the_sample(sample: Sample) -> None:
    theirs = json.loads(sample("composed/sbd_taushetsbelagt.json").read_bytes())

    ours = sbd_json(sender_ref="x", channel="barnevern-01", body=theirs["arkivmelding"])

    assert _names(ours) == _names(theirs)
    assert ours["arkivmelding"] == theirs["arkivmelding"]


def _names(value: object) -> object:
    if isinstance(value, dict):
        return {name: _names(each) for name, each in value.items()}
    return [_names(each) for each in value] if isinstance(value, list) else type(value)


def test_a_trailing_slash_is_404_in_version_4_and_answered_by_older_ones(clock: Clock) -> None:
    for older, expected in ((False, 404), (True, 204)):
        gateway = GatewaySimulator(clock=clock, trailing_slash=older)
        with serve(gateway.app) as url:
            response = httpx.get(f"{url}{IN}/peek/", trust_env=False)
        assert response.status_code == expected


def test_a_wrong_method_is_405_and_a_path_that_climbs_is_400(http: httpx.Client) -> None:
    method = answer_of(http.post(f"{IN}/peek"))
    nowhere = answer_of(http.get("/api/nowhere"))
    climbing = http.get(f"{IN}/pop/%2e%2e/peek")

    assert method == (405, "HttpRequestMethodNotSupportedException")
    assert nowhere == (404, "NoResourceFoundException")
    assert climbing.status_code == 400


def test_every_answer_has_the_date_of_the_gateways_own_clock(
    http: httpx.Client, clock: Clock
) -> None:
    clock.passes(hours=7)

    response = http.get(f"{IN}/peek")

    assert parsedate_to_datetime(response.headers["date"]) == clock.now


def test_the_journal_has_every_request_in_order(
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


def test_what_another_consumer_took_is_gone_and_the_sender_believes_it_delivered(
    gateway: GatewaySimulator, http: httpx.Client, envelope: dict[str, object]
) -> None:
    message_id = gateway.put(envelope, b"bytes")
    peek(http)

    gateway.lose(message_id)

    assert answer_of(http.delete(f"{IN}/{message_id}")) == (404, "MessageNotFoundException")
    assert gateway.sender_statuses(message_id)[-1] == "LEVERT"
