"""Deliveries and receipts on the command line: seen, sent again, accepted."""

import pytest
from sqlmodel import select

from inbox.domain import MessageState, ReceiptState
from inbox.tables import Outbox
from tests.cli.backlog.office import REASON, Office


def test_delivery_list_has_states_and_the_last_event_and_no_name_of_a_case_system(
    office: Office,
) -> None:
    message = office.arrived("Melding om barnevern")
    office.arrived("sakkyndig")

    rows = {row["message_id"]: row for row in office.value("delivery", "list")["deliveries"]}
    told, asks = rows.pop(message.id), rows.popitem()[1]
    text = office.ask("delivery", "list").out

    assert (told["state"], told["event"], told["attempts"] > 0) == ("OPEN", "PENDING", True)
    assert told["event_code"].startswith("webhook.")
    assert told["next_try"] is not None
    assert (asks["state"], asks["event"], asks["next_try"]) == ("OPEN", None, None)
    words = text.split()
    assert [word for word in ("sak", "fag", "bv", "ppt", "910077473") if word in words] == []


def test_delivery_list_is_narrowed_by_state_code_age_and_the_id_of_the_sender(
    office: Office,
) -> None:
    message = office.arrived("Melding om barnevern")
    other = office.arrived("sakkyndig")
    rows = office.value("delivery", "list")["deliveries"]
    (told,) = [row for row in rows if row["message_id"] == message.id]

    def listed(*words: str) -> list[str]:
        rows = office.value("delivery", "list", *words)["deliveries"]
        return [row["message_id"] for row in rows]

    assert listed("--code", told["event_code"]) == [message.id]
    assert listed("--sent-as", other.wire_id) == [other.id]
    assert (listed("--state", "collected"), listed("--older-than", "1")) == ([], [])
    assert len(listed("--limit", "1")) == 1
    assert office.ask("delivery", "list", "--state", "gone").code == 2


def test_delivery_show_has_every_event_and_the_tasks_of_its_message(office: Office) -> None:
    message = office.arrived("Melding om barnevern")
    delivery = office.world.delivery(message.id)

    shown = office.value("delivery", "show", delivery.id)

    assert shown["delivery"][0]["message_id"] == message.id
    assert [event["state"] for event in shown["event"]] == ["PENDING"]
    assert office.ask("delivery", "show", "nothing").code == 1


def test_operator_has_the_event_of_a_delivery_tried_again_now(office: Office) -> None:
    message = office.arrived("Melding om barnevern")
    delivery = office.world.delivery(message.id)

    refused = [
        office.says(by, "delivery", "send-again", delivery.id, "--as", role)
        for by, role in (("anne", "archivist"), ("kari", "leader@bv"))
    ]
    done = office.says("odd", "delivery", "send-again", delivery.id)
    office.work()

    assert [(each.code, each.out) for each in refused] == [(1, "")] * 2
    assert (done.code, done.out) == (0, "its event is tried now\n")
    with office.world.line.store.reading() as tx:
        (event,) = tx.exec(select(Outbox))
    assert event.attempts == 2


def test_receipt_list_has_impossible_receipts_with_code_until_they_are_settled(
    office: Office,
) -> None:
    message = office.unanswerable()

    (row,) = office.value("receipt", "list")["receipts"]
    accepted = office.says("anne", "receipt", "accept", message.id, reason=REASON)

    assert (row["message_id"], row["state"]) == (message.id, "IMPOSSIBLE")
    assert row["code"].startswith("receipt.") or row["code"].startswith("gateway.")
    assert (accepted.code, accepted.out) == (0, "besvart\n")
    assert office.value("receipt", "list")["receipts"] == []
    for words in (("--state", "IMPOSSIBLE"), ("--sent-as", message.wire_id)):
        assert len(office.value("receipt", "list", *words)["receipts"]) == 1
    assert office.ask("receipt", "list", "--state", "gone").code == 2
    assert office.world.message(message.wire_id).state is MessageState.ANSWERED


def test_archivist_sends_an_impossible_receipt_again_once_with_a_reason(office: Office) -> None:
    message = office.unanswerable()

    def again(by: str, role: str, reason: str) -> int:
        words = ("receipt", "send-again", message.id, "--as", role)
        return office.says(by, *words, reason=reason).code

    assert again("anne", "archivist", "") == 1
    assert again("odd", "operator", REASON) == 1
    assert again("kari", "leader@bv", REASON) == 1
    assert [again("anne", "archivist", REASON) for _ in range(2)] == [0, 1]
    assert office.world.receipt(message.id).state is ReceiptState.CHOSEN


@pytest.mark.parametrize(("by", "role"), [("odd", "operator"), ("kari", "leader@bv")])
def test_impossible_receipt_is_not_accepted_by_other_roles(
    office: Office, by: str, role: str
) -> None:
    message = office.unanswerable()

    told = office.says(by, "receipt", "accept", message.id, "--as", role, reason=REASON)

    assert (told.code, told.out) == (1, "")
    assert office.world.message(message.wire_id).state is MessageState.REGISTERED
