"""Who gets the same content under a new id is told of the first, if the first is theirs."""

from datetime import timedelta

import pytest

from inbox.access.policy.vocabulary import Action, Role
from inbox.access.question import Capacity
from inbox.line import people_lists
from inbox.line.case_systems import capacity_of
from inbox.line.moves import case_system
from inbox.line.people_lists import ListRequest
from inbox.tables import CaseSystem, Message
from tests.worlds import SENDER, World

TOLD, ASKING = "Melding om barnevern", "Sakkyndig vurdering"
"""Titles that the rules give to the case systems `sak` and `fag`."""
ANOTHER = "910076787"


def _arrive(
    world: World, title: str, content: bytes = b"det samme", sender: str = SENDER
) -> Message:
    wire_id = world.send(title, content=content, sender=sender)
    world.collect()
    world.work()
    world.clock.advance(timedelta(minutes=1))
    return world.message(wire_id)


def _collect(world: World, message: Message) -> list[str]:
    """Collect it as its case system, which learns of these copies."""
    delivery = world.delivery(message.id)
    with world.line.store.reading() as tx:
        capacity = capacity_of(tx.get_one(CaseSystem, delivery.case_system))
    found = case_system.collect(world.line, capacity, delivery.id)
    return [copy.message_id for copy in found.copies]


def _same_as(world: World, capacity: Capacity, action: Action) -> dict[str, tuple[str, ...]]:
    found = people_lists.page(world.line, ListRequest(capacity=capacity, action=action))
    return {each.row.id: each.same_as for each in found.rows}


def test_case_system_sees_which_messages_with_the_same_content_it_has(small_world: World) -> None:
    first, second = _arrive(small_world, TOLD), _arrive(small_world, TOLD)
    other = _arrive(small_world, TOLD, b"noe annet")

    assert _collect(small_world, first) == []
    assert _collect(small_world, second) == [first.id]
    assert _collect(small_world, first) == [second.id]
    assert _collect(small_world, other) == []


def test_case_system_sees_a_copy_whose_content_was_erased(small_world: World) -> None:
    first, second = _arrive(small_world, TOLD), _arrive(small_world, TOLD)
    _collect(small_world, first)
    with small_world.line.store.transaction() as tx:
        erased = tx.get_one(Message, first.id)
        erased.documents_hash, erased.digest = None, second.digest

    assert _collect(small_world, second) == [first.id]


def test_case_system_does_not_see_a_copy_of_another_organisation(small_world: World) -> None:
    first, second = _arrive(small_world, TOLD), _arrive(small_world, TOLD)
    _collect(small_world, first)
    with small_world.line.store.transaction() as tx:
        tx.get_one(Message, first.id).organisation = ANOTHER

    assert _collect(small_world, second) == []


def test_case_system_does_not_see_a_copy_in_another_case_system(small_world: World) -> None:
    first, second = _arrive(small_world, TOLD), _arrive(small_world, ASKING)

    _collect(small_world, first)

    assert _collect(small_world, second) == []


def test_same_content_from_another_sender_counts_as_another_letter(small_world: World) -> None:
    anne = small_world.person("anne", Role.ARCHIVIST, "desk")
    first, second = _arrive(small_world, TOLD), _arrive(small_world, TOLD, sender=ANOTHER)
    mine, theirs = (_arrive(small_world, "Ingen regel", sender=each) for each in (SENDER, ANOTHER))
    assert first.documents_hash == second.documents_hash == theirs.documents_hash

    _collect(small_world, first)

    assert _collect(small_world, second) == []
    shown = _same_as(small_world, anne, Action.ROUTE)
    assert (second.id in shown[theirs.id], first.id in shown[theirs.id]) == (True, False)
    assert theirs.id not in shown[mine.id]


def test_archivist_sees_which_earlier_message_has_the_same_content(small_world: World) -> None:
    anne = small_world.person("anne", Role.ARCHIVIST, "desk")
    first, second = _arrive(small_world, "Ingen regel"), _arrive(small_world, "Ingen regel")
    other = _arrive(small_world, "Ingen regel", b"noe annet")

    shown = _same_as(small_world, anne, Action.ROUTE)

    assert shown == {first.id: (), second.id: (first.id,), other.id: ()}


@pytest.mark.parametrize("unit", ["skole", "bv"])
def test_list_names_no_copy_that_the_person_may_not_see(small_world: World, unit: str) -> None:
    first, second = _arrive(small_world, TOLD), _arrive(small_world, "Om en elev")
    kari = small_world.person("kari", Role.LEADER, unit)

    shown = _same_as(small_world, kari, Action.LIST)

    own = second if unit == "skole" else first
    assert shown == {own.id: ()}
