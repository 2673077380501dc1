"""The kvittering on its way out: every answer of an integrasjonspunkt, or of a proxy."""

import json

import httpx
import pytest

from inbox.domain import OrgNumber
from inbox.errors import Gone, NeverAccepted, Unavailable
from inbox.gateway import SendStatus
from tests.gateway.scripted_gateway import (
    OUTAGES,
    RECEIPT_ID,
    THEIRS,
    WIRE_ID,
    Scripted,
    gateway_of,
    named,
    refusal,
    sbd,
    shown,
    statuses,
)

outages = pytest.mark.parametrize(("answer", "code"), OUTAGES)


# ---- the kvittering


def capabilities(*found: tuple[str, str, str]) -> httpx.Response:
    kinds = [
        {
            "process": f"urn:no:difi:profile:arkivmelding:{process}:ver1.0",
            "serviceIdentifier": service,
            "documentTypes": [{"type": kind, "standard": "urn:x::" + kind}],
        }
        for process, service, kind in found
    ]
    return httpx.Response(200, json={"capabilities": kinds})


@pytest.mark.parametrize(
    ("answer", "obstacle"),
    [
        (capabilities(("response", "DPO", "arkivmelding_kvittering")), None),
        (capabilities(("response", "DPO", "Arkivmelding_Kvittering")), None),
        (capabilities(("response", "DPV", "arkivmelding_kvittering")), "receipt.not_dpo"),
        (capabilities(("response", "DPF", "arkivmelding_kvittering")), "receipt.not_dpo"),
        (
            capabilities(
                ("response", "DPO", "arkivmelding_kvittering"),
                ("response", "DPV", "arkivmelding_kvittering"),
            ),
            "receipt.not_dpo",
        ),
        (capabilities(("response", "DPO", "status")), "receipt.no_capability"),
        (capabilities(("administrasjon", "DPO", "arkivmelding")), "receipt.no_capability"),
        (capabilities(), "receipt.no_capability"),
        (httpx.Response(200, json={}), "receipt.no_capability"),
        (named(404, "IdentifierNotFound"), "receipt.no_capability"),
    ],
)
def test_receipt_route_requires_a_receipt_capability_over_dpo_alone(
    answer: httpx.Response, obstacle: str | None
) -> None:
    script = Scripted(answer)

    with gateway_of(script) as gateway:
        assert gateway.receipt_route(THEIRS).obstacle == obstacle
    assert str(script.requests[0].url) == (
        "https://gateway.test/api/capabilities/910077473"
        "?process=urn%3Ano%3Adifi%3Aprofile%3Aarkivmelding%3Aresponse%3Aver1.0"
    )


@outages
def test_receipt_route_raises_unavailable_when_the_gateway_is_down(
    answer: httpx.Response | Exception, code: str
) -> None:
    with gateway_of(Scripted(answer)) as gateway, pytest.raises(Unavailable) as caught:
        gateway.receipt_route(OrgNumber("910077473"))

    assert caught.value.code == code


@pytest.mark.parametrize(
    "answer", [shown(sbd(wire_id=RECEIPT_ID)), named(400, "MessageAlreadyExists")]
)
def test_create_receipt_succeeds_also_when_the_receipt_already_exists(
    answer: httpx.Response,
) -> None:
    script = Scripted(answer)

    with gateway_of(script) as gateway:
        gateway.create_receipt(RECEIPT_ID, {"a": "å"})

    [request] = script.requests
    assert script.asked == ["POST /api/messages/out"]
    assert json.loads(request.content) == {"a": "å"}
    assert request.headers["Content-Type"] == "application/json"


REFUSALS = [
    (named(400, "ReceiverDoesNotAcceptProcess"), "gateway.receiver_does_not_accept"),
    (named(400, "ReceiverDoesNotAcceptDocumentType"), "gateway.receiver_does_not_accept"),
    (named(400, "ServiceNotEnabled"), "gateway.service_not_enabled"),
    (named(400, "TimeToLive"), "gateway.refused"),
    (refusal(400, "org.spring.MethodArgumentNotValidException", errors=[]), "gateway.refused"),
    (refusal(500, "java.lang.IllegalArgumentException"), "gateway.refused"),
    (refusal(500, "java.lang.IllegalStateException"), "gateway.refused"),
]


@pytest.mark.parametrize(("answer", "code"), REFUSALS)
def test_create_receipt_raises_never_accepted_when_the_gateway_refuses(
    answer: httpx.Response, code: str
) -> None:
    with gateway_of(Scripted(answer)) as gateway, pytest.raises(NeverAccepted) as caught:
        gateway.create_receipt(RECEIPT_ID, {})

    assert caught.value.code == code
    assert caught.value.reason.isalpha(), "the simple name of the exception and no more"


@pytest.mark.parametrize(("answer", "code"), REFUSALS)
def test_send_receipt_raises_never_accepted_when_the_gateway_refuses(
    answer: httpx.Response, code: str
) -> None:
    with gateway_of(Scripted(answer)) as gateway, pytest.raises(NeverAccepted) as caught:
        gateway.send_receipt(RECEIPT_ID)

    assert caught.value.code == code


@pytest.mark.parametrize("name", ["a secret title", "Å", "x" * 81, "", 7, None, ["x"]])
def test_gateway_exception_name_of_an_invalid_shape_is_not_quoted(name: object) -> None:
    answer = httpx.Response(400, json={"exception": name})

    with gateway_of(Scripted(answer)) as gateway, pytest.raises(Unavailable) as caught:
        gateway.create_receipt(RECEIPT_ID, {})

    assert str(caught.value) == "gateway.unexpected: 400"


