"""Reads a policy folder strictly: either a `Policy`, or a refusal that names the file and line.

What casbin's own reader would skip or mangle without a word is refused here.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from inbox.access.facts.registry import FACTS, SUBJECTS, facts_of
from inbox.access.files.cases import CASES, run_cases
from inbox.access.files.invariants import INVARIANTS, Claim, read_claims
from inbox.access.files.meanings import (
    FACTS_FILE,
    SHIELDING,
    SHIELDING_CASES,
    VOCABULARY,
    Meanings,
    read_meanings,
    read_shieldings,
    run_shielding_cases,
)
from inbox.access.files.proofs import check_claims
from inbox.access.files.versions import Files
from inbox.access.policy.conditions import names_in, read_condition, ways_of
from inbox.access.policy.engine import MODEL, Policy
from inbox.access.policy.shielding import Shieldings
from inbox.access.policy.vocabulary import NO_DUTIES, Action, Duty, Effect, Role, Rule, named
from inbox.errors import PolicyError
from inbox.strict.lines import Line, read_lines, read_text, refusal

DECIDING: Final = ("allow.csv", "deny.csv", FACTS_FILE, "model.conf", SHIELDING, VOCABULARY)
"""The files that decide: the digest of a policy is over these."""
FILES: Final = (*DECIDING, INVARIANTS)
CASE_FILES: Final = (CASES, SHIELDING_CASES)
ALL_FILES: Final = (*FILES, *CASE_FILES)
_CELLS = 7
_RULE_ID: Final = {
    Effect.ALLOW: re.compile(r"A\d\d[a-z]?"),
    Effect.DENY: re.compile(r"D\d\d[a-z]?"),
}
_KNOWN: Final = {action: [facts_of(kind) for kind in kinds] for action, kinds in SUBJECTS.items()}
"""The facts that are known of each kind of subject that an action can be asked about."""
W = TypeVar("W", bound=StrEnum)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A policy folder that was read, and nothing proved or tried yet."""

    policy: Policy
    claims: tuple[Claim, ...]
    meanings: Meanings
    shieldings: Shieldings
    cases: Mapping[str, bytes]
    """The files of cases, as they are."""

    def failures(self) -> tuple[str, ...]:
        """The written cases that fail. Raises `PolicyError` where they cannot be read."""
        return (
            *run_cases(self.policy, self.cases[CASES]),
            *run_shielding_cases(self.shieldings, self.cases[SHIELDING_CASES]),
        )

    def check(self) -> Policy:
        """The policy, after its invariants were proved and its cases passed.

        Raises `PolicyError`.
        """
        check_claims(self.policy, self.claims)
        if failures := self.failures():
            raise PolicyError("policy.case", "; ".join(failures))
        return self.policy


def load_folder(path: Path) -> Policy:
    """Read a policy folder, prove its invariants and run its cases. Raises `PolicyError`."""
    return load_draft(path).check()


def load_draft(path: Path) -> Draft:
    """Read a policy folder without proving or running anything.

    Raises `PolicyError`: a file that is not there, or a line.
    """
    return read_draft(files_in(path))


def files_in(path: Path) -> Files:
    """The bytes of all files of the policy in a folder.

    Raises `PolicyError`: one is missing, or too many.
    """
    try:
        files = {name: (path / name).read_bytes() for name in ALL_FILES}
        strays = sorted(
            entry.name
            for entry in path.iterdir()
            if entry.suffix in {".csv", ".conf", ".toml", ".txt"} and entry.name not in FILES
        )
    except OSError as error:
        read = f"{type(error).__name__} at {Path(error.filename).name}"
        raise PolicyError("policy.unreadable", f"{read} in the folder") from error
    if strays:
        raise refusal(f"{strays[0]}, line 1", "stray_file", strays, f"only {', '.join(FILES)}")
    return files


def read_policy(files: Files) -> Policy:
    """The policy in these files, after its invariants were proved and its cases passed.

    Raises `PolicyError`.
    """
    return read_draft(files).check()


def read_draft(files: Files) -> Draft:
    """The policy in these files, with the invariants and cases that it must be checked against.

    Raises `PolicyError`.
    """
    if files.keys() != set(ALL_FILES):
        raise refusal("folder", "files", sorted(files), f"exactly {', '.join(ALL_FILES)}")
    _check_model(files["model.conf"])
    meanings = read_meanings(files[FACTS_FILE], files[VOCABULARY])
    rules = (
        *_read_rules("allow.csv", files["allow.csv"], Effect.ALLOW),
        *_read_rules("deny.csv", files["deny.csv"], Effect.DENY),
    )
    shieldings = read_shieldings(files[SHIELDING])
    claims = read_claims(files[INVARIANTS], FACTS)
    policy = Policy(rules, facts=FACTS, digest=digest_of(files), shieldings=shieldings)
    _check_never_overridden(policy, meanings)
    cases = {name: files[name] for name in CASE_FILES}
    return Draft(
        policy=policy, claims=claims, meanings=meanings, shieldings=shieldings, cases=cases
    )


