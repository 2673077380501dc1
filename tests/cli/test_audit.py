"""Verify finds what was changed and says it in words; what is exported is checked by others."""

import json
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from inbox.audit import verify
from inbox.cli import audit as audit_commands
from inbox.keys import Keyring
from inbox.wiring import build_store
from tests.cli.conftest import Installation

VERIFIER = Path(__file__).parents[2] / "docs" / "verify_audit.py"


@pytest.fixture
def signed(installed: Installation) -> Installation:
    """An installation whose audit a checkpoint vouches for, kept outside."""
    settings = installed.settings
    store = build_store(settings)
    with store.transaction() as (session, now):
        note = verify.new_checkpoint(session, now, Keyring.load(settings.keys))
    assert note is not None
    verify.keep_outside(settings.checkpoints, note)
    store.engine.dispose()
    return installed


def test_an_audit_that_holds_is_fine(signed: Installation) -> None:
    told = signed.inbox("audit", "verify")

    assert told.code == 0
    assert "everything holds" in told.out
    assert json.loads(signed.inbox("audit", "verify", "--json").out)["findings"] == []


def test_a_changed_entry_is_said_in_words(signed: Installation) -> None:
    signed.sql("UPDATE audit_entry SET leaf = replace(leaf, 'operator', 'somebody') WHERE seq = 0")

    told = signed.inbox("audit", "verify")

    assert told.code == 1
    assert "audit.fork" in told.out
    assert "not those that a signed checkpoint speaks of" in told.out


def test_a_removed_entry_is_found(signed: Installation) -> None:
    signed.sql("DELETE FROM audit_entry WHERE seq = 0")

    told = signed.inbox("audit", "verify", "--json")

    assert told.code == 1
    assert json.loads(told.out)["holds"] is False
    assert "audit.gap" in {finding["code"] for finding in json.loads(told.out)["findings"]}


@pytest.mark.parametrize("own", [True, False])
def test_a_checkpoint_file_that_is_not_there_is_a_finding(signed: Installation, own: bool) -> None:  # noqa: FBT001 - a case of the table
    missing = signed.settings.checkpoints if own else signed.folder / "copy.txt"
    missing.unlink(missing_ok=True)

    told = signed.inbox("audit", "verify", "--checkpoints", str(missing))

    assert told.code == 1
    assert f"{missing.name} is not there" in told.out


def test_a_copy_from_elsewhere_finds_a_roll_back(signed: Installation) -> None:
    copy = signed.folder / "copy.txt"
    copy.write_text(signed.settings.checkpoints.read_text())
    signed.settings.checkpoints.write_text("")
    for table, column in (("checkpoint", "size"), ("audit_entry", "seq + 1")):
        signed.sql(f"DELETE FROM {table} WHERE {column} > 1")  # noqa: S608 - written above

    told = signed.inbox("audit", "verify", "--checkpoints", str(copy))

    assert told.code == 1
    assert "audit.cut" in told.out


def test_there_are_words_for_every_finding() -> None:
    written = set(re.findall(r'code="(audit\.\w+)"', Path(verify.__file__).read_text()))

    assert len(written) == 7
    assert written == set(audit_commands._WORDS)


def test_an_export_is_verified_without_the_program(signed: Installation) -> None:
    leaves = signed.folder / "leaves.jsonl"

    exported = signed.inbox("audit", "export", str(leaves))

    key = signed.inbox("audit", "key").out.strip()
    checked = subprocess.run(
        [sys.executable, VERIFIER, "--key", key, leaves, signed.settings.checkpoints],
        capture_output=True,
        text=True,
        check=False,
    )
    assert exported.code == 0
    assert checked.stdout.startswith("OK ")
    assert stat.S_IMODE(leaves.stat().st_mode) == 0o600


def test_an_export_overwrites_nothing(signed: Installation) -> None:
    leaves = signed.folder / "leaves.jsonl"
    leaves.write_text("something else")

    told = signed.inbox("audit", "export", str(leaves))

    assert told.code == 2
    assert "File exists" in told.err
    assert leaves.read_text() == "something else"
