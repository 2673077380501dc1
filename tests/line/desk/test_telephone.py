"""A caller: what is read aloud, and that unknown and another sender's are one answer."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.domain import ArrivalState, MessageState, new_id
from inbox.errors import Invalid
from inbox.language import TextLanguage
from inbox.line.desk.message.lamps import LampState, SenderSees
from inbox.line.desk.telephone import CallerAnswer, answer_caller
from inbox.tables import Arrival, Unit, WrappedKey
from tests import databases
from tests.line.desk.desk_world import statements
from tests.rows import message_row
from tests.worlds import OURS, SENDER, World, world

OTHER = "974760673"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "sqlite":
        url = databases.sqlite_database(tmp_path)
    else:
        url = databases.postgres_database(request.getfixturevalue("postgres_server"))
    with world(url, tmp_path) as made:
        yield made


def anne(house: World) -> Capacity:
    return house.person("anne", Role.ARCHIVIST, "desk", strong=False)


def call(
    house: World, wire_id: str, caller: str = SENDER, language: TextLanguage = TextLanguage.NB
) -> CallerAnswer:
    return answer_caller(
        house.line, anne(house), sender_id=wire_id, caller=caller, language=language
    )


def blank(answer: CallerAnswer) -> CallerAnswer:
    return replace(answer, made_at=answer.made_at.min.replace(tzinfo=answer.made_at.tzinfo))


def test_caller_hears_how_far_the_message_has_come_and_nothing_from_inside(house: World) -> None:
    wire_id = house.send(public_title="Kanarifugl om elev")
    house.collect()
    house.work()

    answer = call(house, wire_id)

    assert answer.lamps is not None
    assert [answer.lamps.fetched.state, answer.lamps.verified.state] == [LampState.ON] * 2
    assert answer.lamps.verified.at is not None
    assert (answer.lamps.delivered.state, answer.lamps.registered.state) == (
        LampState.OFF,
        LampState.OFF,
    )
    assert (answer.sender_sees, answer.several) == (SenderSees.DELIVERED, 1)
    assert "20.11.2026 kl. 09.00" in answer.read_aloud
    assert not re.search("Kanarifugl|[Ss]kole|Anne|regel", answer.read_aloud)


def test_caller_hears_the_same_in_three_languages(house: World) -> None:
    wire_id = house.send()
    house.collect()
    house.work()

    said = {language: call(house, wire_id, language=language) for language in TextLanguage}

    assert len({answer.read_aloud for answer in said.values()}) == 3
    assert len({answer.lamps for answer in said.values()}) == 1


def test_unknown_id_and_another_senders_are_one_answer_by_the_same_statements(
    house: World,
) -> None:
    wire_id = house.send()
    house.collect()
    house.work()
    anne(house)
    seen = []
    for wanted, caller in ((new_id(), OTHER), (wire_id, OTHER), (new_id(), SENDER)):
        with statements(house.line.store.engine) as texts:
            answer = call(house, wanted, caller)
        seen.append((blank(answer), texts))

    assert seen[0] == seen[1] == seen[2]
    assert not seen[0][0].found


def test_message_that_is_not_opened_yet_is_found_by_its_sender_alone(house: World) -> None:
    wire_id = house.send()
    house.collect()
    house.work(rounds=1) if False else None
    with house.line.store.reading() as tx:
        assert tx.get(Unit, "desk") is not None

    mine, theirs = call(house, wire_id), call(house, wire_id, OTHER)

    assert (mine.found, mine.sender_sees, theirs.found) == (True, SenderSees.SENT, False)


def test_arrival_that_was_never_fetched_is_found_by_its_sender_alone(house: World) -> None:
    wire_id = house.send(life=timedelta(hours=1))
    house.collect()
    with house.line.store.transaction() as tx:
        arrival = house.arrival(wire_id)
        row = tx.get_one(Arrival, arrival.id)
        row.state, row.code = ArrivalState.MISSED, "arrival.expired"

    mine, theirs = call(house, wire_id), call(house, wire_id, OTHER)

    assert (mine.found, mine.sender_sees) == (True, SenderSees.EXPIRED)
    assert "Send den på nytt" in mine.read_aloud
    assert mine.lamps is not None
    assert mine.lamps.fetched.state is LampState.STOPPED
    assert not theirs.found
    house.edited = True


def test_tombstone_is_found_years_later(house: World) -> None:
    with house.line.store.transaction() as tx:
        row = message_row(tx.now, state=MessageState.ERASED, sender=SENDER)
        row.registered_at, row.erased_at = tx.now, tx.now
        tx.add(row)
        tx.add(WrappedKey(id=row.id, created_at=tx.now, destroyed_at=tx.now))
    house.edited = True
    house.clock.advance(timedelta(days=2000))

    answer = call(house, row.wire_id)

    assert answer.found
    assert "journalført 20.11.2026" in answer.read_aloud


def test_caller_of_another_organisation_on_the_same_database_is_unknown(house: World) -> None:
    with house.line.store.transaction() as tx:
        row = message_row(tx.now, organisation="915933149", sender=SENDER)
        tx.add(row)
    house.edited = True

    assert not call(house, row.wire_id).found
    assert OURS != "915933149"


@pytest.mark.parametrize(
    ("wire_id", "caller"), [("", SENDER), ("x", "123456789"), ("a\nb", SENDER)]
)
def test_caller_without_a_valid_id_and_number_is_refused(
    house: World, wire_id: str, caller: str
) -> None:
    with pytest.raises(Invalid):
        call(house, wire_id, caller)
