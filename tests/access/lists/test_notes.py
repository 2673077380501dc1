"""Which notes somebody is shown: of the one message, the oldest first, by their own shielding."""

from datetime import timedelta

from inbox.access import Capacity, Role
from inbox.access.lists.pages import visible_notes
from inbox.domain import MessageState, new_id
from inbox.tables import Message, Note
from tests.access.town import BEFORE, NOW, Town


def written(town: Town, message: Message, number: int, shielding: str | None = None) -> str:
    row = Note(
        id=new_id(),
        message_id=message.id,
        number=number,
        person="kari",
        role=Role.HANDLER.value,
        unit="bv",
        shielding=shielding,
        sealed_text=b"",
        written_at=NOW,
    )
    return town.add(row).id


def shown(town: Town, capacity: Capacity, message: Message) -> list[str]:
    return [
        row.id for row in town.session.execute(visible_notes(capacity, NOW, message.id)).scalars()
    ]


def test_notes_of_one_message_are_listed_in_order_of_number(
    town_on_each_database: Town,
) -> None:
    town = town_on_each_database
    kari = town.capacity("kari", Role.HANDLER, "bv")
    message, other = town.message(), town.message()
    second, first = written(town, message, 2), written(town, message, 1)
    written(town, other, 1)

    assert shown(town, kari, message) == [first, second]


def test_shielded_note_requires_an_active_clearance_for_the_code_of_the_note(
    town_on_each_database: Town,
) -> None:
    town = town_on_each_database
    people = {name: town.capacity(name, Role.HANDLER, "bv") for name in ("kari", "ola", "lise")}
    message = town.message(MessageState.ROUTED)
    message.shielding = "26"
    town.add(message)
    town.clear("kari", "13")
    town.clear("lise", "26")
    over = town.clear("ola", "13")
    over.active_from, over.active_until = BEFORE, NOW
    town.add(over)
    plain, shielded = written(town, message, 1), written(town, message, 2, "13")

    assert {name: shown(town, each, message) for name, each in people.items()} == {
        "kari": [plain, shielded],
        "ola": [plain],
        "lise": [plain],
    }


def test_a_case_system_is_shown_no_shielded_note(town: Town) -> None:
    message = town.message()
    plain, _ = written(town, message, 1), written(town, message, 2, "13")

    assert shown(town, town.system("acos"), message) == [plain]


def test_shielded_note_is_listed_from_the_first_moment_of_the_clearance(town: Town) -> None:
    kari, message = town.capacity("kari", Role.HANDLER, "bv"), town.message()
    shielded = written(town, message, 1, "13")
    clearance = town.clear("kari", "13")
    clearance.active_from = NOW + timedelta(microseconds=1)
    town.add(clearance)

    assert shown(town, kari, message) == []
    clearance.active_from = NOW
    town.add(clearance)
    assert shown(town, kari, message) == [shielded]
