"""The state check names each row that no entry explains, and nothing where all is in order."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from inbox.audit import verify
from inbox.audit.deciding_rows import DECIDING_TABLES
from inbox.audit.state import verify_state
from inbox.domain import GrantKind, MessageState, ProposalState, new_id
from inbox.tables import (
    AccessGrant,
    AccessRequest,
    Assignment,
    AuditEntry,
    AuditGapRow,
    AuditSalt,
    BindingCode,
    Clearance,
    ConflictOfInterest,
    Delegation,
    Identity,
    KnownReference,
    Message,
    MessageReference,
    Note,
    Opening,
    Proposal,
    RestoreCode,
    SessionRow,
    UnitAbove,
    UnitTerms,
)
from tests import databases
from tests.audit.audit_forgery import rebuild
from tests.audit.line_audit import kept_by_the_line
from tests.audit.state_edits import (
    decides,
    dice_of,
    edited,
    findings_of,
    of_row,
    other_value,
    said_after,
    said_of,
    some_row,
    tables_with_rows,
)
from tests.worlds import OURS, SENDER, World, world

HASH = "f" * 64


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)]
)
def walked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Mail has walked the line, one letter to its erasure; every deciding table has rows."""
    folder = tmp_path_factory.mktemp("walked")
    if request.param == "sqlite":
        url = databases.sqlite_database(folder)
    else:
        url = databases.postgres_database(request.getfixturevalue("postgres_server"))
    with world(url, folder) as made:
        kept_by_the_line(made, 1)
        made.send()
        made.collect()
        made.work()
        _furnish(made)
        yield made


def _furnish(made: World) -> None:
    """A row of each table that the letters left empty, by the program's own means."""
    with made.line.store.transaction() as tx:
        message = tx.exec(select(Message).where(col(Message.state) == MessageState.OFFERED)).first()
        assert message is not None
        until = tx.now + timedelta(days=7)
        tx.add_all(
            [
                AccessGrant(
                    kind=GrantKind.GIVEN,
                    unit="bv",
                    person="ola",
                    given_by="kari",
                    sealed_reason=b"sealed",
                    active_until=until,
                    id=new_id(),
                    message_id=message.id,
                    active_from=tx.now,
                ),
                AccessRequest(
                    id=new_id(),
                    message_id=message.id,
                    unit="bv",
                    person="ola",
                    sealed_reason=b"sealed",
                    asked_at=tx.now,
                ),
                Assignment(person="ola", id=new_id(), message_id=message.id, active_from=tx.now),
                Clearance(id=new_id(), person="ola", shielding="OWN", active_from=tx.now),
                ConflictOfInterest(
                    person="ola", id=new_id(), message_id=message.id, active_from=tx.now
                ),
                UnitAbove(id=new_id(), unit="bv", above="desk", active_from=tx.now),
                Delegation(
                    id=new_id(),
                    unit="bv",
                    absent="ola",
                    substitute="kari",
                    given_by="kari",
                    active_until=until,
                    active_from=tx.now,
                ),
                KnownReference(
                    id=new_id(),
                    organisation=OURS,
                    counterparty=SENDER,
                    reference_hash=HASH,
                    unit="bv",
                    source="import",
                    recorded_at=tx.now,
                ),
                AuditGapRow(
                    id=new_id(),
                    code="audit.cut",
                    size=1,
                    signed_size=2,
                    signed_root=HASH,
                    found_at=tx.now,
                    accepted_at=tx.now,
                ),
                RestoreCode(
                    person="ola",
                    code_hash=b"hash",
                    signed_root=HASH,
                    size=1,
                    root=HASH,
                    expires_at=until,
                ),
                MessageReference(message_id=message.id, reference_hash=HASH),
                MessageReference(message_id=message.id, reference_hash="e" * 64),
                Note(
                    number=1,
                    person="ola",
                    role="handler",
                    unit="bv",
                    sealed_text=b"sealed",
                    written_at=tx.now,
                    id=new_id(),
                    message_id=message.id,
                ),
                UnitTerms(
                    unit="bv",
                    unopened_hours=4,
                    unregistered_days=3,
                    opens_minute=480,
                    closes_minute=960,
                ),
                Identity(
                    id="i" * 32,
                    person="ola",
                    issuer="https://i.example",
                    subject_hash=HASH,
                    bound_by="import",
                    active_from=tx.now,
                ),
                BindingCode(
                    id=new_id(),
                    person="ola",
                    code_hash=HASH,
                    issued_by="anne",
                    approved_by="bjorn",
                    issued_at=tx.now,
                    expires_at=until,
                ),
                SessionRow(
                    id=new_id(),
                    token_hash=HASH,
                    person="ola",
                    began_at=tx.now,
                    last_seen_at=tx.now,
                    vouched_at=tx.now,
                    ask_at=until,
                    expires_at=until,
                ),
                Opening(person="ola", opened_at=tx.now, id=new_id(), message_id=message.id),
                Proposal(
                    id=new_id(),
                    kind="refuse",
                    subject_id=message.id,
                    state=ProposalState.OPEN,
                    proposer="anne",
                    sealed_payload=b"sealed",
                    created_at=tx.now,
                    expires_at=until,
                ),
            ]
        )


