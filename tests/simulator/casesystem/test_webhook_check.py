"""Which webhooks a case system believes."""

from datetime import timedelta

import httpx
import pytest

from inbox.simulator.casesystem.simulator import Behaviour
from inbox.simulator.casesystem.webhook_check import read_secret
from tests.simulator.case_system_world import NOW, World, post
from tests.simulator.product import Product, hook, wait_until


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (hook("d1", at=NOW, secret=b"another secret"), 401),
        (hook("d1", at=NOW - timedelta(minutes=5, seconds=1)), 401),
        (hook("d1", at=NOW + timedelta(minutes=5, seconds=1)), 401),
        (hook("d1", at=NOW - timedelta(minutes=4, seconds=59)), 204),
        ((b"{}", {}), 400),
    ],
    ids=["wrong", "old", "early", "old enough to be true", "unsigned"],
)
def test_webhook_check_requires_a_valid_signature_and_a_recent_timestamp(
    world: World, product: Product, told: tuple[bytes, dict[str, str]], status: int
) -> None:
    product.add("d1", "m1")
    system, address = world.told()

    assert post(address, told) == status
    assert system.hooks == [status]
    if status != 204:
        assert system.idle()


def test_webhook_signature_covers_the_exact_body_bytes(world: World) -> None:
    _, address = world.told()
    body, headers = hook("d1", at=NOW)

    assert post(address, (body + b" ", headers)) == 401


def test_repeated_webhook_event_is_accepted_and_changes_nothing(
    world: World, product: Product
) -> None:
    product.add("d1", "m1")
    system, address = world.told()

    assert post(address, hook("d1", at=NOW)) == 204
    wait_until(lambda: product.deliveries["d1"].word)
    assert post(address, hook("d1", at=NOW)) == 204
    wait_until(system.idle)

    assert len(product.heard) == 2
    assert len(system.registered) == 1


def test_webhook_event_id_reused_with_another_body_is_refused(
    world: World, product: Product
) -> None:
    product.add("d1", "m1")
    product.add("d2", "m2")
    system, address = world.told()

    assert post(address, hook("d1", at=NOW, event_id="e")) == 204
    assert post(address, hook("d2", at=NOW, event_id="e")) == 409
    wait_until(system.idle)

    assert {entry.message_id for entry in system.registered} == {"m1"}


def test_case_system_fails_only_as_many_webhooks_as_its_behaviour_says(
    world: World, product: Product
) -> None:
    product.add("d1", "m1")
    system, address = world.told(Behaviour(failing_webhooks=2))

    answers = [post(address, hook("d1", at=NOW)) for _ in range(3)]

    assert answers == [500, 500, 204]
    wait_until(lambda: product.deliveries["d1"].word)
    assert system.hooks == answers


def test_case_system_accepts_webhooks_at_one_address_only(world: World) -> None:
    _, address = world.told()

    assert httpx.get(address, trust_env=False).status_code == 404
    assert post(address + "/more", hook("d1", at=NOW)) == 404


def test_webhook_secret_is_read_raw_or_with_whsec_prefix() -> None:
    assert read_secret("whsec_aGVtbWVsaWc=") == b"hemmelig"
    assert read_secret(b"hemmelig") == b"hemmelig"
