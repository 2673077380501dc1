"""`inbox restore` after the database was lost: what it shows, and two who accept the gap."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from inbox.access.policy.vocabulary import Role
from inbox.directory import issue_code
from inbox.domain import ArrivalState, MessageState, new_id
from inbox.line.upkeep.gap import compare_and_report
from inbox.migrations import shipped_folder
from inbox.simulator.http.server import serve
from inbox.tables import AuditEntry, CapacityRow, RestoreCode
from inbox.worker import Worker
from tests.audit.line_audit import run_verifier
from tests.cli.installation import Answer, Installed, installation_of
from tests.faults.leak.serve_process import settings_for
from tests.line.old_database import checkpoint_file
from tests.municipality import DIRECTORY, RULES
from tests.worker_thread import work_once
from tests.worlds import OURS, World

PAGE = Path(__file__).parents[2] / "docs" / "operators.md"
NEWEST = (
    DIRECTORY
    + b"""
[[person]]
id = "siv"
name = "Siv Sikkerhet"
[[capacity]]
person = "siv"
unit = "desk"
role = "security_reviewer"
"""
).replace(b'[[clearance]]\nperson = "kari"\nshielding = "13"\n', b"")


class Lost:
    """A database was copied, went on, and was lost; the copy is in its place."""

    def __init__(self, world: World, installed: Installed) -> None:
        self.world = world
        self.installed = installed
        self.folder = world.folder

    def restore(self, *words: str, stdin: str = "") -> Answer:
        return self.installed.ask("restore", *words, stdin=stdin)

    def code(self, person: str) -> str:
        answer = self.restore("--issue-code", person)
        assert answer.code == 0, answer.err
        assert answer.out.startswith(f"{person}  ")
        return answer.out.split()[1]

    def accept(self, first: str = "anne", second: str = "siv", **given: str) -> Answer:
        codes = [given.get("first_code") or self.code(first)]
        codes.append(given.get("second_code") or self.code(second))
        export = given.get("directory", "newest.toml")
        words = ["--accept-gap", "--by", first, "--with", second, "--code-from-stdin"]
        if export:
            words += ["--directory-export", str(self.folder / export)]
        words += ["--policy-export", str(self.folder / "policies")]
        return self.restore(*words, stdin="\n".join(codes) + "\n")

    def lose_again(self) -> None:
        """The copy is put back once more."""
        self.world.line.store.engine.dispose()
        for path in self.folder.glob("inbox.db*"):
            path.unlink()
        _copy(self.folder / "older.db", self.folder / "inbox.db")


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def _letters(world: World, *titles: str) -> None:
    for title in titles:
        world.send(title)
    world.collect()
    world.work()
    _worker(world)._checkpoint()


def _worker(world: World) -> Worker:
    return Worker(world.line, poll_seconds=1, checkpoints=checkpoint_file(world))


@pytest.fixture
def lost(small_world: World) -> Iterator[Lost]:
    world = small_world
    world.clock.now = datetime.now(UTC)
    (world.folder / "trust" / "root.crl").write_bytes(world.authority.crl(world.clock.now))
    with serve(world.gateway.app) as gateway:
        settings_for(world, f"sqlite:///{world.folder}/inbox.db", gateway)
        for cases in (world.folder / "policies" / "tests").glob("routing*.toml"):
            cases.unlink()
        found = Lost(world, Installed(world.folder))
        _letters(world, "Om sakkyndig")
        _copy(world.folder / "inbox.db", world.folder / "older.db")
        _letters(world, "Om sakkyndig", "Om en elev")
        _letters(world, "Melding om barnevern")
        assert found.installed.ask("audit", "export", str(world.folder / "copy.jsonl")).code == 0
        (world.folder / "newest.toml").write_bytes(NEWEST)
        found.lose_again()
        yield found


def _verify(lost: Lost) -> Answer:
    return lost.installed.ask("audit", "verify")


def _verify_alone(lost: Lost, folder: Path, *words: str) -> tuple[int, str]:
    """The single-file verifier, on an export."""
    leaves = folder / "leaves.jsonl"
    leaves.unlink(missing_ok=True)
    assert lost.installed.ask("audit", "export", str(leaves)).code == 0
    key = lost.installed.ask("audit", "key").out.strip()
    return run_verifier("--key", key, *words, str(leaves), str(checkpoint_file(lost.world)))


def test_restore_says_there_is_nothing_to_accept_on_the_newest_database(
    small_world: World,
) -> None:
    installed = installation_of(small_world)
    _letters(small_world)

    assert installed.ask("restore").out == "the database is what was signed: nothing is missing\n"
    assert installed.ask("restore", "--issue-code", "anne").err.startswith("inbox: restore.no_gap")


def test_restore_without_options_shows_what_is_missing_and_changes_nothing(lost: Lost) -> None:
    before = checkpoint_file(lost.world).read_text()

    answer = lost.restore(
        *("--directory-export", str(lost.folder / "newest.toml")),
        *("--policy-export", str(lost.folder / "policies")),
        *("--audit-export", str(lost.folder / "copy.jsonl")),
    )

    assert answer.code == 1
    assert re.search(
        r"^audit.cut: the database has \d+ entries, .* at least \d+ are missing", answer.out
    )
    assert "it has all that was signed" in answer.out
    assert re.search(r"\d+ message:routed", answer.out)
    assert "gateway eformidling: 0 messages wait that were not known" in answer.out
    assert re.search(r"\n  3 were taken from it since .* UTC and are not here: ask", answer.out)
    assert len(re.findall(r"\n    [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", answer.out)) == 3
    assert "  + capacity siv desk role security_reviewer" in answer.out
    assert "  - clearance kari" not in answer.out
    assert "the policies, from what is active here to the export:" in answer.out
    assert answer.out.endswith(
        "nothing is accepted yet: see `inbox restore --help` for --accept-gap\n"
    )
    assert "Om sakkyndig" not in answer.out
    assert checkpoint_file(lost.world).read_text() == before


def test_restore_says_loudly_which_exports_are_missing(lost: Lost) -> None:
    answer = lost.restore()

    assert "!! NO DIRECTORY EXPORT IS GIVEN" in answer.out
    assert "!! NO POLICY EXPORT IS GIVEN" in answer.out
    assert "!! no export of the audit was given" in answer.out


def test_gap_that_two_people_accepted_passes_both_verifiers_and_is_printed_first(
    lost: Lost, tmp_path: Path
) -> None:
    old = checkpoint_file(lost.world).read_text()
    assert _verify(lost).code == 1
    assert _verify_alone(lost, tmp_path)[0] == 1

    answer = lost.accept()

    assert answer.code == 0, answer.err
    assert "accepted: entry " in answer.out
    found = _verify(lost)
    assert (found.code, found.err) == (0, "")
    first, *_, last = found.out.splitlines()
    assert first.startswith("GAP accepted at entry ")
    assert "anne+siv" in first
    assert last == "everything holds"
    code, said = _verify_alone(lost, tmp_path)
    assert code == 0, said
    assert said.startswith("GAP at leaf ")
    assert "OK " in said
    assert checkpoint_file(lost.world).read_text().startswith(old)
    assert len(checkpoint_file(lost.world).read_text()) > len(old)


def test_line_goes_on_after_the_acceptance_and_signs_in_the_same_file(lost: Lost) -> None:
    world, worker = lost.world, _worker(lost.world)
    wire_id = world.send()
    compare_and_report(world.line, checkpoint_file(world))
    world.collect()
    while work_once(worker):
        pass
    assert world.arrival(wire_id).state is ArrivalState.STORED
    assert lost.accept().code == 0

    world.clock.now = datetime.now(UTC)
    worker._checkpoint()
    while work_once(worker):
        pass
    worker._checkpoint()

    assert world.line.standstill.gap is None
    assert world.message(wire_id).state is MessageState.OFFERED
    assert world.arrival(wire_id).state is ArrivalState.CONFIRMED
    assert _verify(lost).out.splitlines()[-1] == "everything holds"


def test_evidence_outside_is_demanded_after_an_accepted_gap_as_before(
    lost: Lost, tmp_path: Path
) -> None:
    assert lost.accept().code == 0
    path = checkpoint_file(lost.world)
    whole = path.read_text()
    end = whole.rindex("test\n")

    path.write_text(whole[:end])

    found = _verify(lost)
    assert found.code == 1
    assert "audit.checkpoint_missing" in found.out or "audit.no_checkpoint" in found.out
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert "no checkpoint vouches" in _verify_alone(lost, tmp_path, "--at", later)[1]
    path.write_text("")
    assert "audit.no_checkpoint" in _verify(lost).out


def test_second_gap_after_an_accepted_one_is_found_and_can_be_accepted(
    lost: Lost, tmp_path: Path
) -> None:
    world = lost.world
    assert lost.accept().code == 0
    compare_and_report(world.line, checkpoint_file(world))
    _copy(world.folder / "inbox.db", world.folder / "older.db")
    _letters(world, "Om sakkyndig", "Om en elev")
    lost.lose_again()
    assert compare_and_report(world.line, checkpoint_file(world)) is not None
    assert _verify(lost).code == 1

    assert lost.accept().code == 0

    found = _verify(lost).out.splitlines()
    assert [line[:3] for line in found[:2]] == ["GAP", "GAP"]
    assert found[-1] == "everything holds"
    code, said = _verify_alone(lost, tmp_path)
    assert (code, said.count("GAP at leaf ")) == (0, 2), said


def test_copy_from_before_an_accepted_gap_is_accepted_with_all_that_was_signed_since(
    lost: Lost, tmp_path: Path
) -> None:
    assert lost.accept().code == 0
    compare_and_report(lost.world.line, checkpoint_file(lost.world))
    _letters(lost.world, "Om sakkyndig")
    lost.lose_again()

    assert lost.accept().code == 0

    found = _verify(lost)
    assert (found.code, found.out.count("GAP accepted")) == (0, 2)
    code, said = _verify_alone(lost, tmp_path)
    assert (code, said.count("GAP at leaf ")) == (0, 2), said


@pytest.mark.parametrize(
    ("first", "second", "directory", "code"),
    [
        ("anne", "bjorn", "newest.toml", "restore.no_reviewer"),
        ("anne", "siv", "", "restore.person"),
        ("anne", "nobody", "newest.toml", "restore.person"),
        ("siv", "siv", "newest.toml", "restore.one_person"),
    ],
)
def test_acceptance_takes_two_active_people_and_a_security_reviewer(
    lost: Lost, first: str, second: str, directory: str, code: str
) -> None:
    answer = lost.accept(first, second, directory=directory)

    assert (answer.code, answer.err.split(":")[1].strip()) == (1, code)
    assert _verify(lost).code == 1


def test_person_who_left_by_the_newest_export_cannot_accept(lost: Lost) -> None:
    left = NEWEST.replace(b'id = "anne"\n', b'id = "anne"\nuntil = 2026-11-01\n', 1)
    (lost.folder / "left.toml").write_bytes(left)

    answer = lost.accept(directory="left.toml")

    assert answer.err.startswith("inbox: restore.person: anne is not active")


def test_code_of_another_gap_of_another_person_or_of_hours_ago_is_refused(lost: Lost) -> None:
    mine = lost.code("anne")
    with lost.world.line.store.transaction() as tx:
        tx.get_one(RestoreCode, "anne").expires_at -= timedelta(hours=3)
    siv = lost.code("siv")

    late = lost.accept(first_code=mine, second_code=siv)
    swapped = lost.accept(first_code=siv, second_code=lost.code("siv"))
    wrong = lost.accept(second_code="aaaa-bbbb-cccc-dddd-eeee")

    for answer in (late, swapped, wrong):
        assert answer.err.startswith("inbox: restore.code: ")
    with lost.world.line.store.reading() as tx:
        leaves = list(tx.exec(select(AuditEntry.leaf)))
    assert sum(b"log:restore_code_refused" in leaf for leaf in leaves) == 3
    assert not any(mine.encode() in leaf or siv.encode() in leaf for leaf in leaves)


def test_code_does_not_survive_another_swap_of_the_database(lost: Lost) -> None:
    codes = {"first_code": lost.code("anne"), "second_code": lost.code("siv")}
    lost.world.edited = True
    older = lost.folder / "with-codes.db"
    _copy(lost.folder / "inbox.db", older)
    with closing(sqlite3.connect(older)) as database:
        database.execute("UPDATE restore_code SET root = ?", ("ab" * 32,))
        database.commit()
    shutil.copy(older, lost.folder / "older.db")
    lost.lose_again()

    assert lost.accept(**codes).err.startswith("inbox: restore.code: ")


def test_acceptance_demands_the_export_of_the_audit_that_the_settings_name(lost: Lost) -> None:
    config = lost.folder / "inbox.toml"
    config.write_text(f'audit_copy = "{lost.folder}/standby.jsonl"\n{config.read_text()}')

    refused = lost.accept()
    shutil.copy(lost.folder / "copy.jsonl", lost.folder / "standby.jsonl")
    accepted = lost.accept()

    assert refused.err.startswith("inbox: restore.audit_copy: the settings demand")
    assert accepted.code == 0, accepted.err
    assert "it has all that was signed" in accepted.out


def test_export_of_another_audit_is_refused(lost: Lost) -> None:
    lines = (lost.folder / "copy.jsonl").read_text().splitlines(keepends=True)
    other = lost.folder / "other.jsonl"

    other.write_text(
        "".join(lines[:-3]).replace(lines[-4], lines[-4].replace('"leaf": "', '"leaf": "AAAA'))
    )
    short = lost.restore("--audit-export", str(other))
    other.write_text("".join(lines[1:]))
    gap = lost.restore("--audit-export", str(other))

    assert short.code == 1
    assert "it ends before the last checkpoint" in short.out
    assert gap.err.startswith("inbox: restore.audit_copy: ")


def test_restore_without_the_keys_of_the_database_is_refused(lost: Lost) -> None:
    (lost.folder / "keys").rename(lost.folder / "elsewhere")

    assert lost.restore("--issue-code", "anne").err.startswith("inbox: keys.")


def test_rules_that_cannot_be_read_keep_nobody_from_seeing_the_rest(lost: Lost) -> None:
    folder = lost.folder / "export"
    shutil.copytree(shipped_folder("policies"), folder)
    (folder / "routing" / f"{OURS}.toml").write_bytes(RULES)

    answer = lost.restore("--policy-export", str(folder))

    assert "!! the routing rules of 910075918 in the export cannot be compared" in answer.out
    assert answer.out.splitlines()[-1].startswith("nothing is accepted yet")


def test_restore_drill_in_operators_md_works_as_described(
    lost: Lost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(lost.folder)
    section = PAGE.read_text().partition("### Restore\n")[2].partition("\n```\n")[0]
    commands = re.findall(r"^\$ inbox (.*)$", section, re.MULTILINE)
    with lost.world.line.store.transaction() as tx:
        tx.add(
            CapacityRow(
                id=new_id(),
                person="bjorn",
                unit="desk",
                role=Role.SECURITY_REVIEWER.value,
                active_from=tx.now - timedelta(days=1),
            )
        )
        own = [issue_code(tx, person) for person in ("anne", "bjorn")]
    codes: list[str] = []

    told = []
    for command in commands:
        typed = {"--accept-gap": codes, "import": own}
        stdin = next((lines for word, lines in typed.items() if word in command), [])
        more = ["--code-from-stdin"] if stdin else []
        if command == "doctor":
            continue
        told.append(lost.installed.ask(*command.split(), *more, stdin="\n".join(stdin)))
        if "--issue-code" in command:
            codes.append(told[-1].out.split()[1])

    assert [answer.code for answer in told] == [1, 0, 0, 0, 0, 0], [each.err for each in told]
    assert "GAP accepted at entry" in told[-1].out
