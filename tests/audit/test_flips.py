"""Every single bit of a real audit, flipped: the program says so, and so does the single file."""

from collections.abc import Iterable, Sequence
from random import Random
from typing import TypeVar

import pytest
import sqlalchemy as sa

from inbox.errors import IntegrityError
from tests.audit.bit_flips import TABLES, UNCOVERED, Place, bits_of, flip_each, places
from tests.audit.line_audit import Kept, kept_by_the_line
from tests.worlds import World

LARGE, SHARES = 300, 8
_T = TypeVar("_T")


def _every(kept: Kept) -> list[tuple[Place, int]]:
    with kept.engine.connect() as connection:
        found = places(connection)
    columns = {(place.table, place.column) for place in found}
    assert len(columns) == sum(len(table.columns) for table in TABLES.values()) - len(UNCOVERED)
    return list(bits_of(found))


def _some(kept: Kept, count: int) -> list[tuple[Place, int]]:
    """As many bits of each column of each table."""
    columns: dict[tuple[str, str], list[tuple[Place, int]]] = {}
    for place, bit in _every(kept):
        columns.setdefault((place.table, place.column), []).append((place, bit))
    return [flip for flips in columns.values() for flip in _sample(flips, count)]


def _sample(of: Sequence[_T], count: int) -> list[_T]:
    """Always the same ones, so that a miss is found again."""
    return Random(1).sample(of, min(count, len(of)))  # noqa: S311 - a choice, no secret


def _flipped(octets: bytes, bit: int) -> bytes:
    changed = bytearray(octets)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _bits(octets: bytes) -> range:
    """All bits, but those of the newlines that end a file: they end nothing else."""
    return range(8 * len(octets.rstrip(b"\n")))


def test_audit_verify_finds_a_flipped_bit_in_any_column(small: Kept) -> None:
    tally = flip_each(small, _some(small, 10))

    assert tally.missed == []
    assert tally.found > 100


@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_audit_verify_finds_every_flipped_bit(small: Kept, share: int) -> None:
    flips = _every(small)[share::SHARES]

    tally = flip_each(small, flips)

    assert tally.missed == []
    assert tally.found + tally.unreadable > 0.9 * len(flips)


@pytest.mark.long
def test_audit_verify_finds_flipped_bits_of_a_larger_audit(world: World) -> None:
    kept = kept_by_the_line(world, LARGE)

    tally = flip_each(kept, _some(kept, 300), outside=kept.outside)

    assert tally.missed == []
    assert tally.found > 2000


def test_bit_flip_check_reports_a_column_that_verify_does_not_cover(small: Kept) -> None:
    with small.engine.connect() as connection:
        row = connection.execute(sa.text("SELECT size, signed_at FROM checkpoint")).first()
    assert row is not None
    unread = Place(table="checkpoint", key={"size": row[0]}, column="signed_at", value=str(row[1]))

    tally = flip_each(small, [(unread, bit) for bit in range(20)])

    assert len(tally.missed) == 20


def test_invalid_utf8_is_reported_as_damage_without_quoting_it(small: Kept) -> None:
    place = next(p for p, _ in _every(small) if p.column == "message_id" and len(p.octets) > 8)
    with small.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE audit_entry SET message_id = CAST(:v AS TEXT) WHERE seq = :seq"),
            {"v": b"\xff" + place.octets[1:], "seq": place.key["seq"]},
        )

    with pytest.raises(IntegrityError, match=r"database\.damaged") as damage:
        small.codes()

    with small.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE audit_entry SET message_id = :v WHERE seq = :seq"),
            {"v": place.value, "seq": place.key["seq"]},
        )
    assert place.octets[1:].decode() not in str(damage.value)
    assert damage.value.__cause__ is None
    assert small.codes() == set()


# The file outside, and the single file that needs nothing of the program


def _missed_outside(kept: Kept, bits: Iterable[int]) -> list[tuple[str, int]]:
    """Flips of the file outside that the program, or the single file, took for good."""
    text, export, missed = kept.outside.encode(), kept.export().encode(), []
    assert kept.codes(kept.outside) == set()
    assert kept.second_opinion(export, text) == 0
    for bit in bits:
        changed = _flipped(text, bit)
        if not kept.codes(changed.decode("utf-8", errors="replace")):
            missed.append(("program", bit))
        if kept.second_opinion(export, changed) != 1:
            missed.append(("single file", bit))
    return missed


def test_flipped_bit_of_the_checkpoint_file_is_found_by_both_verifiers(small: Kept) -> None:
    assert _missed_outside(small, _sample(_bits(small.outside.encode()), 60)) == []


@pytest.mark.long
def test_every_flipped_bit_of_the_checkpoint_file_is_found_by_both_verifiers(small: Kept) -> None:
    assert _missed_outside(small, _bits(small.outside.encode())) == []


def _missed_in_export(kept: Kept, bits: Iterable[int]) -> list[int]:
    export, text = kept.export().encode(), kept.outside.encode()
    assert kept.second_opinion(export, text) == 0
    return [bit for bit in bits if kept.second_opinion(_flipped(export, bit), text) != 1]


def test_flipped_bit_of_an_audit_export_is_found_by_the_standalone_verifier(small: Kept) -> None:
    assert _missed_in_export(small, _sample(_bits(small.export().encode()), 200)) == []


@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_every_flipped_bit_of_an_audit_export_is_found_by_the_standalone_verifier(
    small: Kept, share: int
) -> None:
    assert _missed_in_export(small, _bits(small.export().encode())[share::SHARES]) == []
