"""Simulating rules on the mail of late: what is counted, for whom, and what is never told."""

import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from inbox.access import Policy, Role
from inbox.access.facts.registry import FACTS
from inbox.domain import MessageState, new_id
from inbox.errors import NotPermitted
from inbox.line.routing_simulation import GroupCounts, RoutingResult, SimulationRequest, simulate
from inbox.tables import KnownReference, Unit
from tests.access.town import BERGVIK, HAVNES, NOW, allow, strongly
from tests.databases import sqlite_database
from tests.routing.routed_mail import Mailroom, mailroom
from tests.routing.rule_books import POLICE, SCHOOL, STRANGER, a_book, rule
from tests.worlds import World

TO_BV = RoutingResult(rule="politi", unit="bv")
TO_PPT = RoutingResult(rule="skole", unit="ppt")
NOBODY = RoutingResult(rule=None, unit=None)
BOOK = a_book(
    rule("politi", '{ sender = "group:politi" }', to="bv"),
    rule("skole", '{ sender = "group:skoler" }', to="ppt"),
)


@pytest.fixture
def room(database: str, tmp_path: Path) -> Iterator[Mailroom]:
    """On each database."""
    with mailroom(database, tmp_path) as made:
        yield made


@pytest.fixture
def small_room(tmp_path: Path) -> Iterator[Mailroom]:
    """On SQLite, for what no database can change."""
    with mailroom(sqlite_database(tmp_path), tmp_path) as made:
        yield made


def editor(room: Mailroom) -> GroupCounts:
    capacity = strongly(room.town.capacity(new_id(), Role.POLICY_EDITOR, "arkiv"))
    return room.simulate(capacity, BOOK)


def archivist(room: Mailroom) -> GroupCounts:
    return room.simulate(room.town.capacity(new_id(), Role.ARCHIVIST, "arkiv"), BOOK)


def test_simulation_counts_groups_of_ten_by_actual_and_simulated_route(room: Mailroom) -> None:
    room.receive(12, sender=POLICE, unit="bv", rule="politi")
    room.receive(10, sender=SCHOOL, unit="bv", rule="gammel")
    room.receive(11, sender=STRANGER)

    for counts in (editor(room), archivist(room)):
        assert counts == {
            (TO_BV, TO_BV): 12,
            (RoutingResult(rule="gammel", unit="bv"), TO_PPT): 10,
            (NOBODY, NOBODY): 11,
        }


def test_simulation_leaves_out_a_group_of_nine(small_room: Mailroom) -> None:
    small_room.receive(9, sender=POLICE, unit="bv", rule="politi")

    assert editor(small_room) == {}


