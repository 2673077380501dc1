"""Messages that wait for people are moved on from the command line, each move as the rules say."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from inbox.domain import MessageState
from inbox.simulator.packages.builder import Tamper
from inbox.tables import Message
from tests.cli.backlog.office import REASON, Office

pytestmark = pytest.mark.usefixtures("in_english")

ANNE, BJORN = ("anne", "archivist"), ("bjorn", "archivist")
KARI, OLA, ODD = ("kari", "leader@skole"), ("ola", "handler@skole"), ("odd", "operator")


def did(
    office: Office, who: Sequence[str], *words: str, reason: str | None = None, code: int = 0
) -> str:
    """What a person's command said; it must end with this code."""
    by, role = who
    told = office.says(by, "message", *words, "--as", role, reason=reason)
    assert told.code == code, told.err
    return told.out


def state_of(office: Office, message: Message) -> tuple[MessageState, str | None]:
    now = next(each for each in office.world.messages() if each.id == message.id)
    return now.state, now.unit


def test_archivist_places_a_message_and_the_leader_hands_it_back_or_releases_it(
    office: Office,
) -> None:
    message = office.arrived("Om noe annet")
    place = ("place", message.id, "--to", "skole")

    did(office, KARI, *place, code=1)
    did(office, ODD, *place, code=1)
    assert did(office, ANNE, *place) == "routed\n"
    assert state_of(office, message) == (MessageState.ROUTED, "skole")
    did(office, ANNE, "hand-back", message.id, reason=REASON, code=1)
    assert did(office, KARI, "hand-back", message.id, reason=REASON) == "handed back\n"
    assert state_of(office, message) == (MessageState.UNROUTED, None)
    did(office, KARI, "hand-back", message.id, reason=REASON, code=1)
    assert did(office, ANNE, *place, "--at-once") == "released\n"
    did(office, ANNE, "place", message.id, "--to", "nowhere", code=1)
    office.work()
    office.world.clock.advance(timedelta(minutes=11))
    office.work()
    assert state_of(office, message) == (MessageState.OFFERED, "skole")


def test_released_message_is_withdrawn_by_one_until_it_is_collected(office: Office) -> None:
    message = office.arrived("Om en elev")

    did(office, OLA, "release", message.id, code=1)
    assert did(office, KARI, "release", message.id) == "released\n"
    did(office, KARI, "withdraw", message.id, reason="", code=1)
    assert did(office, KARI, "withdraw", message.id, reason=REASON) == "withdrawn\n"
    assert state_of(office, message) == (MessageState.ROUTED, "skole")


def test_message_is_assigned_taken_and_registered_with_a_typed_reference(office: Office) -> None:
    message, other = office.arrived("Om en elev"), office.arrived("Om en elev til")

    did(office, OLA, "assign", message.id, "--to", "ola", code=1)
    assert did(office, KARI, "assign", message.id, "--to", "ola") == "assigned\n"
    assert did(office, OLA, "take", other.id) == "taken\n"
    did(office, OLA, "take", other.id, code=1)
    did(office, ANNE, "register", message.id, reason="2026/000007-1", code=1)
    did(office, OLA, "register", message.id, reason="null", code=2)
    assert did(office, OLA, "register", message.id, reason="2026/000007-1") == "registered\n"
    assert state_of(office, message)[0] is MessageState.REGISTERED


def test_message_in_quarantine_is_checked_again_by_an_archivist_alone(office: Office) -> None:
    wire_id = office.world.send(parcel={"tamper": Tamper.BROKEN_SIGNATURE})
    office.work()
    message = office.world.message(wire_id)

    did(office, KARI, "recheck", message.id, code=1)
    assert did(office, ANNE, "recheck", message.id).startswith("received")
    office.work()
    assert state_of(office, message)[0] is MessageState.QUARANTINED


def test_two_people_refuse_a_message_and_the_second_time_is_refused(office: Office) -> None:
    message = office.arrived("Om noe annet")
    propose = ("propose-refusal", message.id, "--code", "not_for_us")

    did(office, ANNE, "propose-refusal", message.id, "--code", "gone", reason=REASON, code=2)
    did(office, ODD, *propose, reason=REASON, code=1)
    proposal = did(office, ANNE, *propose, reason=REASON).partition(":")[0]
    did(office, BJORN, *propose, reason=REASON, code=1)
    assert office.says("anne", "proposal", "approve", proposal, "--as", "archivist").code == 1
    assert office.says("bjorn", "proposal", "approve", proposal, "--as", "archivist").code == 0
    assert state_of(office, message)[0] is MessageState.REFUSED
    assert office.says("bjorn", "proposal", "approve", proposal, "--as", "archivist").code == 1