def digest_of(files: Files) -> str:
    """SHA-256 over the names and bytes of the files that decide, sorted by name."""
    digest = hashlib.sha256()
    for name in sorted(DECIDING):
        for part in (name.encode(), files[name]):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _check_model(raw: bytes) -> None:
    """Comments apart it is the text that the program runs: the file is there to be read."""
    known = MODEL.rstrip("\n").split("\n")
    lines = enumerate(read_text("model.conf", raw).split("\n"), 1)
    read = [(number, line) for number, line in lines if line and not line.startswith("#")]
    end = raw.count(b"\n") + 1, "the end of the file"
    for place, line in enumerate(known):
        number, text = read[place] if place < len(read) else end
        if text != line:
            where = f"model.conf, line {number}"
            raise refusal(where, "model", text, line)
    if len(read) > len(known):
        number, text = read[len(known)]
        where = f"model.conf, line {number}"
        raise refusal(where, "model", text, "only the known model, comments on own lines")


def _read_rules(file: str, raw: bytes, effect: Effect) -> tuple[Rule, ...]:
    lines = read_lines(file, raw)
    rules: dict[str, Rule] = {}
    for line in lines:
        rule = _read_rule(line, effect)
        if rule.id in rules:
            raise line.refuse("rule_id_twice", rule.id, "each id once")
        rules[rule.id] = rule
    if not rules:
        raise refusal(f"{file}, line 1", "empty", "no rows", "at least one row")
    return tuple(rules.values())


def _read_rule(line: Line, effect: Effect) -> Rule:
    cells = [cell.strip(" ") for cell in line.text.split(",")]
    if len(cells) != _CELLS or not all(cells):
        raise line.refuse("cells", line.text, "p, id, action, role, when, duty, effect")
    kind, rule_id, acts, roles, when, duties, eft = cells
    if kind != "p":
        raise line.refuse("kind", kind, "p")
    if _RULE_ID[effect].fullmatch(rule_id) is None:
        raise line.refuse("id", rule_id, f"such as {effect.value[0].upper()}01 or ...01b")
    if eft != effect.value:
        raise line.refuse("effect", eft, effect.value)
    _check_cell(line, acts, Action, wildcard=effect is Effect.DENY)
    if effect is Effect.ALLOW and " " in acts:
        raise line.refuse("action", acts, "one action in a row that allows")
    _check_cell(line, roles, Role, wildcard=effect is Effect.DENY)
    try:
        condition = read_condition(when, FACTS.keys())
        ways_of(condition)
    except PolicyError as error:
        raise line.locate(error) from error
    _check_known(line, acts, names_in(condition))
    return Rule(
        id=rule_id,
        acts=acts,
        roles=roles,
        when=when,
        duties=_read_duties(line, duties),
        effect=effect,
    )


def _check_known(line: Line, acts: str, used: frozenset[str]) -> None:
    """Check that each action has a kind of subject for which all these facts are defined."""
    for action, known in _KNOWN.items():
        if named(acts, action) and not any(used <= facts for facts in known):
            odd = sorted(used - frozenset().union(*known)) or sorted(used)
            nearest = max(known, key=lambda facts: len(used.intersection(facts)))
            allowed = " ".join(sorted(nearest))
            raise line.refuse("fact_unknown", f"{action}: {' '.join(odd)}", allowed)


def _read_duties(line: Line, cell: str) -> frozenset[Duty]:
    if cell == NO_DUTIES:
        return frozenset()
    _check_cell(line, cell, Duty, wildcard=False)
    return frozenset(Duty(word) for word in cell.split(" "))


def _check_cell(line: Line, cell: str, words: type[W], *, wildcard: bool) -> None:
    """Words of the closed list with one space between, none twice, or `*` where that may stand."""
    if wildcard and cell == "*":
        return
    read = cell.split(" ")
    if len(set(read)) != len(read) or not set(read) <= set(words):
        allowed = ", ".join(words) + (", *" if wildcard else "")
        raise line.refuse("word", cell, allowed)


def _check_never_overridden(policy: Policy, meanings: Meanings) -> None:
    denying: frozenset[str] = frozenset().union(
        *(names_in(policy.conditions[r.when]) for r in policy.rules if r.effect is Effect.DENY)
    )
    if missing := sorted(set(meanings.never_overridden) - denying):
        where = f"{VOCABULARY}, line {meanings.override_line}"
        allowed = "facts that a row of deny.csv denies for"
        raise refusal(where, "overridden", missing, allowed)
