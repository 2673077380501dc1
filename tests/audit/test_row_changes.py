"""What the program writes to deciding rows is vouched for by an entry, however it writes."""

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from inbox import audit
from inbox.audit.row_changes import write_returning
from inbox.errors import ConfigurationError
from inbox.tables import AuditEntry, Message, Outbox, Person, table_of
from tests.audit.state_edits import findings_of
from tests.worlds import World


def test_a_row_is_vouched_for_by_the_entry_that_is_about_it(small_world: World) -> None:
    small_world.send()
    small_world.collect()

    with small_world.line.store.reading() as tx:
        leaves = [bytes(leaf) for leaf in tx.exec(select(AuditEntry.leaf))]

    (announced,) = [leaf for leaf in leaves if b"arrival:announced" in leaf]
    assert b'"arrival/' in announced
    assert b"Ola" not in announced


def test_rows_that_are_written_without_an_entry_get_one(small_world: World) -> None:
    with small_world.line.store.transaction() as tx:
        tx.get_one(Person, "ola").name = "Ola Annet"

    with small_world.line.store.reading() as tx:
        last = tx.exec(select(AuditEntry.leaf).order_by(col(AuditEntry.seq).desc())).first()
    assert last is not None
    assert b'"event":"rows:written"' in last
    assert b"Annet" not in last
    assert findings_of(small_world) == ()


def test_many_rows_of_one_transaction_are_spread_over_entries(small_world: World) -> None:
    many = 2 * audit.ROWS_PER_ENTRY + 1
    with small_world.line.store.transaction() as tx:
        tx.add_all(Person(id=f"p{number}", name="En", active_from=tx.now) for number in range(many))

    with small_world.line.store.reading() as tx:
        leaves = [bytes(leaf) for leaf in tx.exec(select(AuditEntry.leaf))]
    assert max(leaf.count(b'":"') for leaf in leaves) < 2 * audit.ROWS_PER_ENTRY
    assert findings_of(small_world) == ()


def test_a_statement_for_many_rows_is_seen_and_says_how_many(world: World) -> None:
    with world.line.store.transaction() as tx:
        people = table_of(Person)
        added = tx.execute(
            sa.insert(people),
            [{"id": f"p{n}", "name": "En", "active_from": tx.now} for n in range(3)],
        )
        changed = tx.execute(sa.update(people).where(people.c.id.like("p_")).values(name="To"))
        given = write_returning(
            tx, sa.update(people).where(people.c.id == "p0").values(name="Tre"), ["name"]
        )
        gone = tx.execute(sa.delete(people).where(people.c.id == "p2"))

    counts = [getattr(each, "rowcount", None) for each in (added, changed, gone)]
    assert counts == [3, 3, 1]
    assert [dict(row) for row in given] == [{"name": "Tre"}]
    assert findings_of(world) == ()


def test_a_statement_that_returns_rows_itself_is_refused(small_world: World) -> None:
    people = table_of(Person)
    with (
        pytest.raises(TypeError, match="write_returning"),
        small_world.line.store.transaction() as tx,
    ):
        tx.execute(sa.update(people).values(name="En").returning(people.c.id))


def test_putting_a_row_off_writes_no_entry(small_world: World) -> None:
    small_world.send()
    small_world.collect()
    with small_world.line.store.reading() as tx:
        before, _ = audit.head(tx)

    with small_world.line.store.transaction() as tx:
        later = {"due_at": tx.now, "leased_until": None, "code": "gateway.slow"}
        tx.execute(sa.update(table_of(Message)).values(**later))
        tx.execute(sa.update(Outbox).values(due_at=tx.now))

    with small_world.line.store.reading() as tx:
        assert audit.head(tx)[0] == before


def test_an_object_that_another_statement_changed_is_vouched_for_as_it_is_stored(
    world: World,
) -> None:
    with world.line.store.transaction() as tx:
        ola, people = tx.get_one(Person, "ola"), table_of(Person)
        tx.connection().execute(sa.update(people).where(people.c.id == "ola").values(name="Ola To"))
        ola.code_hash = b"new"

    assert findings_of(world) == ()


def test_a_row_that_was_added_and_deleted_in_one_transaction_is_absent(
    small_world: World,
) -> None:
    with small_world.line.store.transaction() as tx:
        person = Person(id="brief", name="En", active_from=tx.now)
        tx.add(person)
        tx.flush()
        tx.delete(person)

    assert findings_of(small_world) == ()


def test_rows_written_without_the_keys_at_hand_are_refused(small_world: World) -> None:
    store = small_world.line.store
    store.row_key = None

    with (
        pytest.raises(ConfigurationError, match=r"audit\.no_row_key"),
        store.transaction() as tx,
    ):
        tx.get_one(Person, "ola").name = "En"
