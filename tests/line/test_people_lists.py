"""The lists of people: as the action may show, audited where that is owed, and doubted."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from inbox.access.facts.registry import FACTS
from inbox.access.files.active import ActivePolicies
from inbox.access.files.folder import load_policy
from inbox.access.lists.recheck import LISTING_DIFFERS, Recheck
from inbox.access.lists.search import MessageSearch
from inbox.access.policy.conditions import read_condition
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Duty, Role
from inbox.access.question import Capacity
from inbox.domain import MessageState, PersonId, TaskState, UnitId
from inbox.errors import Invalid, Unavailable
from inbox.line import Line
from inbox.line.access.grants import breakglass
from inbox.line.case_systems import capacity_of
from inbox.line.moves import archive_staff, case_system, unit
from inbox.line.moves.registration import data_key
from inbox.line.people_lists import DistributionRow, ListRequest, TitledRow, count, facets, page
from inbox.line.settle import close_task, open_task
from inbox.line.task_kinds import TaskKind
from inbox.migrations import shipped_folder
from inbox.store import Store
from inbox.tables import Assignment, CaseSystem, Message, Task, WrappedKey, table_of
from tests import databases
from tests.access.town import allow
from tests.line.school import School, school

TITLE = "Bekymring for Kanarifugl"
REASON = "Akutt"


class Fixed(ActivePolicies):
    """Always this policy."""

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self._fixed = policy

    def current(self, session: object) -> Policy:
        """Whatever the database names."""
        del session
        return self._fixed


@pytest.fixture(scope="module")
def shipped_policy() -> Policy:
    return load_policy(shipped_folder("policies"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    folder = tmp_path_factory.mktemp("lists")
    with school(databases.sqlite_database(folder), folder) as hall:
        terms = replace(
            hall.line.terms, breakglass_per_person_day=999, breakglass_per_unit_week=999
        )
        hall.world.line = replace(hall.line, terms=terms)
        yield hall


@pytest.fixture
def hall(made: School) -> School:
    """The school without any mail, whose lists nobody has doubted yet."""
    made.world.edited = True
    with made.line.store.transaction() as tx:
        for table in ("task", "opening", "access_grant", "assignment", "delivery", "message"):
            tx.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608 - names of ours
    made.world.line = replace(made.line, recheck=Recheck(1))
    return made


def assigned(hall: School, person: str = "nina", *, title: str = TITLE) -> str:
    """A message that somebody works on, with a title; its id."""
    message_id = hall.message()
    archive_part = {"registry_entries": [{"title": title}], "case_file": {"title": f"Sak: {title}"}}
    routing_part = {"process": "urn:p", "document_type": "arkivmelding", "public_title": title}
    with hall.line.store.transaction() as tx:
        key, message = (
            data_key(tx, hall.line, message_id),
            tx.get_one(Message, message_id),
        )
        for column, value in (("sealed_archive", archive_part), ("sealed_metadata", routing_part)):
            text = json.dumps(value).encode()
            sealed = key.seal(text, table="message", column=column, row=message_id)
            setattr(message, column, sealed)
        tx.add(Assignment(id=message_id, message_id=message_id, person=person, active_from=tx.now))
    return message_id


def of(
    capacity: Capacity, action: Action = Action.LIST, query: MessageSearch | None = None
) -> ListRequest:
    return ListRequest(capacity=capacity, action=action, query=query or MessageSearch())


def ids(line: Line, asked: ListRequest) -> list[str]:
    return [each.row.id for each in page(line, asked).rows]


# What is shown


def test_list_shows_titles_to_the_assigned_handler(hall: School) -> None:
    message_id = assigned(hall)

    (shown,) = page(hall.line, of(hall.handler())).rows

    assert isinstance(shown, TitledRow)
    assert shown.row.id == message_id
    assert (shown.title, shown.case_title) == (TITLE, f"Sak: {TITLE}")
    assert "Kanarifugl" not in repr(shown)
    assert (shown.row.sealed_metadata, shown.row.sealed_archive) == (None, None)


def test_route_list_shows_process_and_document_type_but_no_titles(hall: School) -> None:
    message_id = assigned(hall)

    (shown,) = page(hall.line, of(hall.anne(), Action.ROUTE)).rows

    assert isinstance(shown, DistributionRow)
    assert (shown.row.id, shown.process, shown.document_type) == (
        *(message_id, "urn:p"),
        "arkivmelding",
    )
    assert not [name for name in DistributionRow.__dataclass_fields__ if "title" in name]
    assert "Kanarifugl" not in repr(vars(shown))
    assert shown.row.sealed_metadata is None


def test_list_shows_no_title_of_an_erased_message(hall: School) -> None:
    message_id = assigned(hall)
    with hall.line.store.transaction() as tx:
        stored = tx.get_one(WrappedKey, message_id)
        stored.kek_id, stored.wrapped, stored.destroyed_at = None, None, tx.now

    (shown,) = page(hall.line, of(hall.handler())).rows

    assert isinstance(shown, TitledRow)
    assert (shown.title, shown.case_title) == (None, None)


def test_page_count_and_facets_accept_only_the_actions_list_and_route(hall: School) -> None:
    for action in set(Action) - {Action.LIST, Action.ROUTE}:
        for look in (page, count, facets):
            with pytest.raises(Invalid, match=r"list\.action"):
                look(hall.line, of(hall.handler(), action))


def test_page_count_and_facets_follow_the_query(hall: School) -> None:
    mine = [assigned(hall) for _ in range(3)]
    assigned(hall, "lars")
    asked = of(hall.handler("nina"), query=MessageSearch(unit=UnitId("skole")))

    first = page(hall.line, asked, at_most=2)
    rest = page(hall.line, asked, after=first.cursor, at_most=2)

    found = [each.row.id for each in (*first.rows, *rest.rows)]
    assert (sorted(found), rest.cursor) == (sorted(mine), None)
    assert count(hall.line, asked) == 3
    assert facets(hall.line, asked).states == {MessageState.ROUTED: 3}
    assert ids(hall.line, of(hall.handler(), query=MessageSearch(unit=UnitId("ppt")))) == []


def test_page_count_and_facets_are_unavailable_without_an_active_policy(hall: School) -> None:
    line = replace(hall.line, policies=Fixed(Policy.deny_all("d")))

    for look in (page, count, facets):
        with pytest.raises(Unavailable, match=r"policy\.not_active"):
            look(line, of(hall.handler()))


# What is owed


def taken(hall: School) -> tuple[str, Capacity]:
    """A message that lars, who is not cleared for it, sees by emergency access alone."""
    message_id, lars = hall.message(shielding="13"), hall.handler("lars")
    breakglass(hall.line, lars, message_id, reason=REASON)
    return message_id, lars


def test_page_audits_a_row_seen_by_emergency_access_before_showing_the_row(hall: School) -> None:
    message_id, lars = taken(hall)
    mine = assigned(hall, "lars")
    silent = replace(
        hall.line, store=Store(hall.line.store.engine, seal=_fails, clock=hall.world.clock)
    )

    with pytest.raises(OSError, match="no audit"):
        page(silent, of(lars))
    assert hall.leaves("message:listed", message_id) == []
    assert set(ids(hall.line, of(lars))) == {message_id, mine}

    (leaf,) = hall.leaves("message:listed", message_id)
    assert (leaf["rule"], leaf["duties"], leaf["who"]) == ("A08c", "log", lars.id)
    assert hall.leaves("message:listed", mine) == []


def _fails(*_: object) -> None:
    raise OSError("no audit")


def test_row_is_left_out_when_its_duty_cannot_be_met(hall: School, shipped_policy: Policy) -> None:
    message_id, lars = taken(hall)
    mine = assigned(hall, "lars")
    rules = [
        replace(rule, duties=rule.duties | ({Duty.REASON} if rule.id == "A08c" else set()))
        for rule in shipped_policy.rules
    ]
    line = replace(hall.line, policies=Fixed(Policy(rules, facts=FACTS, digest="d")))

    assert ids(line, of(lars)) == [mine]
    assert hall.leaves("message:listed", message_id) == []


def test_count_and_facets_leave_out_rows_that_owe_a_duty(hall: School) -> None:
    taken(hall)
    assigned(hall, "lars")

    assert count(hall.line, of(hall.handler("lars"))) == 1
    assert facets(hall.line, of(hall.handler("lars"))).shieldings == {None: 1}


def test_row_also_allowed_by_a_rule_without_duties_owes_no_duty(hall: School) -> None:
    message_id = assigned(hall, "lars")
    breakglass(hall.line, hall.handler("lars"), message_id, reason=REASON)

    assert ids(hall.line, of(hall.handler("lars"))) == [message_id]
    assert hall.leaves("message:listed", message_id) == []
    assert count(hall.line, of(hall.handler("lars"))) == 1


# What is damaged


def flip(hall: School, kind: type[Message] | type[WrappedKey], row_id: str, column: str) -> None:
    """One byte of one value is another."""
    with hall.line.store.transaction() as tx:
        row = tx.get_one(kind, row_id)
        value = bytearray(getattr(row, column))
        value[len(value) // 2] ^= 1
        setattr(row, column, bytes(value))


def told(hall: School, message_id: str) -> list[str]:
    """The code of each task that was ever opened about it for its damage; closed ones have none."""
    with hall.line.store.reading() as tx:
        about = select(Task.code).where(col(Task.message_id) == message_id, Task.kind == "damaged")
        return [code or "" for code in tx.exec(about)]


@pytest.mark.parametrize(
    ("kind", "column", "code"),
    [(Message, "sealed_archive", "keys.unseal"), (WrappedKey, "wrapped", "keys.unwrap")],
    ids=["a title", "its key"],
)
def test_list_shows_a_damaged_row_with_its_code_beside_the_intact_rows(
    hall: School, kind: type[Message] | type[WrappedKey], column: str, code: str
) -> None:
    whole, damaged = assigned(hall), assigned(hall)
    flip(hall, kind, damaged, column)

    shown = {str(each.row.id): each for each in page(hall.line, of(hall.handler())).rows}

    assert shown.keys() == {whole, damaged}
    bad, good = shown[damaged], shown[whole]
    assert isinstance(bad, TitledRow)
    assert isinstance(good, TitledRow)
    assert (bad.title, bad.case_title, bad.damaged) == (None, None, code)
    assert (bad.row.state, bad.row.unit) == (MessageState.ROUTED, "skole")
    assert (good.title, good.damaged) == (TITLE, None)
    assert hall.tasks(damaged) == {("damaged", "operator", None)}
    assert hall.tasks(whole) == set()


def test_route_list_shows_a_damaged_row_without_its_sealed_metadata(hall: School) -> None:
    whole, damaged = assigned(hall), assigned(hall)
    flip(hall, Message, damaged, "sealed_metadata")

    rows = page(hall.line, of(hall.anne(), Action.ROUTE)).rows

    assert {(each.row.id, each.damaged) for each in rows} == {
        (whole, None),
        (damaged, "keys.unseal"),
    }
    processes = {each.row.id: each.process for each in rows if isinstance(each, DistributionRow)}
    assert processes == {whole: "urn:p", damaged: None}


def test_damaged_row_opens_no_second_task_while_the_first_is_open(hall: School) -> None:
    message_id = assigned(hall)
    flip(hall, Message, message_id, "sealed_archive")

    page(hall.line, of(hall.handler()))
    with writing_nothing(hall.line.store):
        for _ in range(2):
            page(hall.line, of(hall.handler()))

    assert told(hall, message_id) == ["keys.unseal"]
    with hall.line.store.transaction() as tx:
        task = tx.get_one(Task, _task(hall))
        close_task(tx, task, who="operator")
    page(hall.line, of(hall.handler()))
    assert len(told(hall, message_id)) == 2


def test_damaged_row_hidden_from_the_caller_changes_no_list_and_opens_no_task(hall: School) -> None:
    mine, theirs = assigned(hall, "lars"), assigned(hall, "nina")
    before = page(hall.line, of(hall.handler("lars")))
    flip(hall, Message, theirs, "sealed_archive")
    flip(hall, WrappedKey, theirs, "wrapped")

    after = page(hall.line, of(hall.handler("lars")))

    assert ids(hall.line, of(hall.handler("lars"))) == [mine]
    assert after == before
    assert told(hall, theirs) == []
    assert hall.tasks(theirs) == set()


def test_erased_row_is_not_listed_as_damaged(hall: School) -> None:
    message_id = assigned(hall)
    with hall.line.store.transaction() as tx:
        stored = tx.get_one(WrappedKey, message_id)
        stored.kek_id, stored.wrapped, stored.destroyed_at = None, None, tx.now

    (shown,) = page(hall.line, of(hall.handler())).rows

    assert shown.damaged is None
    assert told(hall, message_id) == []


@contextmanager
def writing_nothing(store: Store) -> Iterator[None]:
    """To look again costs no more than looking."""
    written: list[str] = []

    def note(*executed: object) -> None:
        statement = str(executed[2])
        if not statement.startswith(("SELECT", "WITH", "PRAGMA", "BEGIN")):
            written.append(statement)

    sa.event.listen(store.engine, "before_cursor_execute", note)
    yield
    sa.event.remove(store.engine, "before_cursor_execute", note)
    assert written == []


def wait_until_blocked(store: Store) -> None:
    """Until somebody waits for a lock on PostgreSQL."""
    blocked = sa.text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with store.engine.connect() as connection:
        while not connection.execute(blocked).scalar_one():
            connection.rollback()


def test_concurrent_lists_of_a_damaged_row_open_one_task(
    postgres_server: str, tmp_path: Path
) -> None:
    """The other has opened the task, and commits while this one waits for it."""
    with school(databases.postgres_database(postgres_server), tmp_path) as hall:
        message_id = assigned(hall)
        flip(hall, Message, message_id, "sealed_archive")
        with ThreadPoolExecutor(1) as pool:
            with hall.line.store.transaction() as tx:
                open_task(
                    tx,
                    kind=TaskKind.DAMAGED,
                    subject=message_id,
                    message_id=message_id,
                    code="keys.unseal",
                )
                tx.flush()
                seen = pool.submit(page, hall.line, of(hall.handler()))
                wait_until_blocked(hall.line.store)
            rows = seen.result().rows

        assert [each.damaged for each in rows] == ["keys.unseal"]
        assert told(hall, message_id) == ["keys.unseal"]


# What is doubted


def faulty(line: Line) -> Line:
    """A line whose lists forget half of a rule that casbin knows."""
    when = "in_unit and assigned"
    rules = [allow("A01", "list", Role.HANDLER, when)]
    policy = Policy(rules, facts=FACTS, digest="d")
    policy.conditions[when] = read_condition("in_unit", FACTS)  # type: ignore[index] # the fault
    return replace(line, policies=Fixed(policy))


def test_recheck_difference_stops_all_lists_and_opens_one_task_for_a_reviewer(
    hall: School,
) -> None:
    message_id = assigned(hall, "lars")
    line = faulty(hall.line)

    for _ in range(2):
        with pytest.raises(Unavailable, match=LISTING_DIFFERS) as stopped:
            page(line, of(hall.handler()))
        assert message_id not in str(stopped.value)
    with hall.line.store.reading() as tx:
        fag = capacity_of(tx.get_one(CaseSystem, "fag"))
    for look in (page, count, facets):
        with pytest.raises(Unavailable, match=LISTING_DIFFERS):
            look(hall.line, of(hall.anne(), Action.ROUTE))
    with pytest.raises(Unavailable, match=LISTING_DIFFERS):
        case_system.deliveries(hall.line, fag)

    assert hall.tasks(message_id) == {("listing_differs", "security_reviewer", None)}
    (leaf,) = hall.leaves("message:listing_differed", message_id)
    assert (leaf["who"], leaf["by"], leaf["code"]) == (hall.handler().id, "list", LISTING_DIFFERS)
    archive_staff.close_by_hand(hall.line, hall.siv(), _task(hall), reason="Meldt")
    with pytest.raises(Unavailable, match=LISTING_DIFFERS):
        page(line, of(hall.handler()))
    assert hall.tasks(message_id) == set()


def _task(hall: School) -> str:
    with hall.line.store.reading() as tx:
        return tx.exec(select(Task.id).where(col(Task.state) == TaskState.OPEN)).one()


def test_recheck_sees_no_difference_when_access_ends_while_the_list_is_made(
    database: str, tmp_path: Path
) -> None:
    """Between the list and its doubt somebody loses the message: both are of one moment."""
    with school(database, tmp_path) as hall:
        message_id = assigned(hall)

        def draw() -> float:
            with hall.line.store.transaction() as tx:
                _end(tx, message_id, tx.now)
            return 0.0

        line = replace(hall.line, recheck=Recheck(1, draw))

        assert ids(line, of(hall.handler())) == [message_id]
        assert line.recheck.difference is None
        assert ids(hall.line, of(hall.handler())) == []


def _end(session: Session, message_id: str, now: object) -> None:
    ending = sa.update(table_of(Assignment)).where(col(Assignment.message_id) == message_id)
    session.execute(ending.values(active_until=now))
    session.execute(
        sa.update(table_of(Message)).where(col(Message.id) == message_id).values(unit="ppt")
    )


def test_list_leaves_out_a_message_as_soon_as_its_access_has_ended(hall: School) -> None:
    message_id = hall.message()
    unit.assign(hall.line, hall.kari(), message_id, to=PersonId("nina"))
    assert ids(hall.line, of(hall.handler())) == [message_id]

    with hall.line.store.transaction() as tx:
        _end(tx, message_id, tx.now)

    assert ids(hall.line, of(hall.handler())) == []
