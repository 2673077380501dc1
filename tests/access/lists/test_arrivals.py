"""Arrivals are listed, counted and found as far as the rules of any policy let them be."""

from datetime import timedelta

from sqlmodel import Session

from inbox.access import Policy, Role
from inbox.access.facts.registry import FACTS
from inbox.access.lists.arrivals import arrivals_of_wire_id, count_missed, missed_arrivals
from inbox.access.lists.cursor import Cursor
from inbox.domain import ArrivalState, Service
from inbox.tables import Arrival, WrappedKey
from tests.access.town import BERGVIK, HAVNES, NOW, Town, allow, deny

OPEN = allow("A01", "route", "archivist", "always")
EVERYTHING = Policy([OPEN], facts=FACTS, digest="d")
NOT_MISSED = Policy([OPEN, deny("D01", "route", "*", "missed")], facts=FACTS, digest="e")


def test_arrivals_of_another_organisation_are_in_no_list_whatever_the_rules_allow(
    town: Town, session: Session
) -> None:
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    ours, theirs = town.arrival(), town.arrival(organisation=HAVNES)
    theirs.wire_id = ours.wire_id
    town.arrival(ArrivalState.CONFIRMED)
    town.session.flush()

    missed = missed_arrivals(session, EVERYTHING, NOW, capacity=ada, after=None, at_most=9)
    found = arrivals_of_wire_id(session, EVERYTHING, NOW, capacity=ada, wire_id=ours.wire_id)

    assert [row.id for row in missed] == [ours.id]
    assert [row.id for row in found] == [ours.id]
    assert count_missed(session, EVERYTHING, NOW, capacity=ada) == (1, NOW, None)


def test_arrivals_that_a_rule_denies_are_in_no_list(town: Town, session: Session) -> None:
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    wire_id = town.arrival().wire_id

    assert missed_arrivals(session, NOT_MISSED, NOW, capacity=ada, after=None, at_most=9) == ()
    assert arrivals_of_wire_id(session, NOT_MISSED, NOW, capacity=ada, wire_id=wire_id) == ()
    assert count_missed(session, NOT_MISSED, NOW, capacity=ada) == (0, None, None)


def test_missed_arrivals_are_counted_together_with_the_code_of_the_oldest(
    town: Town, session: Session
) -> None:
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    for code, age in (("a", 1), ("a", 2), ("b", 3)):
        arrival = town.arrival()
        arrival.code, arrival.announced_at = code, NOW - timedelta(hours=age)
    town.session.flush()

    oldest_at = NOW - timedelta(hours=3)
    assert count_missed(session, EVERYTHING, NOW, capacity=ada) == (3, oldest_at, "b")


def test_missed_arrivals_go_on_after_the_last_one_of_the_same_instant(
    town: Town, session: Session
) -> None:
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    first, second, third = sorted((town.arrival() for _ in range(3)), key=lambda each: each.id)
    third.announced_at = NOW + timedelta(microseconds=1)
    town.session.flush()
    place = Cursor(at=NOW, id=first.id)

    rest = missed_arrivals(session, EVERYTHING, NOW, capacity=ada, after=place, at_most=9)

    assert [row.id for row in rest] == [second.id, third.id]


def test_arrival_is_listed_with_its_own_key_or_without_one(town: Town, session: Session) -> None:
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    bare, sealed = sorted((town.arrival(), town.arrival()), key=lambda each: each.id)
    town.add(WrappedKey(id=sealed.id, kek_id="k", wrapped=b"w", created_at=NOW))

    rows = missed_arrivals(session, EVERYTHING, NOW, capacity=ada, after=None, at_most=9)

    assert [(row.id, row.kek_id, row.wrapped) for row in rows] == [
        (bare.id, None, None),
        (sealed.id, "k", b"w"),
    ]


def test_a_hundred_arrivals_under_one_id_are_found_at_most(town: Town, session: Session) -> None:
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    session.add_all(
        Arrival(
            id=f"{number:032x}",
            channel="ip",
            service=Service.DPO,
            organisation=BERGVIK,
            wire_id="w",
            state=ArrivalState.CONFIRMED,
            announced_at=NOW,
        )
        for number in range(101)
    )
    session.flush()

    found = arrivals_of_wire_id(session, EVERYTHING, NOW, capacity=ada, wire_id="w")

    assert [int(row.id, 16) for row in found] == list(range(100))
