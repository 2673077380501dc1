"""What a case system is given: its list, the delivery, the package, the documents."""

import base64
import hashlib
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from pydantic import TypeAdapter
from sqlmodel import col, select

from inbox.app import create_app
from inbox.domain import MessageState
from inbox.simulator.http.server import serve
from inbox.simulator.packages.builder import Tamper
from inbox.tables import AuditEntry, Message, WrappedKey
from inbox.web.api_models import Delivery
from inbox.web.content_disposition import content_disposition
from tests.web.conftest import CANARY, CONTENT, NAME, Api, Still


def _entries(api: Api, message_id: str) -> list[bytes]:
    with api.world.line.store.reading() as tx:
        query = select(AuditEntry.leaf).where(col(AuditEntry.message_id) == message_id)
        return list(tx.exec(query.order_by(col(AuditEntry.seq))))


def test_delivery_list_contains_ids_and_times_but_no_content(api: Api) -> None:
    delivery = api.offered()

    answer = api.client.get(api.path, headers=api.headers())

    (listed,) = answer.json()["deliveries"]
    assert listed == {
        "delivery_id": delivery.id,
        "number": 1,
        "state": "OPEN",
        "offered_at": "2026-11-20T08:00:00Z",
        "collected_at": None,
        "href": f"/api/v1/deliveries/{delivery.id}",
    }
    assert answer.json()["next"] is None


def test_delivery_list_omits_deliveries_that_cannot_be_collected(api: Api) -> None:
    delivery, other = api.offered(), api.offered()
    with api.world.line.store.transaction() as tx:
        setattr(tx.get_one(Message, delivery.message_id), "state", MessageState.QUARANTINED)  # noqa: B010 - no move

    listed = api.client.get(api.path, headers=api.headers()).json()["deliveries"]
    collected = api.client.get(f"{api.path}/{delivery.id}", headers=api.headers())

    assert [one["delivery_id"] for one in listed] == [other.id]
    assert collected.status_code == 404


def test_delivery_list_is_paged_oldest_first_to_the_last_page(api: Api) -> None:
    offered = []
    for _ in range(5):
        offered.append(api.offered().id)
        api.world.clock.advance(timedelta(minutes=1))
    seen, address = [], f"{api.path}?limit=2"

    while address:
        page = api.client.get(address, headers=api.headers()).json()
        assert len(page["deliveries"]) <= 2
        seen += [one["delivery_id"] for one in page["deliveries"]]
        address = page["next"]

    assert seen == offered


def test_delivery_page_continues_after_a_delivery_registered_meanwhile(api: Api) -> None:
    offered = []
    for _ in range(3):
        offered.append(api.offered().id)
        api.world.clock.advance(timedelta(minutes=1))
    first = api.client.get(f"{api.path}?limit=1", headers=api.headers()).json()
    word = {"reference": "2026/1-1"}
    api.client.post(f"{api.path}/{offered[0]}/registered", json=word, headers=api.headers())

    second = api.client.get(first["next"], headers=api.headers()).json()

    assert [one["delivery_id"] for one in second["deliveries"]] == [offered[1]]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "after=1", "page=2"])
def test_delivery_list_with_an_invalid_query_is_refused(still: Still, query: str) -> None:
    api = still.api

    answer = api.client.get(f"{api.path}?{query}", headers=api.headers())

    assert answer.status_code == 422
    assert answer.json()["code"] == "request.invalid"


