"""Arrivals at a stand-in for an integrasjonspunkt, over real HTTP."""

import time
import tracemalloc
from datetime import timedelta

import pytest

from inbox.domain import CONFIDENTIAL_PROCESS, Service
from inbox.errors import Gone, NeverAccepted, Unavailable
from inbox.gateway import ConfirmResult
from inbox.gateway.integrasjonspunkt import Bounds, Subscription
from inbox.simulator.gateway.simulator import Damage
from inbox.simulator.packages.envelopes import ADMINISTRASJON, receipt_json, sbd_json
from tests.gateway.scripted_gateway import OURS, SUBSCRIPTION, THEIRS
from tests.gateway.world import BYTES, World, client_of

# ---- the ordinary day


def test_gateway_client_announces_fetches_and_confirms_a_message(world: World) -> None:
    message_id = world.put()

    notice = world.announced()
    assert notice.wire_id == message_id
    assert notice.expires_at == world.now + timedelta(days=1)
    assert world.fetched(notice) == BYTES
    assert world.there.sender_statuses(message_id)[-1] == "MOTTATT", (
        "nothing is said before confirm"
    )
    assert world.here.confirm(notice) is ConfirmResult.DELIVERED
    assert world.there.sender_statuses(message_id)[-1] == "LEVERT"


def test_gateway_client_without_an_answer_yet_asks_for_the_clock_skew(world: World) -> None:
    assert world.here.clock_skew() is not None


# ---- locks and other consumers (edge cases 1, 2, 3, 25)


def test_messages_locked_by_others_are_announced_after_the_lock_expires(
    world: World,
) -> None:
    world.put()
    world.announced()

    assert list(world.here.waiting_notices(10)) == []
    world.later(minutes=6)
    world.announced()


def test_gateway_client_touches_only_messages_of_its_own_subscription(world: World) -> None:
    ours = world.put()
    foreign = [
        world.there.put(sbd_json(process=ADMINISTRASJON, created_at=world.now), BYTES),
        world.there.put(sbd_json(receiver="910077473", created_at=world.now), BYTES),
        world.there.put(sbd_json(created_at=world.now), BYTES, service="DPF"),
        world.there.put(receipt_json(related_to=ours, sender=THEIRS, receiver=OURS)),
    ]

    notice = world.announced()
    world.fetched(notice)
    world.here.confirm(notice)

    assert world.there.locked() == []
    assert world.there.queue() == foreign
    assert {seen.message_id for seen in world.there.journal} == {None, ours}
    assert {frozenset(seen.query.split("&")) for seen in world.there.journal} - {
        frozenset({""})
    } == {
        frozenset(
            {
                f"process={CONFIDENTIAL_PROCESS}",
                "serviceIdentifier=DPO",
                f"receiverIdentifier={OURS}",
            }
        )
    }


def test_services_are_distinguished_by_one_peek_per_subscription(world: World) -> None:
    world.put()
    world.there.put(sbd_json(created_at=world.now), BYTES, service="DPF")
    dpf = Subscription(organisation=OURS, service=Service.DPF, process=CONFIDENTIAL_PROCESS)

    with client_of(world.url, SUBSCRIPTION, dpf) as both:
        notices = list(both.waiting_notices(10))

    assert [notice.service for notice in notices] == [Service.DPO, Service.DPF]


def test_fetch_locks_again_when_the_lock_expired_before_the_transfer(world: World) -> None:
    world.put()
    notice = world.announced()
    world.later(minutes=6)

    assert world.fetched(notice) == BYTES
    assert world.there.locked() == [notice.wire_id]


@pytest.mark.parametrize("taken_over", [True, False])
def test_confirm_succeeds_when_the_lock_expires_during_the_transfer(
    world: World,
    taken_over: bool,  # noqa: FBT001 - a table
) -> None:
    world.put()
    notice = world.announced()
    world.there.stage("lose the lock during the first pop")

    assert world.fetched(notice) == BYTES
    if taken_over:  # by another consumer, whose lock is then as good as ours
        with client_of(world.url) as other:
            assert len(list(other.waiting_notices(1))) == 1
    assert world.here.confirm(notice) is ConfirmResult.DELIVERED
    assert world.there.queue() == []


