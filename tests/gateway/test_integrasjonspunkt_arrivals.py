"""What waits: every answer of an integrasjonspunkt, or of a proxy."""

import json
import logging
from contextlib import suppress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.domain import CONFIDENTIAL_PROCESS, Service
from inbox.errors import Unavailable
from inbox.gateway.integrasjonspunkt import Subscription
from tests.gateway.scripted_gateway import (
    OURS,
    OUTAGES,
    SUBSCRIPTION,
    THEIRS,
    WIRE_ID,
    Scripted,
    gateway_of,
    nothing,
    page,
    sbd,
    shown,
)

outages = pytest.mark.parametrize(("answer", "code"), OUTAGES)


# ---- what waits


def test_announced_notice_carries_the_envelope_unchanged() -> None:
    script = Scripted(shown(), nothing())

    with gateway_of(script) as gateway:
        [notice] = gateway.waiting_notices(10)

    assert (notice.channel, notice.service, notice.organisation) == ("ip", Service.DPO, OURS)
    assert notice.wire_id == WIRE_ID
    assert json.loads(notice.envelope or b"") == sbd()
    assert notice.expires_at is not None


def test_peek_request_has_exactly_three_filters() -> None:
    script = Scripted(nothing())

    with gateway_of(script) as gateway:
        list(gateway.waiting_notices(1))

    [request] = script.requests
    assert (request.method, request.url.path) == ("GET", "/api/messages/in/peek")
    assert dict(request.url.params) == {
        "process": CONFIDENTIAL_PROCESS,
        "serviceIdentifier": "DPO",
        "receiverIdentifier": "910075918",
    }


def test_announced_locks_no_more_messages_than_requested() -> None:
    script = Scripted(shown(), shown())

    with gateway_of(script) as gateway:
        assert len(list(gateway.waiting_notices(1))) == 1
        assert list(gateway.waiting_notices(0)) == []
    assert len(script.requests) == 1


def test_peek_alternates_between_subscriptions_within_and_between_rounds() -> None:
    other = Subscription(organisation=OURS, service=Service.DPF, process=CONFIDENTIAL_PROCESS)
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["serviceIdentifier"])
        return shown(sbd(wire_id=f"{len(asked):08d}-6c1f-4a53-9a54-6f0a3c1d8e11"))

    with gateway_of(answer, SUBSCRIPTION, other) as gateway:
        list(gateway.waiting_notices(3))
        list(gateway.waiting_notices(1))

    assert asked == ["DPO", "DPF", "DPO", "DPF"]


def test_announced_stops_when_the_gateway_does_not_lock_messages() -> None:
    with gateway_of(lambda _: shown()) as gateway:
        assert len(list(gateway.waiting_notices(100))) == 2


@pytest.mark.parametrize(
    "foreign",
    [
        sbd(process="urn:no:difi:profile:arkivmelding:response:ver1.0"),
        sbd(receiver="0192:910077473"),
        sbd(receiver="0192:910075918:910077473"),
        sbd(wire_id="not-a-uuid"),
        {"standardBusinessDocumentHeader": {}},
    ],
)
def test_messages_outside_the_peek_filters_are_skipped_and_logged(
    foreign: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    script = Scripted(shown(foreign))

    with gateway_of(script) as gateway, caplog.at_level(logging.WARNING):
        assert list(gateway.waiting_notices(10)) == []

        assert gateway.misfits == 1
    assert len(script.requests) == 1, "one foreign message locked is enough for a round"
    assert [record.message for record in caplog.records] == ["gateway.misfit"]


@outages
def test_announced_raises_unavailable_on_an_outage_during_peek(
    answer: httpx.Response | Exception, code: str
) -> None:
    with gateway_of(Scripted(answer)) as gateway, pytest.raises(Unavailable) as caught:
        list(gateway.waiting_notices(10))

    assert caught.value.code == code


def test_bad_peek_answer_for_one_subscription_does_not_stop_the_others() -> None:
    other = Subscription(organisation=THEIRS, service=Service.DPO, process=CONFIDENTIAL_PROCESS)
    script = Scripted(page(), shown(), nothing())

    with gateway_of(script, other, SUBSCRIPTION) as gateway:
        notices = gateway.waiting_notices(10)

        assert next(notices).wire_id == WIRE_ID
        with pytest.raises(Unavailable, match="garbled"):
            next(notices)


@given(status=st.sampled_from([200, 204, 301, 400, 401, 404, 429, 500, 503]), body=st.binary())
def test_any_peek_response_raises_at_most_unavailable(status: int, body: bytes) -> None:
    with (
        gateway_of(lambda _: httpx.Response(status, content=body)) as gateway,
        suppress(Unavailable),
    ):
        assert list(gateway.waiting_notices(3)) == []
