"""What becomes of a kvittering: which service carries it, and what its receiver sees."""

import httpx
import pytest

from inbox.simulator.gateway.simulator import GatewaySimulator, OtherEnd
from inbox.simulator.http.server import serve
from inbox.simulator.packages.envelopes import RESPONSE, TAUSHETSBELAGT, receipt_json, sbd_json
from tests.simulator.conftest import Clock
from tests.simulator.gateway_requests import OUT, Body, answer_of, header_of, id_of


def send(http: httpx.Client, clock: Clock, related_to: str, receipt_type: str) -> str:
    body = receipt_json(related_to=related_to, receipt_type=receipt_type)
    message_id = id_of(body)
    header_of(body)["businessScope"]["scope"][0].pop("scopeInformation")
    assert http.post(OUT, json=body).status_code == 200
    assert http.post(f"{OUT}/{message_id}").status_code == 200
    clock.passes(seconds=1)
    return message_id


@pytest.mark.parametrize(
    ("receipt_types", "seen"),
    [
        (["OK"], ["LEST"]),
        (["WARNING"], ["LEST"]),
        (["BOGUS"], ["LEST"]),
        (["ERROR"], ["FEIL"]),
        (["NOTSUPPORTED"], ["FEIL"]),
        (["OK", "OK"], ["LEST"]),
        (["ERROR", "OK", "BOGUS"], ["FEIL", "LEST"]),
    ],
)
def test_receipts_show_the_original_sender_each_status_once(
    gateway: GatewaySimulator,
    http: httpx.Client,
    clock: Clock,
    original: str,
    receipt_types: list[str],
    seen: list[str],
) -> None:
    for receipt_type in receipt_types:
        send(http, clock, original, receipt_type)

    assert gateway.sender_statuses(original)[3:] == seen
    assert len(gateway.receipts_at_sender()) == len(receipt_types)


def test_receipt_with_an_unknown_related_id_arrives_and_changes_no_status(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock, original: str
) -> None:
    send(http, clock, "11111111-1111-4111-8111-111111111111", "OK")

    assert len(gateway.receipts_at_sender()) == 1
    assert gateway.sender_statuses(original) == ["OPPRETTET", "SENDT", "MOTTATT"]


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (OtherEnd.TAKES, (["OPPRETTET", "SENDT", "MOTTATT", "LEVERT"], 1)),
        (OtherEnd.LEAVES, (["OPPRETTET", "SENDT", "MOTTATT", "LEVETID_UTLOPT"], 1)),
        (OtherEnd.IS_AWAY, (["OPPRETTET", "SENDT", "LEVETID_UTLOPT"], 0)),
        (OtherEnd.FAILS, (["OPPRETTET", "FEIL"], 0)),
    ],
)
def test_receipt_statuses_follow_the_behaviour_of_the_other_end(
    gateway: GatewaySimulator,
    http: httpx.Client,
    clock: Clock,
    original: str,
    behaviour: OtherEnd,
    expected: tuple[list[str], int],
) -> None:
    gateway.other_end(behaviour)
    ours = send(http, clock, original, "OK")

    clock.passes(hours=25)

    assert (gateway.statuses(ours), len(gateway.receipts_at_sender())) == expected


def test_receipt_over_dpv_is_discarded_but_reported_as_levert_and_lest(clock: Clock) -> None:
    gateway = GatewaySimulator(
        clock=clock, capabilities={"910077473": {RESPONSE: "DPV"}}, enabled=("DPO", "DPV")
    )
    original = gateway.put(sbd_json(created_at=clock.now), b"bytes")
    with serve(gateway.app) as url, httpx.Client(base_url=url, trust_env=False) as http:
        ours = send(http, clock, original, "OK")

    assert gateway.statuses(ours) == ["OPPRETTET", "SENDT", "LEVERT", "LEST"]
    assert gateway.receipts_at_sender() == []
    assert gateway.sender_statuses(original) == ["OPPRETTET", "SENDT", "MOTTATT"]


def test_receipt_over_a_service_that_is_not_enabled_is_refused(
    gateway: GatewaySimulator, http: httpx.Client, body: Body
) -> None:
    gateway.registry("910077473", {RESPONSE: "DPV"})

    assert answer_of(http.post(OUT, json=body)) == (400, "ServiceNotEnabledException")


def test_capabilities_name_the_service_that_carries_each_process(
    gateway: GatewaySimulator, http: httpx.Client
) -> None:
    gateway.registry("910077473", {RESPONSE: "DPV", TAUSHETSBELAGT: "DPO"})

    every = http.get("/api/capabilities/910077473").json()["capabilities"]
    one = http.get("/api/capabilities/910077473", params={"process": RESPONSE}).json()
    unknown = http.get("/api/capabilities/999999999")

    assert len(every) == 2
    assert one == {
        "capabilities": [
            {
                "process": RESPONSE,
                "serviceIdentifier": "DPV",
                "documentTypes": [
                    {
                        "type": "arkivmelding_kvittering",
                        "standard": "urn:no:difi:arkivmelding:xsd::arkivmelding_kvittering",
                    }
                ],
            }
        ]
    }
    assert answer_of(unknown) == (404, "IdentifierNotFoundException")


def test_other_end_of_one_receiver_fails_while_all_others_take(
    gateway: GatewaySimulator, http: httpx.Client, clock: Clock, original: str
) -> None:
    gateway.other_end(OtherEnd.FAILS, of="910077473")
    failed = send(http, clock, original, "OK")
    clock.passes(hours=1)
    gateway.other_end(OtherEnd.TAKES, of="910077473")
    gateway.other_end(OtherEnd.FAILS, of="910076787")
    taken = send(http, clock, original, "ERROR")
    clock.passes(hours=1)

    assert gateway.statuses(failed)[-1] == "FEIL"
    assert gateway.statuses(taken)[-1] == "LEVERT"
