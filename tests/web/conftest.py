"""The two faces over a real line, and a message on its way to a case system."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from inbox.app import create_app, create_operator_app
from inbox.domain import DeliveryState
from inbox.simulator.packages.arkivmelding import ArkivmeldingLetter, arkivmelding_xml
from inbox.simulator.packages.builder import ParcelDocument
from inbox.tables import Delivery, Message
from tests.databases import sqlite_database
from tests.worlds import World, world

CANARY = "Kanarifugl"
"""Stands in every title, name and file name: where it turns up, something leaks."""
NAME = f"{CANARY} æ “ny”.pdf"
CONTENT = b"%PDF-1.7 " + CANARY.encode() + hashlib.shake_256(b"seed").digest(400_000)
"""Does not shrink: more than one chunk, packed or not."""


@dataclass
class Api:
    """The case systems' API, as one case system at a time sees it."""

    world: World
    client: TestClient
    path: str = field(default="/api/v1/deliveries")

    def headers(self, system: str = "sak") -> dict[str, str]:
        return {"authorization": f"Bearer {self.world.keys[system][0]}"}

    def offered(self, public_title: str = "Melding om barnevern") -> Delivery:
        """A message that a case system may collect: `sak` unless the title says otherwise."""
        return self.world.delivery(self.message(public_title).id)

    def message(self, public_title: str) -> Message:
        letter = replace(
            ArkivmeldingLetter(),
            title=f"Om {CANARY}",
            case_title=f"Sak om {CANARY}",
            public_title=public_title,
            file_names=(NAME,),
        )
        parcel = {
            "arkivmelding": arkivmelding_xml(letter),
            "documents": (ParcelDocument(NAME, "application/pdf", CONTENT),),
        }
        wire_id = self.world.send(public_title, parcel=parcel)
        self.world.collect()
        self.world.work()
        return self.world.message(wire_id)


@dataclass
class Still:
    """A delivery that stands open, and the API that it can be asked for at."""

    api: Api
    delivery: Delivery

    def address(self, end: str = "") -> str:
        return f"{self.api.path}/{self.delivery.id}{end}"

    def post(self, word: str, **request: Any) -> Response:
        headers = {**self.api.headers(), **request.pop("headers", {})}
        return self.api.client.post(self.address(f"/{word}"), headers=headers, **request)

    def stands_open(self) -> bool:
        return self.api.world.delivery(self.delivery.message_id).state is DeliveryState.OPEN


@pytest.fixture
def api(small_world: World) -> Iterator[Api]:
    with _client(small_world) as client:
        yield Api(small_world, client)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    """Shared by the tests of a module that change nothing in it."""
    folder = tmp_path_factory.mktemp("still")
    with world(sqlite_database(folder), folder) as made, _client(made) as client:
        shared = Api(made, client)
        yield Still(shared, shared.offered())


def _client(made: World) -> TestClient:
    return TestClient(create_app(made.line), raise_server_exceptions=False)


@pytest.fixture
def operator(small_world: World) -> Iterator[TestClient]:
    app = create_operator_app(small_world.line)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
