"""A message for a distributor: what is shown, what is not, and how many statements it takes."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from inbox.access.policy.vocabulary import Action
from inbox.domain import MessageId, MessageState, TaskState, UnitId, new_id
from inbox.errors import Invalid, NotFound
from inbox.language import TextLanguage
from inbox.line.desk.in_hand import in_hand_of, let_go, note_in_hand
from inbox.line.desk.message.lamps import LampState, SenderSees
from inbox.line.desk.message_view import message_view
from inbox.line.desk.queue_steps import find_by_reference, next_in_queue
from inbox.line.desk.queues import Queue, QueueFilters
from inbox.line.desk.saved_views import MOST_VIEWS, remove_view, save_view, saved_views
from inbox.line.desk.short_reference import short_reference_of
from inbox.line.moves.archive_staff import place
from inbox.line.moves.notes import write_note
from inbox.line.proposals.message_proposals import ProposalKind, propose
from inbox.package.codes.registry import CODES
from inbox.tables import Message, Task
from tests.line.desk.desk_world import CANARY, at, mail, statements, trusting, verdict_of
from tests.line.school import School, school_on
from tests.worlds import SENDER

_M = MessageState


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def hall(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[School]:
    with school_on(request, tmp_path) as made:
        made.world.edited = True
        yield made


def test_message_view_shows_envelope_files_and_verdict_without_any_title(hall: School) -> None:
    verdict = verdict_of(SENDER, "Statsforvalteren", integrity=True, container=True)
    message_id = mail(hall, verdict=verdict, document_count=3)

    view = message_view(hall.line, hall.anne(), message_id)

    assert (view.row.id, view.row.sender_name) == (message_id, "Statsforvalteren")
    assert [(each.kind, each.count) for each in view.envelope.files] == [("PDF", 2), ("?", 1)]
    assert (view.envelope.process, view.envelope.administrative_unit) == ("urn:p", "Skole")
    assert view.verdict == "Pakken er hel og uendret, og signert av avsenderen selv."
    assert view.verdict_details
    assert CANARY not in repr(view)
    assert not [name for name in view.__dataclass_fields__ if "title" in name]


def test_verdict_of_a_quarantined_message_is_the_text_of_its_code(hall: School) -> None:
    verdict = verdict_of(SENDER, None, code=next(iter(CODES)))
    message_id = mail(hall, _M.QUARANTINED, unit=None, verdict=verdict)

    said = {
        language: message_view(hall.line, hall.anne(), message_id, language=language).verdict
        for language in TextLanguage
    }

    assert len(set(said.values())) == 3
    assert all(said.values())


def test_message_view_explains_the_rules_and_offers_the_active_units(hall: School) -> None:
    message_id = mail(hall)

    view = message_view(hall.line, hall.anne(), message_id)

    assert view.explanation is not None
    assert view.explanation.route is None
    assert len(view.explanation.nearest) == 3
    assert {unit.id: unit.leaders for unit in view.units}[UnitId("skole")] == (
        "Kari Leder",
        "N. N.",
    )
    assert [unit.name for unit in view.units] == sorted(unit.name for unit in view.units)


def test_message_view_is_not_found_for_those_who_may_not_distribute(hall: School) -> None:
    message_id = mail(hall)

    for capacity in (hall.kari(), hall.handler(), hall.siv()):
        with pytest.raises(NotFound):
            message_view(hall.line, capacity, message_id)
    with pytest.raises(NotFound):
        message_view(hall.line, hall.anne(), new_id())


def test_missing_message_takes_the_statements_of_a_foreign_one(hall: School) -> None:
    message_id, handler, seen = mail(hall), hall.handler(), []
    for wanted in (message_id, new_id()):
        with statements(hall.line.store.engine) as texts, pytest.raises(NotFound):
            message_view(hall.line, handler, wanted)
        seen.append(texts)

    assert seen[0] == seen[1]


def test_message_view_decides_every_action_as_after_a_strong_sign_in(hall: School) -> None:
    message_id = mail(hall)

    decisions = message_view(hall.line, hall.anne(), message_id).decisions

    allowed = {action for action, decision in decisions.items() if decision.allowed}
    assert {Action.PLACE, Action.RELEASE, Action.PROPOSE, Action.HOLD, Action.NOTE} <= allowed
    assert {Action.LIST, Action.OPEN, Action.ASSIGN, Action.TAKE}.isdisjoint(allowed)


def test_history_tells_states_and_archivists_but_neither_notes_nor_readers(hall: School) -> None:
    message_id, anne = mail(hall), hall.anne()
    write_note(hall.line, anne, message_id, text=f"{CANARY} ringte")
    place(hall.line, anne, message_id, unit="skole", expected_version=hall.seen(message_id))
    propose(hall.line, anne, ProposalKind.REFUSE, message_id, code="unreadable", reason="Rot")

    view = message_view(hall.line, anne, message_id)

    assert [(line.event, line.became) for line in view.history] == [
        ("message:routed", "ROUTED"),
        ("proposal:opened", None),
    ]
    assert {line.person_name for line in view.history} == {"Anne Arkivar"}
    assert [(each.kind, each.is_own) for each in view.proposals] == [("refuse", True)]
    assert CANARY not in repr(view)


def test_lamps_and_what_the_sender_sees_follow_the_message(hall: School) -> None:
    waiting = message_view(hall.line, hall.anne(), mail(hall, _M.QUARANTINED, unit=None))
    done = message_view(
        hall.line, hall.anne(), mail(hall, _M.REGISTERED, registered_at=at(hall, hours=1))
    )

    assert waiting.lamps.fetched.state is LampState.ON
    assert waiting.lamps.verified.state is LampState.STOPPED
    assert (waiting.lamps.delivered.state, waiting.sender_sees) == (
        LampState.OFF,
        SenderSees.DELIVERED,
    )
    assert done.lamps.registered.at == at(hall, hours=1)


def test_neighbours_are_those_of_the_queue_the_message_was_reached_from(hall: School) -> None:
    made = [mail(hall, received_at=at(hall, hours=9 - n), channel=f"c{n % 2}") for n in range(5)]

    def around(place: int, filters: QueueFilters) -> tuple[str | None, str | None]:
        view = message_view(
            hall.line, hall.anne(), made[place], queue=Queue.DISTRIBUTE, filters=filters
        )
        assert view.neighbours is not None
        return view.neighbours.previous, view.neighbours.next

    assert around(2, QueueFilters()) == (made[1], made[3])
    assert around(2, QueueFilters(channel="c0")) == (made[0], made[4])
    assert around(0, QueueFilters()) == (None, made[1])
    assert around(4, QueueFilters()) == (made[3], None)


def test_next_message_of_a_queue_is_the_one_after_and_then_the_first(hall: School) -> None:
    made = [mail(hall, received_at=at(hall, hours=9 - n)) for n in range(3)]
    line, anne = hall.line, hall.anne()

    place(line, anne, made[1], unit="skole", expected_version=hall.seen(made[1]))

    after = [next_in_queue(line, anne, Queue.DISTRIBUTE, after=MessageId(each)) for each in made]
    assert after == [made[2], made[2], made[0]]
    assert next_in_queue(line, anne, Queue.DISTRIBUTE) == made[0]
    assert next_in_queue(line, anne, Queue.RETURNED) is None


def test_copies_are_the_earlier_messages_with_the_same_documents(hall: School) -> None:
    first = mail(hall, documents_hash="h", received_at=at(hall, hours=2))
    mail(hall, documents_hash="i", received_at=at(hall, hours=2))
    second = mail(hall, documents_hash="h")

    assert message_view(hall.line, hall.anne(), second).same_as == (first,)
    assert message_view(hall.line, hall.anne(), first).same_as == ()


def test_message_view_takes_as_many_statements_whatever_there_is(hall: School) -> None:
    line, anne, message_id = trusting(hall.line), hall.anne(), mail(hall, documents_hash="h")
    seen = []
    for number in (1, 7):
        for _ in range(number):
            mail(hall, documents_hash="h", received_at=at(hall, hours=1))
            note_in_hand(line, hall.world.person("bjorn", hall.anne().role, "desk"), message_id)
            with line.store.transaction() as tx:
                tx.add(
                    Task(
                        id=new_id(),
                        kind=f"k{new_id()}",
                        subject_id=message_id,
                        message_id=message_id,
                        role="archivist",
                        state=TaskState.OPEN,
                        opened_at=tx.now,
                    )
                )
        with statements(line.store.engine) as texts:
            message_view(line, anne, message_id, queue=Queue.DISTRIBUTE)
        seen.append(texts)

    assert len(seen[0]) == len(seen[1])
    assert len(seen[0]) <= 12


# In hand


def test_message_in_hand_is_shown_to_the_other_for_a_quarter_of_an_hour(hall: School) -> None:
    message_id, line = mail(hall), hall.line
    bjorn = hall.world.person("bjorn", hall.anne().role, "desk", strong=False)

    note_in_hand(line, hall.anne(), message_id)
    with line.store.reading() as tx:
        (held,) = in_hand_of(tx, [message_id])[MessageId(message_id)]
    note_in_hand(line, bjorn, message_id)
    names = {each.name for each in message_view(line, bjorn, message_id).row.in_hand}

    assert (held.name, held.until - held.since) == ("Anne Arkivar", timedelta(minutes=15))
    assert names == {"Anne Arkivar", "Bjorn Arkivar"}

    hall.later(minutes=10)
    note_in_hand(line, bjorn, message_id)
    hall.later(minutes=10)

    names = {each.name for each in message_view(line, bjorn, message_id).row.in_hand}
    assert names == {"Bjorn Arkivar"}
    let_go(line, bjorn, message_id)
    assert message_view(line, bjorn, message_id).row.in_hand == ()


# References


def test_message_is_found_by_its_reference_however_it_is_written(hall: School) -> None:
    message_id = mail(hall)
    mail(hall)
    reference = short_reference_of(message_id)

    written = [reference, reference.lower().replace("-", " "), message_id]

    assert [find_by_reference(hall.line, hall.anne(), each) for each in written] == [
        (message_id,)
    ] * 3
    assert find_by_reference(hall.line, hall.handler("per", "ppt"), reference) == ()
    with pytest.raises(Invalid):
        find_by_reference(hall.line, hall.anne(), "04361")


def test_short_reference_is_the_same_for_the_same_id_and_differs_for_others() -> None:
    ids = [new_id() for _ in range(500)]

    references = [short_reference_of(each) for each in ids]

    assert references == [short_reference_of(each) for each in ids]
    assert len(set(references)) == 500
    assert short_reference_of("f" * 32) == "ZZZZ-ZZZZ"
    assert short_reference_of("0" * 32) == "0000-0000"


# Saved views


def test_saved_views_are_a_persons_own_and_each_is_kept_once(hall: School) -> None:
    line, anne = hall.line, hall.anne()
    bjorn = hall.world.person("bjorn", anne.role, "desk", strong=False)
    filters = QueueFilters(channel="eformidling", late=True)

    first = save_view(line, anne, Queue.DISTRIBUTE, filters)
    again = save_view(line, anne, Queue.DISTRIBUTE, filters)

    assert (first.id, saved_views(line, anne)) == (again.id, (first,))
    assert saved_views(line, bjorn) == ()
    with pytest.raises(NotFound):
        remove_view(line, bjorn, first.id)
    remove_view(line, anne, first.id)
    assert saved_views(line, anne) == ()


def test_person_cannot_save_views_without_end(hall: School) -> None:
    line, anne = hall.line, hall.anne()
    for number in range(MOST_VIEWS):
        save_view(line, anne, Queue.DISTRIBUTE, QueueFilters(channel=f"c{number}"))

    with pytest.raises(Invalid, match=r"view\.too_many"):
        save_view(line, anne, Queue.DISTRIBUTE, QueueFilters())


def test_damaged_message_is_shown_without_its_sealed_part(hall: School) -> None:
    message_id = mail(hall)
    with hall.line.store.transaction() as tx:
        tx.get_one(Message, message_id).sealed_metadata = b"broken"

    view = message_view(hall.line, hall.anne(), message_id)

    assert (view.row.damaged is not None, view.envelope.process) == (True, None)
    assert view.explanation is None