def test_a_story_of_mail_and_people_leaves_no_row_unexplained(walked: World) -> None:
    with walked.line.store.snapshot() as tx:
        report = verify_state(tx, walked.line.keyring.row_key())

    assert (report.findings, report.as_found) == ((), {})
    assert report.compared > 50


def test_every_deciding_table_has_a_row_in_the_story(walked: World) -> None:
    with edited(walked) as connection:
        assert tables_with_rows(connection) == list(DECIDING_TABLES.values())


_ADDED_CAPACITY = (
    "INSERT INTO capacity SELECT 'c', person, unit, role, active_from, active_until"
    " FROM capacity LIMIT 1"
)
EDITS = {
    "a message's state": (
        "UPDATE message SET state = 'REGISTERED' WHERE state = 'OFFERED'",
        ("state.differs", "message"),
    ),
    "a delivery's state": (
        "UPDATE delivery SET state = 'WITHDRAWN' WHERE state = 'OPEN'",
        ("state.differs", "delivery"),
    ),
    "a capacity": (
        "UPDATE capacity SET role = 'archivist' WHERE person = 'ola'",
        ("state.differs", "capacity"),
    ),
    "a clearance": (
        "UPDATE clearance SET shielding = 'BV' WHERE shielding = 'OWN'",
        ("state.differs", "clearance"),
    ),
    "a person's code": (
        "UPDATE person SET code_hash = NULL WHERE id = 'anne'",
        ("state.differs", "person"),
    ),
    "the key of a case system": (
        "UPDATE case_system SET key_hash = 'ffff' WHERE id = 'fag'",
        ("state.differs", "case_system"),
    ),
    "the address of a case system": (
        "UPDATE case_system SET webhook_url = 'http://elsewhere/' WHERE id = 'sak'",
        ("state.differs", "case_system"),
    ),
    "the secret of a case system": (
        "UPDATE case_system SET sealed_secret = NULL WHERE id = 'sak'",
        ("state.differs", "case_system"),
    ),
    "a deleted task": (
        "DELETE FROM task WHERE id = (SELECT min(id) FROM task)",
        ("state.missing", "task"),
    ),
    "a deleted receipt": (
        "DELETE FROM receipt WHERE id = (SELECT min(id) FROM receipt)",
        ("state.missing", "receipt"),
    ),
    "a grant": (
        "UPDATE access_grant SET person = 'anne'",
        ("state.differs", "access_grant"),
    ),
    "an added capacity": (
        _ADDED_CAPACITY,
        ("state.unexplained", "capacity"),
    ),
    "a policy in force": (
        "UPDATE policy_version SET files = CAST('other' AS BLOB) WHERE kind = 'policy'",
        ("state.differs", "policy_version"),
    ),
    "the active version": (
        "UPDATE active_policy SET digest = 'ffff' WHERE kind = 'policy'",
        ("state.differs", "active_policy"),
    ),
    "the active routing rules": (
        "UPDATE active_policy SET version = NULL WHERE kind <> 'policy'",
        ("state.differs", "active_policy"),
    ),
    "a waiver": (
        "UPDATE message SET waivers = 'certificate.expired' WHERE state = 'OFFERED'",
        ("state.differs", "message"),
    ),
    "a reference of a message": (
        "DELETE FROM message_reference WHERE reference_hash LIKE 'ffffffff%%'",
        ("state.differs", "message_reference"),
    ),
    "a word of no closed set": (
        "UPDATE message SET state = 'GONE' WHERE state = 'OFFERED'",
        ("state.differs", "message"),
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_one_row_in_sql_is_named_by_table(walked: World, edit: str) -> None:
    statement, finding = EDITS[edit]
    if walked.line.store.engine.dialect.name == "postgresql":
        statement = statement.replace("CAST('other' AS BLOB)", "'other'::bytea")

    assert set(said_after(walked, statement)) == {finding}


def test_a_time_beyond_all_calendars_is_named_and_stops_nothing(walked: World) -> None:
    sqlite = walked.line.store.engine.dialect.name == "sqlite"
    never = "'never'" if sqlite else "'infinity'"

    said = said_after(walked, f"UPDATE capacity SET active_until = {never}")  # noqa: S608 - of the test

    assert set(said) == {("state.differs", "capacity")}


def test_edit_that_was_put_back_leaves_no_finding(walked: World) -> None:
    with edited(walked) as connection:
        connection.exec_driver_sql("UPDATE clearance SET shielding = 'PUT' WHERE shielding = 'OWN'")
        assert said_of(walked, connection) == [("state.differs", "clearance")]
        connection.exec_driver_sql("UPDATE clearance SET shielding = 'OWN' WHERE shielding = 'PUT'")

        assert said_of(walked, connection) == []


@pytest.mark.parametrize("table", DECIDING_TABLES)
def test_any_other_value_in_any_deciding_column_is_a_finding(walked: World, table: str) -> None:
    dice, deciding = dice_of(table), DECIDING_TABLES[table]
    missed = []
    for column in deciding.columns:
        with edited(walked) as connection:
            row = some_row(connection, deciding, dice)
            assert row is not None
            if not decides(deciding, row, column.name):
                continue
            new = {column.name: other_value(column, row[column.name], dice)}
            connection.execute(
                sa.update(deciding.table).where(of_row(deciding.table, row)).values(new)
            )
            if table not in {name for _, name in said_of(walked, connection)}:
                missed.append(column.name)

    assert missed == []


@pytest.mark.parametrize("table", DECIDING_TABLES)
def test_a_row_that_was_added_or_deleted_is_a_finding(walked: World, table: str) -> None:
    dice, deciding = dice_of(table), DECIDING_TABLES[table]
    with edited(walked) as connection:
        row = some_row(connection, deciding, dice)
        assert row is not None
        connection.execute(sa.delete(deciding.table).where(of_row(deciding.table, row)))
        deleted = said_of(walked, connection)
        key = list(deciding.table.primary_key)[-1]
        other = {key.name: other_value(key, row[key.name], dice)}
        connection.execute(sa.insert(deciding.table), {**row, **other})
        added = said_of(walked, connection)

    assert [name for _, name in deleted] == [table]
    assert deciding.is_grouped or deleted == [("state.missing", table)]
    assert set(added) - set(deleted) or deciding.is_grouped
    assert table in {name for _, name in added}


def test_a_finding_names_table_and_id_and_nothing_else_of_the_row(walked: World) -> None:
    with edited(walked) as connection:
        connection.exec_driver_sql("UPDATE person SET name = 'Kari Hemmelig' WHERE id = 'kari'")
        with Session(connection) as session:
            (found,) = verify_state(session, walked.line.keyring.row_key()).findings

    assert (found.code, found.table, found.row) == ("state.differs", "person", "kari")


# Entries that somebody else wrote


def _with_copied_marks(leaves: list[bytes]) -> list[bytes]:
    """The log with an entry at its end that repeats the marks of an earlier one."""
    marks = next(leaf for leaf in leaves if b'"rows":{"capacity/' in leaf)
    seq = marks.split(b'"seq":')[1].split(b",")[0]
    return [*leaves, marks.replace(b'"seq":' + seq, b'"seq":%d' % len(leaves))]


def test_marks_that_were_copied_to_a_new_entry_explain_nothing(small_world: World) -> None:
    assert findings_of(small_world) == ()

    rebuild(small_world, _with_copied_marks)

    assert {finding.code for finding in findings_of(small_world)} == {"state.differs"}
    with small_world.line.store.reading() as tx:
        assert verify.verify(tx, small_world.line.keyring, []).holds


# Erasure


def test_erasing_a_message_leaves_its_rows_explained_and_its_references_unguessable(
    walked: World,
) -> None:
    with walked.line.store.reading() as tx:
        erased = tx.exec(select(Message).where(col(Message.state) == MessageState.ERASED)).one()
        leaves = tx.exec(
            select(AuditEntry.seq, AuditEntry.leaf).where(col(AuditEntry.message_id) == erased.id)
        ).all()
        salts = {
            row.seq: row.salt
            for row in tx.exec(
                select(AuditSalt).where(
                    col(AuditSalt.message_id) == erased.id,
                    col(AuditSalt.name) == "rows",
                )
            )
        }
    marked = [seq for seq, leaf in leaves if b'"message_reference/' in leaf]

    assert findings_of(walked) == ()
    assert salts
    assert set(salts.values()) == {b""}
    assert set(salts) < set(marked)
