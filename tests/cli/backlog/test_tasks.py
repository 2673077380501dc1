"""Tasks on the command line: listed, each person's own, what settles them, and closed."""

import json

import pytest
from sqlmodel import col, select

from inbox.access.policy.vocabulary import Role
from inbox.domain import MessageState, new_id
from inbox.line.case_systems import capacity_of
from inbox.line.moves import case_system, unit
from inbox.line.settle import open_task
from inbox.line.task_kinds import TaskKind
from inbox.tables import AuditEntry, CaseSystem, ConflictOfInterest, Message
from tests.cli.backlog.office import REASON, Office, task_of

REFERENCE = "2026/000321-1"


def kinds(office: Office, by: str, role: str, *words: str) -> list[str]:
    told = office.says(by, "task", "list", "--as", role, "--json", *words)
    assert told.code == 0, told.err
    return [row["kind"] for row in json.loads(told.out)["tasks"]]


def entries(office: Office, event: str) -> int:
    with office.world.line.store.reading() as tx:
        leaves = tx.exec(select(AuditEntry.leaf).order_by(col(AuditEntry.seq)))
        return [json.loads(leaf)["event"] for leaf in leaves].count(event)


def test_task_list_has_kinds_codes_and_ages_and_neither_unit_nor_person(office: Office) -> None:
    waiting = office.arrived("Om noe annet")
    office.arrived("Om en elev")
    task_of(office, TaskKind.UNUSUAL, "unusual.opens:ola:2026-11-20")

    rows = {row["kind"]: row for row in office.value("task", "list")["tasks"]}
    text = office.ask("task", "list").out

    assert set(rows) == {"distribute", "release", "unusual"}
    of_waiting = rows["distribute"]
    assert (of_waiting["message_id"], of_waiting["role"]) == (waiting.id, "archivist")
    assert rows["unusual"]["subject_id"] is None
    assert [word for word in ("skole", "ola", "910077473") if word in text] == []


def test_task_list_is_narrowed_by_kind_role_state_age_and_the_id_of_the_sender(
    office: Office,
) -> None:
    wire_id = office.missed()
    first = office.arrived("Om noe annet")
    office.arrived("Om en elev")

    def listed(*words: str) -> list[str]:
        return [row["kind"] for row in office.value("task", "list", *words)["tasks"]]

    assert listed("--kind", "release") == ["release"]
    assert listed("--role", "archivist") == ["missed", "distribute"]
    assert (listed("--state", "DONE"), listed("--older-than", "1")) == ([], [])
    assert listed("--sent-as", first.wire_id) == ["distribute"]
    assert listed("--sent-as", wire_id) == ["missed"]
    cut = office.value("task", "list", "--limit", "2")
    assert (len(cut["tasks"]), cut["more"]) == (2, True)


@pytest.mark.parametrize(
    "words", [("--kind", "gone"), ("--state", "gone"), ("--role", "gone"), ("--unit", "skole")]
)
def test_task_list_with_an_invalid_filter_exits_2(office: Office, words: tuple[str, ...]) -> None:
    assert office.ask("task", "list", *words).code == 2


def test_own_task_list_has_only_what_the_person_may_know_of(office: Office) -> None:
    office.arrived("Om noe annet")
    message = office.arrived("Om en elev")
    office.missed()
    with office.world.line.store.transaction() as tx:
        tx.get_one(Message, message.id).shielding = "13"
        open_task(
            tx,
            kind=TaskKind.ASSIGNED,
            subject=message.id,
            message_id=message.id,
            unit="skole",
        )
    office.world.edited = True

    assert kinds(office, "anne", "archivist") == ["distribute", "missed"]
    assert kinds(office, "kari", "leader@skole") == ["release"]
    assert kinds(office, "kari", "leader@bv") == []
    assert kinds(office, "ola", "handler@skole") == ["assigned"]
    assert kinds(office, "kari", "leader@skole", "--unit", "bv") == []
    assert kinds(office, "odd", "operator") == []


