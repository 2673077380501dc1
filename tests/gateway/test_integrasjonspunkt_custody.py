"""The bytes and their custody: every answer of an integrasjonspunkt, or of a proxy."""

import httpx
import pytest

from inbox.domain import CONFIDENTIAL_PROCESS, Service
from inbox.errors import Gone, InboxError, NeverAccepted, Unavailable
from inbox.gateway import ConfirmResult
from inbox.gateway.integrasjonspunkt import Subscription
from tests.gateway.scripted_gateway import (
    ASIC,
    NOTICE,
    OUTAGES,
    RECEIPT_ID,
    THEIRS,
    WIRE_ID,
    Broken,
    Scripted,
    Whole,
    gateway_of,
    named,
    nothing,
    package,
    page,
    refusal,
    sbd,
    shown,
)

outages = pytest.mark.parametrize(("answer", "code"), OUTAGES)


# ---- the bytes


def fetched(script: Scripted) -> bytes:
    with gateway_of(script) as gateway, gateway.fetch(NOTICE) as transfer:
        return b"".join(transfer.chunks)


def test_fetch_pops_the_package_by_its_id() -> None:
    script = Scripted(package(b"the bytes"))

    assert fetched(script) == b"the bytes"
    assert script.asked == [f"GET /api/messages/in/pop/{WIRE_ID}"]


def test_fetch_locks_again_by_id_and_filters_when_the_lock_expired() -> None:
    script = Scripted(named(400, "MessageNotLocked"), shown(), package(b"the bytes"))

    assert fetched(script) == b"the bytes"
    assert dict(script.requests[1].url.params) == {
        "messageId": WIRE_ID,
        "process": CONFIDENTIAL_PROCESS,
        "serviceIdentifier": "DPO",
        "receiverIdentifier": "910075918",
    }


@pytest.mark.parametrize(
    ("answers", "error", "code"),
    [
        ([httpx.Response(204)], NeverAccepted, "gateway.no_package"),
        ([named(404, "MessageNotFound")], Gone, "gateway.gone"),
        ([named(404, "FileNotFound")], NeverAccepted, "gateway.file_missing"),
        ([named(500, "AsicRead")], NeverAccepted, "gateway.unreadable"),
        (
            [refusal(500, "org.springframework.transaction.UnexpectedRollbackException")],
            NeverAccepted,
            "gateway.unreadable",
        ),
        ([named(400, "NotUUID")], NeverAccepted, "gateway.refused"),
        ([named(400, "MessageNotLocked"), nothing()], Unavailable, "gateway.locked_elsewhere"),
        (
            [named(400, "MessageNotLocked"), shown(), named(400, "MessageNotLocked")],
            Unavailable,
            "gateway.locked_elsewhere",
        ),
        (
            [named(400, "MessageNotLocked"), shown(sbd(wire_id=RECEIPT_ID))],
            Unavailable,
            "gateway.filters_ignored",
        ),
        ([named(400, "MessageNotLocked"), page(503)], Unavailable, "gateway.unavailable"),
        ([named(400, "MessageNotLocked"), page(200)], Unavailable, "gateway.garbled"),
    ],
)
def test_fetch_maps_each_gateway_refusal_to_an_error_code(
    answers: list[httpx.Response], error: type[InboxError], code: str
) -> None:
    with pytest.raises(error) as caught:
        fetched(Scripted(*answers))

    assert caught.value.code == code
    assert "secret" not in str(caught.value)
    assert "12345678901" not in str(caught.value)


@outages
def test_fetch_raises_unavailable_on_an_outage_during_pop(
    answer: httpx.Response | Exception, code: str
) -> None:
    expected = "gateway.garbled" if code == "gateway.truncated" else code  # it has no media type

    with pytest.raises(Unavailable) as caught:
        fetched(Scripted(answer))

    assert caught.value.code == expected


