"""Kvitteringer sent by a stand-in for an integrasjonspunkt, over real HTTP."""

import pytest

from inbox.domain import CONFIDENTIAL_PROCESS, RESPONSE_PROCESS
from inbox.errors import InboxError, NeverAccepted, Unavailable
from inbox.gateway import SendStatus
from inbox.simulator.gateway.simulator import Damage, GatewaySimulator, OtherEnd
from tests.gateway.scripted_gateway import RECEIPT_ID, THEIRS
from tests.gateway.world import Socket, World, client_of, receipt

# ---- the kvittering (23, 24)


@pytest.mark.parametrize(
    ("registry", "obstacle"),
    [
        ({RESPONSE_PROCESS: "DPO"}, None),
        ({RESPONSE_PROCESS: "DPV"}, "receipt.not_dpo"),
        ({RESPONSE_PROCESS: "DPF"}, "receipt.not_dpo"),
        ({CONFIDENTIAL_PROCESS: "DPO"}, "receipt.no_capability"),
        (None, "receipt.no_capability"),
    ],
)
def test_receipt_route_has_an_obstacle_unless_the_sender_accepts_receipts_over_dpo(
    world: World, registry: dict[str, str] | None, obstacle: str | None
) -> None:
    world.there.registry(THEIRS, registry)

    assert world.here.receipt_route(THEIRS).obstacle == obstacle


@pytest.mark.parametrize(
    ("registry", "code"),
    [
        ({RESPONSE_PROCESS: "DPV"}, "gateway.service_not_enabled"),
        (None, "gateway.receiver_does_not_accept"),
    ],
)
def test_create_receipt_reports_why_the_gateway_refused(
    world: World, registry: dict[str, str] | None, code: str
) -> None:
    world.there.registry(THEIRS, registry)

    with pytest.raises(NeverAccepted) as caught:
        world.here.create_receipt(RECEIPT_ID, receipt())
    assert caught.value.code == code


def test_receipt_discarded_by_the_gateway_is_failed_and_not_confirmed(listening: Socket) -> None:
    """It would be: SENDT, LEVERT and LEST are all there, and nothing was sent."""
    there = GatewaySimulator(
        capabilities={THEIRS: {RESPONSE_PROCESS: "DPV"}}, enabled=("DPO", "DPV")
    )
    listening.gateway = there

    with client_of(listening.url) as here:
        here.create_receipt(RECEIPT_ID, receipt())
        here.send_receipt(RECEIPT_ID)

        assert "LEVERT" in there.statuses(RECEIPT_ID)
        assert here.receipt_status(RECEIPT_ID) is SendStatus.FAILED
    assert there.receipts_at_sender() == []


def test_create_receipt_raises_never_accepted_for_an_unreadable_envelope(world: World) -> None:
    broken_ones: list[dict[str, object]] = [
        {},
        {"standardBusinessDocumentHeader": {}},
        receipt(receiver="x"),
    ]

    for broken in broken_ones:
        with pytest.raises(NeverAccepted) as caught:
            world.here.create_receipt(RECEIPT_ID, broken)
        assert caught.value.code in ("gateway.refused", "gateway.receiver_does_not_accept")


@pytest.mark.parametrize("lost", ["create", "send"])
def test_receipt_is_sent_once_when_the_answer_to_create_or_send_is_lost(
    world: World, lost: str
) -> None:
    world.there.stage(f"lose the answer to the first {lost}")

    with pytest.raises(Unavailable):
        world.create_and_send()
    world.create_and_send()
    world.later(seconds=1)
    world.create_and_send()
    world.later(seconds=5)

    assert world.here.receipt_status(RECEIPT_ID) is SendStatus.CONFIRMED
    assert len(world.there.receipts_at_sender()) == 1


@pytest.mark.parametrize(
    ("other_end", "state"),
    [
        (OtherEnd.TAKES, SendStatus.CONFIRMED),
        (OtherEnd.LEAVES, SendStatus.CONFIRMED),
        (OtherEnd.IS_AWAY, SendStatus.EXPIRED),
        (OtherEnd.FAILS, SendStatus.FAILED),
    ],
)
def test_receipt_status_reflects_the_final_outcome_at_the_receiver(
    world: World, other_end: OtherEnd, state: SendStatus
) -> None:
    world.there.other_end(other_end)

    world.create_and_send()
    world.later(days=2)

    assert world.here.receipt_status(RECEIPT_ID) is state


def test_gateway_errors_do_not_quote_the_gateway_response(world: World) -> None:
    world.put(Damage.UNREADABLE)
    notice = world.announced()
    world.there.registry(THEIRS, None)

    with pytest.raises(InboxError) as unreadable:
        world.fetched(notice)
    with pytest.raises(InboxError) as refused:
        world.here.create_receipt(RECEIPT_ID, receipt())

    for text in (str(unreadable.value), str(refused.value)):
        assert THEIRS not in text
        assert notice.wire_id not in text
        assert "could not" not in text


def test_receipt_is_created_sent_and_followed_to_confirmation(world: World) -> None:
    assert world.here.receipt_route(THEIRS).obstacle is None
    seen = [world.here.receipt_status(RECEIPT_ID)]
    world.here.create_receipt(RECEIPT_ID, receipt())
    seen.append(world.here.receipt_status(RECEIPT_ID))
    world.here.send_receipt(RECEIPT_ID)
    for _ in range(2):
        world.later(seconds=1)
        seen.append(world.here.receipt_status(RECEIPT_ID))

    assert seen == [SendStatus.UNKNOWN, SendStatus.CREATED, SendStatus.SENT, SendStatus.CONFIRMED]
    assert [each["messageId"] for each in world.there.receipts_at_sender()] == [RECEIPT_ID]
