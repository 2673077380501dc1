"""Where messages are: enough to find one again, and nothing that says what it is about."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from inbox.domain import (
    ArrivalState,
    DeliveryState,
    MessageState,
    Mode,
    ReceiptState,
    Service,
    TaskState,
)
from inbox.tables import Arrival, CaseSystem, Delivery, Message, Receipt, Task, Unit
from inbox.wiring import build_store
from tests.cli.database_edits import settings_of
from tests.cli.installation import Installed

AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
CONFIDENTIAL = ("Barneverntjenesten", "hemmelig-enhet", "910077473", "hemmelig-system", "13-hem")


def _message(number: int) -> Message:
    return Message(
        id=f"message-{number}",
        state=MessageState.OFFERED if number else MessageState.UNROUTED,
        organisation="910075918",
        channel="eformidling",
        service=Service.DPO,
        wire_id=f"wire-{number}",
        digest="d" * 64,
        size=10,
        received_at=AT + timedelta(minutes=number),
        sender="910077473",
        unit="hemmelig-enhet",
        shielding="13-hem",
    )


@pytest.fixture
def filled(installed: Installed) -> Iterator[Installed]:
    """Three messages; the newest has all that can hang on one."""
    store = build_store(settings_of(installed))
    with store.transaction() as tx:
        _add_neighbours(tx)
        tx.add_all(_message(number) for number in range(3))
        tx.flush()
        _add_parts(tx)
    yield installed
    store.engine.dispose()


def _add_neighbours(session: Session) -> None:
    session.add(
        CaseSystem(
            id="hemmelig-system",
            organisation="910075918",
            name="Sakarkiv",
            mode=Mode.PULL,
            active_from=AT,
        )
    )
    session.add(
        Unit(
            id="hemmelig-enhet",
            organisation="910075918",
            name="Barneverntjenesten",
            active_from=AT,
        )
    )
    session.flush()


def _add_parts(session: Session) -> None:
    session.add_all(
        [
            Arrival(
                id="arrival-1",
                channel="eformidling",
                service=Service.DPO,
                organisation="910075918",
                wire_id="wire-2",
                state=ArrivalState.CONFIRMED,
                announced_at=AT,
                message_id="message-2",
            ),
            Delivery(
                id="delivery-1",
                message_id="message-2",
                number=1,
                case_system="hemmelig-system",
                state=DeliveryState.OPEN,
                offered_at=AT,
            ),
            Receipt(
                id="receipt-1",
                message_id="message-2",
                answers="910075918/eformidling/wire-2",
                outcome="OK",
                state=ReceiptState.SENT,
                chosen_at=AT,
            ),
            Task(
                id="task-1",
                kind="receipt_failed",
                subject_id="message-2",
                message_id="message-2",
                role="archivist",
                state=TaskState.OPEN,
                opened_at=AT,
            ),
        ]
    )


def test_message_list_is_sorted_newest_first(filled: Installed) -> None:
    told = filled.ask("message", "list", "--json")

    assert [row["id"] for row in json.loads(told.out)] == ["message-2", "message-1", "message-0"]


def test_message_list_can_be_limited_and_filtered_by_state(filled: Installed) -> None:
    few = filled.ask("message", "list", "--limit", "1", "--json")
    unrouted = filled.ask("message", "list", "--state", "UNROUTED", "--json")

    assert [row["id"] for row in json.loads(few.out)] == ["message-2"]
    assert [row["id"] for row in json.loads(unrouted.out)] == ["message-0"]


def test_message_list_with_an_unknown_state_exits_2_and_names_valid_states(
    filled: Installed,
) -> None:
    told = filled.ask("message", "list", "--state", "GONE")

    assert told.code == 2
    assert "QUARANTINED" in told.err


def test_message_show_includes_arrival_delivery_receipt_and_task(filled: Installed) -> None:
    parts = json.loads(filled.ask("message", "show", "message-2", "--json").out)

    states = {kind: [row["state"] for row in rows] for kind, rows in parts.items()}
    assert states == {
        "message": ["OFFERED"],
        "arrival": ["CONFIRMED"],
        "delivery": ["OPEN"],
        "event": [],
        "receipt": ["SENT"],
        "task": ["OPEN"],
    }
    assert parts["task"][0]["kind"] == "receipt_failed"
    assert parts["delivery"][0]["delivery_id"] == "delivery-1"
    assert "id" not in parts["delivery"][0]


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_message_list_and_show_never_print_sender_unit_or_shielding(
    filled: Installed, flags: list[str]
) -> None:
    listed = filled.ask("message", "list", *flags)
    shown = filled.ask("message", "show", "message-2", *flags)

    assert (listed.code, shown.code) == (0, 0)
    assert "message-2" in listed.out
    assert [word for word in CONFIDENTIAL if word in listed.out + shown.out] == []


def test_message_show_of_an_unknown_id_exits_1(filled: Installed) -> None:
    told = filled.ask("message", "show", "nothing")

    assert told.code == 1
    assert "there is no message with this id" in told.err


def test_message_erasures_lists_what_is_due_and_erases_nothing(filled: Installed) -> None:
    store = build_store(settings_of(filled))
    with store.transaction() as tx:
        for number, ago in enumerate((20, 10, 1)):
            row = tx.get_one(Message, f"message-{number}")
            row.state, row.answered_at = MessageState.ANSWERED, tx.now - timedelta(days=ago)

    week = json.loads(filled.ask("message", "erasures", "--json").out)
    today = filled.ask("message", "erasures", "--days", "0")

    assert [row["id"] for row in week] == ["message-0", "message-1"]
    assert "message-0" in today.out
    assert "1 messages within 0 days" in today.out
    with store.reading() as tx:
        assert tx.get_one(Message, "message-0").state is MessageState.ANSWERED
    store.engine.dispose()


def test_message_missed_lists_mail_that_could_not_be_fetched_with_its_task(
    filled: Installed,
) -> None:
    store = build_store(settings_of(filled))
    with store.transaction() as tx:
        for number, state in enumerate((ArrivalState.MISSED, ArrivalState.ABANDONED)):
            tx.add(
                Arrival(
                    id=f"missed-{number}",
                    channel="eformidling",
                    service=Service.DPF,
                    organisation="910075918",
                    wire_id=f"lost-{number}",
                    state=state,
                    code="gateway.expired",
                    announced_at=AT,
                )
            )
        tx.add(
            Task(
                id="task-9",
                kind="missed",
                subject_id="missed-0",
                role="archivist",
                state=TaskState.OPEN,
                opened_at=AT,
            )
        )

    (row,) = json.loads(filled.ask("message", "missed", "--json").out)
    table = filled.ask("message", "missed").out

    assert (row["id"], row["wire_id"], row["task"]) == ("missed-0", "lost-0", "task-9")
    assert (row["service"], row["code"]) == ("DPF", "gateway.expired")
    assert "lost-0" in table
    store.engine.dispose()
