"""What a yes binds to is done before the commit, or the yes was a no and nothing stays."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from inbox.access.facts.registry import FACTS
from inbox.access.files.active import ActivePolicies
from inbox.access.files.folder import load_policy
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Duty
from inbox.access.question import RequestFacts
from inbox.domain import GrantKind, MessageState, PersonId, new_id
from inbox.errors import NotPermitted
from inbox.line import Line
from inbox.line.access.grants import breakglass, grant
from inbox.line.authorize import DUTY_CHECKS, authorize, message_subject
from inbox.line.moves import archive_staff, content, unit
from inbox.line.task_kinds import TaskKind
from inbox.migrations import shipped_folder
from inbox.store import Store
from inbox.tables import AccessGrant, Assignment, Message, Task
from tests import databases
from tests.line.school import School, school

REASON = "Ikke vår elev"


class Bound(ActivePolicies):
    """The shipped policy, with other duties on some of its rules."""

    def __init__(self, policy: Policy, duties: dict[str, frozenset[Duty]]) -> None:
        super().__init__()
        rules = [replace(r, duties=duties.get(r.id, r.duties)) for r in policy.rules]
        self._bound = Policy(rules, facts=FACTS, digest="d")

    def current(self, session: object) -> Policy:
        """Always this one."""
        del session
        return self._bound


@pytest.fixture(scope="module")
def shipped_policy() -> Policy:
    return load_policy(shipped_folder("policies"))


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    folder = tmp_path_factory.mktemp("hall")
    with school(databases.sqlite_database(folder), folder) as made:
        terms = replace(
            made.world.line.terms, breakglass_per_person_day=999, breakglass_per_unit_week=999
        )
        made.world.line = replace(made.world.line, terms=terms)
        yield made


def bound(hall: School, policy: Policy, **duties: set[Duty]) -> Line:
    told = {rule: frozenset(owed) for rule, owed in duties.items()}
    return replace(hall.line, policies=Bound(policy, told))


def test_authorize_has_a_check_for_every_duty() -> None:
    assert set(DUTY_CHECKS) == set(Duty)


# Log


def test_authorized_action_is_rolled_back_when_its_log_duty_is_not_met(hall: School) -> None:
    message_id, nina = hall.message(), hall.handler()

    with (
        pytest.raises(NotPermitted, match="take: duty"),
        hall.line.store.transaction() as tx,
    ):
        authorize(hall.line, tx, nina, Action.TAKE, message_subject(message_id), RequestFacts())
        tx.get_one(Message, message_id).urgent = True

    with hall.line.store.reading() as tx:
        assert not tx.get_one(Message, message_id).urgent
    unit.take(hall.line, nina, message_id)
    (leaf,) = hall.leaves("message:taken", message_id)
    assert (leaf["rule"], leaf["duties"]) == ("A12", "log")


def test_authorize_in_a_reading_session_is_denied_when_a_duty_is_owed(hall: School) -> None:
    message_id = hall.message()

    with (
        hall.line.store.reading() as tx,
        pytest.raises(NotPermitted, match="take: duty"),
    ):
        authorize(
            hall.line,
            tx,
            hall.handler(),
            Action.TAKE,
            message_subject(message_id),
            RequestFacts(),
        )


def test_collect_by_hand_fails_when_the_read_cannot_be_audited(hall: School) -> None:
    message_id = hall.offered()
    unit.take(hall.line, hall.handler(), message_id)
    stored = hall.line.store
    unsealed = Store(stored.engine, seal=_fails, clock=stored.clock)
    silent = replace(hall.line, store=unsealed)

    with pytest.raises(OSError, match="no audit"):
        content.collect_by_hand(silent, hall.handler(), message_id)
    assert hall.leaves("message:read", message_id) == []
    content.collect_by_hand(hall.line, hall.handler(), message_id)

    assert [leaf["rule"] for leaf in hall.leaves("message:read", message_id)] == ["A09"]


def _fails(*_: object) -> None:
    raise OSError("no audit")


# Reason


def test_hand_back_requires_a_reason_and_keeps_the_reason_out_of_the_audit(hall: School) -> None:
    message_id = hall.message()
    seen = hall.seen(message_id)

    with pytest.raises(NotPermitted, match="hand_back: duty"):
        unit.hand_back(hall.line, hall.kari(), message_id, expected_version=seen, reason="")
    unit.hand_back(hall.line, hall.kari(), message_id, expected_version=seen, reason=REASON)

    (leaf,) = hall.leaves("message:unrouted", message_id)
    assert (leaf["rule"], leaf["duties"], set(leaf["committed"])) == (
        *("A13", "reason"),
        {"reason"},
    )
    assert REASON not in json.dumps(leaf)


def test_reason_duty_is_not_met_when_the_reason_is_not_recorded(hall: School) -> None:
    message_id = hall.message()

    with (
        pytest.raises(NotPermitted, match="hand_back: duty"),
        hall.line.store.transaction() as tx,
    ):
        given, subject = RequestFacts(reason_given=True), message_subject(message_id)
        turn = authorize(hall.line, tx, hall.kari(), Action.HAND_BACK, subject, given)
        turn.settle(
            row=tx.get_one(Message, message_id),
            became=MessageState.UNROUTED,
            by="hand_back",
            values={"unit": None},
        )

    assert hall.leaves("message:unrouted", message_id) == []


def test_closing_a_task_audits_the_rule_and_a_commitment_to_the_reason(hall: School) -> None:
    row = grant(
        hall.line,
        hall.kari(),
        hall.message(),
        to=PersonId("nina"),
        duration=timedelta(days=1),
        reason=REASON,
    )
    with hall.line.store.reading() as tx:
        task = tx.exec(select(Task.id).where(col(Task.subject_id) == row.id)).one()

    archive_staff.close_by_hand(hall.line, hall.handler(), task, reason="Sett")

    (leaf,) = hall.leaves("task:done", task)
    assert (leaf["rule"], set(leaf["committed"])) == ("A37", {"reason"})


# Notify


def test_notify_duty_is_not_met_unless_a_task_is_opened(
    hall: School, shipped_policy: Policy
) -> None:
    message_id = hall.message()
    line = bound(hall, shipped_policy, A12={Duty.NOTIFY})

    with pytest.raises(NotPermitted, match="take: duty"):
        unit.take(line, hall.handler(), message_id)
    with hall.line.store.reading() as tx:
        taken = select(Assignment).where(col(Assignment.message_id) == message_id)
        assert tx.exec(taken).all() == []
    unit.assign(hall.line, hall.kari(), message_id, to=PersonId("nina"))

    assert hall.tasks(message_id) == {("assigned", "handler", "skole")}
    assert hall.leaves("message:assigned", message_id)[0]["duties"] == "notify"


def test_action_is_denied_unless_every_duty_of_its_rule_is_met(
    hall: School, shipped_policy: Policy
) -> None:
    message_id = hall.message()
    every = bound(hall, shipped_policy, A17={Duty.NOTIFY, Duty.LOG, Duty.REVIEW})
    two = bound(hall, shipped_policy, A17={Duty.NOTIFY, Duty.LOG})

    with pytest.raises(NotPermitted, match="assign: duty"):
        unit.assign(every, hall.kari(), message_id, to=PersonId("nina"))
    unit.assign(two, hall.kari(), message_id, to=PersonId("nina"))

    assert hall.leaves("message:assigned", message_id)[0]["duties"] == "log notify"


# Review


def test_breakglass_without_a_review_task_is_denied(hall: School) -> None:
    message_id, lars = hall.offered(), hall.handler("lars")

    with (
        pytest.raises(NotPermitted, match="breakglass: duty"),
        hall.line.store.transaction() as tx,
    ):
        given, subject = RequestFacts(reason_given=True), message_subject(message_id)
        turn = authorize(hall.line, tx, lars, Action.BREAKGLASS, subject, given)
        row = AccessGrant(
            id=new_id(),
            kind=GrantKind.BREAKGLASS,
            message_id=message_id,
            unit="skole",
            person="lars",
            given_by="lars",
            sealed_reason=b"",
            active_from=tx.now,
            active_until=tx.now + timedelta(minutes=1),
        )
        tx.add(row)
        turn.notify(TaskKind.EMERGENCY, subject=row.id, message_id=message_id, unit="skole")
        turn.record(event="access:taken", subject=row.id, message_id=message_id)

    with pytest.raises(NotPermitted, match="open: none"):
        content.read(hall.line, lars, message_id)


@pytest.mark.parametrize(
    "instead",
    [
        {"state": "DONE"},
        {"kind": "granted"},
        {"subject_id": "another"},
    ],
)
def test_opening_under_breakglass_is_denied_without_its_open_review_task(
    hall: School, instead: dict[str, str]
) -> None:
    message_id, lars = hall.offered(), hall.handler("lars")
    row = breakglass(hall.line, lars, message_id, reason=REASON)
    content.read(hall.line, lars, message_id)

    with hall.line.store.transaction() as tx:
        of = col(Task.subject_id) == row.id, col(Task.kind) == "review"
        tx.execute(sa.update(Task).where(*of).values(instead))

    with pytest.raises(NotPermitted, match="open: duty"):
        content.read(hall.line, lars, message_id)
    assert len(hall.leaves("message:read", message_id)) == 1


def test_opening_under_breakglass_is_not_covered_by_the_review_of_another_person(
    hall: School,
) -> None:
    message_id, lars, nina = hall.offered(), hall.handler("lars"), hall.handler()
    mine = breakglass(hall.line, lars, message_id, reason=REASON)
    breakglass(hall.line, nina, message_id, reason=REASON)

    with hall.line.store.transaction() as tx:
        for task in tx.exec(select(Task).where(col(Task.subject_id) == mine.id)):
            tx.delete(task)

    content.read(hall.line, nina, message_id)
    with pytest.raises(NotPermitted, match="open: duty"):
        content.read(hall.line, lars, message_id)


def test_open_by_the_assigned_handler_is_audited_as_assignment_not_breakglass(hall: School) -> None:
    message_id, nina = hall.offered(), hall.handler()
    breakglass(hall.line, nina, message_id, reason=REASON)
    unit.take(hall.line, nina, message_id)

    content.read(hall.line, nina, message_id)

    assert [leaf["rule"] for leaf in hall.leaves("message:read", message_id)] == ["A09"]


def test_duty_met_in_one_transaction_does_not_count_in_another(hall: School) -> None:
    one, other = hall.message(), hall.message()
    unit.take(hall.line, hall.handler(), one)

    with (
        pytest.raises(NotPermitted, match="take: duty"),
        hall.line.store.transaction() as tx,
    ):
        authorize(
            hall.line,
            tx,
            hall.handler(),
            Action.TAKE,
            message_subject(other),
            RequestFacts(),
        )

    assert hall.leaves("message:taken", other) == []
