"""Notes on a message: sealed, for those who have it before them, never changed."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.audit.leaf import commitment
from inbox.domain import MessageState, PersonId, new_id
from inbox.errors import Conflict, Invalid, NotFound, NotPermitted
from inbox.line.access.grants import breakglass, grant
from inbox.line.moves import unit
from inbox.line.moves.notes import read_notes, write_note
from inbox.line.moves.registration import data_key
from inbox.store import Store
from inbox.tables import AuditEntry, AuditSalt, Clearance, Message, Note, WrappedKey
from tests.line.school import School, school_on

NINA, OLA = PersonId("nina"), PersonId("ola")
TEXT = "Ring mor først.\nHun heter Kanarifugl."


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)]
)
def hall(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[School]:
    """One world for all: each test has messages of its own."""
    with school_on(request, tmp_path_factory.mktemp("hall")) as made:
        yield made


def assigned(hall: School, *, shielding: str | None = None) -> str:
    """A message that nina works on."""
    message_id = hall.message(shielding=shielding)
    unit.assign(hall.line, hall.kari(), message_id, to=NINA)
    return message_id


def read(hall: School, capacity: Capacity, message_id: str) -> list[str | None]:
    return [each.text for each in read_notes(hall.line, capacity, message_id)]


def row(hall: School, note_id: str) -> Note:
    with hall.line.store.reading() as tx:
        return tx.get_one(Note, note_id)


# Written and read


def test_notes_are_listed_oldest_first_with_author_and_time(hall: School) -> None:
    message_id, now = assigned(hall), hall.world.clock.now
    first = write_note(hall.line, hall.handler(), message_id, text=TEXT)
    write_note(hall.line, hall.kari(), message_id, text="Gjort")
    write_note(hall.line, hall.handler(), message_id, text="Takk")

    found = read_notes(hall.line, hall.kari(), message_id)

    assert [each.text for each in found] == [TEXT, "Gjort", "Takk"]
    one = found[0]
    assert (one.id, one.written_at, one.shielding) == (first, now, None)
    assert (one.person, one.role, one.unit) == ("nina", Role.HANDLER, "skole")
    assert read(hall, hall.kari(), assigned(hall)) == []


def test_note_text_is_sealed_and_absent_from_audit_and_repr(hall: School) -> None:
    message_id = assigned(hall)
    note_id = write_note(hall.line, hall.handler(), message_id, text=TEXT)
    (found,) = read_notes(hall.line, hall.handler(), message_id)

    leaves = [
        *hall.leaves("note:written", note_id),
        *hall.leaves("message:notes_read", message_id),
    ]

    assert "Kanarifugl" not in json.dumps(leaves) + repr(found)
    assert [leaf["rule"] for leaf in leaves] == ["A47b", "A47b"]
    assert b"Kanarifugl" not in row(hall, note_id).sealed_text
    with hall.line.store.reading() as tx:
        key = data_key(tx, hall.line, message_id)
    sealed = row(hall, note_id).sealed_text
    plain = key.unseal(sealed, table="note", column="sealed_text", row=note_id)
    assert plain.decode() == TEXT


def test_note_audit_entry_commits_to_the_text(hall: School) -> None:
    message_id = assigned(hall)
    note_id = write_note(hall.line, hall.handler(), message_id, text=TEXT)
    (leaf,) = hall.leaves("note:written", note_id)

    with hall.line.store.reading() as tx:
        entry = tx.exec(select(AuditEntry).where(col(AuditEntry.seq) == leaf["seq"])).one()
        salt = tx.exec(select(AuditSalt).where(col(AuditSalt.seq) == entry.seq)).one()

    assert leaf["committed"] == {"text": commitment(salt.salt, TEXT)}
    assert base64.b64decode(leaf["committed"]["text"])
    assert salt.message_id == message_id


@pytest.mark.parametrize("text", ["", " \n\t", "x" * 4001, "Hun heter \udcc3"])
def test_note_text_must_be_1_to_4000_valid_characters(hall: School, text: str) -> None:
    message_id = assigned(hall)

    with pytest.raises(Invalid, match=r"note\.text") as told:
        write_note(hall.line, hall.handler(), message_id, text=text)

    assert (told.value.__cause__, told.value.__context__) == (None, None)
    assert read(hall, hall.handler(), message_id) == []


def test_note_of_4000_characters_is_kept_whole(hall: School) -> None:
    message_id, text = assigned(hall), "ø" * 4000

    write_note(hall.line, hall.handler(), message_id, text=text)

    assert read(hall, hall.handler(), message_id) == [text]


def test_reading_and_writing_notes_fail_when_the_audit_entry_fails(hall: School) -> None:
    message_id, nina = assigned(hall), hall.handler()
    write_note(hall.line, nina, message_id, text=TEXT)
    stored = hall.line.store
    unsealed = Store(stored.engine, seal=_fails, clock=stored.clock)
    silent = replace(hall.line, store=unsealed)

    with pytest.raises(OSError, match="no audit"):
        read_notes(silent, nina, message_id)
    with pytest.raises(OSError, match="no audit"):
        write_note(silent, nina, message_id, text="Usynlig")

    assert read(hall, nina, message_id) == [TEXT]


def _fails(*_: object) -> None:
    raise OSError("no audit")


# By whom


def test_reading_and_writing_notes_are_refused_to_people_without_the_right(hall: School) -> None:
    message_id, lars = assigned(hall), hall.handler("lars")
    write_note(hall.line, hall.handler(), message_id, text=TEXT)
    lasts = timedelta(days=1)
    grant(hall.line, hall.kari(), message_id, to=OLA, duration=lasts, reason="Vikar")
    breakglass(hall.line, lars, message_id, reason="Haster")
    elsewhere = {
        "granted": hall.handler("ola"),
        "in an emergency": lars,
        "another unit": hall.world.person("paul", Role.LEADER, "ppt", strong=False),
        "a unit above": hall.world.person("olga", Role.LEADER, "oppvekst", strong=False),
        "an archivist": hall.anne(),
        "a reviewer": hall.siv(),
        "an editor": hall.world.person("pia", Role.POLICY_EDITOR, "desk", strong=False),
        "an operator": hall.world.person("odd", Role.OPERATOR, "desk", strong=False),
    }

    told = {}
    for name, capacity in elsewhere.items():
        for move in (
            lambda by=capacity: read_notes(hall.line, by, message_id),
            lambda by=capacity: write_note(hall.line, by, message_id, text="Ikke min"),
        ):
            with pytest.raises((NotFound, NotPermitted)) as refused:
                move()
            told[name] = type(refused.value)

    knows = ("granted", "in an emergency", "an archivist")
    assert told == dict.fromkeys(elsewhere, NotFound) | dict.fromkeys(knows, NotPermitted)
    assert read(hall, hall.kari(), message_id) == [TEXT]


def test_conflict_of_interest_refuses_reading_and_writing_notes(hall: School) -> None:
    message_id = assigned(hall)
    write_note(hall.line, hall.handler(), message_id, text=TEXT)

    hall.conflict("nina", message_id)

    with pytest.raises(NotFound):
        read_notes(hall.line, hall.handler(), message_id)
    with pytest.raises(NotFound):
        write_note(hall.line, hall.handler(), message_id, text=TEXT)


def test_notes_are_refused_to_an_archivist_once_the_content_was_opened(hall: School) -> None:
    message_id = hall.message(MessageState.UNROUTED, unit=None)
    write_note(hall.line, hall.anne(), message_id, text="Ser ut som PPT")
    assert read(hall, hall.anne(), message_id) == ["Ser ut som PPT"]

    with hall.line.store.transaction() as tx:
        tx.get_one(Message, message_id).opened_at = tx.now

    with pytest.raises(NotPermitted):
        read_notes(hall.line, hall.anne(), message_id)


def test_note_by_an_archivist_is_readable_in_the_unit_of_the_message(hall: School) -> None:
    message_id = hall.message(MessageState.RETURNED)
    write_note(hall.line, hall.anne(), message_id, text="Ring avsender")

    assert read(hall, hall.kari(), message_id) == ["Ring avsender"]


# Its own shielding


@pytest.fixture
def cleared(hall: School) -> Iterator[None]:
    """Nina is cleared for code 7 for as long as the test lasts."""
    clearance = Clearance(
        id=new_id(), person="nina", shielding="7", active_from=hall.world.clock.now
    )
    its = clearance.id
    with hall.line.store.transaction() as tx:
        tx.add(clearance)
    yield
    with hall.line.store.transaction() as tx:
        tx.delete(tx.get_one(Clearance, its))


@pytest.mark.usefixtures("cleared")
def test_shielded_note_is_shown_only_to_people_cleared_for_its_code(hall: School) -> None:
    message_id, nina = assigned(hall), hall.handler()
    write_note(hall.line, nina, message_id, text="Åpent")
    hidden = write_note(hall.line, nina, message_id, text=TEXT, shielding="Kode 7")

    assert row(hall, hidden).shielding == "7"
    assert read(hall, nina, message_id) == ["Åpent", TEXT]
    assert read(hall, hall.kari(), message_id) == ["Åpent"]


def test_shielded_note_is_hidden_as_soon_as_the_clearance_ends(hall: School) -> None:
    message_id, nina = assigned(hall), hall.handler()
    write_note(hall.line, nina, message_id, text=TEXT, shielding="13")
    assert read(hall, nina, message_id) == [TEXT]

    try:
        _end_of_clearance(hall, hall.world.clock.now)
        assert read(hall, nina, message_id) == []
    finally:
        _end_of_clearance(hall, None)


def _end_of_clearance(hall: School, until: object) -> None:
    with hall.line.store.transaction() as tx:
        mine = select(Clearance).where(col(Clearance.person) == "nina")
        clearance = tx.exec(mine.where(col(Clearance.shielding) == "13")).one()
        setattr(clearance, "active_until", until)  # noqa: B010 - what the directory would do


@pytest.mark.parametrize("shielding", ["7", "kode 99", "", "  "])
def test_note_shielding_must_be_a_known_code_the_author_is_cleared_for(
    hall: School, shielding: str
) -> None:
    message_id = assigned(hall)

    with pytest.raises(Invalid, match=r"note\.shielding"):
        write_note(hall.line, hall.handler(), message_id, text=TEXT, shielding=shielding)

    assert read(hall, hall.handler(), message_id) == []


# Erased


def test_note_of_an_erased_message_has_no_text_and_new_notes_are_refused(hall: School) -> None:
    message_id = assigned(hall)
    note_id = write_note(hall.line, hall.handler(), message_id, text=TEXT)
    with hall.line.store.transaction() as tx:
        key = tx.get_one(WrappedKey, message_id)
        key.kek_id, key.wrapped, key.destroyed_at = None, None, tx.now

    (found,) = read_notes(hall.line, hall.handler(), message_id)

    assert (found.id, found.text) == (note_id, None)
    with pytest.raises(Conflict, match="erased"):
        write_note(hall.line, hall.handler(), message_id, text=TEXT)