def test_simulation_result_does_not_depend_on_small_groups(tmp_path: Path) -> None:
    kinds = [
        (POLICE, "bv"),
        (SCHOOL, "bv"),
        (STRANGER, "ppt"),
    ]
    answers = []
    for number, sizes in enumerate([(0, 0, 0), (9, 0, 3), (1, 9, 9)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        with mailroom(sqlite_database(folder), folder) as room:
            room.receive(10, sender=STRANGER)
            for (sender, unit), size in zip(kinds, sizes, strict=True):
                room.receive(size, sender=sender, unit=unit, rule="politi")
            answers.append(editor(room))

    assert answers == [{(NOBODY, NOBODY): 10}] * 3


def test_simulation_shows_small_groups_only_of_messages_the_caller_may_list(room: Mailroom) -> None:
    policy = Policy(
        [
            allow("A01", "route", "leader", "own_organisation"),
            allow("A02", "list", "leader", "leads"),
        ],
        facts=FACTS,
        digest="d",
    )
    leader = room.town.capacity("kari", Role.LEADER, "bv")
    room.receive(3, sender=POLICE, unit="bv", rule="politi")
    room.receive(2, sender=SCHOOL, unit="ppt", rule="skole")
    room.receive(10, sender=SCHOOL, unit="ppt", rule="gammel")

    assert room.simulate(leader, BOOK, policy) == {
        (TO_BV, TO_BV): 3,
        (RoutingResult(rule="gammel", unit="ppt"), TO_PPT): 10,
    }


@pytest.mark.parametrize("role", [Role.HANDLER, Role.LEADER, Role.OPERATOR])
def test_simulation_is_denied_to_handlers_leaders_and_operators(
    small_room: Mailroom, role: Role
) -> None:
    small_room.receive(10, sender=POLICE, unit="bv", rule="politi")

    with pytest.raises(NotPermitted):
        small_room.simulate(strongly(small_room.town.capacity("x", role, "bv")), BOOK)


def test_simulation_counts_nothing_for_an_ended_capacity(small_room: Mailroom) -> None:
    small_room.receive(10, sender=POLICE, unit="bv", rule="politi")
    capacity = small_room.town.capacity("x", Role.ARCHIVIST, "arkiv")
    small_room.town.row_of(capacity).active_until = NOW - timedelta(days=1)
    small_room.session.flush()

    assert small_room.simulate(capacity, BOOK) == {}


def test_simulation_by_a_policy_editor_requires_strong_sign_in(small_room: Mailroom) -> None:
    capacity = small_room.town.capacity("x", Role.POLICY_EDITOR, "arkiv")

    with pytest.raises(NotPermitted):
        small_room.simulate(capacity, BOOK)


def test_simulation_leaves_out_mail_of_others_old_mail_and_mail_not_yet_routed(
    small_room: Mailroom,
) -> None:
    small_room.receive(10, organisation=HAVNES)
    small_room.receive(10, at=NOW - timedelta(days=31))
    for state in (MessageState.RECEIVED, MessageState.QUARANTINED, MessageState.OPENED):
        small_room.receive(10, state=state)

    assert editor(small_room) == {}
    assert small_room.receive(10, at=NOW - timedelta(days=29))
    assert editor(small_room) == {(NOBODY, NOBODY): 10}


def test_simulation_routes_mail_of_a_closed_unit_to_its_successor_or_nowhere(
    small_room: Mailroom,
) -> None:
    session = small_room.session
    small_room.receive(10, sender=POLICE)
    small_room.receive(10, sender=SCHOOL)
    for name, successor in (("bv", "arkiv"), ("ppt", None)):
        unit = session.get_one(Unit, name)
        unit.active_until, unit.successor = NOW - timedelta(days=1), successor
    session.flush()

    assert editor(small_room) == {
        (NOBODY, RoutingResult(rule="politi", unit="arkiv")): 10,
        (NOBODY, RoutingResult(rule="skole", unit=None)): 10,
    }


def test_simulation_knows_a_sender_only_after_a_registered_message(small_room: Mailroom) -> None:
    book = a_book(rule("kjent", "{ sender_known = true }", to="bv"))
    capacity = small_room.town.capacity("x", Role.ARCHIVIST, "arkiv")
    hour = timedelta(hours=1)
    small_room.receive(10, at=NOW - 3 * hour)
    small_room.receive(1, at=NOW - 2 * hour, registered_at=NOW - 2 * hour)
    small_room.receive(10, at=NOW - hour)

    assert small_room.simulate(capacity, book) == {
        (NOBODY, NOBODY): 10,
        (NOBODY, RoutingResult(rule="kjent", unit="bv")): 11,
    }


def test_simulation_routes_an_answer_by_case_reference_and_counterparty(
    small_room: Mailroom,
) -> None:
    book = a_book(rule("svar", "{ known_reference = true }", to="same unit"))
    capacity = small_room.town.capacity("x", Role.ARCHIVIST, "arkiv")
    small_room.session.add(
        KnownReference(
            id=new_id(),
            organisation="910075918",
            counterparty=POLICE,
            reference_hash=small_room.keyring.lookup_hash("reference", "2026/1").hex(),
            unit="ppt",
            source="import",
            recorded_at=NOW,
        )
    )
    small_room.receive(10, sender=POLICE, references=("2025/9", "2026/1"))
    small_room.receive(10, sender=SCHOOL, references=("2026/1",))

    assert small_room.simulate(capacity, book) == {
        (NOBODY, RoutingResult(rule="svar", unit="ppt")): 10,
        (NOBODY, NOBODY): 10,
    }


def _peak(room: Mailroom, days: int) -> int:
    """Bytes of Python at most, while the mail of so many days is simulated."""
    capacity = strongly(room.town.capacity(new_id(), Role.POLICY_EDITOR, "arkiv"))
    tracemalloc.start()
    room.simulate(capacity, BOOK, days=days)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def _memory_is_bounded(room: Mailroom, few: int, many: int) -> None:
    for at, count in ((NOW, few), (NOW - timedelta(days=10), many)):
        for _ in range(count // 200):
            room.receive(200, sender=POLICE, unit="bv", rule="politi", at=at)
    _peak(room, 1)  # what is kept from the first time on is no mail
    of_few = _peak(room, 1)

    assert _peak(room, 30) < 2 * of_few


def test_simulation_memory_does_not_grow_with_the_mail(small_room: Mailroom) -> None:
    _memory_is_bounded(small_room, few=600, many=1_000)


@pytest.mark.long
def test_simulation_memory_is_bounded_for_a_hundred_thousand_messages(
    room: Mailroom,
) -> None:
    _memory_is_bounded(room, few=1_000, many=100_000)


def test_simulation_of_the_active_rules_matches_the_route_station(small_world: World) -> None:
    """With the same rules, known senders and answers to cases among the mail."""
    world = small_world
    with world.line.store.reading() as tx:
        ours = world.line.rule_books.current(tx, BERGVIK)
    assert ours is not None
    for title in ("Melding om barnevern", "Noe annet"):
        world.send(title)
    world.settle()
    world.send("Noe annet")
    world.settle()
    capacity = world.person("anne", Role.ARCHIVIST, "desk")
    policy = Policy(
        [allow(f"A0{n}", act, "archivist", "mailbox") for n, act in enumerate(("route", "list"))],
        facts=FACTS,
        digest="d",
    )
    with world.line.store.reading() as tx:
        question = SimulationRequest(
            capacity=capacity, book=ours, since=tx.now - timedelta(days=30)
        )
        counts = simulate(world.line.keyring, tx, policy, question)

    assert sum(counts.values()) == 3
    assert all(was == goes for was, goes in counts)
    assert len(counts) > 1
