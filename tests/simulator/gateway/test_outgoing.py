"""Creating and sending a kvittering, row by row as it was seen on a running gateway."""

import json
from collections.abc import Callable

import httpx
import pytest

from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.packages.envelopes import ADMINISTRASJON
from tests.simulator.conftest import OURS, Clock, Sample
from tests.simulator.gateway_requests import IN, OUT, Body, answer_of, header_of


def document_of(envelope: Body) -> Body:
    document: Body = header_of(envelope)["documentIdentification"]
    return document


def scope_of(envelope: Body) -> Body:
    scope: Body = header_of(envelope)["businessScope"]["scope"][0]
    return scope


def kvittering_of(envelope: Body) -> Body:
    kvittering: Body = envelope["arkivmelding_kvittering"]
    return kvittering


def test_kvittering_created_and_sent_reaches_the_sender_in_steps(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock, original: str, body: Body
) -> None:
    created = http.post(OUT, json=body)
    at_creation = gateway.statuses(OURS)
    sent = http.post(f"{OUT}/{OURS}")

    steps = []
    for _ in range(4):
        steps.append((gateway.statuses(OURS)[-1], gateway.sender_statuses(original)[-1]))
        clock.passes(milliseconds=200)

    assert document_of(created.json())["creationDateAndTime"] == "2026-11-24T09:00:00.000+01:00"
    assert scope_of(created.json())["scopeInformation"] == [
        {"expectedResponseDateTime": "2026-11-25T09:00:00.000+01:00"}
    ]
    assert at_creation == ["OPPRETTET"]
    assert (sent.status_code, sent.content) == (200, b"")
    assert steps == [
        ("OPPRETTET", "MOTTATT"),
        ("SENDT", "MOTTATT"),
        ("MOTTATT", "LEST"),
        ("LEVERT", "LEST"),
    ]
    (receipt,) = gateway.receipts_at_sender()
    assert (receipt["relatedToMessageId"], receipt["receiptType"]) == (original, "OK")
    assert receipt["body"] == body["arkivmelding_kvittering"]


def test_kvittering_created_but_not_sent_never_reaches_the_sender(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock, body: Body
) -> None:
    http.post(OUT, json=body)

    clock.passes(hours=1)

    assert gateway.statuses(OURS) == ["OPPRETTET"]
    assert gateway.receipts_at_sender() == []


def test_sending_a_kvittering_twice_is_200_at_once_and_404_after_sendt(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock, body: Body
) -> None:
    http.post(OUT, json=body)
    at_once = [http.post(f"{OUT}/{OURS}").status_code for _ in range(2)]
    clock.passes(seconds=1)

    later = [answer_of(http.post(f"{OUT}/{OURS}")), answer_of(http.get(f"{OUT}/{OURS}"))]

    assert at_once == [200, 200]
    assert later == [(404, "MessageNotFoundException")] * 2
    assert len(gateway.receipts_at_sender()) == 1


def test_sending_a_queued_kvittering_again_does_not_restart_its_steps(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock, body: Body
) -> None:
    http.post(OUT, json=body)
    http.post(f"{OUT}/{OURS}")
    clock.passes(milliseconds=150)
    http.post(f"{OUT}/{OURS}")

    clock.passes(milliseconds=50)

    assert gateway.statuses(OURS) == ["OPPRETTET", "SENDT"]


def test_kvittering_with_a_used_message_id_is_refused_before_and_after_sending(
    http: httpx.Client, clock: Clock, body: Body
) -> None:
    http.post(OUT, json=body)
    before = answer_of(http.post(OUT, json=body))
    http.post(f"{OUT}/{OURS}")
    clock.passes(seconds=1)

    after = answer_of(http.post(OUT, json=body))

    assert before == after == (400, "MessageAlreadyExistsException")


def test_kvittering_with_the_message_id_of_the_original_is_refused(
    http: httpx.Client, original: str, body: Body
) -> None:
    document_of(body)["instanceIdentifier"] = original

    assert answer_of(http.post(OUT, json=body)) == (400, "MessageAlreadyExistsException")


def test_unsent_kvittering_can_be_read_listed_and_deleted(http: httpx.Client, body: Body) -> None:
    created = http.post(OUT, json=body).json()

    seen = http.get(f"{OUT}/{OURS}").json()
    listed = http.get(OUT).json()["content"]
    discarded = http.delete(f"{OUT}/{OURS}")

    assert (seen, listed) == (created, [created])
    assert (discarded.status_code, discarded.content) == (200, b"")
    assert answer_of(http.post(f"{OUT}/{OURS}")) == (404, "MessageNotFoundException")


def change(path: Callable[[Body], Body], name: str, value: object) -> Callable[[Body], None]:
    """Set one member, or remove it when the value is None."""

    def changed(body: Body) -> None:
        path(body)[name] = value
        if value is None:
            del path(body)[name]

    return changed


ACCEPTED = {
    "no related id": change(kvittering_of, "relatedToMessageId", None),
    "no receipt type": change(kvittering_of, "receiptType", None),
    "bogus receipt type": change(kvittering_of, "receiptType", "BOGUS"),
    "unknown field": change(kvittering_of, "nonsense", 1),
    "related id not a UUID": change(kvittering_of, "relatedToMessageId", "nope"),
    "UUIDv5": change(document_of, "instanceIdentifier", "74738ff5-5367-5958-9aee-98fffdcd1876"),
    "upper case": change(document_of, "instanceIdentifier", OURS.upper()),
    "nil UUID": change(document_of, "instanceIdentifier", "00000000-0000-0000-0000-000000000000"),
    "no id": change(document_of, "instanceIdentifier", None),
    "no sender": change(header_of, "sender", None),
    "no messages": change(kvittering_of, "messages", None),
}


