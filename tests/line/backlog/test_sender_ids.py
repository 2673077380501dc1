"""Rows are found by what the sender calls a message, or its conversation, and by nothing else."""

from sqlmodel import col, select

from inbox.keys import WrappedDataKey
from inbox.line.backlog.sender_ids import SentRows, rows_sent_as
from inbox.package.envelope import read_envelope
from inbox.simulator.packages.builder import Tamper
from inbox.tables import Message, MessageReference, WrappedKey
from tests.worlds import World


def _found(world: World, sender_id: str) -> SentRows:
    with world.line.store.reading() as tx:
        return rows_sent_as(tx, world.line.keyring, sender_id)


def _taken(world: World, title: str = "Om en elev", **more: object) -> Message:
    wire_id = world.send(title, **more)  # type: ignore[arg-type] # as `send` takes them
    world.collect()
    world.work()
    return world.message(wire_id)


def _conversation(world: World, message: Message) -> str:
    with world.line.store.reading() as tx:
        stored = tx.get_one(WrappedKey, message.id)
        assert stored.wrapped is not None
        assert stored.kek_id is not None
    key = world.line.keyring.unwrap(WrappedDataKey(kek_id=stored.kek_id, wrapped=stored.wrapped))
    assert message.sealed_envelope is not None
    raw = key.unseal(
        message.sealed_envelope, table="message", column="sealed_envelope", row=message.id
    )
    found = read_envelope(raw).conversation_id
    assert found is not None
    return found


def test_message_and_its_arrivals_are_found_by_both_ids_of_the_sender(world: World) -> None:
    message, _ = _taken(world), _taken(world)
    world.gateway.redeliver(message.wire_id)
    world.collect()
    world.work()

    by_id = _found(world, message.wire_id)
    by_conversation = _found(world, _conversation(world, message))

    assert by_id == by_conversation
    assert by_id.messages == {message.id}
    assert len(by_id.arrivals) == 2
    assert _found(world, "another") == SentRows(arrivals=frozenset(), messages=frozenset())


def test_message_in_quarantine_is_found_by_its_conversation(world: World) -> None:
    message = _taken(world, parcel={"tamper": Tamper.BROKEN_SIGNATURE})
    with world.line.store.reading() as tx:
        of_it = select(MessageReference).where(col(MessageReference.message_id) == message.id)
        assert tx.exec(of_it).all() == []

    assert _found(world, _conversation(world, message)).messages == {message.id}


def test_message_is_not_found_by_the_case_reference_that_it_answers(world: World) -> None:
    message = _taken(world, receiver_ref="2026/001234")
    hashed = world.line.keyring.lookup_hash("reference", "2026/001234").hex()
    with world.line.store.reading() as tx:
        of_it = select(MessageReference.message_id).where(
            col(MessageReference.reference_hash) == hashed
        )
        assert tx.exec(of_it).all() == [message.id]

    assert _found(world, "2026/001234").messages == frozenset()


def test_erased_message_is_found_by_the_id_of_the_message_alone(world: World) -> None:
    message = _taken(world)
    conversation = _conversation(world, message)
    with world.line.store.transaction() as tx:
        row = tx.get_one(Message, message.id)
        row.sealed_envelope = None
        key = tx.get_one(WrappedKey, message.id)
        key.wrapped = key.kek_id = None
    world.edited = True

    assert _found(world, message.wire_id).messages == {message.id}
    assert _found(world, conversation).messages == frozenset()


def test_envelope_that_does_not_open_is_passed_over(world: World) -> None:
    damaged, whole = _taken(world), _taken(world)
    conversations = [_conversation(world, each) for each in (damaged, whole)]
    with world.line.store.transaction() as tx:
        tx.get_one(Message, damaged.id).sealed_envelope = b"nothing"
    world.edited = True

    assert _found(world, conversations[0]).messages == frozenset()
    assert _found(world, conversations[1]).messages == {whole.id}
    assert _found(world, damaged.wire_id).messages == {damaged.id}
