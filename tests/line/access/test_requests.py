"""A person asks for access to what they may list and not open; a leader accepts or declines."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import col, select

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.domain import MessageState, PersonId, new_id
from inbox.errors import Conflict, Invalid, NotFound, NotPermitted
from inbox.line.access.grants import grant
from inbox.line.access.requests import (
    AccessAsked,
    RequestState,
    accept_request,
    ask_access,
    decline_request,
    own_open_requests,
    requests_of,
)
from inbox.line.backlog.own_tasks import own_tasks
from inbox.line.moves import content, unit
from inbox.tables import AccessRequest, CapacityRow, Message, Task
from tests.line.school import School, school_on

WEEK = timedelta(days=7)
WHY = "Jeg har søsteren i en annen sak"
ASKED = ("access_asked", "leader", "skole")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def hall(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[School]:
    with school_on(request, tmp_path_factory.mktemp("hall")) as made:
        yield made


def asked(hall: School, message_id: str, person: str = "nina", reason: str = WHY) -> str:
    return ask_access(hall.line, hall.handler(person), message_id, reason=reason)


def seen(hall: School, capacity: Capacity, message_id: str) -> list[AccessAsked]:
    with hall.line.store.reading() as tx:
        return list(requests_of(hall.line, tx, capacity, message_id))


def own(hall: School, person: str = "nina") -> list[str]:
    with hall.line.store.reading() as tx:
        return [each.id for each in own_open_requests(hall.line, tx, hall.handler(person))]


def accept(hall: School, capacity: Capacity, request: str, *, reason: str = "") -> str:
    ends = hall.world.clock.now + WEEK
    return accept_request(hall.line, capacity, request, until=ends, reason=reason).id


def test_leader_who_accepts_gives_access_that_ends_when_it_says(hall: School) -> None:
    message_id = hall.message()
    with pytest.raises(NotPermitted):
        content.read(hall.line, hall.handler(), message_id)

    request = asked(hall, message_id)

    assert hall.tasks(message_id) == {ASKED}
    (told,) = own_tasks(hall.line, hall.kari(), (col(Task.closed_at).is_(None),), at_most=5)
    assert (told.kind, told.message_id) == ("access_asked", message_id)
    row = hall.row(accept(hall, hall.kari(), request))
    assert (row.person, row.given_by) == ("nina", "kari")
    assert row.active_until - row.active_from == WEEK
    content.read(hall.line, hall.handler(), message_id)
    assert hall.tasks(message_id) == set()
    (shown,) = seen(hall, hall.kari(), message_id)
    assert (shown.state, shown.decided_by) == (RequestState.ACCEPTED, "kari")


def test_request_is_in_the_audit_without_a_name_or_the_reason(hall: School) -> None:
    request = asked(hall, hall.message())
    accept(hall, hall.kari(), request)

    (leaf,) = hall.leaves("access:asked", request)
    (answer,) = hall.leaves("access:request_accepted", request)

    assert (leaf["who"], leaf["rule"], leaf["duties"]) == (hall.handler().id, "A55", "log notify")
    assert set(leaf["committed"]) == {"person", "reason"}
    assert (answer["who"], answer["rule"]) == (hall.kari().id, "A18")
    assert not [word for word in ("nina", "søsteren") if word in json.dumps([leaf, answer])]
    with hall.line.store.reading() as tx:
        row = tx.get_one(AccessRequest, request)
    assert row.sealed_reason is not None
    assert WHY.encode() not in row.sealed_reason


def test_declined_request_is_seen_by_both_and_by_nobody_else(hall: School) -> None:
    message_id = hall.message()
    request = asked(hall, message_id)
    (waiting,) = seen(hall, hall.lars(), message_id)
    assert (waiting.state, waiting.reason) == (RequestState.OPEN, WHY)
    assert WHY not in repr(waiting)

    decline_request(hall.line, hall.kari(), request)

    assert hall.tasks(message_id) == set()
    for capacity in (hall.kari(), hall.handler()):
        (shown,) = seen(hall, capacity, message_id)
        assert (shown.id, shown.state) == (request, RequestState.DECLINED)
    for capacity in (hall.lars(), hall.handler("ola"), hall.handler("per", "ppt"), hall.anne()):
        assert seen(hall, capacity, message_id) == []
    with pytest.raises(NotPermitted):
        content.read(hall.line, hall.handler(), message_id)


@pytest.mark.parametrize("first", ["accept", "decline"])
def test_request_is_answered_once(hall: School, first: str) -> None:
    request = asked(hall, hall.message())
    if first == "accept":
        accept(hall, hall.kari(), request)
    else:
        decline_request(hall.line, hall.kari(), request)

    with pytest.raises(Conflict, match=r"access_request\.closed"):
        accept(hall, hall.lars(), request)
    with pytest.raises(Conflict, match=r"access_request\.closed"):
        decline_request(hall.line, hall.lars(), request)


def test_three_requests_of_a_person_may_wait_and_no_fourth(hall: School) -> None:
    messages = [hall.message() for _ in range(4)]
    requests = [asked(hall, each) for each in messages[:3]]

    with pytest.raises(Conflict, match=r"access_request\.many"):
        asked(hall, messages[3])
    asked(hall, messages[3], "ola")

    assert set(own(hall)) == set(requests)
    decline_request(hall.line, hall.kari(), requests[0])
    asked(hall, messages[3])


def test_person_asks_once_while_it_waits_and_again_after_the_answer(hall: School) -> None:
    message_id = hall.message()
    request = asked(hall, message_id)
    with pytest.raises(Conflict, match=r"access_request\.open"):
        asked(hall, message_id)

    decline_request(hall.line, hall.kari(), request)

    assert asked(hall, message_id) != request


def test_task_remains_until_every_request_has_an_answer(hall: School) -> None:
    message_id = hall.message()
    first, second = asked(hall, message_id), asked(hall, message_id, "ola")

    decline_request(hall.line, hall.kari(), first)

    assert hall.tasks(message_id) == {ASKED}
    assert [each.id for each in seen(hall, hall.lars(), message_id)] == [second]
    decline_request(hall.line, hall.lars(), second)
    assert hall.tasks(message_id) == set()


def test_request_ends_when_the_message_leaves_the_unit_and_does_not_come_back(
    hall: School,
) -> None:
    message_id = hall.message()
    request = asked(hall, message_id)

    unit.hand_back(
        hall.line, hall.kari(), message_id, expected_version=hall.seen(message_id), reason="Nei"
    )

    assert own(hall) == []
    assert ASKED not in hall.tasks(message_id)
    with pytest.raises(NotFound):
        accept(hall, hall.kari(), request)
    hall.world.edited = True
    with hall.line.store.transaction() as tx:
        message = tx.get_one(Message, message_id)
        message.state, message.unit = MessageState.ROUTED, "skole"
    hall.later(minutes=1)
    asked(hall, message_id, "ola")
    assert own(hall) == []
    (shown, *_) = seen(hall, hall.handler(), message_id)
    assert (shown.id, shown.state) == (request, RequestState.EXPIRED)
    with pytest.raises(Conflict, match=r"access_request\.closed"):
        accept(hall, hall.kari(), request)


def test_request_ends_when_the_message_is_assigned(hall: School) -> None:
    message_id = hall.message()
    asked(hall, message_id)

    unit.assign(hall.line, hall.kari(), message_id, to=PersonId("nina"))

    assert own(hall) == []
    assert hall.tasks(message_id) == {("assigned", "handler", "skole")}


def test_person_who_may_open_it_need_not_ask(hall: School) -> None:
    assigned, given = hall.message(), hall.message()
    unit.assign(hall.line, hall.kari(), assigned, to=PersonId("nina"))
    grant(hall.line, hall.kari(), given, to=PersonId("nina"), duration=WEEK, reason="Vikar")

    for message_id in (assigned, given):
        with pytest.raises(Conflict, match=r"access_request\.not_needed"):
            asked(hall, message_id)


def test_person_who_may_not_list_it_hears_the_same_as_of_no_message(hall: School) -> None:
    shielded, elsewhere = hall.message(shielding="26"), hall.message(unit="ppt")
    of_another = hall.message()
    unit.assign(hall.line, hall.kari(), of_another, to=PersonId("ola"))
    hidden = hall.message()
    hall.conflict("nina", hidden)

    for message_id in (shielded, elsewhere, of_another, hidden, new_id()):
        with pytest.raises(NotFound) as refused:
            asked(hall, message_id)
        assert refused.value.code == NotFound().code
    assert hall.count(AccessRequest) == 0


def test_others_than_handlers_do_not_ask(hall: School) -> None:
    message_id = hall.message()

    with pytest.raises(NotPermitted):
        ask_access(hall.line, hall.kari(), message_id)
    for capacity in (hall.siv(), hall.handler("per", "ppt")):
        with pytest.raises(NotFound):
            ask_access(hall.line, capacity, message_id)


def test_nobody_but_a_leader_of_the_unit_answers(hall: School) -> None:
    request = asked(hall, hall.message())
    paul = hall.world.person("paul", Role.LEADER, "ppt", strong=False)

    for capacity in (paul, hall.siv(), hall.handler("ola"), hall.handler()):
        with pytest.raises((NotFound, NotPermitted)):
            accept(hall, capacity, request)
        with pytest.raises((NotFound, NotPermitted)):
            decline_request(hall.line, capacity, request)
    for answer in (accept, lambda *of: decline_request(hall.line, *of[1:])):
        with pytest.raises(NotFound):
            answer(hall, hall.kari(), new_id())


def test_leader_does_not_answer_what_they_asked_for_themselves(hall: School) -> None:
    request = asked(hall, hall.message(), "lars")

    with pytest.raises(NotPermitted):
        accept(hall, hall.lars(), request)
    accept(hall, hall.kari(), request)


def test_leader_in_conflict_is_passed_over(hall: School) -> None:
    message_id = hall.message()
    hall.conflict("kari", message_id)
    request = asked(hall, message_id)

    assert own_tasks(hall.line, hall.kari(), (), at_most=5) == []
    assert seen(hall, hall.kari(), message_id) == []
    with pytest.raises(NotFound):
        accept(hall, hall.kari(), request)
    accept(hall, hall.lars(), request)


def test_request_is_refused_where_no_leader_may_give_access(hall: School) -> None:
    message_id = hall.message()
    with hall.line.store.transaction() as tx:
        for row in tx.exec(select(CapacityRow).where(col(CapacityRow.role) == "leader")):
            row.active_until = tx.now

    with pytest.raises(Conflict, match=r"access_request\.nobody"):
        asked(hall, message_id)


def test_grant_takes_a_reason_of_one_of_the_two(hall: School) -> None:
    message_id = hall.message()
    request = asked(hall, message_id, reason=" ")
    (shown,) = seen(hall, hall.kari(), message_id)
    assert shown.reason == ""

    with pytest.raises(Invalid, match=r"access\.reason"):
        accept(hall, hall.kari(), request)
    accept(hall, hall.kari(), request, reason="Avtalt")


def test_period_and_reason_have_their_limits(hall: School) -> None:
    message_id = hall.message()
    with pytest.raises(Invalid, match=r"access\.reason"):
        asked(hall, message_id, reason="x" * 1001)
    request = asked(hall, message_id)
    now = hall.world.clock.now

    for ends in (now, now + timedelta(hours=23), now + timedelta(days=91)):
        with pytest.raises(Invalid, match=r"access\.period"):
            accept_request(hall.line, hall.kari(), request, until=ends)


def test_reason_disappears_with_the_message(hall: School) -> None:
    message_id = hall.message()
    asked(hall, message_id)
    hall.world.edited = True
    with hall.line.store.transaction() as tx:
        tx.get_one(Message, message_id).erased_at = tx.now

    (shown,) = seen(hall, hall.handler(), message_id)

    assert shown.reason == ""
