"""A page costs the same few statements, whatever the number of rows: counted whole per request."""

from pathlib import Path

import pytest

from inbox.domain import MessageState
from inbox.line.desk.queue_filters import Queue, QueueFilters
from inbox.line.desk.saved_views import save_view
from inbox.web.people.pages.done import Deed
from tests.line.desk.desk_world import at, mail, statements
from tests.web.people.access.house import PEOPLE, AccessHouse, Somebody, access_house
from tests.web.people.access.mailbag import Mailbag

_MOST_ON_THE_FRONT_PAGE, _MOST = 20, 12
_MOST_OF_A_READING = 26
"""Of what a person reads, which is decided anew and in the audit before it is shown."""
_MOST_OF_A_CHOICE = 15
"""Where each colleague is decided about, or that one has looked is in the audit."""


def _fill(house: AccessHouse, count: int) -> None:
    for number in range(count):
        mail(house.hall, received_at=at(house.hall, hours=number))
        mail(house.hall, MessageState.ROUTED, received_at=at(house.hall, hours=number))
    for channel in range(count // 4):
        anne = house.hall.anne()
        save_view(house.hall.line, anne, Queue.DISTRIBUTE, QueueFilters(channel=f"c{channel}"))


def _pages(bag: Mailbag, me: Somebody) -> list[str]:
    message, done = bag.id_of("to distribute"), bag.id_of("own unit")
    from_queue = f"/melding/{message}?ko=til-fordeling"
    return [
        "/",
        *(f"/ko/{queue}" for queue in Queue),
        *(me.told(f"/ko/{queue}", Deed.PLACED, done) for queue in Queue),
        "/ko/til-fordeling/velg",
        f"/melding/{message}",
        me.told(from_queue, Deed.PLACED, done),
        me.told("/", Deed.CLOSED, bag.id_of("of archivists")),
        *(f"/melding/{message}/{form}?ko=til-fordeling" for form in ("vent", "notat", "avvisning")),
        f"/melding/{bag.id_of('quarantined')}/kontroll",
        f"/melding/{bag.id_of('unanswered')}/kvittering",
        f"/forsendelse/{bag.id_of('missed')}",
        f"/forslag/{bag.id_of('proposed by another')}",
        f"/oppgave/{bag.id_of('of archivists')}",
        *_in_unit(bag),
        *("/telefon", "/okter", "/kapasitet", "/hjelp", "/logg-inn"),
        *(f"/melding/{bag.id_of('another organisation')}", f"/melding/{bag.id_of('nothing')}"),
    ]


def _in_unit(bag: Mailbag) -> list[str]:
    theirs, offered = f"/melding/{bag.id_of('own unit')}", f"/melding/{bag.id_of('by hand')}"
    forms = ("ikke-var", "registrer", "tildel", "innsyn", "inhabil", "nodtilgang", "tilbake")
    return [
        *("/min-enhet", "/min-enhet?hos=ingen", "/min-enhet?late=1", "/tildelt"),
        *("/min-enhet/vikar", "/min-enhet/tilgang", "/min-enhet/gi-alle/nina"),
        *(theirs, f"{theirs}?liste=tildelt", offered, f"/melding/{bag.id_of('unassigned')}"),
        *(f"{offered}/{form}?liste=min-enhet" for form in forms),
        *(f"{theirs}/dokument/1", f"{theirs}/pakke"),
    ]


def _counted(house: AccessHouse, who: str, address: str) -> tuple[int, str]:
    with statements(house.hall.line.store.engine) as texts:
        house.people[who].get(address)
    asked = [each for each in texts if not each.startswith("BEGIN")]
    return len(asked), "\n".join(asked)


def _most(page: str, who: str) -> int:
    path = page.partition("?")[0]
    last = path.rpartition("/")[2]
    if path == "/":
        return _MOST_ON_THE_FRONT_PAGE
    if last in {"tildel", "innsyn", "tilgang"}:
        return _MOST_OF_A_CHOICE
    is_read = path.startswith("/melding/") and (path.count("/") == 2 or last in {"1", "pakke"})
    return _MOST_OF_A_READING if is_read and who == "handler" else _MOST


@pytest.mark.parametrize(
    "who",
    [
        "archivist",
        *(pytest.param(each, marks=pytest.mark.long) for each in PEOPLE if each != "archivist"),
    ],
)
def test_pages_cost_the_same_few_statements_with_two_rows_and_with_sixty(
    tmp_path: Path, who: str
) -> None:
    with access_house(tmp_path) as house:
        bag = Mailbag(house)
        pages = _pages(bag, house.people[who])
        for page in pages:
            # Read once before: a reading that goes on writes less than one that begins.
            house.people[who].get(page)
        _fill(house, 2)
        few = {page: _counted(house, who, page)[0] for page in pages}
        _fill(house, 58)
        many = {page: _counted(house, who, page)[0] for page in pages}

    assert few == many
    assert few["/"] > 8
    assert {page: count for page, count in many.items() if count > _most(page, who)} == {}
