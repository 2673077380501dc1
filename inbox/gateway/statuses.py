"""Reads the integrasjonspunkt's statuses and conversations: what became of each message, and when.

`GET /api/statuses` has the steps of all messages in both directions; only the conversation
(`GET /api/conversations?messageId=`) says in which direction one went, and for whom. A step is
recorded once for each message, under a number that rises.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from inbox.domain import WireId
from inbox.errors import Unavailable
from inbox.gateway.envelope_peek import instant_of, is_wire_id, organisation_of
from inbox.gateway.http import Connection
from inbox.gateway.responses import NO_STATUSES, json_array, json_at, json_text

ENDED_UNDELIVERED: Final[Mapping[str, str]] = {
    "FEIL": "gateway.failed",
    "LEVETID_UTLOPT": "gateway.expired",
}
"""The statuses of mail that nobody will ever fetch, and our codes for them."""
_RECEIVED, _TAKEN = "INNKOMMENDE_MOTTATT", "INNKOMMENDE_LEVERT"
_PATH = "/api/statuses"
_OF_ONE_PAGES = 50
_PAGE_SIZE = 50
"""So few, because a description may be long, and an answer has 2 MiB at most."""
_MOST_PAGES = 400


@dataclass(frozen=True, kw_only=True)
class IncomingConversation:
    """What the gateway knows of a message that came to it."""

    receiver: str
    process: str
    service: str
    expires_at: datetime | None


def status_names(connection: Connection, message_id: str) -> set[str]:
    """The names of all statuses that a message ever had. Raises `Unavailable`."""
    params = {"messageId": message_id, "size": "100"}
    names = set[str]()
    for page in _pages(connection, params, _OF_ONE_PAGES):
        # A gateway that ignores the filter lists everybody's.
        ours = (each for each in page if json_at(each, "messageId") == message_id)
        names |= {json_text(json_at(each, "status")) for each in ours}
    return names


def ended_undelivered(connection: Connection, since: datetime) -> Iterator[Mapping[WireId, str]]:
    """The ids of messages that ended undelivered since then, with the code; page by page.

    In both directions: what others could not be sent is there as well. An outage of one list does
    not hide the other: it is raised at the end.
    """
    failures = list[Unavailable]()
    for name, code in ENDED_UNDELIVERED.items():
        try:
            for page in _newest_first(connection, name, since):
                yield {WireId(each): code for each in page if is_wire_id(each)}
        except Unavailable as error:
            failures.append(error)
    if failures:
        raise failures[0]


def taken_since(connection: Connection, since: datetime) -> Iterator[list[WireId]]:
    """The ids of messages that somebody took from the gateway since then, newest first; by page."""
    for page in _newest_first(connection, _TAKEN, since):
        yield [WireId(each) for each in page if is_wire_id(each)]


def _newest_first(connection: Connection, name: str, since: datetime) -> Iterator[list[str]]:
    """The ids with this status, from the newest to those older than `since`.

    What is added meanwhile moves rows to later pages: a row may come twice, and none is passed by.
    """
    params = {"status": name, "sort": "id,desc", "size": str(_PAGE_SIZE)}
    for page in _pages(connection, params, _MOST_PAGES):
        recent = [each for each in page if _is_recent(each, since)]
        named = (each for each in recent if json_at(each, "status") == name)
        yield [json_text(json_at(each, "messageId")) for each in named]
        if len(recent) < len(page) and _is_descending(page):
            return


def _is_recent(status: object, since: datetime) -> bool:
    at = instant_of(json_text(json_at(status, "lastUpdate")))
    return at is None or at >= since


def _is_descending(page: list[object]) -> bool:
    """Whether the gateway sorted the page as it was asked to: else the rest may be newer."""
    numbers = [number for each in page if isinstance(number := json_at(each, "id"), int)]
    return len(numbers) == len(page) and numbers == sorted(numbers, reverse=True)


def incoming_conversation(
    connection: Connection, wire_id: WireId, *, taken: bool = False
) -> IncomingConversation | None:
    """The message with this id, if it came to this gateway and nobody has taken it; else None.

    With `taken` only if somebody has. Raises `Unavailable`.
    """
    answer = connection.request("GET", "/api/conversations", params={"messageId": wire_id})
    if answer.kind in NO_STATUSES:
        return None
    found = json_array(answer.json_object().get("content"))
    of_it = [each for each in found if json_at(each, "messageId") == wire_id]
    if found and not of_it:
        raise Unavailable("gateway.filters_ignored", "a conversation by id gave others")
    return next((_read(each) for each in of_it if _came(each, taken=taken)), None)


def newest_receivers(connection: Connection) -> frozenset[str]:
    """Whom the newest messages that came to this gateway were for. Raises `Unavailable`."""
    params = {"direction": "INCOMING", "size": str(_PAGE_SIZE)}
    answer = connection.request("GET", "/api/conversations", params=params)
    if answer.kind in NO_STATUSES:
        return frozenset()
    found = (
        organisation_of(json_text(json_at(each, "receiverIdentifier")))
        for each in json_array(answer.json_object().get("content"))
        if json_at(each, "direction") == "INCOMING"
    )
    return frozenset(each for each in found if each)


def _read(conversation: object) -> IncomingConversation:
    return IncomingConversation(
        receiver=organisation_of(json_text(json_at(conversation, "receiverIdentifier"))),
        process=json_text(json_at(conversation, "processIdentifier")),
        service=json_text(json_at(conversation, "serviceIdentifier")),
        expires_at=instant_of(json_text(json_at(conversation, "expiry"))),
    )


def _came(conversation: object, *, taken: bool) -> bool:
    """Between two organisations of one gateway both directions are one outgoing conversation."""
    steps = json_array(json_at(conversation, "messageStatuses"))
    names = {json_text(json_at(step, "status")) for step in steps}
    came = json_at(conversation, "direction") == "INCOMING" or _RECEIVED in names
    return came and (_TAKEN in names) is taken


def _pages(
    connection: Connection, params: Mapping[str, str], at_most: int
) -> Iterator[list[object]]:
    """The rows of each page. Raises `Unavailable`, also if there is no end to them."""
    for page in range(at_most):
        answer = connection.request("GET", _PATH, params={**params, "page": str(page)})
        if answer.kind in NO_STATUSES:
            return
        document = answer.json_object()
        found = json_array(document.get("content"))
        yield found
        if document.get("last") is not False or not found:
            return
    raise Unavailable("gateway.garbled", f"more than {at_most} pages of statuses")
