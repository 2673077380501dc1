"""The people's app with its real line, and people of every role in sessions that are rows."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from inbox.access.lists.recheck import Recheck
from inbox.directory import import_agreed
from inbox.directory.apply import lock_directory
from inbox.directory.format.toml_file import read_directory
from inbox.directory.identity_rows import bind_identity, identity_hash
from inbox.line import Terms
from inbox.sign_in import sessions
from inbox.sign_in.desk import SignInDesk
from inbox.tables import CapacityRow
from inbox.web.people.app import create_people_app
from inbox.web.people.forms import form_token
from inbox.web.people.language_choice import language_of
from inbox.web.people.pages.done import Deed, done_query
from inbox.web.people.request_rate import SESSION_COOKIE
from inbox.web.people.sign_in.visitors import visitor_for
from inbox.web.people.site import PeopleSite
from inbox.web.people.visitor import Visitor
from tests.databases import sqlite_database
from tests.line.school import School, school
from tests.sign_in.office import office

PUBLIC: Final = "https://innboks.example.no"
OURS: Final = {"sec-fetch-site": "same-origin"}
PEOPLE: Final = {
    "archivist": ("anne", "archivist", "desk"),
    "handler": ("nina", "handler", "skole"),
    "leader": ("kari", "leader", "skole"),
    "security_reviewer": ("siv", "security_reviewer", "desk"),
    "policy_editor": ("pia", "policy_editor", "desk"),
    "operator": ("odd", "operator", "desk"),
    "records_manager": ("rita", "records_manager", "desk"),
}
"""Who acts in each role: the handler and the leader are the school's."""
ANONYMOUS, EXPIRED, NO_CAPACITY = "anonymous", "expired", "no_capacity"
EVERYBODY: Final = (*PEOPLE, ANONYMOUS, EXPIRED, NO_CAPACITY)
_MORE_PEOPLE = b"""
organisation = "910075918"
[[person]]
id = "rita"
name = "Rita Arkivleder"
[[capacity]]
person = "rita"
unit = "desk"
role = "records_manager"
"""
_CHANGES: Final = (
    re.compile(r'(name="_skjema" value=")[^"]*'),
    re.compile(r"(gjort=[a-z-]+\.[^.]+\.)[\w-]{24}"),
    re.compile(r"(<code>)[0-9a-f]{8}(?=</code>)"),
    re.compile(r"\d{2}[:.]\d{2}"),
)


@dataclass
class Somebody:
    """One person at a browser of their own."""

    house: "AccessHouse"
    client: TestClient
    cookie: str = ""

    def get(self, address: str, **headers: str) -> Response:
        """Ask for a page as the browser does, without following where it leads."""
        return self.client.get(address, headers=headers, follow_redirects=False)

    def post(self, address: str, fields: Mapping[str, str], **headers: str) -> Response:
        """Send a form of ours, with a token that is right and a second old."""
        return self.send(address, {"_skjema": self.token(address), **fields}, **OURS | headers)

    def send(self, address: str, fields: Mapping[str, str], **headers: str) -> Response:
        """Send just these fields and headers."""
        return self.client.post(address, data=dict(fields), headers=headers, follow_redirects=False)

    def told(self, address: str, deed: Deed, row_id: str) -> str:
        """The address of a page that says that this person has just done something."""
        visitor = self.visitor()
        assert visitor is not None
        [(name, value)] = done_query(visitor, deed, row_id).items()
        return f"{address}{'&' if '?' in address else '?'}{name}={value}"

    def token(self, address: str) -> str:
        """The token of a form for this action that was made a second ago; none for a stranger."""
        visitor = self.visitor()
        if visitor is None:
            return ""
        a_second_ago = self.house.hall.world.clock.now - timedelta(seconds=1)
        return form_token(visitor, address.partition("?")[0], a_second_ago)

    def visitor(self) -> Visitor | None:
        """As the pages know this person now."""
        line = self.house.hall.line
        with line.store.reading() as tx:
            session = sessions.read_session(tx, tx.now, self.cookie)
        if session is None:
            return None
        language = language_of(_Plain(), session.language)  # type: ignore[arg-type]
        return visitor_for(line, session, language)


class _Plain:
    """A request of a browser that says nothing."""

    cookies: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}


@dataclass
class AccessHouse:
    """A school with its mail, and the pages of the body that it belongs to."""

    hall: School
    app: FastAPI
    desk: SignInDesk
    people: dict[str, Somebody]

    def begin(self, person: str, role: str = "", unit: str = "") -> Somebody:
        """Sign a person in, whose identity is bound; in a capacity, if one is named."""
        line = self.hall.line
        issuer = self.desk.providers["p"].terms.issuer
        with line.store.transaction() as tx:
            lock_directory(tx)
            hashed = identity_hash(line.keyring, issuer, f"sub:{person}")
            identity = bind_identity(
                tx, person, issuer=issuer, subject_hash=hashed, bound_by="import"
            )
            word = sessions.ProviderWord(provider="p", issuer=issuer, identity=identity.id)
            cookie = sessions.begin_session(tx, person, word=word, strong=True)
            tx.flush()
            session = sessions.read_session(tx, tx.now, cookie)
            assert session is not None
            if role:
                choices = sessions.capacities_of(tx, tx.now, person)
                [chosen] = [
                    each.id
                    for each in choices
                    if (each.role, tx.get_one(CapacityRow, each.id).unit) == (role, unit)
                ]
                sessions.choose_capacity(tx, session.id, person, chosen)
        somebody = self.stranger()
        somebody.cookie = cookie
        somebody.client.cookies.set(SESSION_COOKIE, cookie)
        return somebody

    def stranger(self) -> Somebody:
        """Somebody who is not signed in."""
        return Somebody(self, TestClient(self.app, base_url=PUBLIC, raise_server_exceptions=False))


@contextmanager
def access_house(folder: Path) -> Iterator[AccessHouse]:
    """A house where everybody has come in; nothing is sampled, so that statements are the same."""
    with school(sqlite_database(folder), folder) as hall:
        world = hall.world
        world.edited = True
        terms = Terms(min_free_bytes=0)
        world.line = replace(world.line, recheck=Recheck(0), terms=terms)
        with world.line.store.transaction() as tx:
            import_agreed(world.line, tx, read_directory(_MORE_PEOPLE), approved_by="a+b")
        with office(world) as there:
            site = PeopleSite(
                public_url=PUBLIC,
                organisation="Vestre Fjord kommune",
                is_demo=True,
                requests_per_minute=10**9,
                clock=world.clock.sim,
            )
            desk = replace(there.desk, public_url=PUBLIC)
            app = create_people_app(world.line, site, desk)
            house = AccessHouse(hall, app, desk, {})
            house.people[EXPIRED] = house.begin("bjorn", "archivist", "desk")
            world.clock.advance(sessions.IDLE)
            house.people |= {who: house.begin(*named) for who, named in PEOPLE.items()}
            house.people[NO_CAPACITY] = house.begin("ola")
            house.people[ANONYMOUS] = house.stranger()
            yield house
            for each in house.people.values():
                each.client.close()


def same(answer: Response, *names: str) -> str:
    """An answer with its headers, without tokens, times, request ids, and these names."""
    headers = "\n".join(
        f"{name}: {value}" for name, value in answer.headers.items() if name != "content-length"
    )
    text = f"{answer.status_code}\n{headers}\n{answer.text}"
    for name in names:
        text = text.replace(name, "*")
    for change in _CHANGES:
        text = change.sub(lambda found: (found[1] if found.re.groups else "") + "*", text)
    return text
