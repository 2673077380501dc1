"""What somebody may not see changes nothing: the same bytes from the same statements.

Pairs of worlds that differ only in hidden messages, asked the same by a person and by a case
system; the ids of the hidden ones are asked for in both, where they are and where they are not.
"""

# ruff: noqa: S311 - drawn by seed, not secret

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event
from sqlmodel import Session, SQLModel, col

from inbox import audit
from inbox.access import Action, Capacity, OfMessage, Policy, RequestFacts
from inbox.access.files.active import activate_policy
from inbox.access.lists.pages import permitted_message_ids
from inbox.access.lists.recheck import Recheck
from inbox.access.lists.search import MessageSearch
from inbox.app import create_app
from inbox.domain import DeliveryState, MessageId, MessageState, OrgNumber, UnitId
from inbox.errors import NotFound
from inbox.line import Line
from inbox.line.authorize import authorize
from inbox.line.people_lists import ListRequest, count, facets, page
from inbox.store import Store, Transaction, create_engine
from inbox.tables import AuditHead, Delivery, Message, WrappedKey, table_of
from tests.access.fact_oracle import Question, facts_told
from tests.access.random_policy import ACTIONS_ABOUT_MESSAGES
from tests.access.random_world import RandomWorld, world_of, write
from tests.access.town import NOW
from tests.access.world_session import session_with_world
from tests.databases import sqlite_database
from tests.worlds import OURS, World
from tests.worlds import world as whole_world

API = "/api/v1/deliveries"
_GIVEN = RequestFacts(reason_given=True)


@dataclass(frozen=True)
class Seen:
    """An answer, and the statements that it came from."""

    answer: object
    statements: tuple[str, ...]


@contextmanager
def statements_of(engine: Engine) -> Iterator[list[str]]:
    texts: list[str] = []

    def note(*told: Any) -> None:
        texts.append(str(told[2]))

    event.listen(engine, "before_cursor_execute", note)
    yield texts
    event.remove(engine, "before_cursor_execute", note)


def seen(engine: Engine, ask_it: Callable[[], object]) -> Seen:
    with statements_of(engine) as texts:
        answer = ask_it()
    return Seen(answer, tuple(texts))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("real")
    with whole_world(sqlite_database(folder), folder) as made:
        yield made


# A person.


def hidden_from(world: RandomWorld, capacity: Capacity, policy: Policy) -> set[str]:
    """The messages with which this capacity may do nothing at all, by the rows in memory."""
    found = set()
    for message in world.all(Message):
        subject = OfMessage(message_id=MessageId(message.id))
        facts = facts_told(Question(world, NOW, capacity, subject, _GIVEN))
        if not any(policy.decide(capacity.role, facts, one).allowed for one in Action):
            found.add(message.id)
    return found


def without(world: RandomWorld, hidden: set[str]) -> RandomWorld:
    """The same world in which they never came, nor anything about them."""
    every = [row for rows in world.rows.values() for row in rows]
    about = [row for row in every if getattr(row, "message_id", None) in hidden]
    gone = hidden | {row.id for row in about if hasattr(row, "id")}

    def is_left(row: SQLModel) -> bool:
        about = {getattr(row, name, None) for name in ("id", "message_id", "subject_id")}
        return not about & gone

    left = {kind: [row for row in rows if is_left(row)] for kind, rows in world.rows.items()}
    return replace(world, rows=left)


def lists(
    session: Session, policy: Policy, capacity: Capacity, actions: Iterable[Action]
) -> object:
    """For each action a list, a count, a page, facets and a search."""
    answers: list[str] = []
    for action in actions:
        theirs = permitted_message_ids(policy, capacity, NOW, action)
        mine = col(Message.id).in_(theirs)
        newest = sa.select(col(Message.id)).where(mine).order_by(col(Message.received_at).desc())
        statements: tuple[Any, ...] = (
            theirs.order_by("id"),
            sa.select(sa.func.count()).select_from(Message).where(mine),
            newest.order_by(col(Message.id).desc()).limit(2),
            sa.select(col(Message.state), sa.func.count()).where(mine).group_by("state"),
            sa.select(col(Message.id)).where(mine, col(Message.sender) == "974760673"),
        )
        answers += [repr(session.execute(statement).all()) for statement in statements]
    return answers


def refusals(
    session: Transaction,
    line: Line,
    capacity: Capacity,
    ids: Iterable[str],
    actions: Iterable[Action],
) -> object:
    """What is said to somebody who asks for these by their ids."""
    answers = []
    for message_id in ids:
        subject = OfMessage(message_id=MessageId(message_id))
        for action in actions:
            with pytest.raises(NotFound) as refused:
                authorize(line, session, capacity, action, subject, _GIVEN)
            answers.append((type(refused.value), str(refused.value), refused.value.args))
    return answers


