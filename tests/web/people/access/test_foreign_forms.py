"""A form from elsewhere, another session or for another action is refused and changes nothing."""

from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.line.desk.desk_world import statements
from tests.web.people.access.house import OURS, AccessHouse, Somebody, access_house
from tests.web.people.access.mailbag import Mailbag
from tests.web.people.access.routes import FORMS, Row, address_of, answer_in_a_word, read_table

Sent = tuple[Mapping[str, str], Mapping[str, str]]
"""What is added to a form that is right, and the headers."""
TOKENLESS = {"/sprak", "/logg-inn/kode", "/knytt", "/komponenter"}
"""Forms of people who are not signed in: there the browser's word is all there is."""
_ATTACKS: Mapping[str, Callable[[AccessHouse, Somebody, str], Sent]] = {
    "no token": lambda house, me, address: ({}, OURS),
    "another session's token": lambda house, me, address: (
        {"_skjema": house.people["leader"].token(address)},
        OURS,
    ),
    "another action's token": lambda house, me, address: ({"_skjema": me.token("/annet")}, OURS),
    "a token with a later time": lambda house, me, address: (
        {"_skjema": "f" + me.token(address)},
        OURS,
    ),
    "cross-site": lambda house, me, address: (
        {"_skjema": me.token(address)},
        {"sec-fetch-site": "cross-site"},
    ),
    "same-site": lambda house, me, address: (
        {"_skjema": me.token(address)},
        {"sec-fetch-site": "same-site"},
    ),
    "foreign origin": lambda house, me, address: (
        {"_skjema": me.token(address)},
        {"origin": "https://annen.example.no"},
    ),
    "null origin": lambda house, me, address: ({"_skjema": me.token(address)}, {"origin": "null"}),
    "neither header": lambda house, me, address: ({"_skjema": me.token(address)}, {}),
}
_OF_TOKENS = {name for name in _ATTACKS if "token" in name}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccessHouse]:
    with access_house(tmp_path_factory.mktemp("forms")) as made:
        yield made


@pytest.fixture(scope="module")
def bag(house: AccessHouse) -> Mailbag:
    return Mailbag(house)


def _forms() -> list[Row]:
    """Each POST of the table about the first thing that it can be about, unless it is none."""
    rows = [each for each in read_table() if each.method == "POST" and "/x" not in each.route]
    found = {row.route: row for row in reversed(rows)}
    return sorted(found.values(), key=lambda row: row.route)


@pytest.mark.parametrize("attack", _ATTACKS)
def test_foreign_form_is_refused_and_changes_nothing(
    house: AccessHouse, bag: Mailbag, attack: str
) -> None:
    archivist, wrong = house.people["archivist"], []
    for row in _forms():
        if row.route in TOKENLESS and attack in _OF_TOKENS:
            continue
        address = address_of(bag, row)
        more, headers = _ATTACKS[attack](house, archivist, address)
        fields = {"felt": "så det er et skjema", **FORMS.get(row.route, {}), **more}
        with statements(house.hall.line.store.engine) as texts:
            answer = archivist.send(address, fields, **headers)
        changes = [each for each in texts if each.startswith(("INSERT", "UPDATE", "DELETE"))]
        if answer_in_a_word(answer) != "foreign" or changes:
            wrong.append((row.name, answer.status_code, changes))

    assert len(_forms()) >= 25
    assert wrong == []


def test_same_forms_change_something_when_they_are_ours(house: AccessHouse, bag: Mailbag) -> None:
    archivist, changed = house.people["archivist"], set()
    for row in _forms():
        if row.route == "/logg-ut":
            continue
        with statements(house.hall.line.store.engine) as texts:
            archivist.post(address_of(bag, row), FORMS.get(row.route, {}))
        if any(each.startswith(("INSERT", "UPDATE", "DELETE")) for each in texts):
            changed.add(row.route)
            bag.used(row.about)

    assert changed >= {
        "/melding/{message_id}/fordel",
        "/melding/{message_id}/vent",
        "/melding/{message_id}/notat",
        "/melding/{message_id}/avvisning",
        "/forslag/{proposal_id}/godkjenn",
        "/forsendelse/{arrival_id}/hent",
        "/visning/{view_id}/fjern",
        "/oppgave/{task_id}/lukk",
        "/sprak",
    }