def test_collected_delivery_contains_everything_needed_for_registration(api: Api) -> None:
    delivery = api.offered()
    message = api.world.messages()[0]

    found = api.client.get(f"{api.path}/{delivery.id}", headers=api.headers()).json()

    TypeAdapter(Delivery).validate_python(found)
    assert found["state"] == "COLLECTED"
    assert found["message_id"] == message.id
    assert found["wire_id"] == message.wire_id
    assert (found["sender"], found["receiver"]) == ("910077473", "910075918")
    assert found["archive"]["registry_entries"][0]["title"] == f"Om {CANARY}"
    assert found["archive"]["case_file"]["title"] == f"Sak om {CANARY}"
    assert found["missing"] == []
    assert found["screening"] == {
        "shielding": "13",
        "access_restriction": "13",
        "authority": "Offl. § 13 jf. fvl. § 13",
    }
    assert found["verdict"]["integrity"] is True
    assert found["verdict"]["problems"] == []
    said = "Signert av Test kommune med SHA-1, slik eFormidling gjør i dag."
    assert found["verdict_said"]["nb"][1] == said
    assert [len(sentences) for sentences in found["verdict_said"].values()] == [5, 5, 5]
    assert CANARY not in str(found["verdict_said"])
    (document,) = found["documents"]
    assert document["name"] == NAME
    assert document["number"] == 1
    assert document["media_type"] == "application/pdf"
    assert document["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert document["is_main"] is True


def test_collected_delivery_names_what_was_collected_before_with_the_same_content(
    api: Api,
) -> None:
    deliveries = [api.offered(), api.offered()]

    first, second = (
        api.client.get(f"{api.path}/{each.id}", headers=api.headers()).json() for each in deliveries
    )

    assert first["same_content"] == []
    assert second["same_content"] == [
        {"message_id": first["message_id"], "received_at": first["received_at"]}
    ]


def test_collected_delivery_lists_missing_elements_with_suggested_values(api: Api) -> None:
    delivery = api.offered()
    with api.world.line.store.transaction() as tx:
        missing = '["journalpost/journaldato", "saksmappe/saksansvarlig"]'
        tx.execute(sa.update(Message).values(missing=missing))

    found = api.client.get(f"{api.path}/{delivery.id}", headers=api.headers()).json()

    assert found["missing"] == [
        {"element": "journalpost/journaldato", "suggested": "2026-11-20"},
        {"element": "saksmappe/saksansvarlig", "suggested": None},
    ]


def test_delivery_without_a_readable_arkivmelding_can_be_collected(api: Api) -> None:
    delivery = api.offered()
    with api.world.line.store.transaction() as tx:
        tx.execute(sa.update(Message).values(sealed_archive=None, shielding=None))

    found = api.client.get(f"{api.path}/{delivery.id}", headers=api.headers()).json()

    assert found["archive"] is None
    assert found["screening"] is None


def test_repeated_collection_returns_the_same_delivery_and_is_audited(api: Api) -> None:
    delivery = api.offered()
    before = len(_entries(api, delivery.message_id))

    first = api.client.get(f"{api.path}/{delivery.id}", headers=api.headers())
    api.world.clock.advance(timedelta(minutes=5))
    second = api.client.get(f"{api.path}/{delivery.id}", headers=api.headers())

    assert first.json() == second.json()
    collected, read = _entries(api, delivery.message_id)[before:]
    assert b"delivery:collected" in collected
    assert b"delivery:read" in read


def test_content_reads_are_audited_before_the_first_byte(api: Api) -> None:
    delivery = api.offered()
    before = len(_entries(api, delivery.message_id))
    seen = []

    for end in ("/package", "/documents/1"):
        with api.client.stream(
            "GET", f"{api.path}/{delivery.id}{end}", headers=api.headers()
        ) as answer:
            seen.append(len(_entries(api, delivery.message_id)) - before)
            answer.read()

    assert seen == [1, 2]


def test_package_endpoint_returns_the_original_bytes_with_digest_headers(api: Api) -> None:
    delivery = api.offered()
    message = api.world.messages()[0]

    answer = api.client.get(f"{api.path}/{delivery.id}/package", headers=api.headers())

    digest = hashlib.sha256(answer.content)
    assert digest.hexdigest() == message.digest
    told = api.client.get(f"{api.path}/{delivery.id}", headers=api.headers()).json()["package"]
    assert (told["sha256"], told["size"]) == (message.digest, len(answer.content))
    encoded = base64.b64encode(digest.digest()).decode()
    assert answer.headers["repr-digest"] == f"sha-256=:{encoded}:"
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["content-type"] == "application/vnd.etsi.asic-e+zip"
    assert answer.headers["accept-ranges"] == "none"


def test_document_endpoint_returns_the_unpacked_file_as_a_download(api: Api) -> None:
    delivery = api.offered()

    answer = api.client.get(f"{api.path}/{delivery.id}/documents/1", headers=api.headers())

    assert answer.content == CONTENT
    encoded = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    assert answer.headers["repr-digest"] == f"sha-256=:{encoded}:"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="document-1.pdf";'
        " filename*=UTF-8''Kanarifugl%20%C3%A6%20%E2%80%9Cny%E2%80%9D.pdf"
    )
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("number", ["0", "2", "-1", "x", "99999999999999999999"])
def test_unknown_document_number_returns_404(still: Still, number: str) -> None:
    api = still.api

    answer = api.client.get(still.address(f"/documents/{number}"), headers=api.headers())

    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("name", "plain", "encoded"),
    [
        ("../../etc/passwd", "document-2", "___.._etc_passwd"),
        ('a"b\r\nX: y.txt', "document-2.txt", "a_b__X_%20y.txt"),
        ("fdp\u202egnp.exe", "document-2.exe", "fdp_gnp.exe"),
        ("x.æ", "document-2", "x.%C3%A6"),
    ],
)
def test_hostile_file_names_are_made_safe_in_content_disposition(
    name: str, plain: str, encoded: str
) -> None:
    said = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"

    assert content_disposition(name, 2) == said


