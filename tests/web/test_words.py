"""What a case system says: accepted, registered, refused; once, twice, otherwise, too late."""

import pytest
import sqlalchemy as sa
from httpx2 import Response

from inbox.access.policy.vocabulary import Role
from inbox.domain import DeliveryState, MessageState
from inbox.line.moves import unit
from inbox.tables import Receipt
from tests.web.conftest import Api

REGISTERED = {"reference": "2026/001234-1"}


def _say(api: Api, delivery_id: str, word: str, body: object = None) -> Response:
    address = f"{api.path}/{delivery_id}/{word}"
    return api.client.post(address, json=body, headers=api.headers())


def _receipts(api: Api) -> int:
    with api.world.line.store.reading() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(Receipt)).scalar_one())


def test_accepted_delivery_is_collected_and_creates_no_receipt(api: Api) -> None:
    delivery = api.offered()

    first, second = (_say(api, delivery.id, "accepted") for _ in range(2))

    assert (first.status_code, first.json()) == (200, {"said": "done"})
    assert (second.status_code, second.json()) == (200, {"said": "repeated"})
    assert api.world.delivery(delivery.message_id).state is DeliveryState.COLLECTED
    assert _receipts(api) == 0


def test_registered_sent_twice_creates_one_receipt(api: Api) -> None:
    delivery = api.offered()

    first, second = (_say(api, delivery.id, "registered", REGISTERED) for _ in range(2))

    assert (first.status_code, first.json()) == (200, {"said": "done"})
    assert (second.status_code, second.json()) == (200, {"said": "repeated"})
    assert api.world.messages()[0].state is MessageState.REGISTERED
    assert _receipts(api) == 1


@pytest.mark.parametrize(
    ("word", "body"),
    [("registered", {"reference": "2026/009999-1"}), ("refused", {"code": "other"})],
)
def test_conflicting_outcome_answers_409_changes_nothing_and_opens_a_task(
    api: Api, word: str, body: dict[str, str]
) -> None:
    delivery = api.offered()
    _say(api, delivery.id, "registered", REGISTERED)
    before = (api.world.messages(), api.world.delivery(delivery.message_id))

    answer = _say(api, delivery.id, word, body)

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "word.conflict"
    assert (api.world.messages(), api.world.delivery(delivery.message_id)) == before
    assert api.world.open_tasks(delivery.message_id) == {"conflicting_word"}
    assert _receipts(api) == 1
    assert _say(api, delivery.id, "registered", REGISTERED).json() == {"said": "repeated"}


def test_registered_for_a_withdrawn_delivery_is_kept_as_a_late_word_task(api: Api) -> None:
    delivery = api.offered()
    message = api.world.messages()[0]
    anne = api.world.person("anne", Role.ARCHIVIST, "desk")
    unit.withdraw(
        api.world.line, anne, message.id, expected_version=message.version, reason="Feil enhet"
    )

    first, second = (_say(api, delivery.id, "registered", REGISTERED) for _ in range(2))

    assert (first.status_code, first.json()) == (202, {"said": "kept"})
    assert (second.status_code, second.json()) == (202, {"said": "kept"})
    assert "late_word" in api.world.open_tasks(message.id)
    assert _receipts(api) == 0


def test_refused_delivery_returns_the_message_to_people_without_a_receipt(api: Api) -> None:
    delivery = api.offered()
    word = {"code": "journaldato.missing", "text": "Mangler journaldato"}

    first, second = (_say(api, delivery.id, "refused", word) for _ in range(2))

    assert (first.status_code, first.json()) == (200, {"said": "done"})
    assert (second.status_code, second.json()) == (200, {"said": "repeated"})
    assert api.world.messages()[0].state is MessageState.RETURNED
    assert api.world.delivery(delivery.message_id).code == "journaldato.missing"
    assert "returned" in api.world.open_tasks(delivery.message_id)
    assert _receipts(api) == 0


def test_registered_is_valid_without_collecting_first(api: Api) -> None:
    delivery = api.offered()

    assert _say(api, delivery.id, "registered", REGISTERED).json() == {"said": "done"}
    assert api.world.delivery(delivery.message_id).state is DeliveryState.REGISTERED


def test_accepted_body_must_be_empty(api: Api) -> None:
    delivery = api.offered()

    assert _say(api, delivery.id, "accepted", {"reference": "2026/1-1"}).status_code == 422
    assert api.world.delivery(delivery.message_id).state is DeliveryState.OPEN
    assert _say(api, delivery.id, "accepted", {}).status_code == 200


def test_delivery_from_collection_to_registration_ends_with_one_receipt(api: Api) -> None:
    delivery = api.offered()
    message = api.world.messages()[0]
    api.client.get(f"{api.path}/{delivery.id}/package", headers=api.headers())
    _say(api, delivery.id, "accepted")
    _say(api, delivery.id, "registered", REGISTERED)

    api.world.settle()

    (receipt,) = api.world.gateway.receipts_at_sender()
    assert receipt["relatedToMessageId"] == message.wire_id
    assert _say(api, delivery.id, "registered", REGISTERED).json() == {"said": "repeated"}


@pytest.mark.parametrize(
    ("word", "raw"),
    [
        ("registered", b'{"reference": "2026/001234-1", "reference": "2026/009999-1"}'),
        ("registered", b'{"reference": "2026/001234-1", "r\\u0065ference": "2026/001234-1"}'),
        ("refused", b'{"code": "other", "code": "not_for_us"}'),
        ("refused", b'{"code": "other", "text": NaN}'),
        ("registered", b"[" * 60_000),
    ],
)
def test_word_with_a_json_key_twice_or_no_json_answers_400_and_changes_nothing(
    api: Api, word: str, raw: bytes
) -> None:
    delivery = api.offered()

    answer = api.client.post(
        f"{api.path}/{delivery.id}/{word}",
        content=raw,
        headers={**api.headers(), "content-type": "application/json"},
    )

    assert answer.status_code == 400
    assert api.world.delivery(delivery.message_id).state is DeliveryState.OPEN
    assert _receipts(api) == 0