def test_message_is_registered_as_a_duplicate_of_one_that_was_registered(office: Office) -> None:
    first, second = office.arrived("Om en elev"), office.arrived("Om en elev")
    did(office, ANNE, "duplicate", second.id, "--of", first.id, code=1)
    did(office, OLA, "take", first.id)
    did(office, OLA, "register", first.id, reason="2026/000007-1")

    did(office, KARI, "duplicate", second.id, "--of", first.id, code=1)
    assert did(office, ANNE, "duplicate", second.id, "--of", first.id) == "registered\n"
    assert state_of(office, second)[0] is MessageState.REGISTERED


@pytest.mark.parametrize("kind", ["propose-withdrawal", "propose-dismissal"])
def test_proposals_that_do_not_fit_the_message_are_refused(office: Office, kind: str) -> None:
    message = office.arrived("Om noe annet")

    did(office, ANNE, kind, message.id, reason=REASON, code=1)
    did(office, ANNE, kind, "nothing", reason=REASON, code=1)

    assert office.value("proposal", "list")["proposals"] == []


def test_two_people_withdraw_what_was_collected_and_dismiss_the_word_that_came_late(
    office: Office,
) -> None:
    message = office.collected("sakkyndig")

    did(office, ANNE, "withdraw", message.id, reason=REASON, code=1)
    _agreed(office, "propose-withdrawal", message)
    assert state_of(office, message) == (MessageState.ROUTED, "ppt")
    office.registered(message)
    assert [row["kind"] for row in _tasks(office, message)] == ["late_word", "release"]
    _agreed(office, "propose-dismissal", message)
    assert [row["kind"] for row in _tasks(office, message)] == ["release"]


def _agreed(office: Office, kind: str, message: Message) -> None:
    proposal = did(office, ANNE, kind, message.id, reason=REASON).partition(":")[0]
    told = office.says("bjorn", "proposal", "approve", proposal, "--as", "archivist")
    assert told.code == 0, told.err


def _tasks(office: Office, message: Message) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = office.value("task", "list", "--sent-as", message.wire_id)["tasks"]
    return sorted(rows, key=lambda row: row["kind"])


def test_message_list_finds_messages_by_the_id_of_the_sender_for_operators_and_people(
    office: Office,
) -> None:
    message = office.arrived("Om noe annet")
    office.arrived("Om en elev")

    rows = office.value("message", "list", "--sent-as", message.wire_id)
    own = did(office, ANNE, "list", "--action", "route", "--sent-as", message.wire_id)
    others = did(office, KARI, "list", "--sent-as", message.wire_id)

    assert [row["id"] for row in rows] == [message.id]
    assert (message.id in own, message.id in others) == (True, False)


def test_release_is_undone_by_the_person_who_made_it_and_nobody_else(office: Office) -> None:
    message = office.arrived("Om en elev")
    did(office, KARI, "release", message.id)

    did(office, ANNE, "undo", message.id, code=1)
    assert did(office, KARI, "undo", message.id) == "undone\n"
    assert state_of(office, message) == (MessageState.ROUTED, "skole")
    did(office, KARI, "undo", message.id, code=1)


def test_proposal_is_declined_by_another_with_a_reason_or_taken_back(office: Office) -> None:
    message = office.arrived("Om noe annet")

    def proposed() -> str:
        told = did(
            office, ANNE, "propose-refusal", message.id, "--code", "not_for_us", reason=REASON
        )
        return told.partition(":")[0]

    def decided(by: str, *words: str, reason: str | None = None) -> tuple[int, str]:
        told = office.says(by, "proposal", *words, "--as", "archivist", reason=reason)
        return told.code, told.out

    first = proposed()
    assert decided("anne", "decline", first, reason="Den er vår")[0] == 1
    assert decided("bjorn", "take-back", first)[0] == 1
    assert decided("bjorn", "decline", first, reason="Den er vår") == (0, "declined\n")
    assert "Den er vår" in decided("anne", "show", first)[1]
    second = proposed()
    assert decided("anne", "take-back", second) == (0, "taken back\n")
    assert decided("bjorn", "approve", second)[0] == 1
    assert state_of(office, message) == (MessageState.UNROUTED, None)