def test_own_task_list_hides_a_message_from_a_person_in_conflict(office: Office) -> None:
    message = office.arrived("Om en elev")
    task_of(office, TaskKind.DAMAGED, message.id)
    before = [kinds(office, "kari", "leader@skole"), kinds(office, "odd", "operator")]
    with office.world.line.store.transaction() as tx:
        for person in ("kari", "odd"):
            tx.add(
                ConflictOfInterest(
                    id=new_id(), person=person, message_id=message.id, active_from=tx.now
                )
            )
    office.world.edited = True

    assert before == [["release"], ["damaged"]]
    assert kinds(office, "kari", "leader@skole") == []
    assert kinds(office, "odd", "operator") == []


def test_own_task_list_hides_tasks_of_a_unit_that_does_not_share_its_mail(office: Office) -> None:
    message = office.arrived("Melding om barnevern")
    task_of(office, TaskKind.COLLECT, message.id)

    assert kinds(office, "ola", "handler@bv") == []
    with office.world.line.store.reading() as tx:
        assert tx.get_one(Message, message.id).unit == "bv"


def test_task_show_names_the_commands_that_settle_it_with_their_ids(office: Office) -> None:
    wire_id = office.missed()
    arrival = office.world.arrival(wire_id).id
    (row,) = office.value("task", "list", "--kind", "missed")["tasks"]

    told = office.value("task", "show", row["id"])

    assert told["settled_by"] == [
        f"inbox arrival fetch-again {arrival}",
        f"inbox arrival propose-abandon {arrival}",
    ]
    assert (
        f"settled by     inbox arrival fetch-again {arrival}"
        in office.ask("task", "show", row["id"]).out
    )
    assert office.ask("task", "show", "nothing").code == 1


def test_operator_closes_a_task_of_a_stuck_row_once_and_with_a_reason(office: Office) -> None:
    message = office.arrived("Melding om barnevern")
    task = task_of(office, TaskKind.STUCK, message.id)

    def closed(by: str, role: str, reason: str) -> int:
        return office.says(by, "task", "close", task, "--as", role, reason=reason).code

    assert closed("anne", "archivist", REASON) == 1
    assert closed("kari", "leader@bv", REASON) == 1
    assert [closed("odd", "operator", REASON) for _ in range(2)] == [0, 1]
    assert office.value("task", "list", "--kind", "stuck")["tasks"] == []
    assert len(office.value("task", "list", "--kind", "stuck", "--state", "DONE")["tasks"]) == 1


def test_task_that_closes_by_itself_is_not_closed_by_hand(office: Office) -> None:
    office.missed()
    (row,) = office.value("task", "list")["tasks"]

    told = office.says("anne", "task", "close", row["id"], "--as", "archivist", reason=REASON)

    assert told.code == 1
    assert "task.closes_itself" in told.err


def test_late_word_is_shown_to_people_who_may_list_the_message_and_to_nobody_else(
    office: Office,
) -> None:
    message = office.arrived("sakkyndig")
    delivery = office.world.delivery(message.id)
    line = office.world.line
    with line.store.reading() as tx:
        system = capacity_of(tx.get_one(CaseSystem, "fag"))
    anne = office.world.person("anne", Role.ARCHIVIST, "desk")
    office.codes["anne"] = office.world.codes["anne"]
    unit.withdraw(
        line,
        anne,
        message.id,
        expected_version=office.world.message(message.wire_id).version,
        reason=REASON,
    )
    case_system.acknowledge_registered(line, system, delivery.id, reference=REFERENCE)
    with line.store.transaction() as tx:
        tx.get_one(Message, message.id).unit = "skole"
    office.world.edited = True
    (row,) = office.value("task", "list", "--kind", "late_word")["tasks"]

    told = office.says("kari", "task", "word", row["id"], "--as", "leader@skole", "--json")
    refused = [
        office.says(by, "task", "word", row["id"], "--as", role)
        for by, role in (("anne", "archivist"), ("kari", "leader@bv"), ("odd", "operator"))
    ]

    assert told.value == {"word": "word.registered", "reference": REFERENCE, "code": None}
    assert [(each.code, REFERENCE in each.out + each.err) for each in refused] == [(1, False)] * 3
    assert entries(office, "task:word_shown") == 1
    assert office.world.message(message.wire_id).state is MessageState.ROUTED