def test_fetch_and_confirm_report_a_message_taken_by_another_consumer_as_missing(
    world: World,
) -> None:
    world.put()
    notice = world.announced()
    world.there.lose(notice.wire_id)

    with pytest.raises(Gone):
        world.fetched(notice)
    assert world.here.confirm(notice) is ConfirmResult.GONE


# ---- time to live, redelivery (4, 5)


def test_fetch_and_confirm_report_an_expired_locked_message_as_missing(world: World) -> None:
    message_id = world.put(life=timedelta(minutes=1))
    notice = world.announced()
    world.later(minutes=2)

    with pytest.raises(Gone):
        world.fetched(notice)
    assert world.here.confirm(notice) is ConfirmResult.GONE
    assert world.there.sender_statuses(message_id)[-1] == "LEVETID_UTLOPT"


def test_redelivered_message_is_announced_and_confirmed_again(world: World) -> None:
    first = world.put()
    world.here.confirm(world.announced())
    world.there.redeliver(first)

    again = world.announced()
    assert again.wire_id == first
    assert world.here.confirm(again) is ConfirmResult.DELIVERED


# ---- bytes that do not come (8, 9, 10)


@pytest.mark.parametrize(
    ("damage", "code", "stays"),
    [
        (Damage.UNDECRYPTABLE, "gateway.no_package", True),
        (Damage.FILE_MISSING, "gateway.file_missing", False),
        (Damage.UNREADABLE, "gateway.unreadable", True),
        (None, "gateway.unreadable", True),
    ],
)
def test_fetch_raises_never_accepted_when_the_gateway_cannot_give_the_package(
    world: World,
    damage: Damage | None,
    code: str,
    stays: bool,  # noqa: FBT001 - a table
) -> None:
    world.put(damage)
    notice = world.announced()

    with pytest.raises(NeverAccepted) as caught:
        world.fetched(notice)
    assert caught.value.code == code
    assert bool(world.there.queue()) is stays
    assert world.here.confirm(notice) is (ConfirmResult.DELIVERED if stays else ConfirmResult.GONE)


@pytest.mark.parametrize("after_bytes", [0, 1, 65_536, 262_144, 262_145, 524_287])
def test_cut_transfer_raises_unavailable_and_can_be_fetched_again(
    world: World, after_bytes: int
) -> None:
    content = BYTES * 32
    world.put(content)
    notice = world.announced()
    world.there.stage(f"cut the first pop after {after_bytes} bytes")

    with pytest.raises(Unavailable, match=r"truncated|unavailable"):
        world.fetched(notice)
    assert world.fetched(notice) == content
    assert "DELETE /api/messages/in/{messageId}" not in world.calls


def test_small_package_shorter_than_promised_raises_truncated(world: World) -> None:
    world.put(BYTES[:4096])
    notice = world.announced()
    world.there.stage("cut the first pop after 1000 bytes")

    with pytest.raises(Unavailable, match="truncated"):
        world.fetched(notice)


def test_stream_that_ends_cleanly_too_early_is_not_detected_by_the_client(world: World) -> None:
    """Only the container itself can show it: the line looks for its end before it stores."""
    world.put()
    notice = world.announced()
    world.there.stage("end the first pop after 1000 bytes")

    assert world.fetched(notice) == BYTES[:1000]


def test_fetch_of_a_large_package_uses_little_memory(world: World) -> None:
    world.put(lambda: (b"x" * 65_536 for _ in range(256)))
    notice = world.announced()

    tracemalloc.start()
    with world.here.fetch(notice) as transfer:
        count = sum(len(chunk) for chunk in transfer.chunks)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 16 * 1024**2
    assert peak < 4 * 1024**2


def test_trickling_transfer_is_given_up_as_slow(world: World) -> None:
    world.there.stage("slow every pop by 50 ms")
    world.put()
    notice = world.announced()

    began = time.monotonic()
    with (
        client_of(world.url, bounds=Bounds(transfer=timedelta(milliseconds=150))) as hasty,
        pytest.raises(Unavailable, match="slow"),
        hasty.fetch(notice) as transfer,
    ):
        list(transfer.chunks)

    assert time.monotonic() - began < 0.7, "sixteen kilobytes would take 0.8 s"