def person_sees(
    engine: Engine,
    world: RandomWorld,
    real: World,
    capacity: Capacity,
    hidden: Sequence[str],
    actions: Sequence[Action],
) -> list[Seen]:
    with real.line.store.reading() as tx:
        policy = real.line.policies.current(tx)
    with session_with_world(engine, world) as tx:
        activate_policy(tx, policy.digest, None)
        return [
            seen(engine, lambda: lists(tx, policy, capacity, actions)),
            seen(engine, lambda: refusals(tx, real.line, capacity, hidden, actions)),
        ]


def compare_for_people(engine: Engine, real: World, seeds: Iterable[int]) -> Counter[str]:
    with real.line.store.reading() as tx:
        policy = real.line.policies.current(tx)
    counted: Counter[str] = Counter()
    for seed in seeds:
        world = world_of(f"interference {seed}", messages=7)
        capacity = world.capacities[seed % len(world.capacities)]
        hidden = hidden_from(world, capacity, policy)
        actions = [
            Action.LIST,
            Action.ROUTE,
            ACTIONS_ABOUT_MESSAGES[seed % len(ACTIONS_ABOUT_MESSAGES)],
        ]
        asked = (real, capacity, sorted(hidden)[:2], actions)
        here = person_sees(engine, world, *asked)
        gone = person_sees(engine, without(world, hidden), *asked)
        assert here == gone, (seed, capacity)
        counted["pairs"] += 1
        counted["hidden"] += len(hidden)
        counted["shown"] += len(world.all(Message)) - len(hidden)
        counted["statements"] += sum(len(each.statements) for each in here)
    print(dict(counted))  # noqa: T201 - the figures of docs/assurance.md
    return counted


def test_hidden_messages_change_no_answer_or_statement_for_a_person(
    small_engine: Engine, real: World
) -> None:
    counted = compare_for_people(small_engine, real, range(3, 8))

    assert min(counted["hidden"], counted["shown"]) > 1


@pytest.mark.long
def test_hidden_messages_change_no_answer_or_statement_in_2000_pairs(
    small_engine: Engine, real: World
) -> None:
    counted = compare_for_people(small_engine, real, range(1000, 3000))

    assert counted["pairs"] == 2000


def test_visible_message_changes_the_answers_to_a_person(small_engine: Engine, real: World) -> None:
    """So that the tests above can see."""
    with real.line.store.reading() as tx:
        policy = real.line.policies.current(tx)
    for seed in range(100):
        world = world_of(f"shown {seed}")
        capacity = world.capacities[0]
        shown = {m.id for m in world.all(Message)} - hidden_from(world, capacity, policy)
        if capacity.role == "leader" and shown:
            break
    asked = (real, capacity, (), [Action.LIST, Action.ROUTE])
    here = person_sees(small_engine, world, *asked)
    gone = person_sees(small_engine, without(world, shown), *asked)

    assert here != gone


# The lists that a person gets.


