"""A line with a fault in it is found out by the same judge that the real line passes."""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlmodel import Session

from inbox.domain import MessageState, OrgNumber
from inbox.gateway import ConfirmResult, IncomingPackage, Notice, SendStatus
from inbox.line import Job
from inbox.line.queue import QUEUE_ROW_TYPES, claim
from inbox.line.stations import advance
from inbox.receipt_document import ReceiptContent, ReceiptType, receipt_body, receipt_id
from inbox.store import Store, Transaction
from inbox.tables import Outbox
from tests import databases
from tests.faults.harness.crash_points import NONE, with_crash_points
from tests.faults.harness.effect_points import EffectPoints, WatchedGateway
from tests.faults.harness.line_process import LineProcess
from tests.faults.harness.scenario import WELL
from tests.faults.harness.scenario_driver import run_until_idle, with_webhook_sender
from tests.faults.harness.scenario_outcome import baseline_outcome, check_each_gateway_call, judge
from tests.faults.harness.scenario_supervisor import Errand, scenario_run
from tests.worlds import OURS, SENDER


def _found(tmp_path: Path, name: str, errand: Errand, die: str = NONE) -> set[str]:
    """What the judge says of one part of the story, told by a faulty line."""
    with scenario_run(databases.sqlite_database(tmp_path), tmp_path, (name,)) as told:
        check_each_gateway_call(told)
        told.tell(errand=errand, die=die)
        assert told.deaths == (die != NONE)
        found = judge(told, baseline_outcome((name,)).ends)
    return {wrong.name for wrong, _ in found}


def _with_gateway(
    inside: LineProcess, kind: Callable[..., WatchedGateway], *more: Path
) -> LineProcess:
    """The same line, dying where it is told, with this in front of its gateway."""
    made = with_webhook_sender(with_crash_points(inside))
    beside = EffectPoints(inside.folder / "beside", None)
    gateway = kind(made.line.gateways["eformidling"], beside, *more)
    return replace(made, line=replace(made.line, gateways={"eformidling": gateway}))


# Confirmed before it is committed


@dataclass(frozen=True)
class _ConfirmsAtOnce(WatchedGateway):
    """Tells the gateway as soon as the bytes are in the vault."""

    @contextmanager
    def fetch(self, notice: Notice) -> Iterator[IncomingPackage]:
        with self.real.fetch(notice) as fetched:
            yield fetched
        self.real.confirm(notice)


def confirm_before_commit(inside: LineProcess) -> None:
    run_until_idle(_with_gateway(inside, _ConfirmsAtOnce))


@pytest.mark.long
def test_judge_reports_a_gateway_delete_before_the_commit(tmp_path: Path) -> None:
    assert _found(tmp_path, "straight", confirm_before_commit) == {"EARLY_DELETE"}


@pytest.mark.long
def test_judge_reports_the_message_lost_by_a_kill_between_delete_and_commit(
    tmp_path: Path,
) -> None:
    found = _found(
        tmp_path,
        "straight",
        confirm_before_commit,
        die="before arrival:stored/fetch<ANNOUNCED",
    )

    assert found == {"EARLY_DELETE", "LOST", "NOT_REGISTERED", "UNANSWERED", "OTHER_END"}


# Answered before it is registered


@dataclass(frozen=True)
class _AnswersAtOnce(WatchedGateway):
    """Sends the kvittering when the message has been taken over."""

    def confirm(self, notice: Notice) -> ConfirmResult:
        wire_id, outcome = notice.wire_id, ReceiptType.OK
        kvittering = receipt_id(
            organisation=OURS, channel="eformidling", wire_id=wire_id, outcome=outcome, number=1
        )
        answer = ReceiptContent(
            organisation=OrgNumber(OURS),
            sender=OrgNumber(SENDER),
            wire_id=wire_id,
            conversation_id=None,
            outcome=outcome,
        )
        self.real.create_receipt(kvittering, receipt_body(answer, kvittering))
        self.real.send_receipt(kvittering)
        return self.real.confirm(notice)


def answer_before_registered(inside: LineProcess) -> None:
    run_until_idle(_with_gateway(inside, _AnswersAtOnce))


@pytest.mark.long
def test_judge_reports_an_ok_receipt_sent_before_registration(tmp_path: Path) -> None:
    assert _found(tmp_path, "straight", answer_before_registered) == {"UNTRUE"}


# A kvittering under another id each time


@dataclass(frozen=True)
class _RandomIds(WatchedGateway):
    """Makes up an id whenever it creates a kvittering."""

    ids: Path

    def create_receipt(self, receipt_id: str, body: Mapping[str, object]) -> None:
        made = str(uuid.uuid4())
        self.ids.write_text(made)
        text = json.dumps(body).replace(receipt_id, made)
        self.real.create_receipt(made, json.loads(text))

    def send_receipt(self, receipt_id: str) -> None:
        del receipt_id
        self.real.send_receipt(self.ids.read_text())

    def receipt_status(self, receipt_id: str) -> SendStatus:
        del receipt_id
        return self.real.receipt_status(self.ids.read_text())


