"""Mail that was missed, on the command line: seen, found, fetched again, given up by two."""

import json
from datetime import timedelta

import pytest
from sqlmodel import col, select

from inbox.domain import ArrivalState
from inbox.tables import Arrival, AuditEntry
from tests.cli.backlog.office import REASON, Office

ANNE = ("--as", "archivist")


def events(office: Office) -> list[str]:
    with office.world.line.store.reading() as tx:
        leaves = tx.exec(select(AuditEntry.leaf).order_by(col(AuditEntry.seq)))
        return [json.loads(leaf)["event"] for leaf in leaves]


def arrival_of(office: Office, wire_id: str) -> Arrival:
    return office.world.arrival(wire_id)


def conversation_of(office: Office, wire_id: str) -> str:
    told = office.says(
        "anne", "arrival", "show", arrival_of(office, wire_id).id, "--json", *ANNE
    ).value
    assert isinstance(told, dict)
    return str(told["envelope"][0]["conversation_id"])


def test_arrival_list_has_missed_mail_with_code_attempts_and_age(office: Office) -> None:
    wire_id = office.missed()

    (row,) = office.value("arrival", "list")["arrivals"]

    assert (row["wire_id"], row["state"], row["code"]) == (wire_id, "MISSED", "gateway.gone")
    assert (row["channel"], row["misses"], row["age"]) == ("eformidling", 1, "0m")


def test_arrival_list_leaves_out_confirmed_ones_unless_they_are_asked_for(office: Office) -> None:
    message = office.arrived("Om en elev")

    assert office.value("arrival", "list")["arrivals"] == []
    for words in (("--state", "confirmed"), ("--sent-as", message.wire_id)):
        (row,) = office.value("arrival", "list", *words)["arrivals"]
        assert row["state"] == "CONFIRMED"


def test_arrival_list_is_narrowed_by_code_channel_and_age_and_says_that_there_are_more(
    office: Office,
) -> None:
    for _ in range(3):
        office.missed()

    def listed(*words: str) -> int:
        return len(office.value("arrival", "list", *words)["arrivals"])

    assert (listed("--code", "gateway.gone"), listed("--code", "other")) == (3, 0)
    assert (listed("--channel", "eformidling"), listed("--channel", "altinn")) == (3, 0)
    assert (listed("--older-than", "0"), listed("--older-than", "1")) == (3, 0)
    cut = office.value("arrival", "list", "--limit", "2")
    assert (len(cut["arrivals"]), cut["more"]) == (2, True)
    assert "there are more than these 2" in office.ask("arrival", "list", "--limit", "2").out


def test_arrival_list_with_an_unknown_state_exits_2_and_names_the_states(office: Office) -> None:
    told = office.ask("arrival", "list", "--state", "gone")

    assert (told.code, "MISSED" in told.err) == (2, True)


def test_missed_arrival_is_found_by_the_id_of_its_message_and_its_conversation(
    office: Office,
) -> None:
    wire_id, _ = office.missed(), office.missed()
    conversation = conversation_of(office, wire_id)

    for sender_id in (wire_id, conversation, f" {conversation} "):
        (row,) = office.value("arrival", "list", "--sent-as", sender_id)["arrivals"]
        assert row["wire_id"] == wire_id
    assert office.value("arrival", "list", "--sent-as", "another")["arrivals"] == []


def test_arrival_show_tells_the_sender_only_to_people_who_distribute(office: Office) -> None:
    arrival = arrival_of(office, office.missed())

    plain = office.ask("arrival", "show", arrival.id)
    told = office.says("anne", "arrival", "show", arrival.id, *ANNE)
    refused = [
        office.says(by, "arrival", "show", arrival.id, "--as", role)
        for by, role in (("odd", "operator"), ("kari", "leader@bv"), ("siv", "security_reviewer"))
    ]

    assert (plain.code, "910077473" in plain.out, "missed" in plain.out) == (0, False, True)
    assert (told.code, "910077473" in told.out) == (0, True)
    assert [(each.code, each.out) for each in refused] == [(1, "")] * 3
    assert events(office).count("arrival:envelope_shown") == 1


def test_arrival_show_of_an_unknown_id_is_refused_alike_for_everybody(office: Office) -> None:
    for answer in (
        office.ask("arrival", "show", "nothing"),
        office.says("anne", "arrival", "show", "nothing", *ANNE),
    ):
        assert (answer.code, answer.out) == (1, "")


