"""The people's app over a real line: in process, and over HTTP with a real browser."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from playwright.sync_api import Browser

from inbox.line import Line
from inbox.web.people.app import create_people_app
from inbox.web.people.site import PeopleSite
from tests.databases import sqlite_database
from tests.web.people.chromium import started_browser
from tests.web.people.served_pages import ServedPages, served_pages
from tests.web.people.stand_in import HandClock, SignedInAs
from tests.worlds import world

OURS = {"sec-fetch-site": "same-origin"}


@dataclass
class Pages:
    """The app, as one person at a time sees it."""

    app: FastAPI
    clock: HandClock
    client: TestClient
    signed_in: SignedInAs

    def get(self, address: str, **more: str) -> Response:
        return self.client.get(address, headers=more)

    def post(self, address: str, fields: dict[str, str], **more: str) -> Response:
        headers = {**OURS, **more}
        return self.client.post(address, data=fields, headers=headers, follow_redirects=False)

    def token(self, address: str) -> str:
        """The token of the last form of a page, which is made anew with the page."""
        return self.get(address).text.rpartition('name="_skjema" value="')[2].partition('"')[0]


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    folder = tmp_path_factory.mktemp("people")
    with world(sqlite_database(folder), folder) as made:
        yield made.line


@pytest.fixture
def site() -> PeopleSite:
    return PeopleSite(
        public_url="https://innboks.example.no",
        organisation="Vestre Fjord kommune",
        is_demo=True,
        clock=HandClock(),
    )


@pytest.fixture
def pages(line: Line, site: PeopleSite) -> Iterator[Pages]:
    app = create_people_app(line, site)
    signed_in = SignedInAs(app)
    assert isinstance(site.clock, HandClock)
    with TestClient(
        signed_in, base_url="https://innboks.example.no", raise_server_exceptions=False
    ) as client:
        yield Pages(app, site.clock, client, signed_in)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started_browser() as started:
        yield started


@pytest.fixture(scope="module")
def served(line: Line) -> Iterator[ServedPages]:
    with served_pages(line) as served:
        yield served