@dataclass(frozen=True)
class _RandomIdsInOneStep(_RandomIds):
    """Sends it in the same step as well."""

    def create_receipt(self, receipt_id: str, body: Mapping[str, object]) -> None:
        super().create_receipt(receipt_id, body)
        super().send_receipt(receipt_id)


def random_ids(inside: LineProcess) -> None:
    run_until_idle(_with_gateway(inside, _RandomIds, inside.folder / "ids"))


def random_ids_in_one_step(inside: LineProcess) -> None:
    run_until_idle(_with_gateway(inside, _RandomIdsInOneStep, inside.folder / "ids"))


@pytest.mark.long
@pytest.mark.parametrize(
    ("errand", "found"),
    [(random_ids, {"LEFT_BEHIND"}), (random_ids_in_one_step, {"ANSWERED_TWICE"})],
)
def test_judge_reports_receipts_with_random_ids_after_a_kill_before_the_commit(
    tmp_path: Path, errand: Errand, found: set[str]
) -> None:
    die = "before receipt:created/create<CHOSEN"

    assert _found(tmp_path, "straight", errand, die=die) == found


# An event that is written after the commit


class _WritesEventsLater(Store):
    """Keeps the rows of the outbox for a transaction of their own."""

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        later: list[Outbox] = []

        def take_out(session: Session, *_: Any) -> None:
            for row in [row for row in session.new if isinstance(row, Outbox)]:
                session.expunge(row)
                later.append(row)

        with super().transaction() as tx:
            sqlalchemy_event.listen(tx, "before_flush", take_out)
            yield tx
        if later:
            with super().transaction() as tx:
                tx.add_all(later)


def events_after_commit(inside: LineProcess) -> None:
    made = with_webhook_sender(with_crash_points(inside))
    seal = made.points.seal
    store = _WritesEventsLater(made.line.store.engine, seal=seal, clock=made.clock)
    run_until_idle(replace(made, line=replace(made.line, store=store)))


@pytest.mark.long
def test_judge_reports_an_outbox_event_lost_between_two_commits(tmp_path: Path) -> None:
    found = _found(
        tmp_path, "told", events_after_commit, die="after message:offered/offer<RELEASED"
    )

    assert found == {"NEVER_TOLD", "NOT_REGISTERED", "UNANSWERED", "OTHER_END"}


# A worker that comes back after its lease


def come_back_late(inside: LineProcess) -> None:
    """One worker stops before it offers; another goes on; then the first one does too."""
    made = with_webhook_sender(with_crash_points(inside))
    if inside.plan.words["chapter"] != str(WELL):
        run_until_idle(made)
        return
    made.collect()
    held = _stopped_before_offering(made)
    made.clock.advance(timedelta(minutes=3))
    run_until_idle(made)
    assert held is not None
    advance(made.line, held)


def _stopped_before_offering(inside: LineProcess) -> Job[Any] | None:
    for kind in QUEUE_ROW_TYPES:
        job: Job[Any] | None = claim(inside.line, kind)
        while job is not None and job.row.state is not MessageState.RELEASED:
            job = advance(inside.line, job)
        if job is not None:
            return job
    return None


def come_back_late_without_a_fence(inside: LineProcess) -> None:
    """The same on a database that does not hear which version and state a row must have."""

    def deaf(*call: Any) -> tuple[str, Any]:
        statement, parameters = call[2], call[3]
        if statement.startswith("UPDATE message SET state="):
            head, where, rest = statement.partition(" WHERE ")
            conditions, returning, columns = rest.partition(" RETURNING ")
            of_row, version, state = conditions.split(" AND ")
            spared = f"{of_row} AND ({version} OR 1 = 1) AND ({state} OR 1 = 1)"
            statement = head + where + spared + returning + columns
        return statement, parameters

    engine = inside.line.store.engine
    sqlalchemy_event.listen(engine, "before_cursor_execute", deaf, retval=True)
    come_back_late(inside)


@pytest.mark.long
def test_worker_that_resumes_after_its_lease_changes_nothing(tmp_path: Path) -> None:
    assert _found(tmp_path, "straight", come_back_late) == set()


@pytest.mark.long
def test_judge_reports_a_resumed_worker_when_the_version_fence_is_disabled(tmp_path: Path) -> None:
    assert _found(tmp_path, "straight", come_back_late_without_a_fence) == {"OTHER_END"}


# An audit that was changed


@pytest.mark.long
def test_judge_reports_a_changed_audit_entry(tmp_path: Path) -> None:
    with scenario_run(databases.sqlite_database(tmp_path), tmp_path, ("straight",)) as told:
        check_each_gateway_call(told)
        told.tell()
        assert judge(told, baseline_outcome(("straight",)).ends) == set()
        with told.outside.line.store.engine.begin() as connection:
            change = "UPDATE audit_entry SET leaf = leaf || x'20' WHERE seq = 3"
            connection.exec_driver_sql(change)

        found = judge(told, baseline_outcome(("straight",)).ends)

    assert {wrong.name for wrong, _ in found} == {"AUDIT"}