@pytest.mark.parametrize("what", ACCEPTED)
def test_gateway_accepts_a_kvittering_with_missing_or_odd_fields(
    http: httpx.Client, body: Body, what: str
) -> None:
    ACCEPTED[what](body)

    assert http.post(OUT, json=body).status_code == 200


NOT_VALID = (400, "MethodArgumentNotValidException")
NOT_ACCEPTED = (400, "ReceiverDoesNotAcceptProcessException")
UNUSABLE = (500, "IllegalArgumentException")
STRANGER = [{"identifier": {"authority": "iso6523-actorid-upis", "value": "0192:999999999"}}]
BARE = [{"identifier": {"authority": "iso6523-actorid-upis", "value": "910077473"}}]
PAST = [{"expectedResponseDateTime": "2026-11-24T08:59:59+01:00"}]
REFUSED = {
    "message id not a UUID": (change(document_of, "instanceIdentifier", "nope"), NOT_VALID),
    "without hyphens": (
        change(document_of, "instanceIdentifier", OURS.replace("-", "")),
        NOT_VALID,
    ),
    "past end": (change(scope_of, "scopeInformation", PAST), NOT_VALID),
    "no typeVersion": (change(document_of, "typeVersion", None), NOT_VALID),
    "no standard": (change(document_of, "standard", None), NOT_VALID),
    "no headerVersion": (change(header_of, "headerVersion", None), NOT_VALID),
    "conversation not a UUID": (change(scope_of, "instanceIdentifier", "nope"), NOT_VALID),
    "no businessScope": (change(header_of, "businessScope", None), NOT_VALID),
    "empty businessScope": (change(header_of, "businessScope", {"scope": []}), NOT_VALID),
    "no ConversationId": (change(scope_of, "type", "SenderRef"), (500, "IllegalStateException")),
    "unknown type": (change(document_of, "type", "nonsense"), UNUSABLE),
    "no body": (lambda body: body.pop("arkivmelding_kvittering"), UNUSABLE),
    "receiver without 0192": (change(header_of, "receiver", BARE), UNUSABLE),
    "no type": (change(document_of, "type", None), (400, "HttpMessageNotReadableException")),
    "wrong process": (change(scope_of, "identifier", ADMINISTRASJON), NOT_ACCEPTED),
    "unknown process": (change(scope_of, "identifier", "urn:nonsense"), NOT_ACCEPTED),
    "standard not accepted": (
        change(document_of, "standard", "urn:no:difi:arkivmelding:xsd::arkivmelding"),
        NOT_ACCEPTED,
    ),
    "receiver unknown": (change(header_of, "receiver", STRANGER), NOT_ACCEPTED),
}


@pytest.mark.parametrize("what", REFUSED)
def test_gateway_refuses_an_invalid_kvittering_with_the_observed_error(
    http: httpx.Client, body: Body, what: str
) -> None:
    spoil, expected = REFUSED[what]
    spoil(body)

    response = http.post(OUT, json=body)

    assert answer_of(response) == expected
    assert ("errors" in response.json()) is (expected == NOT_VALID)
    assert ("description" in response.json()) is (expected == NOT_ACCEPTED)


def test_kvittering_with_broken_json_is_400_and_wrong_content_type_is_415(
    http: httpx.Client,
) -> None:
    broken = http.post(OUT, content=b"{", headers={"content-type": "application/json"})
    other = http.post(OUT, content=b"{}", headers={"content-type": "text/plain"})

    assert answer_of(broken) == (400, "HttpMessageNotReadableException")
    assert other.status_code == 415


def test_kvittering_sender_is_filled_in_and_another_sender_becomes_on_behalf_of(
    http: httpx.Client, body: Body
) -> None:
    names = []
    for sender in (None, "0192:910075918", "0192:910077473"):
        document_of(body)["instanceIdentifier"] = None
        header_of(body)["sender"] = [{"identifier": {"value": sender}}] if sender else None
        created = http.post(
            OUT,
            json={
                **body,
                "standardBusinessDocumentHeader": {
                    name: value for name, value in header_of(body).items() if value
                },
            },
        ).json()
        names.append(header_of(created)["sender"][0]["identifier"]["value"])

    assert names == ["0192:910075918", "0192:910075918", "0192:910075918:910077473"]


@pytest.mark.samples
@pytest.mark.parametrize("kind", ["OK", "WARNING", "ERROR", "NOTSUPPORTED"])
def test_sample_kvittering_bodies_are_accepted_by_the_gateway(
    http: httpx.Client, sample: Sample, kind: str
) -> None:
    body = json.loads(sample(f"composed/sbd_kvittering_{kind}.json").read_bytes())

    assert http.post(OUT, json=body).status_code == 200


def test_outgoing_kvittering_is_not_in_the_in_queue(http: httpx.Client, body: Body) -> None:
    http.post(OUT, json=body)

    assert http.get(f"{IN}/{OURS}").status_code == 405
    assert http.get(IN, params={"messageId": OURS}).json()["totalElements"] == 0
