"""The simulated case system against a small product, over real sockets."""

from collections import Counter
from datetime import timedelta

import pytest

from inbox.simulator.casesystem.registry import HandJournal, Registry
from inbox.simulator.casesystem.simulator import Behaviour, CaseSystemSimulator
from tests.simulator.case_system_world import NOW, World, post
from tests.simulator.product import KEY, Product, hook, wait_until


def test_case_system_notified_by_webhook_collects_accepts_and_registers(
    world: World, product: Product
) -> None:
    product.add("d1", "m1", "Første", "Andre")
    system, address = world.told()

    assert post(address, hook("d1", at=NOW)) == 204
    wait_until(lambda: len(product.heard) == 2)

    assert [(word, body) for _, word, body, _ in product.heard] == [
        ("accepted", {}),
        ("registered", {"reference": "2026/000001-1"}),
    ]
    wait_until(system.idle)
    assert [(entry.message_id, entry.reference) for entry in system.registered] == [
        ("m1", "2026/000001-1")
    ]
    assert system.troubles == []


def test_case_system_references_are_numbered_in_sequence(world: World, product: Product) -> None:
    product.add("d1", "m1")
    product.add("d2", "m2")
    system = world.asking()

    wait_until(lambda: len(system.registered) == 2)

    assert [entry.reference for entry in system.registered] == ["2026/000001-1", "2026/000002-1"]


def test_polling_case_system_reads_all_pages_of_deliveries(world: World, product: Product) -> None:
    for number in range(55):
        product.deliveries[f"d{number}"] = product.add("same", "m0")
    del product.deliveries["same"]
    system = world.asking(Behaviour(refuse_if=lambda _: "missing_case_file"))

    wait_until(lambda: product.pages[:2] == [50, 5])
    wait_until(lambda: product.heard)

    assert system.registered == []


def test_case_system_that_is_away_answers_503_and_polls_nothing(
    world: World, product: Product
) -> None:
    product.add("d1", "m1")
    system, address = world.told(Behaviour(away=True))
    asking = world.asking(Behaviour(away=True))

    assert post(address, hook("d1", at=NOW)) == 503
    assert product.heard == []
    assert product.pages == []

    system.behave(Behaviour())
    asking.behave(Behaviour())
    wait_until(lambda: product.deliveries["d1"].word)


def test_case_system_refuses_the_messages_its_behaviour_refuses(
    world: World, product: Product
) -> None:
    product.add("d1", "m1")
    product.add("d2", "m2")
    system = world.asking(
        Behaviour(refuse_if=lambda told: "missing_case_file" if told.message_id == "m2" else None)
    )

    wait_until(lambda: all(each.word for each in product.deliveries.values()))
    wait_until(system.idle)

    assert product.deliveries["d2"].word == ("refused", "missing_case_file")
    assert [(each.message_id, each.code) for each in system.refused] == [
        ("m2", "missing_case_file")
    ]
    assert [entry.message_id for entry in system.registered] == ["m1"]


def test_case_system_that_repeats_registered_sends_the_same_reference(
    world: World, product: Product
) -> None:
    product.add("d1", "m1")
    system = world.asking(Behaviour(says_twice=True))

    wait_until(lambda: len(product.heard) == 4)
    wait_until(system.idle)

    finals = [(each.status, each.said) for each in system.said if each.word == "registered"]
    assert finals == [(200, "done"), (200, "repeated")]
    assert len(system.registered) == 1


@pytest.mark.parametrize("refuses", [True, False])
def test_contradicting_case_system_gets_409_for_its_second_final_word(
    world: World, product: Product, *, refuses: bool
) -> None:
    product.add("d1", "m1")
    code = "missing_case_file" if refuses else None
    system = world.asking(Behaviour(contradicts=True, refuse_if=lambda _: code))

    wait_until(lambda: len(product.heard) == 3)
    wait_until(system.idle)

    words = ["refused", "registered"] if refuses else ["registered", "refused"]
    assert [each.word for each in system.said] == ["accepted", *words]
    assert system.said[-1].status == 409


def test_slow_case_system_accepts_first_and_registers_later(world: World, product: Product) -> None:
    product.add("d1", "m1")
    world.asking(Behaviour(slow_by=timedelta(milliseconds=300)))

    wait_until(lambda: product.heard)
    assert [word for _, word, _, _ in product.heard] == ["accepted"]
    wait_until(lambda: len(product.heard) == 2)


def test_case_system_never_registers_a_document_with_another_digest(
    world: World, product: Product
) -> None:
    product.add("d1", "m1").told_digests[1] = "0" * 64
    system = world.asking()

    wait_until(lambda: system.troubles)

    assert system.troubles == [("d1", "package.other_documents")]
    assert product.heard == []
    assert system.registered == []


