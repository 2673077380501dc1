"""A proof about one message: checked without the product, broken by every change, and closed."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from inbox.access.policy.vocabulary import Role
from inbox.audit.checkpoint import verifier_key
from inbox.line.moves import archive_staff, unit
from tests.audit.line_audit import PROGRAM, Kept
from tests.cli.installation import Answer, installation_of
from tests.worlds import World

TITLE, REASON = "Om en elev", "Hemmelig grunn"
Change = Callable[[dict[str, Any]], object]


class Proved(Kept):
    """A log of two messages, one of which is proved."""

    @property
    def key(self) -> str:
        """The log's key, as its verifier has it."""
        return verifier_key("test", self.world.line.keyring.signer().public_key())

    def notes(self) -> Path:
        """The file that was kept outside."""
        return self.world.folder / "checkpoints.txt"

    def prove(self, message_id: str, *words: str, name: str = "proof.json") -> Answer:
        """Ask the product."""
        file = str(self.world.folder / name)
        return installation_of(self.world).ask("audit", "prove", message_id, file, *words)

    def check(self, *copies: Path) -> tuple[int, str]:
        """Ask the single file, as a process without the product."""
        words = ["--key", self.key, "--proof", str(self.world.folder / "proof.json")]
        done = subprocess.run(
            [sys.executable, "-I", str(PROGRAM), *words, *map(str, copies)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr


def _handed_back(world: World) -> str:
    """A message that a leader hands back with a reason; its id."""
    wire_id = world.send(TITLE)
    world.collect()
    world.work()
    message = world.message(wire_id)
    leader = world.person("kari", Role.LEADER, "skole")
    unit.hand_back(world.line, leader, message.id, expected_version=message.version, reason=REASON)
    return message.id


@pytest.fixture
def kept(small_world: World) -> Proved:
    """The log has a note of its beginning, outside, before there is any message."""
    made = Proved(world=small_world, outside="")
    made.checkpoint()
    return made


@pytest.fixture
def proved(kept: Proved) -> Proved:
    """The proof of one of two messages, from a copy of the first checkpoint on."""
    copy = kept.world.folder / "copy.txt"
    copy.write_bytes(kept.notes().read_bytes())
    message_id = _handed_back(kept.world)
    _handed_back(kept.world)
    kept.checkpoint()
    answer = kept.prove(message_id, "--checkpoints", str(copy))
    assert answer.code == 0, answer.err
    return kept


def _file(kept: Proved) -> dict[str, Any]:
    value = json.loads((kept.world.folder / "proof.json").read_text())
    assert isinstance(value, dict)
    return value


def test_proof_of_a_message_is_checked_by_the_single_file_verifier(proved: Proved) -> None:
    proof = _file(proved)
    copy = proved.world.folder / "copy.txt"

    code, said = proved.check(copy, proved.notes())

    assert (code, proved.check()[0]) == (0, 0), said
    assert said.startswith(f"OK {len(proof['entries'])} leaves of {proof['message']}, of ")
    assert len(proof["entries"]) > 3
    assert {json.loads(leaf)["message"] for leaf in _leaves(proof)} == {proof["message"]}


def test_proof_says_what_it_shows_and_what_it_does_not(proved: Proved) -> None:
    answer = proved.prove(_file(proved)["message"], name="again.json")

    assert "It shows: these entries stood in the log" in answer.out
    assert "It does not show: that no other entry names the message" in answer.out
    assert proved.prove(_file(proved)["message"], name="again.json").err.startswith(
        "inbox: audit.file: again.json: "
    )


def test_proof_holds_no_confidential_word_and_nothing_of_another_message(proved: Proved) -> None:
    answer = proved.prove(_file(proved)["message"], name="again.json")
    written = (proved.world.folder / "again.json").read_bytes()
    texts = [written, *_leaves(json.loads(written)), answer.out.encode(), answer.err.encode()]
    others = {message.id for message in proved.world.messages()} - {_file(proved)["message"]}

    secret = [TITLE, REASON, "elev", "brev.pdf", "Kari", "innhold", "Hemmelig", *others]

    assert len(others) == 1
    assert [word for word in secret for text in texts if word.encode() in text] == []


def _leaves(proof: Mapping[str, Any]) -> list[bytes]:
    return [base64.b64decode(entry["leaf"]) for entry in proof["entries"]]


def _other_word(proof: dict[str, Any]) -> None:
    leaf = _leaves(proof)[0].replace(b'"seq"', b'"sEq"')
    proof["entries"][0]["leaf"] = base64.b64encode(leaf).decode()


def _swap(proof: dict[str, Any]) -> None:
    first, second, *_ = proof["entries"]
    first["leaf"], second["leaf"] = second["leaf"], first["leaf"]


def _forge(proof: dict[str, Any]) -> None:
    text = proof["checkpoint"].split("\n")
    proof["checkpoint"] = "\n".join([text[0], str(int(text[1]) + 1), *text[2:]])


def _other_path(part: str) -> Change:
    def change(proof: dict[str, Any]) -> None:
        proof[part][0]["path"][0] = base64.b64encode(bytes(32)).decode()

    return change


def _shorter_path(part: str) -> Change:
    return lambda proof: proof[part][0]["path"].pop()


def _longer_path(part: str) -> Change:
    return lambda proof: proof[part][0]["path"].insert(0, base64.b64encode(bytes(32)).decode())


CHANGES: Mapping[str, Change] = {
    "a word in an entry": _other_word,
    "two entries exchanged": _swap,
    "another number": lambda proof: proof["entries"][0].update(seq=0),
    "another message": lambda proof: proof.update(message="0" * 32),
    "a forged checkpoint": _forge,
    "another hash": _other_path("entries"),
    "a hash too few": _shorter_path("entries"),
    "a hash too many": _longer_path("entries"),
    "another hash of the growth": _other_path("earlier"),
    "a hash of the growth too few": _shorter_path("earlier"),
    "a hash of the growth too many": _longer_path("earlier"),
    "no growth": lambda proof: proof.update(earlier=[]),
    "no entries": lambda proof: proof.update(entries=[]),
    "no checkpoint": lambda proof: proof.pop("checkpoint"),
    "a number that is none": lambda proof: proof["entries"][0].update(seq="x"),
}


def test_verifier_finds_every_change_of_a_proof(proved: Proved) -> None:
    file, copy = proved.world.folder / "proof.json", proved.world.folder / "copy.txt"
    whole = file.read_text()
    passed = []
    for name, change in CHANGES.items():
        proof = json.loads(whole)
        change(proof)
        assert json.dumps(proof) != json.dumps(json.loads(whole)), name
        file.write_text(json.dumps(proof))
        code, said = proved.check(copy)
        if code != 1 or not said.startswith("DAMAGE "):
            passed.append((name, code, said))

    assert passed == []


def test_verifier_does_not_believe_a_copy_that_the_proof_is_not_about(proved: Proved) -> None:
    proof = _file(proved)
    proved.world.send("Ingen regel")
    proved.world.collect()
    proved.checkpoint()

    code, said = proved.check(proved.notes())

    assert code == 1
    assert "the proof does not show that the log grew from it" in said
    assert proof["earlier"]


def test_prove_refuses_a_tree_that_was_changed_past_the_program(proved: Proved) -> None:
    message_id = _file(proved)["message"]
    proved.world.edited = True
    with proved.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE audit_entry SET leaf = :leaf WHERE message_id = :id"),
            {"leaf": b"{}", "id": message_id},
        )

    answer = proved.prove(message_id, name="again.json")

    assert (answer.code, answer.err[:18]) == (1, "inbox: audit.node:")
    assert not (proved.world.folder / "again.json").exists()


def test_prove_refuses_a_copy_of_checkpoints_of_another_log(proved: Proved) -> None:
    garbage = proved.world.folder / "garbage.txt"
    garbage.write_text("no note\n\n")

    answer = proved.prove(
        _file(proved)["message"], "--checkpoints", str(garbage), name="again.json"
    )

    assert (answer.code, answer.err[:27]) == (2, "inbox: audit.no_checkpoint:")


def test_prove_counts_entries_that_no_checkpoint_covers_yet(kept: Proved) -> None:
    message_id = _handed_back(kept.world)
    unsigned = kept.prove(message_id)
    kept.checkpoint()
    message = kept.world.messages()[0]
    leader = kept.world.person("anne", Role.ARCHIVIST, "desk")
    archive_staff.place(
        kept.world.line, leader, message_id, unit="bv", expected_version=message.version
    )

    later = kept.prove(message_id)

    assert unsigned.err.startswith("inbox: audit.not_signed: ")
    assert "!! 3 more are younger than the checkpoint" in later.out
    assert kept.prove("0" * 32, name="other.json").err.startswith("inbox: not_found: ")
