"""An accepted gap passes both verifiers, exactly for its break; no forged one passes either."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from inbox import audit
from inbox.audit import outside, verify
from inbox.audit.accepted_gap import EVENT, gap_subject
from inbox.audit.checkpoint import ParsedCheckpoint, file_entry, read, sign, split_notes
from inbox.domain import new_id
from inbox.line.upkeep.gap import compare_and_report
from inbox.tables import AuditGapRow
from inbox.worker import Worker
from tests.audit.line_audit import Kept
from tests.worlds import World

ROOT = bytes(range(32))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


class Log:
    """A log that lost its end: what it signs, and what it says that people accepted."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.key = world.line.keyring.signer()

    def size(self) -> int:
        with self.world.line.store.reading() as tx:
            return audit.head(tx)[0]

    def signed(self) -> str:
        """Sign the log as it is."""
        with self.world.line.store.transaction() as tx:
            note = verify.new_checkpoint(tx, self.world.line.keyring)
        assert note is not None
        return file_entry(note)

    def lost(self, more: int, root: bytes = ROOT) -> str:
        """A checkpoint of so many entries more than there are, with a root that never was."""
        return file_entry(sign("test", self.size() + more, root, self.key))

    def lost_at(self, size: int) -> str:
        return file_entry(sign("test", size, ROOT, self.key))

    def add(self, subject: str = "s", event: str = "x:y") -> None:
        with self.world.line.store.transaction() as tx:
            audit.record(tx, audit.Entry(event=event, who="anne+siv", subject=subject))

    def accept(self, old: str, change: Callable[[str], str] = str) -> None:
        """The entry that accepts the gap, perhaps with another subject; as a row, too."""
        size, root = _tree(old)
        at = self.size()
        said = gap_subject(self.key, ParsedCheckpoint(origin="test", size=size, root=root), at)
        with self.world.line.store.transaction() as tx:
            audit.record(tx, audit.Entry(event=EVENT, who="anne+siv", subject=change(said)))
            tx.add(
                AuditGapRow(
                    id=new_id(),
                    code="audit.cut",
                    size=at,
                    signed_size=size,
                    signed_root=root.hex(),
                    found_at=tx.now,
                    accepted_at=tx.now,
                    entry=at,
                )
            )

    def judged(self, *notes: str) -> tuple[set[str], int]:
        """What the program finds with this file outside, and the other verifier's exit code."""
        text = "".join(notes)
        kept = Kept(world=self.world, outside=text)
        return kept.codes(text), kept.second_opinion()

    def signed_subject(self, size: int, root: bytes, at: int, key: Ed25519PrivateKey) -> str:
        return gap_subject(key, ParsedCheckpoint(origin="test", size=size, root=root), at)


def _tree(note: str) -> tuple[int, bytes]:
    said = read(split_notes(note)[0])
    return said.size, said.root


@pytest.fixture
def log(small_world: World) -> Log:
    return Log(small_world)


def test_accepted_gap_passes_both_verifiers_with_the_notes_before_it_that_do_not_fit(
    log: Log,
) -> None:
    before = log.signed()
    lost, last = log.lost(3), log.lost(9)
    assert log.judged(before, lost, last) == ({"audit.cut"}, 1)

    log.accept(last)
    after = log.signed()

    assert log.judged(before, lost, last, after) == (set(), 0)


def test_accepted_gap_passes_when_the_log_has_outgrown_what_is_lost(log: Log) -> None:
    before, lost = log.signed(), log.lost(2)
    for _ in range(5):
        log.add()
    log.accept(lost)
    for _ in range(5):
        log.add()

    assert log.judged(before, lost, log.signed()) == (set(), 0)


def test_copy_of_the_file_from_before_the_gap_was_accepted_passes_beside_the_whole_one(
    log: Log,
) -> None:
    before, lost, last = log.signed(), log.lost(3), log.lost(9)
    log.accept(last)
    whole, older = before + lost + last + log.signed(), before + lost
    kept = Kept(world=log.world, outside=whole)

    assert kept.codes(whole, older) == set()
    assert kept.codes(older) == {"audit.gap_accepted", "audit.fork", "audit.cut"} - (
        {"audit.fork"} if _tree(lost)[0] > log.size() else {"audit.cut"}
    )


Forge = Callable[[Log, str], str]


def _subject(log: Log, old: str, **other: int | bytes | Ed25519PrivateKey) -> str:
    size, root = _tree(old)
    facts = {"size": size, "root": root, "at": log.size(), "key": log.key} | other
    return log.signed_subject(**facts)  # type: ignore[arg-type] # one of each kind


