"""An audit that the line itself made, with reasons, an erasure and checkpoints, and its export."""

import base64
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location
from io import StringIO
from pathlib import Path
from types import ModuleType

import sqlalchemy as sa
from sqlalchemy import Engine

from inbox import audit
from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.audit import verify
from inbox.audit.checkpoint import verifier_key
from inbox.line.case_systems import capacity_of
from inbox.line.moves import archive_staff, case_system, unit
from inbox.tables import CaseSystem
from tests.worlds import World

PROGRAM = Path(__file__).parents[2] / "docs" / "verify_audit.py"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What is there to be checked: the database, and the file that was kept outside."""

    world: World
    outside: str

    @property
    def engine(self) -> Engine:
        """The database, for whoever changes it behind the program's back."""
        return self.world.line.store.engine.execution_options(inbox_writes=True)

    def codes(self, *outside: str) -> set[str]:
        """What the program finds, with copies from outside."""
        with self.world.line.store.reading() as tx:
            report = verify.verify(tx, self.world.line.keyring, outside)
        return {finding.code for finding in report.findings}

    def export(self) -> str:
        """The entries as `inbox audit export` writes them."""
        with self.engine.connect() as connection:
            rows = connection.execute(sa.text("SELECT seq, leaf FROM audit_entry ORDER BY seq"))
            entries = [(seq, base64.b64encode(leaf).decode()) for seq, leaf in rows]
        return "".join(json.dumps({"seq": seq, "leaf": leaf}) + "\n" for seq, leaf in entries)

    def checkpoint(self) -> None:
        """Sign the tree as it is, and append the note to the file outside."""
        store, keyring = self.world.line.store, self.world.line.keyring
        with store.transaction() as tx:
            note = verify.new_checkpoint(tx, keyring)
        assert note is not None
        verify.append_to_checkpoint_file(self.world.folder / "checkpoints.txt", note)

    def second_opinion(self, export: bytes | None = None, outside: bytes | None = None) -> int:
        """The exit code of the single-file verifier, which has nothing of the product in it."""
        leaves = self.world.folder / "leaves.jsonl"
        notes = self.world.folder / "notes.txt"
        leaves.write_bytes(self.export().encode() if export is None else export)
        notes.write_bytes(self.outside.encode() if outside is None else outside)
        key = verifier_key("test", self.world.line.keyring.signer().public_key())
        exported = ["--at", self.world.clock.now.isoformat()]
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            code: int = VERIFIER.main(["--key", key, *exported, str(leaves), str(notes)])
        return code


def kept_by_the_line(world: World, entries: int) -> Kept:
    """Let mail walk the line until the audit has so many entries, with checkpoints on the way."""
    kept, size = Kept(world=world, outside=""), 0
    while size < entries:
        _one_letter(kept)
        kept.checkpoint()
        with world.line.store.reading() as tx:
            size, _ = audit.head(tx)
    return Kept(world=world, outside=(world.folder / "checkpoints.txt").read_text("utf-8"))


def _one_letter(kept: Kept) -> None:
    """Two come; one is placed, one handed back, and of the first two this is answered and erased.

    So there are reasons whose salts are whole, and one whose salt went with its message.
    """
    world = kept.world
    handed, placed = world.send("Om en elev"), world.send("Ingen regel")
    world.collect()
    world.work()
    kept.checkpoint()
    message, other = world.message(handed), world.message(placed)
    archivist = world.person("anne", Role.ARCHIVIST, "desk")
    leader = world.person("kari", Role.LEADER, "skole")
    archive_staff.place(
        world.line,
        archivist,
        other.id,
        unit="bv",
        expected_version=other.version,
        reason="Gjelder oss",
    )
    unit.hand_back(
        world.line, leader, message.id, expected_version=message.version, reason="Ikke vår"
    )
    if len(world.messages()) == 2:
        _register(world, archivist, handed)
        world.clock.advance(timedelta(days=15))
        world.work()
        fresh = world.authority.crl(world.clock.now)
        (world.folder / "trust" / "root.crl").write_bytes(fresh)


def _register(world: World, archivist: Capacity, wire_id: str) -> None:
    message = world.message(wire_id)
    archive_staff.place_and_release(
        world.line, archivist, message.id, unit="ppt", expected_version=message.version
    )
    world.work()
    with world.line.store.reading() as tx:
        capacity = capacity_of(tx.get_one(CaseSystem, "fag"))
    delivery = world.delivery(message.id)
    case_system.acknowledge_registered(world.line, capacity, delivery.id, reference="2026/000123-1")
    world.settle(rounds=3, pause=timedelta(minutes=1))


def _loaded() -> ModuleType:
    """The file as a module; a copy of it runs alone wherever `cryptography` is."""
    spec = spec_from_file_location("verify_audit_alone", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


VERIFIER = _loaded()


def run_verifier(*words: str) -> tuple[int, str]:
    """The exit code of the single-file verifier, and what it printed."""
    out = StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        code: int = VERIFIER.main(list(words))
    return code, out.getvalue()
