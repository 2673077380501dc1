"""Verify finds what was changed and says it in words; what is exported is checked by others."""

import json
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from inbox import audit
from inbox.audit import outside, verify
from inbox.cli import audit as audit_commands
from inbox.keys import Keyring
from inbox.wiring import build_store
from tests.cli.database_edits import change, settings_of
from tests.cli.installation import Installed

VERIFIER = Path(__file__).parents[2] / "docs" / "verify_audit.py"


@pytest.fixture
def signed(installed: Installed) -> Installed:
    """An installation whose audit a checkpoint vouches for, kept outside."""
    _sign(installed)
    return installed


def _sign(installed: Installed) -> None:
    settings = settings_of(installed)
    store = build_store(settings)
    with store.transaction() as tx:
        note = verify.new_checkpoint(tx, Keyring.load(settings.keys))
    assert note is not None
    verify.append_to_checkpoint_file(settings.checkpoints, note)
    store.engine.dispose()


def test_audit_verify_of_an_intact_audit_exits_0(signed: Installed) -> None:
    told = signed.ask("audit", "verify")

    assert told.code == 0
    assert "everything holds" in told.out
    assert json.loads(signed.ask("audit", "verify", "--json").out)["findings"] == []


@pytest.mark.parametrize("text", ["", "no note\n\n"], ids=["empty", "garbage"])
def test_audit_verify_without_any_checkpoint_outside_is_a_finding(
    signed: Installed, text: str
) -> None:
    settings_of(signed).checkpoints.write_text(text)

    told = signed.ask("audit", "verify")

    assert told.code == 1
    assert "audit.no_checkpoint" in told.out
    assert "everything holds" not in told.out


def test_audit_verify_with_a_checkpoint_file_cut_to_its_first_note_is_a_finding(
    signed: Installed,
) -> None:
    checkpoints = settings_of(signed).checkpoints
    first = checkpoints.read_text()
    store = build_store(settings_of(signed))
    with store.transaction() as tx:
        audit.record(tx, audit.Entry(event="x:y", who="w", subject="s"))
    store.engine.dispose()
    _sign(signed)
    assert signed.ask("audit", "verify").code == 0
    checkpoints.write_text(first)

    told = signed.ask("audit", "verify")

    assert told.code == 1
    assert "audit.checkpoint_missing" in told.out


def test_audit_verify_explains_a_changed_entry_in_a_sentence(signed: Installed) -> None:
    change(
        signed,
        "UPDATE audit_entry SET leaf ="
        " CAST(replace(CAST(leaf AS TEXT), 'operator', 'somebody') AS BLOB) WHERE seq = 0",
    )

    told = signed.ask("audit", "verify")

    assert told.code == 1
    assert "audit.fork" in told.out
    assert "not those that a signed checkpoint speaks of" in told.out


def test_audit_verify_reports_a_removed_entry_as_a_gap(signed: Installed) -> None:
    change(signed, "DELETE FROM audit_entry WHERE seq = 0")

    told = signed.ask("audit", "verify", "--json")

    assert told.code == 1
    assert json.loads(told.out)["holds"] is False
    assert "audit.gap" in {finding["code"] for finding in json.loads(told.out)["findings"]}


@pytest.mark.parametrize("own", [True, False])
def test_audit_verify_reports_a_missing_checkpoint_file(signed: Installed, own: bool) -> None:  # noqa: FBT001 - a case of the table
    missing = settings_of(signed).checkpoints if own else signed.folder / "copy.txt"
    missing.unlink(missing_ok=True)

    told = signed.ask("audit", "verify", "--checkpoints", str(missing))

    assert told.code == 1
    assert f"{missing.name} is not there" in told.out


def test_audit_verify_detects_a_rollback_with_a_checkpoint_copy_from_elsewhere(
    signed: Installed,
) -> None:
    copy = signed.folder / "copy.txt"
    copy.write_text(settings_of(signed).checkpoints.read_text())
    settings_of(signed).checkpoints.write_text("")
    for table, column in (("checkpoint", "size"), ("audit_entry", "seq + 1")):
        change(signed, f"DELETE FROM {table} WHERE {column} > 1")  # noqa: S608 - written above

    told = signed.ask("audit", "verify", "--checkpoints", str(copy))

    assert told.code == 1
    assert "audit.cut" in told.out


def test_every_audit_finding_code_has_an_explanation() -> None:
    sources = "".join(Path(str(each.__file__)).read_text() for each in (verify, outside))
    written = set(re.findall(r'code="(audit\.\w+)"', sources))

    assert len(written) == 13
    assert written == set(audit_commands._TEXT_OF_CODE)


def test_audit_export_is_verified_by_the_standalone_script(signed: Installed) -> None:
    leaves = signed.folder / "leaves.jsonl"

    exported = signed.ask("audit", "export", str(leaves))

    key = signed.ask("audit", "key").out.strip()
    checked = subprocess.run(
        [sys.executable, VERIFIER, "--key", key, leaves, settings_of(signed).checkpoints],
        capture_output=True,
        text=True,
        check=False,
    )
    assert exported.code == 0
    assert checked.stdout.startswith("OK ")
    assert stat.S_IMODE(leaves.stat().st_mode) == 0o600


def test_audit_export_does_not_overwrite_an_existing_file(signed: Installed) -> None:
    leaves = signed.folder / "leaves.jsonl"
    leaves.write_text("something else")

    told = signed.ask("audit", "export", str(leaves))

    assert told.code == 2
    assert "File exists" in told.err
    assert leaves.read_text() == "something else"