@outages
def test_create_receipt_raises_unavailable_on_an_outage(
    answer: httpx.Response | Exception, code: str
) -> None:
    with gateway_of(Scripted(answer)) as gateway, pytest.raises(Unavailable) as caught:
        gateway.create_receipt(RECEIPT_ID, {})

    assert caught.value.code == code


def test_create_receipt_rejects_an_answer_with_another_id() -> None:
    with gateway_of(Scripted(shown())) as gateway, pytest.raises(Unavailable, match="garbled"):
        gateway.create_receipt(RECEIPT_ID, {})


def test_send_receipt_posts_to_the_receipt_id() -> None:
    script = Scripted(httpx.Response(200))

    with gateway_of(script) as gateway:
        gateway.send_receipt(RECEIPT_ID)

    assert script.asked == [f"POST /api/messages/out/{RECEIPT_ID}"]


@pytest.mark.parametrize("names", [("OPPRETTET", "SENDT"), ("SENDT", "MOTTATT"), ("FEIL",)])
def test_send_receipt_succeeds_when_the_receipt_was_already_sent(names: tuple[str, ...]) -> None:
    with gateway_of(Scripted(named(404, "MessageNotFound"), statuses(*names))) as gateway:
        gateway.send_receipt(RECEIPT_ID)


@pytest.mark.parametrize(
    ("names", "code"), [((), "gateway.forgotten"), (("OPPRETTET",), "gateway.gone")]
)
def test_send_receipt_tells_a_forgotten_receipt_from_a_discarded_one(
    names: tuple[str, ...], code: str
) -> None:
    with (
        gateway_of(Scripted(named(404, "MessageNotFound"), statuses(*names))) as gateway,
        pytest.raises(Gone) as caught,
    ):
        gateway.send_receipt(RECEIPT_ID)

    assert caught.value.code == code


@outages
def test_send_receipt_raises_unavailable_on_an_outage(
    answer: httpx.Response | Exception, code: str
) -> None:
    with gateway_of(Scripted(answer)) as gateway, pytest.raises(Unavailable) as caught:
        gateway.send_receipt(RECEIPT_ID)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("names", "state"),
    [
        ((), SendStatus.UNKNOWN),
        (("OPPRETTET",), SendStatus.CREATED),
        (("OPPRETTET", "ANNET"), SendStatus.CREATED),
        (("SENDT", "OPPRETTET"), SendStatus.SENT),
        (("OPPRETTET", "SENDT", "MOTTATT"), SendStatus.CONFIRMED),
        (("OPPRETTET", "SENDT", "LEVERT"), SendStatus.CONFIRMED),
        (("MOTTATT", "LEVERT", "LEST"), SendStatus.CONFIRMED),
        (("MOTTATT", "FEIL"), SendStatus.CONFIRMED),
        (("MOTTATT", "LEVETID_UTLOPT"), SendStatus.CONFIRMED),
        (("SENDT", "LEVETID_UTLOPT"), SendStatus.EXPIRED),
        (("OPPRETTET", "FEIL"), SendStatus.FAILED),
        (("FEIL", "LEVETID_UTLOPT"), SendStatus.FAILED),
        (("OPPRETTET", "SENDT", "LEVERT", "LEST"), SendStatus.FAILED),
        (("OPPRETTET", "LEST", "LEVERT"), SendStatus.FAILED),
        (("OPPRETTET", "SENDT", "LEST"), SendStatus.SENT),
        (("LEST", "MOTTATT", "LEVERT"), SendStatus.CONFIRMED),
    ],
)
def test_receipt_status_is_derived_from_the_gateway_statuses(
    names: tuple[str, ...], state: SendStatus
) -> None:
    script = Scripted(statuses(*names))

    with gateway_of(script) as gateway:
        assert gateway.receipt_status(RECEIPT_ID) is state
    assert script.requests[0].url.params["messageId"] == RECEIPT_ID


def test_receipt_status_reads_all_pages_of_statuses() -> None:
    script = Scripted(statuses("OPPRETTET", last=False), statuses("MOTTATT"))

    with gateway_of(script) as gateway:
        assert gateway.receipt_status(RECEIPT_ID) is SendStatus.CONFIRMED
    assert [request.url.params["page"] for request in script.requests] == ["0", "1"]


def test_receipt_status_ignores_statuses_of_other_messages() -> None:
    with gateway_of(Scripted(statuses("MOTTATT", of=WIRE_ID))) as gateway:
        assert gateway.receipt_status(RECEIPT_ID) is SendStatus.UNKNOWN


@pytest.mark.parametrize("name", ["MessageStatusNotFound", "ConversationNotFound"])
def test_receipt_status_is_unknown_when_the_gateway_does_not_know_the_message(name: str) -> None:
    with gateway_of(Scripted(named(404, name))) as gateway:
        assert gateway.receipt_status(RECEIPT_ID) is SendStatus.UNKNOWN


def test_receipt_status_gives_up_on_endless_pages() -> None:
    with (
        gateway_of(lambda _: statuses("SENDT", last=False)) as gateway,
        pytest.raises(Unavailable, match="garbled"),
    ):
        gateway.receipt_status(RECEIPT_ID)


@outages
def test_receipt_status_raises_unavailable_on_an_outage(
    answer: httpx.Response | Exception, code: str
) -> None:
    with gateway_of(Scripted(answer)) as gateway, pytest.raises(Unavailable) as caught:
        gateway.receipt_status(RECEIPT_ID)

    assert caught.value.code == code