@pytest.fixture(scope="module")
def office(real: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """A line with an audit and nothing else, in which it is always now."""
    engine = create_engine(sqlite_database(tmp_path_factory.mktemp("office")))
    yield replace(real.line, store=Store(engine, seal=audit.seal, clock=lambda _: NOW))
    engine.dispose()


def with_titles(world: RandomWorld, line: Line) -> RandomWorld:
    """The same world, in which every message says something in what is sealed."""
    for message in world.all(Message):
        key, wrapped = line.keyring.new_data_key()
        world.add(
            WrappedKey(
                id=message.id, kek_id=wrapped.kek_id, wrapped=wrapped.wrapped, created_at=NOW
            )
        )
        title = f"Om {message.id}"
        for column, value in (
            ("sealed_metadata", {"process": title, "document_type": title}),
            ("sealed_archive", {"registry_entries": [{"title": title}], "case_file": None}),
        ):
            sealed = key.seal(
                json.dumps(value).encode(), table="message", column=column, row=message.id
            )
            setattr(message, column, sealed)
    return world


@contextmanager
def moved_in(line: Line, world: RandomWorld, digest: str) -> Iterator[None]:
    """The world in the line's database, committed, and out of it again."""
    with line.store.transaction() as tx:
        tx.add(AuditHead(id=1, size=0, frontier=b""))
        tx.now = NOW
        activate_policy(tx, digest, None)
        tx.flush()
        write(tx, world)
    yield
    with line.store.transaction() as tx:
        for table in reversed(SQLModel.metadata.sorted_tables):
            tx.connection().execute(table.delete())


def narrowed(hidden: Sequence[str]) -> Iterator[MessageSearch]:
    """Searches by everything that a person may guess of a hidden message; and by each state."""
    yield MessageSearch()
    yield MessageSearch(sender=OrgNumber("974760673"))
    yield MessageSearch(unit=UnitId("bv"), shielding="13")
    yield from (MessageSearch(message_id=MessageId(one)) for one in hidden)
    yield from (MessageSearch(states=(state,)) for state in MessageState)


def every_list(line: Line, capacity: Capacity, hidden: Sequence[str]) -> list[object]:
    """Pages one after the other, counts and facets, of all that may be searched by."""
    answers: list[object] = []
    for action in (Action.LIST, Action.ROUTE):
        for query in narrowed(hidden):
            asked = ListRequest(capacity=capacity, action=action, query=query)
            found = page(line, asked, at_most=2)
            answers.append([vars(row) for row in found.rows])
            while found.cursor is not None:
                found = page(line, asked, after=found.cursor, at_most=2)
                answers.append([vars(row) for row in found.rows])
            answers += [count(line, asked), facets(line, asked)]
    return answers


def listed_in(
    office: Line, world: RandomWorld, digest: str, asked: tuple[Capacity, Sequence[str], float]
) -> Seen:
    """The answers as bytes. `asked` has who, the hidden ids, and the share that is doubted."""
    capacity, hidden, share = asked
    line = replace(office, recheck=Recheck(share, lambda: 0.0))
    with moved_in(line, world, digest):
        return seen(line.store.engine, lambda: repr(every_list(line, capacity, hidden)))


def compare_lists(office: Line, real: World, seeds: Iterable[int]) -> Counter[str]:
    with real.line.store.reading() as tx:
        policy = real.line.policies.current(tx)
    counted: Counter[str] = Counter()
    for seed in seeds:
        world = with_titles(world_of(f"lists {seed}", messages=7), office)
        people = [one for one in world.capacities if one.person is not None]
        for capacity in random.Random(seed).sample(people, 2):
            hidden = hidden_from(world, capacity, policy)
            asked = (capacity, sorted(hidden)[:2], seed % 2)
            here = listed_in(office, world, policy.digest, asked)
            gone = listed_in(office, without(world, hidden), policy.digest, asked)
            assert here == gone, (seed, capacity)
            counted["pairs"] += 1
            counted["hidden"] += len(hidden)
            counted["titles"] += str(here.answer).count("'title': 'Om ")
            counted["audited"] += "INSERT INTO audit_entry" in str(here.statements)
            counted["statements"] += len(here.statements)
    print(dict(counted))  # noqa: T201 - the figures of docs/assurance.md
    return counted


def test_hidden_messages_change_no_list_of_a_person(office: Line, real: World) -> None:
    counted = compare_lists(office, real, [4])

    assert min(counted["hidden"], counted["titles"]) > 1


@pytest.mark.long
def test_hidden_messages_change_no_list_in_400_pairs(office: Line, real: World) -> None:
    counted = compare_lists(office, real, range(1000, 1200))

    assert counted["pairs"] == 400
    assert min(counted.values()) > 5


def test_visible_message_changes_the_lists_of_a_person(office: Line, real: World) -> None:
    """So that the tests above can see; what is doubted is the same, by more statements."""
    with real.line.store.reading() as tx:
        policy = real.line.policies.current(tx)
    changed: Counter[str] = Counter()
    for seed in range(3):
        world = with_titles(world_of(f"lists {seed}", messages=7), office)
        capacity = next(one for one in world.capacities if one.person is not None)
        shown = {m.id for m in world.all(Message)} - hidden_from(world, capacity, policy)
        here, doubted, gone = (
            listed_in(office, one, policy.digest, (capacity, (), share))
            for one, share in ((world, 0), (world, 1), (without(world, shown), 0))
        )
        assert here.answer == doubted.answer
        changed["answer"] += here.answer != gone.answer
        changed["statements"] += here.statements != gone.statements
        changed["doubts"] += len(doubted.statements) > len(here.statements)
        if all(changed.values()):
            break

    assert min(changed[name] for name in ("answer", "statements", "doubts")) > 0


# A case system.


def ids_of(seed: int, number: int) -> tuple[str, str]:
    """The ids of a message and of its delivery, as the API takes them."""
    return f"{seed:029x}a{number:02x}", f"{seed:029x}d{number:02x}"


def add_delivered(
    session: Session, chance: random.Random, ids: tuple[str, str], system: str, unit: str | None
) -> None:
    """A message, and a delivery of it to this case system."""
    rows = RandomWorld(chance)
    message = world_of(ids[0], messages=1).all(Message)[0]
    message.id, message.wire_id, message.unit, message.organisation = ids[0], ids[0], unit, OURS
    rows.add(message)
    rows.add(
        Delivery(
            id=ids[1],
            message_id=ids[0],
            number=1,
            case_system=system,
            state=chance.choice([DeliveryState.OPEN, *DeliveryState]),
            offered_at=NOW,
        )
    )
    write(session, rows)


def requests_for(ids: Iterable[str], own: Iterable[str]) -> list[tuple[str, str, Any]]:
    """Everything that the API can be asked, about these ids; the list from every place."""
    asked: list[tuple[str, str, Any]] = [("GET", API, None), ("GET", f"{API}?limit=1", None)]
    asked += [("GET", f"{API}?limit=2&after={one}", None) for one in (*own, *ids, "0" * 32)]
    for one in ids:
        asked += [
            ("GET", f"{API}/{one}{end}", None)
            for end in ("", "/package", "/documents/1", "/documents/100001", "/else")
        ]
        asked += [
            ("POST", f"{API}/{one}/accepted", None),
            ("POST", f"{API}/{one}/registered", {"reference": "2026/1-2"}),
            ("POST", f"{API}/{one}/registered", {"reference": 1}),
            ("POST", f"{API}/{one}/refused", {"code": "wrong-unit"}),
            ("DELETE", f"{API}/{one}", None),
        ]
    return asked


def system_sees(
    real: World, client: TestClient, asked: Iterable[tuple[str, str, Any]]
) -> list[Seen]:
    headers = {"authorization": f"Bearer {real.keys['fag'][0]}"}

    def answer(method: str, path: str, body: Any) -> object:
        given = client.request(method, path, headers=headers, json=body)
        return given.status_code, sorted(given.headers.items()), given.content

    engine = real.line.store.engine
    return [seen(engine, partial(answer, *one)) for one in asked]


def clear(real: World) -> None:
    with real.line.store.transaction() as tx:
        tx.execute(sa.delete(table_of(Delivery)))
        tx.execute(sa.delete(table_of(Message)))


def compare_for_systems(real: World, seeds: Iterable[int]) -> Counter[str]:
    counted: Counter[str] = Counter()
    homes = (("sak", "bv"), ("hand", "skole"), ("sak", None))
    with TestClient(create_app(real.line), raise_server_exceptions=False) as client:
        for seed in seeds:
            chance = random.Random(seed)
            own, hidden = ([ids_of(seed, n) for n in numbers] for numbers in ((1, 3), (0, 2, 4)))
            asked = requests_for([each for ids in hidden for each in ids], [d for _, d in own])
            clear(real)
            with real.line.store.transaction() as tx:
                for ids in own:
                    add_delivered(tx, chance, ids, "fag", "ppt")
            gone = system_sees(real, client, asked)
            with real.line.store.transaction() as tx:
                for ids in hidden:
                    add_delivered(tx, chance, ids, *chance.choice(homes))
            assert system_sees(real, client, asked) == gone, seed
            counted["pairs"] += 1
            counted["requests"] += len(asked)
            counted["statements"] += sum(len(each.statements) for each in gone)
    print(dict(counted))  # noqa: T201 - the figures of docs/assurance.md
    return counted


def test_deliveries_of_others_change_no_api_answer_to_a_case_system(real: World) -> None:
    counted = compare_for_systems(real, range(1))

    assert counted["requests"] > 50


@pytest.mark.long
def test_deliveries_of_others_change_no_api_answer_in_1000_pairs(real: World) -> None:
    assert compare_for_systems(real, range(100, 1100))["pairs"] == 1000


def test_own_delivery_changes_the_api_answers_to_a_case_system(real: World) -> None:
    """So that the tests above can see."""
    ids = ids_of(9999, 1)
    with TestClient(create_app(real.line), raise_server_exceptions=False) as client:
        asked = [("GET", API, None), ("POST", f"{API}/{ids[1]}/accepted", None)]
        clear(real)
        gone = system_sees(real, client, asked)
        with real.line.store.transaction() as tx:
            add_delivered(tx, random.Random(1), ids, "fag", "ppt")
            tx.execute(sa.update(table_of(Delivery)).values(state=DeliveryState.OPEN))
            tx.execute(sa.update(table_of(Message)).values(state=MessageState.OFFERED))
        here = system_sees(real, client, asked)

    assert all(one.answer != other.answer for one, other in zip(here, gone, strict=True))
