"""Policies that a program with fewer names kept, and what that program decided by them."""

import re
from collections.abc import Iterator
from pathlib import Path

from inbox.access import Action, Policy, Role
from inbox.access.files.active import POLICY_KIND
from inbox.access.files.folder import digest_of
from inbox.access.files.versions import DigestRule, keep_first_version
from inbox.access.policy.vocabulary import duties_text
from inbox.store import Transaction
from tests.access.town import files_of_vocabulary_1

_FILES = Path(__file__).parent / "files"
"""`decisions_of_vocabulary_N.txt`: what the program of that version decided by the folder that is
kept of it, written down by that program."""
_ORDINARY = frozenset({"own_organisation", "active_capacity", "active_person"})
"""What holds of an ordinary request; the file writes `ordinary` for it."""
RecordedDecision = tuple[Role, Action, frozenset[str], str]
"""Role, action, what holds, and what came out."""


def recorded_decisions(vocabulary: int = 1) -> Iterator[RecordedDecision]:
    """Every decision that was written down by the program with this vocabulary."""
    for line in (_FILES / f"decisions_of_vocabulary_{vocabulary}.txt").read_text().splitlines():
        found = re.fullmatch(r"(\w+) (\w+): ([a-z_ ]*) -> (.*)", line)
        assert found is not None, line
        held = frozenset(found[3].split())
        held = held - {"ordinary"} | _ORDINARY if "ordinary" in held else held
        yield Role(found[1]), Action(found[2]), held, found[4]


def decided(policy: Policy, role: Role, action: Action, held: frozenset[str]) -> str:
    """The same decision by this policy, as it is written down."""
    decision = policy.decide(role, {name: name in held for name in policy.facts}, action)
    answer = "yes" if decision.allowed else "no"
    return f"{answer} {decision.rule} {duties_text(decision.duties)}"


def decided_otherwise(
    policy: Policy, *, but: Action | None = None, recorded: int = 1
) -> list[RecordedDecision]:
    """The decisions that differ from those that were written down, of all actions but one."""
    asked = [each for each in recorded_decisions(recorded) if each[1] is not but]
    assert len(asked) > 700
    return [each for each in asked if decided(policy, *each[:3]) != each[3]]


def files_of_fewer_names() -> dict[str, bytes]:
    """The same folder as it would be of a program that had no action `note` either."""
    files = files_of_vocabulary_1()
    _edit(files, "allow.csv", r"^p, A47b?, note, .*\n", "", rows=-2)
    _edit(files, "deny.csv", r" note ", " ")
    _edit(files, "invariants.txt", r"^note .*\n", "", rows=-4)
    _edit(files, "vocabulary.toml", r"^note = .*\n", "", rows=-1)
    _edit(files, "tests/access.toml", r', note = (\[[^]]*\]|"[^"]*")', "")
    return files


def files_of_other_facts() -> dict[str, bytes]:
    """The same folder as it would be of a program with a fact that this one does not have."""
    files = files_of_vocabulary_1()
    urgent = 'urgent = { kind = "row", nb = "det haster", en = "it is urgent" }\n'
    _edit(files, "facts.toml", r"\Z", urgent, rows=1)
    _edit(files, "allow.csv", r"^(p, A16, list, leader, leads)", r"\1 and not urgent")
    return files


def keep_as_rule_1(tx: Transaction, files: dict[str, bytes]) -> str:
    """Keep the files as the active version, as a program of before did; returns their digest."""
    digest = digest_of(files, DigestRule.DECIDING_FILES)
    keep_first_version(
        tx,
        kind=POLICY_KIND,
        digest=digest,
        files=files,
        proposed_by="ada",
        approved_by="bo",
        digest_rule=DigestRule.DECIDING_FILES,
    )
    return digest


def _edit(files: dict[str, bytes], file: str, old: str, new: str, *, rows: int = 0) -> None:
    text, times = re.subn(old, new, files[file].decode(), flags=re.MULTILINE)
    assert times >= 1
    stated = re.search(r"^# rows: (\d+)$", text, re.MULTILINE)
    assert stated is not None
    files[file] = text.replace(stated[0], f"# rows: {int(stated[1]) + rows}", 1).encode()
