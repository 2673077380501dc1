"""Worlds that differ in what a person may not see give the same bytes, by the same statements."""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest
from httpx2 import Response

from inbox.domain import MessageState, PersonId, TaskState, new_id
from inbox.line.desk.queue_filters import Queue
from inbox.line.desk.short_reference import short_reference_of
from inbox.line.moves import unit
from inbox.line.moves.registration import data_key
from inbox.tables import Message, Task
from inbox.web.people.pages.done import Deed
from inbox.web.people.pages.unit.forms import UNIT_FORMS
from tests.line.desk.desk_world import arrival, fill, mail, statements
from tests.web.people.access.house import PEOPLE, AccessHouse, Somebody, access_house, same
from tests.web.people.access.mailbag import THEIRS, Mailbag
from tests.worlds import OURS, SENDER

Said = dict[str, tuple[int, str]]
"""By who and what was asked: the number of statements, and the answer."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[AccessHouse]:
    with access_house(tmp_path) as made:
        yield made


def _pages(seen: list[str]) -> list[str]:
    return [
        "/",
        *(f"/ko/{queue}" for queue in Queue),
        f"/ko/til-fordeling?sender={SENDER}",
        "/ko/til-fordeling?late=1",
        "/ko/til-fordeling/velg",
        "/telefon",
        *(f"/melding/{each}" for each in seen),
        *(f"/melding/{each}?ko=til-fordeling" for each in seen),
        *(f"/melding/{each}/avvisning" for each in seen),
        *("/min-enhet", "/min-enhet?hos=ingen", "/min-enhet?late=1", "/min-enhet?ferdig=1"),
        *("/tildelt", "/min-enhet/vikar", "/min-enhet/gi-alle/nina"),
        *(f"/melding/{each}?liste=min-enhet" for each in seen),
        *(f"/melding/{each}/{form}" for each in seen[:1] for form in UNIT_FORMS),
    ]


def _everything(house: AccessHouse, seen: list[str], people: list[str]) -> Said:
    """Each page as each of these, twice: so that each has had it in hand before."""
    said: Said = {}
    for who in [*people, *people]:
        for page in _pages(seen):
            said[f"{who} {page}"] = _told(house, partial(house.people[who].get, page))
    return said


def _told(house: AccessHouse, ask: Callable[[], Response], *names: str) -> tuple[int, str]:
    with statements(house.hall.line.store.engine) as texts:
        answer = ask()
    return len(texts), same(answer, *names)


def _asked_for(
    house: AccessHouse, subject: str, wire_id: str, people: Iterable[str] = PEOPLE
) -> Said:
    """What is asked by an id, with the id itself taken out of the answers."""
    reference = short_reference_of(subject)
    names = (subject, wire_id, reference, reference.replace("-", "\u2011"))
    said: Said = {}
    for who in people:
        for what, answer in _asks(house.people[who], subject, wire_id).items():
            said[f"{who} {what}"] = _told(house, answer, *names)
    return said


def _asks(me: Somebody, subject: str, wire_id: str) -> dict[str, Callable[[], Response]]:
    reference = short_reference_of(subject)
    pages = {
        "message": f"/melding/{subject}",
        "form": f"/melding/{subject}/avvisning",
        "notes": f"/melding/{subject}/notat",
        "arrival": f"/forsendelse/{subject}",
        "proposal": f"/forslag/{subject}",
        "task": f"/oppgave/{subject}",
        "document": f"/melding/{subject}/dokument/1",
        "package": f"/melding/{subject}/pakke",
        "in a list": f"/melding/{subject}?liste=tildelt",
        **{f"form {form}": f"/melding/{subject}/{form}" for form in UNIT_FORMS},
        "done": me.told("/ko/til-fordeling", Deed.PLACED, subject),
    }
    forms = {
        "reference": ("/finn", {"q": reference}),
        "id": ("/finn", {"q": subject}),
        "caller": ("/telefon", {"id": wire_id, "orgnr": SENDER}),
        "distribute": (f"/melding/{subject}/fordel", {"enhet": "ppt", "versjon": "0"}),
        "take": (f"/melding/{subject}/ta", {}),
        "collect": (f"/melding/{subject}/hent", {"versjon": "0"}),
        "read": (f"/melding/{subject}/les", {"grunn": "deadline"}),
        "end": (f"/min-enhet/tilgang/{subject}/avslutt", {}),
        "give": ("/min-enhet/tildel", {"til": "lars", "melding": subject}),
        **{f"do {form}": (f"/melding/{subject}/{form}", {}) for form in UNIT_FORMS},
        "several": ("/ko/til-fordeling/fordel", {"enhet": "ppt", "melding": f"{subject}.0"}),
    }
    return {
        **{what: partial(me.get, address) for what, address in pages.items()},
        **{what: partial(me.post, *form) for what, form in forms.items()},
    }


def _differences(first: Said, second: Said) -> list[str]:
    assert first.keys() == second.keys()
    return [name for name in first if first[name] != second[name]]


@pytest.mark.long
def test_mail_of_another_organisation_changes_no_page(house: AccessHouse) -> None:
    Mailbag(house)
    seen = fill(house.hall, OURS)[:4]
    _everything(house, seen, list(PEOPLE))
    before = _everything(house, seen, list(PEOPLE))

    hidden = fill(house.hall, THEIRS)

    assert _differences(before, _everything(house, seen, list(PEOPLE))) == []
    with house.hall.line.store.reading() as tx:
        wire_id = tx.get_one(Message, hidden[0]).wire_id
    missing = _asked_for(house, new_id(), new_id())
    assert _differences(missing, _asked_for(house, hidden[0], wire_id)) == []
    theirs = arrival(house.hall, organisation=THEIRS)
    assert _differences(missing, _asked_for(house, theirs, new_id())) == []
    # The pair sees: what is ours does change pages.
    mail(house.hall)
    assert "archivist /ko/til-fordeling" in _differences(
        before, _everything(house, seen, list(PEOPLE))
    )


@pytest.mark.long
def test_message_in_conflict_of_interest_changes_no_page_of_those_in_conflict(
    house: AccessHouse,
) -> None:
    people = ["handler", "leader", "security_reviewer", "policy_editor"]
    before = _everything(house, [], people)

    hidden = _with_tasks(house)
    for person in ("nina", "kari"):
        house.hall.conflict(person, hidden)

    assert _differences(before, _everything(house, [], people)) == []
    _with_tasks(house)
    after = _differences(before, _everything(house, [], people))
    assert {name for name in after if name.endswith(" /")} == {"handler /", "leader /"}


@pytest.mark.long
@pytest.mark.parametrize(
    "difference", ["another unit", "shielding", "with a colleague", "conflict"]
)
def test_message_that_a_handler_may_not_list_is_as_if_it_were_not(
    house: AccessHouse, difference: str
) -> None:
    people = ["handler"]
    before = _everything(house, [], people)
    missing = _asked_for(house, new_id(), new_id(), people)

    unit_id = "bv" if difference == "another unit" else "skole"
    shielding = "hemmelig" if difference == "shielding" else None
    hidden = mail(house.hall, MessageState.ROUTED, unit=unit_id, shielding=shielding)
    if difference == "with a colleague":
        unit.assign(house.hall.line, house.hall.kari(), hidden, to=PersonId("lars"))
    if difference == "conflict":
        house.hall.conflict("nina", hidden)

    assert _differences(before, _everything(house, [], people)) == []
    with house.hall.line.store.reading() as tx:
        wire_id = tx.get_one(Message, hidden).wire_id
    assert _differences(missing, _asked_for(house, hidden, wire_id, people)) == []
    # The pair sees: what may be listed changes the list.
    mail(house.hall, MessageState.ROUTED)
    assert "handler /min-enhet" in _differences(before, _everything(house, [], people))


def _with_tasks(house: AccessHouse) -> str:
    message_id = mail(house.hall, MessageState.ROUTED)
    with house.hall.line.store.transaction() as tx:
        for kind, role in (("collect", "handler"), ("release", "leader")):
            tx.add(
                Task(
                    id=new_id(),
                    kind=kind,
                    subject_id=message_id,
                    message_id=message_id,
                    role=role,
                    unit="skole",
                    state=TaskState.OPEN,
                    opened_at=tx.now,
                )
            )
    return message_id


@pytest.mark.long
def test_other_titles_names_and_documents_change_no_page(house: AccessHouse) -> None:
    people = [each for each in PEOPLE if each not in {"handler", "leader"}]
    seen = fill(house.hall, OURS)
    _everything(house, seen, list(PEOPLE))
    before = _everything(house, seen, list(PEOPLE))

    for message_id in seen[:-1]:
        _write_anew(house, message_id)

    after = _everything(house, seen, list(PEOPLE))
    assert {each.partition(" ")[0] for each in _differences(before, after)}.isdisjoint(people)
    assert "leader /min-enhet" in _differences(before, after)


def _write_anew(house: AccessHouse, message_id: str) -> None:
    """Another title, case, party and name for what it holds; as many of the same kinds."""
    line = house.hall.line
    with line.store.transaction() as tx:
        key, message = data_key(tx, line, message_id), tx.get_one(Message, message_id)
        for column in ("sealed_metadata", "sealed_archive", "sealed_documents"):
            place = {"table": "message", "column": column, "row": message_id}
            text = key.unseal(getattr(message, column), **place).decode()
            assert "Kanarifugl" in text
            other = text.replace("Kanarifugl", "Et ganske annet og mye lengre ord 17057512345")
            json.loads(other)
            setattr(message, column, key.seal(other.encode(), **place))
