"""The stand-alone verifier, run as its users run it, on exports with planted damage."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from inbox.audit import merkle
from inbox.audit.checkpoint import file_entry, sign, verifier_key

PROGRAM = Path(__file__).parents[2] / "docs" / "verify_audit.py"
ORIGIN = "inbox.example.no/audit"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
LEAVES = [b'{"at":"2026-11-30T12:%02d:00.000000+00:00","canary":%d}' % (n, n) for n in range(12)]
EXPORTED = "2026-11-30T12:25:00+00:00"

Run = Callable[..., tuple[int, str]]


def _note(leaves: list[bytes], key: Ed25519PrivateKey = KEY, origin: str = ORIGIN) -> str:
    frontier: tuple[bytes, ...] = ()
    for size, leaf in enumerate(leaves):
        frontier, _ = merkle.append(frontier, size, merkle.leaf_hash(leaf))
    return sign(origin, len(leaves), merkle.root(frontier), key)


def _export(leaves: list[bytes]) -> list[str]:
    entries = [(seq, base64.b64encode(leaf).decode()) for seq, leaf in enumerate(leaves)]
    return [json.dumps({"seq": seq, "leaf": leaf}) for seq, leaf in entries]


NOTES = [_note(LEAVES[:size]) for size in (0, 1, 5, 8, 11)]
LINE = verifier_key(ORIGIN, KEY.public_key())


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(
        export: list[str], *files: list[str], keys: tuple[str, ...] = (LINE,), at: str = EXPORTED
    ) -> tuple[int, str]:
        (tmp_path / "leaves.jsonl").write_text("".join(f"{line}\n" for line in export))
        names = [f"notes-{number}.txt" for number in range(len(files))]
        for name, notes in zip(names, files, strict=True):
            (tmp_path / name).write_text("".join(map(file_entry, notes)), "utf-8")
        options = [word for key in keys for word in ("--key", key)] + ["--at", at]
        command = [sys.executable, "-I", str(PROGRAM), *options, "leaves.jsonl", *names]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
        )
        assert "Traceback" not in done.stderr
        assert "canary" not in done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr

    return run


def test_verify_audit_reports_ok_for_an_intact_audit(run: Run) -> None:
    code, said = run(_export(LEAVES), NOTES, NOTES[1:3])

    assert (code, said) == (0, "OK 12 leaves, 7 checkpoints, 1 leaves later\n")


def test_verify_audit_is_a_short_file_independent_of_inbox() -> None:
    source = PROGRAM.read_text()

    assert len(source.splitlines()) <= 400
    assert "cryptography" in source
    assert "inbox" not in source


def test_verify_audit_accepts_checkpoints_of_an_older_key_that_is_given(run: Run) -> None:
    older = _note(LEAVES[:3], OTHER_KEY)
    keys = (LINE, verifier_key(ORIGIN, OTHER_KEY.public_key()))

    assert run(_export(LEAVES), [older, *NOTES[2:]], keys=keys)[0] == 0
    assert run(_export(LEAVES), [older, *NOTES[2:]])[0] == 1


def test_verify_audit_ignores_a_witness_signature(run: Run) -> None:
    witness = sign("witness.example.no", 11, bytes(32), OTHER_KEY).splitlines(keepends=True)[-1]

    assert run(_export(LEAVES), [*NOTES[:-1], NOTES[-1] + witness])[0] == 0


@pytest.mark.parametrize("at", range(11))
def test_verify_audit_finds_a_changed_leaf(run: Run, at: int) -> None:
    leaves = [*LEAVES[:at], b"changed", *LEAVES[at + 1 :]]

    code, said = run(_export(leaves), NOTES)

    assert code == 1
    assert "the first 11 leaves are not what was signed" in said


def test_verify_audit_finds_a_removed_leaf_after_renumbering(run: Run) -> None:
    code, said = run(_export(LEAVES[:6] + LEAVES[7:]), NOTES)

    assert code == 1
    assert "the first 8 leaves are not what was signed" in said


def test_verify_audit_finds_a_gap_in_the_leaves(run: Run) -> None:
    export = _export(LEAVES)

    code, said = run(export[:6] + export[7:], NOTES)

    assert code == 1
    assert "leaves.jsonl, line 7: a gap, leaf 6 is missing" in said


def test_verify_audit_finds_reordered_leaves(run: Run) -> None:
    export = _export(LEAVES)

    assert run([export[1], export[0], *export[2:]], NOTES)[0] == 1
    assert run(_export([LEAVES[1], LEAVES[0], *LEAVES[2:]]), NOTES)[0] == 1


def test_verify_audit_finds_leaves_cut_off_at_the_end(run: Run) -> None:
    code, said = run(_export(LEAVES[:10]), NOTES)

    assert code == 1
    assert "note 5: cut, 11 leaves were there and are not now" in said


def test_verify_audit_finds_an_emptied_audit(run: Run) -> None:
    assert run([], NOTES)[0] == 1


def test_verify_audit_finds_a_fork_between_checkpoint_files(run: Run) -> None:
    forked = _note([*LEAVES[:7], b"another"])

    code, said = run(_export(LEAVES), NOTES, [forked])

    assert code == 1
    assert "notes-1.txt, note 1: a fork, notes-0.txt, note 4 has another root at 8" in said


def test_verify_audit_finds_a_rewritten_history_by_the_outside_copy(run: Run) -> None:
    anew = [b"other %d" % n for n in range(12)]

    code, said = run(_export(anew), [_note(anew[:8]), _note(anew)], NOTES)

    assert code == 1
    assert "notes-1.txt, note 4: a fork" in said


def test_verify_audit_finds_a_roll_back_within_a_checkpoint_file(run: Run) -> None:
    code, said = run(_export(LEAVES), [NOTES[0], NOTES[3], NOTES[2]])

    assert code == 1
    assert "note 3: rolled back from 8 to 5" in said


def test_verify_audit_finds_a_forged_checkpoint_note(run: Run) -> None:
    forged = NOTES[3].replace("\n8\n", "\n5\n")

    code, said = run(_export(LEAVES), [NOTES[0], forged])

    assert code == 1
    assert "note 2: forged or torn, its signature does not hold" in said


def test_verify_audit_finds_a_note_of_another_key_or_log(run: Run) -> None:
    elsewhere = _note(LEAVES[:5], origin="other.example.no/audit").partition("\n\n")[0] + "\n"
    signature = bytes.fromhex(LINE.split("+")[1]) + KEY.sign(elsewhere.encode())
    other_log = f"{elsewhere}\n— {ORIGIN} {base64.b64encode(signature).decode()}\n"

    assert run(_export(LEAVES), [*NOTES, _note(LEAVES, OTHER_KEY)])[0] == 1
    assert run(_export(LEAVES), NOTES, [other_log])[0] == 1


@pytest.mark.parametrize("length", [1, 20, 30, 75, 80, 130])
def test_verify_audit_finds_a_torn_note_and_accepts_the_other_notes(run: Run, length: int) -> None:
    code, said = run(_export(LEAVES), [NOTES[0], NOTES[3][:length] + "\n", NOTES[4]])

    assert code == 1
    assert len(said.splitlines()) <= 2


@pytest.mark.parametrize("line", ["", "{", "[]", '{"seq": 3}', '{"seq": 3, "leaf": "*"}', "null"])
def test_verify_audit_finds_a_line_that_is_not_a_leaf(run: Run, line: str) -> None:
    export = _export(LEAVES)

    code, said = run([*export[:3], line, *export[4:]], NOTES)

    assert code == 1
    assert "leaves.jsonl, line 4: not a leaf" in said


@pytest.mark.parametrize("notes", [[], NOTES[:1]], ids=["empty file", "checkpoint of nothing"])
def test_verify_audit_finds_that_no_checkpoint_covers_a_leaf(run: Run, notes: list[str]) -> None:
    code, said = run(_export(LEAVES), notes)

    assert code == 1
    assert "no checkpoint of any leaf" in said


def test_verify_audit_finds_old_leaves_after_a_checkpoint_file_was_cut(run: Run) -> None:
    code, said = run(_export(LEAVES), NOTES[:3])

    assert code == 1
    assert "no checkpoint vouches for the leaves from 5 on" in said


def test_verify_audit_counts_uncovered_leaves_that_are_minutes_old_as_later(run: Run) -> None:
    code, said = run(_export(LEAVES), NOTES[:3], at="2026-11-30T12:15:00+00:00")

    assert (code, said) == (0, "OK 12 leaves, 3 checkpoints, 7 leaves later\n")


@pytest.mark.parametrize(
    "leaf",
    [b"{}", b"no json", b'{"at":"soon"}', b'{"at":7}', b'{"at":"2027-11-30T12:00:00+00:00"}'],
)
def test_verify_audit_finds_an_uncovered_leaf_without_a_believable_time(
    run: Run, leaf: bytes
) -> None:
    code, said = run(_export([*LEAVES, leaf]), NOTES)

    assert code == 1
    assert "no checkpoint vouches for the leaves from 11 on" in said


def test_verify_audit_exits_2_when_the_audit_cannot_be_checked(run: Run, tmp_path: Path) -> None:
    export = _export(LEAVES)

    assert run(export, NOTES, keys=("nonsense",))[0] == 2
    assert run(export, NOTES, keys=(LINE[:-1] + "A",))[0] == 2
    assert run(export)[0] == 2
    assert run(export, NOTES, keys=())[0] == 2
    missing = [sys.executable, str(PROGRAM), "--key", LINE, "none.jsonl", "none.txt"]
    assert subprocess.run(missing, cwd=tmp_path, capture_output=True, check=False).returncode == 2