def test_registered_delivery_is_not_listed_or_given_out_again(api: Api) -> None:
    delivery = api.offered()
    word = {"reference": "2026/1-1"}
    api.client.post(f"{api.path}/{delivery.id}/registered", json=word, headers=api.headers())

    assert api.client.get(f"{api.path}/{delivery.id}", headers=api.headers()).status_code == 404
    assert api.client.get(api.path, headers=api.headers()).json()["deliveries"] == []


def test_quarantined_message_is_not_offered_to_case_systems(api: Api) -> None:
    api.world.send(parcel={"tamper": Tamper.BROKEN_SIGNATURE})
    api.world.collect()
    api.world.work()

    assert [message.state for message in api.world.messages()] == ["QUARANTINED"]
    assert api.client.get(api.path, headers=api.headers()).json()["deliveries"] == []


def test_damage_after_the_first_byte_aborts_the_package_response(api: Api) -> None:
    delivery = api.offered()
    message = api.world.messages()[0]
    (path,) = (api.world.folder / "vault").rglob(message.object_name or "")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    with serve(create_app(api.world.line)) as url, httpx.Client(trust_env=False) as client:
        address = f"{url}{api.path}/{delivery.id}/package"
        received = bytearray()
        with (
            pytest.raises(httpx.RemoteProtocolError),
            client.stream("GET", address, headers=api.headers()) as answer,
        ):
            assert answer.status_code == 200
            for chunk in answer.iter_raw():
                received += chunk
        after = client.get(f"{url}{api.path}", headers=api.headers())

    assert len(received) < message.size
    assert after.status_code == 200


def test_missing_vault_object_answers_500_without_details(api: Api) -> None:
    delivery = api.offered()
    message = api.world.messages()[0]
    api.world.line.vault.remove(message.object_name or "")

    answer = api.client.get(f"{api.path}/{delivery.id}/package", headers=api.headers())

    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert "vault" not in answer.text


@pytest.mark.parametrize("end", ["/package", "/documents/1"])
def test_missing_vault_object_opens_one_task_for_an_operator(api: Api, end: str) -> None:
    delivery = api.offered()
    message = api.world.messages()[0]
    api.world.line.vault.remove(message.object_name or "")

    for _ in range(2):
        api.client.get(f"{api.path}/{delivery.id}{end}", headers=api.headers())

    assert "damaged" in api.world.open_tasks(message.id)


def test_damage_that_shows_while_a_package_is_sent_opens_a_task(api: Api) -> None:
    delivery = api.offered()
    message = api.world.messages()[0]
    (path,) = (api.world.folder / "vault").rglob(message.object_name or "")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    with pytest.raises(RuntimeError, match="response already started"):
        TestClient(create_app(api.world.line)).get(
            f"{api.path}/{delivery.id}/package", headers=api.headers()
        )

    assert "damaged" in api.world.open_tasks(message.id)


@pytest.mark.parametrize("column", ["sealed_metadata", "sealed_archive", "sealed_documents"])
def test_damaged_sealed_column_of_a_delivery_opens_a_task(api: Api, column: str) -> None:
    delivery = api.offered()
    with api.world.line.store.transaction() as tx:
        tx.execute(sa.update(Message).values({column: b"damaged"}))

    answer = api.client.get(f"{api.path}/{delivery.id}", headers=api.headers())

    assert answer.status_code == 500
    assert "damaged" in api.world.open_tasks(delivery.message_id)


def test_damaged_key_of_a_delivery_opens_a_task(api: Api) -> None:
    delivery = api.offered()
    with api.world.line.store.transaction() as tx:
        tx.get_one(WrappedKey, delivery.message_id).wrapped = b"damaged"

    answer = api.client.get(f"{api.path}/{delivery.id}", headers=api.headers())

    assert answer.status_code == 500
    assert "damaged" in api.world.open_tasks(delivery.message_id)
