"""Real answers of the API, made by a real line; ids, digests and serials are always the same.

`python -m tests.web.answer_examples` writes them where the API description and the page for vendors
take them from.
"""

import json
import re
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from fastapi.testclient import TestClient

from inbox.access.policy.vocabulary import Role
from inbox.app import create_app
from inbox.casesystem import DeliveryEvent
from inbox.casesystem.webhook import event_body
from inbox.errors import InboxError, NotPermitted, Unavailable
from inbox.line.moves import unit
from inbox.simulator.packages.arkivmelding import ArkivmeldingLetter, arkivmelding_xml
from inbox.web.problems import problem_response
from tests.databases import sqlite_database
from tests.worlds import World, world

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "inbox" / "web" / "answer_examples.json"
PAGE = ROOT / "docs" / "answers.md"
BLOCK = re.compile(r"(<!-- example: (\w+) (\w+) -->\n```json\n)(.*?)(\n```)", re.DOTALL)
"""An example on the page: its operation and its status."""
Examples = dict[str, dict[str, Any]]
_PATH: Final = "/api/v1/deliveries"
_DELIVERY: Final = "8b1f0c5e6d7a4f3b9c2d1e0f8a7b6c5d"
_ENTRY: Final = {"reference": "2026/001234-1"}


def real_answers(of: World, client: TestClient) -> Examples:
    """Every answer of the API, by operation and status."""
    key = {"authorization": f"Bearer {of.keys['sak'][0]}"}
    message_id, told = _described(of, client, key)
    return {
        **told,
        **_words(of, client, key, message_id),
        "problems": _problems(of, client, key, message_id),
        "event": {"post": json.loads(_event())},
    }


def _described(of: World, client: TestClient, key: Mapping[str, str]) -> tuple[str, Examples]:
    message_id = _offered(of)
    listed = client.get(_PATH, headers=key).json()
    found = client.get(f"{_PATH}/{of.delivery(message_id).id}", headers=key).json()
    fixed = {
        found["delivery_id"]: _DELIVERY,
        found["message_id"]: "3c9e1d7a5b204f6e8d0c2b4a69788756",
        found["wire_id"]: "4f9c2b1a-7d3e-4c5f-8a6b-1e2d3c4b5a69",
        found["conversation_id"]: "a17d5e2c-3b4f-4d6a-9c8e-7f0b1a2d3c4e",
        found["package"]["sha256"]: "5f" * 32,
        found["verdict"]["signers"][0]["serial"]: "1d2fcbb2548323054c6c7bb32a64e73ab726d7d2",
    }
    found["package"]["size"] = 6144
    text = json.dumps([listed, found], ensure_ascii=False)
    for real, example in fixed.items():
        text = text.replace(str(real), example)
    page, delivery = json.loads(text)
    return message_id, {
        "list_deliveries": {"200": page},
        "collect_delivery": {"200": delivery},
    }


def _words(of: World, client: TestClient, key: Mapping[str, str], message_id: str) -> Examples:
    first = f"{_PATH}/{of.delivery(message_id).id}"
    refused = f"{_PATH}/{of.delivery(_offered(of)).id}"
    late = [f"{_PATH}/{_withdrawn(of)}" for _ in range(2)]
    no = {"code": "journaldato.missing", "text": "Journaldato mangler"}
    return {
        "say_accepted": {
            "200": client.post(f"{first}/accepted", headers=key).json(),
            "202": client.post(f"{late[0]}/accepted", headers=key).json(),
        },
        "say_registered": {
            "200": client.post(f"{first}/registered", headers=key, json=_ENTRY).json(),
            "repeated": client.post(f"{first}/registered", headers=key, json=_ENTRY).json(),
            "202": client.post(f"{late[0]}/registered", headers=key, json=_ENTRY).json(),
        },
        "say_refused": {
            "200": client.post(f"{refused}/refused", headers=key, json=no).json(),
            "202": client.post(f"{late[1]}/refused", headers=key, json=no).json(),
        },
    }


def _problems(
    of: World, client: TestClient, key: Mapping[str, str], message_id: str
) -> dict[str, Any]:
    """A problem of each status; `message_id` is registered."""
    word = f"{_PATH}/{of.delivery(message_id).id}/registered"
    typed = {**key, "content-type": "application/json"}
    form = {**key, "content-type": "application/x-www-form-urlencoded"}
    asked = [
        client.post(word, headers=typed, content=b"{'reference': '2026/001234-1'}"),
        client.get(_PATH),
        client.get(f"{_PATH}/{'0' * 32}", headers=key),
        client.put(_PATH, headers=key),
        client.post(word, headers=key, json={"reference": "2026/009999-1"}),
        client.post(word, headers=typed, content=b" " * 70_000),
        client.post(word, headers=form, content=json.dumps(_ENTRY)),
        client.post(word, headers=key, json={"referanse": "2026/001234-1"}),
    ]
    made: list[InboxError] = [
        NotPermitted("not_permitted"),
        InboxError("internal"),
        Unavailable("vault.io"),
    ]
    found = [
        *(answer.json() for answer in asked),
        *(json.loads(bytes(problem_response(error).body)) for error in made),
    ]
    return {str(each["status"]): each for each in sorted(found, key=lambda each: each["status"])}


def _offered(of: World) -> str:
    """A message whose delivery stands open; its id."""
    wire_id = of.send("Melding om barnevern", parcel={"arkivmelding": example_arkivmelding()})
    of.collect()
    of.work()
    return of.message(wire_id).id


def _withdrawn(of: World) -> str:
    message_id = _offered(of)
    message = next(each for each in of.messages() if each.id == message_id)
    anne = of.person("anne", Role.ARCHIVIST, "desk")
    delivery_id = of.delivery(message.id).id
    unit.withdraw(of.line, anne, message.id, expected_version=message.version, reason="Feil enhet")
    return delivery_id


def example_arkivmelding() -> bytes:
    """The arkivmelding that the example of a delivery was read from."""
    return arkivmelding_xml(
        ArkivmeldingLetter(
            public_title="Melding om barnevern",
            receiver_person="Saks Behandler",
            at=datetime(2026, 11, 19, 9, 5, tzinfo=UTC),
        )
    )


def _event() -> bytes:
    return event_body(
        DeliveryEvent(
            id="5e0c7a91b2d34f68a0c1e2d3f4b5a697",
            kind="no.inbox.delivery.offered.v1",
            organisation="910075918",
            delivery_id=_DELIVERY,
            occurred_at=datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
        )
    )


def page_with(text: str, examples: Examples) -> str:
    """The page with these examples in its blocks."""

    def block(found: "re.Match[str]") -> str:
        value = examples[found[2]][found[3]]
        return found[1] + json.dumps(value, indent=1, ensure_ascii=False) + found[5]

    return BLOCK.sub(block, text)


def main() -> None:
    """Write the examples anew."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with world(sqlite_database(folder), folder) as made:
            client = TestClient(create_app(made.line), raise_server_exceptions=False)
            examples = real_answers(made, client)
    KEPT.write_text(json.dumps(examples, indent=1, ensure_ascii=False) + "\n", "utf-8")
    PAGE.write_text(page_with(PAGE.read_text("utf-8"), examples), "utf-8")


if __name__ == "__main__":
    main()