@pytest.mark.parametrize("promised", ["8", "10", "-1", "nine"])
def test_transfer_with_another_length_than_promised_raises_truncated(promised: str) -> None:
    answer = httpx.Response(
        200, headers={"Content-Type": ASIC, "Content-Length": promised}, stream=Whole(b"ninebytes")
    )

    with pytest.raises(Unavailable, match="truncated"):
        fetched(Scripted(answer))


def test_transfer_whose_length_is_promised_with_zeros_in_front_is_whole() -> None:
    headers = {"Content-Type": ASIC, "Content-Length": "0009"}
    answer = httpx.Response(200, headers=headers, stream=Whole(b"ninebytes"))

    assert fetched(Scripted(answer)) == b"ninebytes"


def test_unfinished_transfer_is_closed_on_exit() -> None:
    body = Whole(b"half", b"half")
    answer = httpx.Response(200, headers={"Content-Type": ASIC}, stream=body)

    with gateway_of(Scripted(answer)) as gateway:
        with gateway.fetch(NOTICE) as transfer:
            assert not body.closed
            del transfer

        assert body.closed


def test_transfer_that_breaks_raises_truncated() -> None:
    answer = httpx.Response(200, headers={"Content-Type": ASIC}, stream=Broken(b"half"))

    with pytest.raises(Unavailable, match="truncated"):
        fetched(Scripted(answer))


def test_fetch_for_an_ended_subscription_does_not_lock_again() -> None:
    ended = Subscription(organisation=THEIRS, service=Service.DPO, process=CONFIDENTIAL_PROCESS)

    with (
        gateway_of(Scripted(named(400, "MessageNotLocked")), ended) as gateway,
        pytest.raises(Unavailable, match="locked_elsewhere"),
        gateway.fetch(NOTICE),
    ):
        pass


# ---- custody


def confirmed(*answers: httpx.Response | Exception) -> ConfirmResult:
    with gateway_of(Scripted(*answers)) as gateway:
        return gateway.confirm(NOTICE)


def test_confirm_deletes_the_message_by_id() -> None:
    script = Scripted(shown())

    with gateway_of(script) as gateway:
        assert gateway.confirm(NOTICE) is ConfirmResult.DELIVERED
    assert script.asked == [f"DELETE /api/messages/in/{WIRE_ID}"]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([shown()], ConfirmResult.DELIVERED),
        ([named(404, "MessageNotFound")], ConfirmResult.GONE),
        ([named(400, "MessageNotLocked"), shown(), shown()], ConfirmResult.DELIVERED),
        (
            [named(400, "MessageNotLocked"), shown(), named(404, "MessageNotFound")],
            ConfirmResult.GONE,
        ),
    ],
)
def test_confirm_distinguishes_delivered_from_missing_messages(
    answers: list[httpx.Response], said: ConfirmResult
) -> None:
    assert confirmed(*answers) is said


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([named(400, "MessageNotLocked"), nothing()], "gateway.locked_elsewhere"),
        (
            [named(400, "MessageNotLocked"), shown(), named(400, "MessageNotLocked")],
            "gateway.locked_elsewhere",
        ),
        (
            [named(400, "MessageNotLocked"), shown(sbd(receiver="0192:910077473"))],
            "gateway.filters_ignored",
        ),
        ([named(400, "NotUUID")], "gateway.unexpected"),
        ([httpx.Response(200, content=b"")], "gateway.garbled"),
        ([shown(sbd(wire_id="c2b9a5d0-4d5b-4bc4-8c0e-0c9a7d1f3e50"))], "gateway.garbled"),
        ([named(500, "AsicRead")], "gateway.unavailable"),
    ],
)
def test_confirm_raises_unavailable_when_locked_elsewhere_or_refused(
    answers: list[httpx.Response], code: str
) -> None:
    with pytest.raises(Unavailable) as caught:
        confirmed(*answers)

    assert caught.value.code == code


@outages
def test_confirm_raises_unavailable_on_an_outage(
    answer: httpx.Response | Exception, code: str
) -> None:
    with pytest.raises(Unavailable) as caught:
        confirmed(answer)

    assert caught.value.code == code
