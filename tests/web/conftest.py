"""The two faces over a real line, and a message on its way to a case system."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from fastapi.testclient import TestClient

from inbox.app import create_app, create_operator_app
from inbox.simulator.arkivmelding import Letter, arkivmelding_xml
from inbox.simulator.packages import Document
from inbox.tables import Delivery, Message
from tests.worlds import World

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
            Letter(),
            title=f"Om {CANARY}",
            case_title=f"Sak om {CANARY}",
            public_title=public_title,
            file_names=(NAME,),
        )
        parcel = {
            "arkivmelding": arkivmelding_xml(letter),
            "documents": (Document(NAME, "application/pdf", CONTENT),),
        }
        wire_id = self.world.send(public_title, parcel=parcel)
        self.world.collect()
        self.world.work()
        return self.world.message(wire_id)


@pytest.fixture
def api(small_world: World) -> Iterator[Api]:
    with TestClient(create_app(small_world.line), raise_server_exceptions=False) as client:
        yield Api(small_world, client)


@pytest.fixture
def operator(small_world: World) -> Iterator[TestClient]:
    app = create_operator_app(small_world.line)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
