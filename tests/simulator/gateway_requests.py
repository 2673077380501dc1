"""Short ways to ask the simulated gateway and to look at its answers."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import httpx

from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.packages.envelopes import sbd_json

IN = "/api/messages/in"
OUT = "/api/messages/out"
Body = dict[str, Any]


def answer_of(response: httpx.Response) -> tuple[int, str]:
    """Status and the simple name of the exception in the error body."""
    body: Mapping[str, Any] = response.json()
    return response.status_code, str(body["exception"]).rpartition(".")[2]


def peek(http: httpx.Client, **filters: str) -> str | None:
    """The id of the message that is now locked."""
    response = http.get(f"{IN}/peek", params=filters)
    return None if response.status_code == 204 else id_of(response.json())


def id_of(envelope: Mapping[str, Any]) -> str:
    header = envelope["standardBusinessDocumentHeader"]
    return str(header["documentIdentification"]["instanceIdentifier"])


def put(gateway: GatewaySimulator, clock: Callable[[], datetime], **fields: str) -> str:
    """A small message of now."""
    envelope = sbd_json(created_at=clock(), **fields)  # type: ignore[arg-type]  # texts only
    return gateway.put(envelope, b"bytes")


def header_of(envelope: Body) -> Body:
    header: Body = envelope["standardBusinessDocumentHeader"]
    return header
