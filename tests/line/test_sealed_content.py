"""What is kept of a message: sealed, bound to its place, and nowhere in the clear."""

from dataclasses import fields
from pathlib import Path

import pytest
from sqlmodel import select

from inbox.access.lists.pages import permitted_message_ids
from inbox.access.policy.vocabulary import Action, Role
from inbox.directory import import_agreed, sign_in_as
from inbox.directory.format.toml_file import read_directory
from inbox.domain import MessageState, Metadata
from inbox.errors import IntegrityError
from inbox.line.moves.registration import data_key
from inbox.line.queue import claim
from inbox.line.sealed_content import metadata_of, unseal_json
from inbox.line.stations import advance
from inbox.line.stations.message import _destroy_content
from inbox.tables import Message, MessageReference
from tests.worlds import OURS, World

CANARY = "Kanarifugl Fuglesen 01010112345"


def _opened(world: World, **changes: object) -> Message:
    wire_id = world.send(f"Barnevern {CANARY}", content=CANARY.encode(), **changes)  # type: ignore[arg-type]
    world.collect()
    world.work()
    return world.message(wire_id)


def test_unsealed_metadata_of_a_message_has_exactly_the_allowlisted_fields(world: World) -> None:
    message = _opened(world, receiver_ref="2026/1")
    with world.line.store.reading() as tx:
        key = data_key(tx, world.line, message.id)

    metadata = metadata_of(message, key, sender_known=True, known_unit=None)

    assert {field.name for field in fields(metadata)} == {f.name for f in fields(Metadata)}
    assert metadata.public_title == f"Barnevern {CANARY}"
    assert metadata.references[0] == "2026/1"
    assert metadata.signer == metadata.sender
    assert metadata.document_count == 1


def test_message_content_is_not_in_clear_in_any_file_of_the_installation(
    small_world: World,
) -> None:
    _opened(small_world)
    small_world.line.store.engine.dispose()

    hits = {
        path.name for path in _files(small_world.folder) if CANARY.encode() in path.read_bytes()
    }

    assert hits == set()


def test_canary_search_finds_a_canary_planted_in_the_vault(small_world: World) -> None:
    (small_world.folder / "vault" / "x").write_bytes(b"..." + CANARY.encode())

    assert any(CANARY.encode() in path.read_bytes() for path in _files(small_world.folder))


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_sealed_value_moved_to_another_row_cannot_be_unsealed(world: World) -> None:
    first, second = _opened(world), _opened(world)
    with world.line.store.reading() as tx:
        key = data_key(tx, world.line, first.id)
    second.sealed_archive = first.sealed_archive

    assert unseal_json(first, key, "sealed_archive")["shape"]
    with pytest.raises(IntegrityError):
        unseal_json(second, key, "sealed_archive")


def test_quarantined_message_keeps_sender_and_verdict_but_no_arkivmelding(world: World) -> None:
    from inbox.simulator.packages.builder import Tamper

    message = _opened(world, parcel={"tamper": Tamper.CHANGED_DOCUMENT})

    assert message.state is MessageState.QUARANTINED
    assert message.sender == "910077473"
    assert message.verdict is not None
    assert '"integrity": false' in message.verdict
    assert message.sealed_archive is None


def test_open_station_gives_the_same_outcome_when_run_twice(small_world: World) -> None:
    wire_id = small_world.send()
    small_world.collect()
    from inbox.tables import Arrival

    job = claim(small_world.line, Arrival)
    while job is not None:
        job = advance(small_world.line, job)
    received = claim(small_world.line, Message)
    assert received is not None
    from inbox.line.stations.open import Opened, open_message

    first, second = (open_message(small_world.line, received) for _ in range(2))

    assert isinstance(first, Opened)
    assert isinstance(second, Opened)
    assert first.outcome.became == second.outcome.became == MessageState.OPENED
    plain = [
        {k: v for k, v in each.outcome.values.items() if "sealed" not in k}
        for each in (first, second)
    ]
    assert plain[0] == plain[1]
    assert first.references == second.references
    assert small_world.message(wire_id).state is MessageState.RECEIVED


def _named(world: World) -> set[tuple[str, str]]:
    with world.line.store.reading() as tx:
        rows = tx.exec(select(MessageReference))
        return {(row.message_id, row.reference_hash) for row in rows}


def _hashed(world: World, reference: str) -> str:
    return world.line.keyring.lookup_hash("reference", reference).hex()


def test_case_reference_of_a_message_is_kept_as_a_hash_until_erasure(world: World) -> None:
    message = _opened(world, receiver_ref="2026/1")
    named = _named(world)

    assert (message.id, _hashed(world, "2026/1")) in named
    assert (message.id, _hashed(world, "2026/2")) not in named

    with world.line.store.transaction() as tx:
        row = tx.get_one(Message, message.id)
        _destroy_content(world.line, tx, row)

    assert _named(world) == set()


def test_conflict_of_interest_with_a_case_hides_its_messages_from_the_person(
    small_world: World,
) -> None:
    message = _opened(small_world, receiver_ref="2026/1")
    conflict = (
        f"organisation='{OURS}'\n[[conflict]]\nperson='kari'\nreference='2026/{{}}'\n".encode()
    )
    seen = []
    for number in (b"2", b"1"):
        text = conflict.replace(b"{}", number)
        with small_world.line.store.transaction() as tx:
            import_agreed(small_world.line, tx, read_directory(text), approved_by="a+b")
        with small_world.line.store.transaction() as tx:
            tx.get_one(Message, message.id).unit = "bv"
            tx.flush()
            kari = sign_in_as(tx, "kari", role=Role.LEADER, unit="bv")
            policy = small_world.line.policies.current(tx)
            listed = (
                tx.execute(permitted_message_ids(policy, kari, tx.now, Action.LIST)).scalars().all()
            )
            seen.append(message.id in listed)

    assert seen == [True, False]