def test_archivist_fetches_a_missed_arrival_again_and_it_becomes_a_message(office: Office) -> None:
    wire_id = office.missed()
    arrival = arrival_of(office, wire_id)
    office.world.gateway.redeliver(wire_id)

    done = office.says("anne", "arrival", "fetch-again", arrival.id)
    again = office.says("anne", "arrival", "fetch-again", arrival.id)
    office.work()

    assert (done.code, again.code) == (0, 1)
    assert arrival_of(office, wire_id).state is ArrivalState.CONFIRMED
    assert office.world.message(wire_id)
    assert office.world.open_tasks(arrival.id) == set()


@pytest.mark.parametrize(("by", "role"), [("odd", "operator"), ("kari", "leader@bv")])
def test_missed_arrival_is_neither_fetched_nor_given_up_by_other_roles(
    office: Office, by: str, role: str
) -> None:
    arrival = arrival_of(office, office.missed())

    fetched = office.says(by, "arrival", "fetch-again", arrival.id, "--as", role)
    given_up = office.says(
        by, "arrival", "propose-abandon", arrival.id, "--as", role, reason=REASON
    )

    assert (fetched.code, given_up.code) == (1, 1)
    assert arrival_of(office, arrival.wire_id).state is ArrivalState.MISSED
    assert office.value("proposal", "list")["proposals"] == []


def test_two_archivists_give_up_a_missed_arrival(office: Office) -> None:
    arrival = arrival_of(office, office.missed())

    made = office.says("anne", "arrival", "propose-abandon", arrival.id, "--json", reason=REASON)
    assert isinstance(made.value, dict)
    proposal = str(made.value["proposal"])
    (row,) = office.value("proposal", "list")["proposals"]
    alone = office.says("anne", "proposal", "approve", proposal, *ANNE)
    done = office.says("bjorn", "proposal", "approve", proposal, *ANNE)
    again = office.says("bjorn", "proposal", "approve", proposal, *ANNE)
    office.work()

    assert (row["id"], row["kind"], row["subject_id"]) == (proposal, "abandon", arrival.id)
    assert (alone.code, done.code, again.code) == (1, 0, 1)
    assert arrival_of(office, arrival.wire_id).state is ArrivalState.ABANDONED
    assert office.value("proposal", "list")["proposals"] == []
    assert office.value("arrival", "list")["arrivals"] == []


def test_giving_up_an_arrival_takes_a_reason_and_is_proposed_once(office: Office) -> None:
    arrival = arrival_of(office, office.missed())

    def proposed(reason: str) -> int:
        return office.says("anne", "arrival", "propose-abandon", arrival.id, reason=reason).code

    assert [proposed(""), proposed(REASON), proposed(REASON)] == [1, 0, 1]


def test_proposal_show_tells_the_reason_only_to_people_who_may_decide(office: Office) -> None:
    arrival = arrival_of(office, office.missed())
    made = office.says("anne", "arrival", "propose-abandon", arrival.id, "--json", reason=REASON)
    assert isinstance(made.value, dict)
    proposal = str(made.value["proposal"])

    told = office.says("bjorn", "proposal", "show", proposal, *ANNE)
    refused = [
        office.says(by, "proposal", "show", proposal, "--as", role)
        for by, role in (("odd", "operator"), ("kari", "leader@bv"), ("siv", "security_reviewer"))
    ]

    assert (told.code, REASON in told.out, "anne" in told.out) == (0, True, True)
    assert [(each.code, each.out) for each in refused] == [(1, "")] * 3
    listed = office.ask("proposal", "list").out
    assert (REASON in listed, "anne" in listed) == (False, False)
    assert events(office).count("proposal:shown") == 1


def test_confirmed_message_is_found_by_its_conversation_after_it_was_opened(
    office: Office,
) -> None:
    wire_id = office.missed()
    conversation = conversation_of(office, wire_id)
    office.world.gateway.redeliver(wire_id)
    office.world.clock.advance(timedelta(minutes=10))
    office.work()

    (row,) = office.value("arrival", "list", "--sent-as", conversation)["arrivals"]

    assert (row["wire_id"], row["state"]) == (wire_id, "CONFIRMED")
