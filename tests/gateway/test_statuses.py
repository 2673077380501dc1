"""Statuses and conversations of mail that nobody fetched, however a gateway lists them."""

from collections.abc import Mapping
from datetime import UTC, datetime

import httpx
import pytest

from inbox.domain import CONFIDENTIAL_PROCESS, Service
from inbox.errors import Unavailable
from inbox.gateway import Notice
from tests.gateway.scripted_gateway import OURS, WIRE_ID, Scripted, gateway_of, named

SINCE = datetime(2026, 11, 23, 12, tzinfo=UTC)
NEWER, OLDER = "2026-11-23T14:00:00.123456789+01:00", "2026-11-23T12:59:59.999999+01:00"
_NOTHING = {"content": [], "last": True}


def _id(number: int) -> str:
    return f"0b6c2f2e-6c1f-4a53-9a54-{number:012}"


def _status(number: int, at: str | None = NEWER, name: str = "FEIL") -> Mapping[str, object]:
    return {"id": number, "messageId": _id(number), "status": name, "lastUpdate": at}


def _page(*rows: Mapping[str, object], last: bool = False) -> httpx.Response:
    return httpx.Response(200, json={"content": rows, "last": last})


def _found(*answers: httpx.Response) -> tuple[list[str], list[str]]:
    """The ids, and the queries that were asked."""
    script = Scripted(*answers)
    with gateway_of(script) as gateway:
        found = [str(wire_id) for page in gateway.undelivered(SINCE) for wire_id in page]
    assert script.answers == []
    return found, [str(request.url.query, "ascii") for request in script.requests]


def test_undelivered_mail_is_read_newest_first_until_it_is_older_than_asked_for() -> None:
    failed = _page(_status(9), _status(8, OLDER), _status(7, OLDER))
    expired = _page(_status(6, name="LEVETID_UTLOPT")), _page(last=True)

    found, asked = _found(failed, *expired)

    assert found == [_id(9), _id(6)]
    assert asked == [
        "status=FEIL&sort=id%2Cdesc&size=50&page=0",
        "status=LEVETID_UTLOPT&sort=id%2Cdesc&size=50&page=0",
        "status=LEVETID_UTLOPT&sort=id%2Cdesc&size=50&page=1",
    ]


def test_gateway_that_ignores_the_sort_order_hides_no_undelivered_mail() -> None:
    pages = _page(_status(1, OLDER), _status(2, OLDER)), _page(_status(3), last=True)

    assert _found(*pages, _page(last=True))[0] == [_id(3)]


@pytest.mark.parametrize("at", [None, "yesterday", ""])
def test_undelivered_mail_of_unknown_time_counts_as_recent(at: str | None) -> None:
    assert _found(_page(_status(1, at), last=True), _page(last=True))[0] == [_id(1)]


def test_gateway_that_ignores_the_status_filter_gives_no_other_mail() -> None:
    other = _page(_status(2, name="LEVERT"), {**_status(1), "messageId": "nope"}, last=True)

    assert _found(other, other)[0] == []


def test_statuses_without_end_are_given_up() -> None:
    def endless(request: httpx.Request) -> httpx.Response:
        number = 10_000 - int(request.url.params["page"])
        return _page(_status(number, name=request.url.params["status"]))

    with gateway_of(endless) as gateway, pytest.raises(Unavailable, match=r"gateway\.garbled"):
        list(gateway.undelivered(SINCE))


def _conversation(**changed: object) -> dict[str, object]:
    return {
        "messageId": WIRE_ID,
        "direction": "INCOMING",
        "receiverIdentifier": "910075918",
        "processIdentifier": CONFIDENTIAL_PROCESS,
        "serviceIdentifier": "DPO",
        "expiry": "2026-11-24T10:00:00.123456789+01:00",
        "messageStatuses": [{"status": "OPPRETTET"}, {"status": "LEVETID_UTLOPT"}],
        **changed,
    }


def _steps(*names: str) -> list[Mapping[str, str]]:
    return [{"status": name} for name in names]


def _notice(*conversations: Mapping[str, object]) -> Notice | None:
    with gateway_of(Scripted(_page(*conversations, last=True))) as gateway:
        return gateway.undelivered_notice(WIRE_ID)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"receiverIdentifier": "0192:910075918"},
        {"messageStatuses": []},
        {"direction": "OUTGOING", "messageStatuses": _steps("SENDT", "INNKOMMENDE_MOTTATT")},
    ],
    ids=["plain", "with a prefix", "without steps", "both of one gateway"],
)
def test_conversation_of_incoming_mail_gives_its_notice(changed: Mapping[str, object]) -> None:
    assert _notice(_conversation(**changed)) == Notice(
        channel="ip",
        service=Service.DPO,
        organisation=OURS,
        wire_id=WIRE_ID,
        expires_at=datetime(2026, 11, 24, 9, 0, 0, 123456, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"direction": "OUTGOING"},
        {"direction": None},
        {"receiverIdentifier": "910077473"},
        {"processIdentifier": "urn:no:difi:profile:arkivmelding:response:ver1.0"},
        {"serviceIdentifier": "DPF"},
        {"serviceIdentifier": None},
        {"messageStatuses": _steps("INNKOMMENDE_MOTTATT", "INNKOMMENDE_LEVERT")},
    ],
)
def test_conversation_of_other_or_taken_mail_gives_no_notice(
    changed: Mapping[str, object],
) -> None:
    assert _notice(_conversation(**changed)) is None


def test_message_without_a_conversation_gives_no_notice() -> None:
    with gateway_of(Scripted(named(404, "ConversationNotFound"))) as gateway:
        assert gateway.undelivered_notice(WIRE_ID) is None
    assert _notice() is None


def test_gateway_that_ignores_the_id_of_a_conversation_is_asked_again_later() -> None:
    with pytest.raises(Unavailable, match=r"gateway\.filters_ignored"):
        _notice(_conversation(messageId="another"))
