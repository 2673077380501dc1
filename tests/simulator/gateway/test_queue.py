"""Taking a message out of the queue, row by row as it was seen on a running gateway."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from inbox.simulator.gateway.simulator import Damage, GatewaySimulator
from inbox.simulator.packages.envelopes import receipt_json, sbd_json
from tests.simulator.conftest import Clock
from tests.simulator.gateway_requests import IN, answer_of, peek


def test_gateway_pop_and_delete_require_a_lock(
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
def test_gateway_pop_and_delete_of_an_unknown_message_id_are_404(
    http: httpx.Client, message_id: str
) -> None:
    answers = [
        answer_of(http.get(f"{IN}/pop/{message_id}")),
        answer_of(http.delete(f"{IN}/{message_id}")),
    ]

    assert answers == [(404, "MessageNotFoundException")] * 2


def test_gateway_pop_repeats_the_same_bytes_and_ignores_range_and_accept(
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
def test_large_package_is_popped_chunked_from_bytes_file_or_callable(
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


def test_gateway_delete_without_pop_returns_the_envelope_and_sets_levert(
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
def test_message_whose_pop_fails_stays_and_can_be_deleted(
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


def test_pop_with_a_missing_stored_file_drops_the_message_and_sender_keeps_mottatt(
    gateway: GatewaySimulator, http: httpx.Client, envelope: dict[str, object]
) -> None:
    message_id = gateway.put(envelope, Damage.FILE_MISSING)
    peek(http)

    answers = [answer_of(http.get(f"{IN}/pop/{message_id}")) for _ in range(2)]

    assert answers == [(404, "FileNotFoundException"), (404, "MessageNotFoundException")]
    assert gateway.statuses(message_id)[-1] == "FEIL"
    assert gateway.sender_statuses(message_id)[-1] == "MOTTATT"


def test_message_lost_to_another_consumer_is_404_and_levert_for_the_sender(
    gateway: GatewaySimulator, http: httpx.Client, envelope: dict[str, object]
) -> None:
    message_id = gateway.put(envelope, b"bytes")
    peek(http)

    gateway.lose(message_id)

    assert answer_of(http.delete(f"{IN}/{message_id}")) == (404, "MessageNotFoundException")
    assert gateway.sender_statuses(message_id)[-1] == "LEVERT"