def test_case_system_never_registers_a_package_that_is_not_a_zip(
    world: World, product: Product
) -> None:
    delivery = product.add("d1", "m1")
    delivery.package = b"no zip at all"
    system = world.asking()

    wait_until(lambda: system.troubles)

    assert system.troubles == [("d1", "package.unreadable")]
    assert product.heard == []


def test_case_system_fetches_again_when_the_package_bytes_differ(
    world: World, product: Product
) -> None:
    delivery = product.add("d1", "m1")
    delivery.served_package = delivery.package[:-1]
    system = world.asking()

    wait_until(lambda: system.troubles)
    assert system.troubles[0] == ("d1", "package.other_bytes")
    delivery.served_package = None
    wait_until(lambda: delivery.word)


def test_case_system_retries_through_an_outage_of_the_product(
    world: World, product: Product
) -> None:
    product.add("d1", "m1").kept_from = 2
    system = world.asking()

    wait_until(lambda: product.deliveries["d1"].word)

    assert [code for _, code in system.troubles] == ["status.503", "status.503"]
    assert len(system.registered) == 1


def _registered(system: CaseSystemSimulator) -> Counter[str]:
    """How often each of the sender's ids stands in the journal."""
    return Counter(entry.message_id for entry in system.registered)


def test_second_delivery_of_the_same_package_gets_the_existing_reference(
    world: World, product: Product
) -> None:
    product.deliveries["d2"] = product.add("d1", "m1")
    first = product.deliveries["d1"]
    product.deliveries["d2"] = type(first)("m1", first.package, first.documents)
    system = world.asking()

    wait_until(lambda: all(each.word for each in product.deliveries.values()))

    assert {each.word for each in product.deliveries.values()} == {("registered", "2026/000001-1")}
    assert _registered(system) == {"m1": 1}


def test_same_message_in_another_package_is_counted_as_registered_twice(
    world: World, product: Product
) -> None:
    product.add("d1", "m1", "en utgave")
    product.add("d2", "m1", "en annen utgave")
    system = world.asking()

    wait_until(lambda: len(system.registered) == 2)

    assert _registered(system) == {"m1": 2}


def test_case_system_with_a_wrong_key_gets_401_and_reports_no_word(
    world: World, product: Product
) -> None:
    product.add("d1", "m1")
    system = world.asking(key="guessed")

    wait_until(lambda: system.troubles)

    assert system.troubles[0] == ("", "status.401")
    assert product.heard == []


def test_case_system_drops_a_withdrawn_delivery_after_404(world: World) -> None:
    system, address = world.told()

    assert post(address, hook("gone", at=NOW)) == 204
    wait_until(lambda: system.troubles)
    wait_until(system.idle)

    assert system.troubles == [("gone", "status.404")]


def test_case_system_registry_has_one_entry_per_package() -> None:
    registry = Registry(first_number=41)

    first = registry.enter(message_id="m1", sha256="a", at=NOW)
    again = registry.enter(message_id="m1", sha256="a", at=NOW)

    assert first is again
    assert first.reference == "2026/000041-1"


def test_hand_journal_keeps_both_of_two_identical_entries() -> None:
    journal = HandJournal()

    journal.note("m1", reference="2026/77", at=NOW)
    journal.note("m1", reference="2026/77", at=NOW)

    assert [entry.reference for entry in journal.registered] == ["2026/77", "2026/77"]


def test_case_system_never_collects_a_delivery_that_it_passes_over(
    world: World, product: Product
) -> None:
    product.add("d1", "m1")
    product.add("d2", "m2")
    system = world.asking(Behaviour(passes_over=lambda delivery_id: delivery_id == "d1"))

    wait_until(lambda: len(product.heard) == 2)
    wait_until(system.idle)

    assert {delivery_id for delivery_id, _, _, _ in product.heard} == {"d2"}


def test_case_system_that_falls_silent_accepts_and_says_no_final_word(
    world: World, product: Product
) -> None:
    product.add("d1", "m1")
    product.add("d2", "m2")
    system = world.asking(Behaviour(falls_silent=lambda told: told.message_id == "m1"))

    wait_until(lambda: len(product.heard) == 3)
    wait_until(system.idle)

    words = sorted((delivery_id, word) for delivery_id, word, _, _ in product.heard)
    assert words == [("d1", "accepted"), ("d2", "accepted"), ("d2", "registered")]
    assert [entry.message_id for entry in system.registered] == ["m2"]


def test_case_system_catches_up_in_the_thread_of_the_caller(world: World, product: Product) -> None:
    product.add("d1", "m1")
    product.add("d2", "m2")
    system = CaseSystemSimulator("idle", clock=lambda: NOW)
    system.connect(world.url, key=KEY)

    system.catch_up()
    system.close()

    assert [entry.message_id for entry in system.registered] == ["m1", "m2"]
    assert system.idle()
