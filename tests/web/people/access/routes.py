"""The table of routes: what everybody gets from each, for every thing that it can be about.

`routes.csv` has a row for each route, or for each thing that it can be about, and a column for
each person. What a row says in a word is said in `answer_in_a_word`.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from httpx2 import Response

from inbox.web.people.state_pages import STATE_PAGES
from tests.web.people.access.house import EVERYBODY, AccessHouse
from tests.web.people.access.mailbag import Mailbag

TABLE: Final = Path(__file__).with_name("routes.csv")
FIRST_COLUMNS: Final = ("method", "route", "about")
_TITLES: Final = {f">{page.title}</h1>": name for name, page in STATE_PAGES.items()}
_PLACES: Final = {"/logg-inn": "sign in", "/kapasitet": "choose capacity"}
FORMS: Final[Mapping[str, Mapping[str, str]]] = {
    "/sprak": {"sprak": "nb"},
    "/logg-inn/kode": {"person": "anne", "kode": "x"},
    "/knytt": {"kode": "x"},
    "/kapasitet": {"kapasitet": "x"},
    "/okter": {"okt": "x"},
    "/melding/{message_id}/fordel": {"enhet": "ppt", "versjon": "0"},
    "/melding/{message_id}/angre": {"versjon": "0"},
    "/melding/{message_id}/frigi": {"versjon": "0"},
    "/melding/{message_id}/vent": {"arsak": "sender_asked", "dato": "1.12.2026"},
    "/melding/{message_id}/notat": {"tekst": "Et notat"},
    "/melding/{message_id}/duplikat": {"original": "x", "versjon": "0"},
    "/melding/{message_id}/kontroll": {"versjon": "0"},
    "/melding/{message_id}/avvisning": {"kode": "not_for_us", "grunn": "clear_from_envelope"},
    "/melding/{message_id}/frigivelse": {"grunn": "asked_sender"},
    "/melding/{message_id}/tilbake": {"grunn": "wrong_unit", "versjon": "0"},
    "/melding/{message_id}/kvittering": {"grunn": "sender_asked", "gjor": "send"},
    "/melding/{message_id}/ikke-var": {"grunn": "other_unit", "versjon": "0"},
    "/melding/{message_id}/registrer": {"referanse": "2026/17-3", "versjon": "0"},
    "/melding/{message_id}/tildel": {"til": "nina"},
    "/melding/{message_id}/innsyn": {"til": "nina", "grunn": "expertise", "slutt": "1.12.2026"},
    "/melding/{message_id}/nodtilgang": {
        "grunn": "child_safety",
        "merknad": "Ingen andre er på jobb i natt",
    },
    "/melding/{message_id}/inhabil": {"gjelder": "message"},
    "/melding/{message_id}/be-om-innsyn": {"grunn": "asked_to_advise"},
    "/melding/{message_id}/foresporsler": {"foresporsel": "x", "gjor": "gi", "slutt": "2.12.2026"},
    "/melding/{message_id}/les": {"grunn": "deadline"},
    "/min-enhet/vikar": {
        "borte": "nina",
        "vikar": "lars",
        "fra": "1.12.2026",
        "slutt": "2.12.2026",
    },
    "/forsendelse/{arrival_id}/hent": {"versjon": "0"},
    "/forsendelse/{arrival_id}/oppgi": {"grunn": "sent_again"},
    "/forslag/{proposal_id}/avsla": {"grunn": "ask_first"},
    "/oppgave/{task_id}/lukk": {"grunn": "mended"},
    "/finn": {"q": "x"},
    "/telefon": {"id": "x", "orgnr": "910077473"},
}
"""What a person fills in who wants it done."""


@dataclass(frozen=True, eq=False)
class Row:
    """One row of the table."""

    method: str
    route: str
    """As the app has it, with what the row fills in of it: a queue, or the name of a form."""
    about: str
    expected: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"{self.method} {self.route} {self.about}"


def read_table() -> list[Row]:
    """Every row of the file; several things in one cell are several rows."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(line for line in file if not line.startswith("#")))
    return [
        Row(each["method"], each["route"], about, {who: each[who] for who in EVERYBODY})
        for each in found
        for about in each["about"].split(" / ")
    ]


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    """Every method and path of the app, those of included routers too."""
    return {
        (method, route.path or "")
        for route in iter_route_contexts(app.routes)
        for method in route.methods or {"*"}
    }


def matches(path: str, route: str) -> bool:
    """Whether a row's route is this path of the app, perhaps with something filled in."""
    ours, theirs = route.split("/"), path.split("/")
    return len(ours) == len(theirs) and all(
        mine == each or (each.startswith("{") and each != "{message_id}" and mine != "")
        for mine, each in zip(ours, theirs, strict=True)
    )


def ask(house: AccessHouse, bag: Mailbag, row: Row, who: str) -> Response:
    """Ask for it as this person, with a form that is right."""
    somebody, address = house.people[who], address_of(bag, row)
    if row.method == "GET":
        return somebody.get(address)
    fields = dict(FORMS.get(row.route, {}))
    if row.route == "/finn" and row.about:
        fields["q"] = bag.id_of(row.about)
    return somebody.post(address, fields)


def address_of(bag: Mailbag, row: Row) -> str:
    """The row's route with what it is about."""
    subject = bag.id_of(row.about) if row.about else ""
    return "/".join(subject if part.startswith("{") else part for part in row.route.split("/"))


def answer_in_a_word(answer: Response) -> str:
    """`page`, `done` (and on to another page), `again` (the form, with what is wrong), or why not.

    The other words are those of `STATE_PAGES`, *sign in* and *choose capacity*.
    """
    if answer.status_code in {302, 303, 307}:
        path = answer.headers["location"].partition("?")[0]
        return _PLACES.get(path, "done" if path.startswith("/") else "to the provider")
    text = answer.text.replace("\xa0", " ")
    states = [name for title, name in _TITLES.items() if title in text]
    if states:
        return states[0]
    words = {200: "page", 422: "again", 403: "refused"}
    return words.get(answer.status_code, str(answer.status_code))


def walk(house: AccessHouse, bag: Mailbag, rows: list[Row]) -> Iterator[tuple[Row, str, Response]]:
    """Every row as everybody; what was done is done with something new the next time."""
    for row in rows:
        for who in EVERYBODY:
            answer = ask(house, bag, row, who)
            if answer_in_a_word(answer) == "done" and row.about:
                bag.used(row.about)
            yield row, who, answer
