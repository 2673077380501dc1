"""Processes with files of their own: one finds a gap, all hold still, two people accept it once."""

from dataclasses import replace

import pytest

from inbox.audit import verify
from inbox.audit.standstill import Standstill
from inbox.directory.format.toml_file import read_directory
from inbox.directory.restore import TwoPeople, accept_gap, issue_restore_code
from inbox.errors import Conflict
from inbox.line.upkeep.gap import compare_and_report
from inbox.worker import Worker
from tests.line.old_database import checkpoint_file, sign_more_than_is_there
from tests.municipality import DIRECTORY
from tests.worlds import World

EXPORT = read_directory(
    DIRECTORY + b'[[capacity]]\nperson = "bjorn"\nunit = "desk"\nrole = "security_reviewer"\n'
)


def _people(world: World, text: str) -> TwoPeople:
    first, second = (issue_restore_code(world.line, [text], each) for each in ("anne", "bjorn"))
    return TwoPeople(first="anne", first_code=first, second="bjorn", second_code=second)


def test_gap_that_one_process_finds_holds_every_process_until_it_is_accepted(
    world: World,
) -> None:
    own, other = checkpoint_file(world), world.folder / "other.txt"
    Worker(world.line, poll_seconds=1, checkpoints=own)._checkpoint()
    other.write_text(own.read_text())
    text = sign_more_than_is_there(world)
    neighbour = replace(world.line, standstill=Standstill())
    assert compare_and_report(neighbour, other) is None

    assert compare_and_report(world.line, own) is not None
    assert compare_and_report(neighbour, other) is not None
    accept_gap(world.line, [text], _people(world, text), directory=EXPORT, checkpoints=own)

    assert compare_and_report(world.line, own) is None
    assert compare_and_report(neighbour, other) is None
    Worker(neighbour, poll_seconds=1, checkpoints=other)._checkpoint()
    with world.line.store.reading() as tx:
        report = verify.verify(tx, world.line.keyring, [own.read_text(), other.read_text()])
    assert report.holds
    assert [gap.who for gap in report.accepted] == ["anne+bjorn"]


def test_codes_are_used_up_by_the_acceptance(world: World) -> None:
    own = checkpoint_file(world)
    text = sign_more_than_is_there(world)
    people = _people(world, text)
    accept_gap(world.line, [text], people, directory=EXPORT, checkpoints=own)

    again = sign_more_than_is_there(world)

    with pytest.raises(Conflict, match=r"restore\.code"):
        accept_gap(world.line, [again], people, directory=EXPORT, checkpoints=own)