@pytest.mark.parametrize(
    "forge",
    [
        lambda log, old: _subject(log, old, size=_tree(old)[0] + 1),
        lambda log, old: _subject(log, old, size=_tree(old)[0] - 1),
        lambda log, old: _subject(log, old, root=bytes(32)),
        lambda log, old: _subject(log, old, at=log.size() + 1),
        lambda log, old: _subject(log, old, at=log.size() - 1),
        lambda log, old: _subject(log, old, key=OTHER_KEY),
        lambda log, old: _subject(log, old, at=log.size() - 1).replace(
            f" {log.size() - 1} ", f" {log.size()} "
        ),
        lambda log, old: _subject(log, old).rsplit(" ", 1)[0],
        lambda log, old: _subject(log, old).upper(),
        lambda log, old: "accepted",
    ],
)
def test_entry_with_other_numbers_or_signature_excuses_nothing(log: Log, forge: Forge) -> None:
    before, lost = log.signed(), log.lost(9)
    subject = forge(log, lost)
    log.accept(lost, lambda _: subject)

    codes, alone = log.judged(before, lost, log.signed())

    assert codes == {"audit.gap_accepted", "audit.cut"}
    assert alone == 1


def test_entry_whose_checkpoint_no_file_has_is_a_finding(log: Log) -> None:
    before, lost = log.signed(), log.lost(9)
    log.accept(lost)

    assert log.judged(before, log.signed()) == ({"audit.gap_accepted"}, 1)


def test_entry_before_the_break_excuses_nothing(log: Log) -> None:
    first = log.signed()
    lost = log.lost(9)
    log.accept(lost)
    after = log.signed()

    assert log.judged(first, after, lost) == ({"audit.gap_accepted", "audit.cut"}, 1)


def test_checkpoint_that_fits_cannot_be_named_as_lost(log: Log) -> None:
    before = log.signed()
    log.accept(before)

    assert log.judged(before, log.signed()) == ({"audit.gap_accepted"}, 1)


def test_note_that_does_not_fit_after_the_accepted_break_is_a_finding(log: Log) -> None:
    before, lost = log.signed(), log.lost(9)
    log.accept(lost)
    after = log.signed()

    assert log.judged(before, lost, after, log.lost(20)) == ({"audit.cut"}, 1)
    log.add()
    assert log.judged(before, lost, after, log.lost_at(log.size())) == ({"audit.fork"}, 1)


def test_note_that_does_not_fit_before_one_that_fits_is_a_finding(log: Log) -> None:
    fork = log.lost_at(log.size())
    log.add()
    before, lost = log.signed(), log.lost(9)
    log.accept(lost)

    assert log.judged(fork, before, lost, log.signed()) == ({"audit.fork"}, 1)


def test_old_note_that_is_repeated_after_the_break_makes_the_entry_a_finding(log: Log) -> None:
    before, lost = log.signed(), log.lost(9)
    log.accept(lost)

    codes, alone = log.judged(before, lost, before, log.signed())

    assert codes == {"audit.gap_accepted", "audit.cut"}
    assert alone == 1


def test_acceptance_that_was_written_without_the_key_ends_no_standstill(log: Log) -> None:
    path = log.world.folder / "checkpoints.txt"
    before, lost = log.signed(), log.lost(9)
    path.write_text(before + lost)
    subject = _subject(log, lost, key=OTHER_KEY)

    log.accept(lost, lambda _: subject)

    assert compare_and_report(log.world.line, path) is not None


def test_evidence_is_demanded_of_the_log_that_goes_on_not_of_what_is_lost(log: Log) -> None:
    path = log.world.folder / "checkpoints.txt"
    before, lost = log.signed(), log.lost(900)
    path.write_text(before + lost)
    log.accept(lost)
    log.add()

    assert _unvouched(log) == set()
    log.world.clock.advance(timedelta(minutes=16))
    assert _unvouched(log) == {"audit.unvouched"}
    log.signed()
    assert _unvouched(log) == {"audit.checkpoint_missing"}
    Worker(log.world.line, poll_seconds=1, checkpoints=path)._checkpoint()

    assert _unvouched(log) == set()
    assert path.read_text().startswith(before + lost)


def _unvouched(log: Log) -> set[str]:
    text = (log.world.folder / "checkpoints.txt").read_text()
    with log.world.line.store.reading() as tx:
        keyring = log.world.line.keyring
        report = verify.verify(tx, keyring, [text])
        found = outside.unvouched_findings(tx, keyring, [text], report.left_behind)
    assert report.holds
    assert len(report.accepted) == 1
    return {finding.code for finding in found}
