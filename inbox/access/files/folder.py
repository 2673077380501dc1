"""Reads a policy folder strictly: either a `Policy`, or a refusal that names the file and line.

What casbin's own reader would skip or mangle without a word is refused here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeVar

from inbox.access.facts.registry import ACTION_SUBJECTS, FACTS, fact_names_of
from inbox.access.files.cases import CASES_FILE, run_cases
from inbox.access.files.invariants import INVARIANTS_FILE, Implication, read_invariants
from inbox.access.files.meanings import (
    FACTS_FILE,
    NEWER_FACTS,
    SHIELDING_CASES_FILE,
    SHIELDING_FILE,
    VOCABULARY_FILE,
    Meanings,
    read_meanings,
    read_shieldings,
    run_shielding_cases,
)
from inbox.access.files.proofs import check_invariants
from inbox.access.files.versions import (
    NEWEST_DIGEST_RULE,
    DigestRule,
    FilesByName,
    FilesOfVersion,
    digest_over,
)
from inbox.access.policy.conditions import dnf_of, names_in, read_condition
from inbox.access.policy.engine import MODEL, Policy
from inbox.access.policy.shielding import ShieldingTable
from inbox.access.policy.vocabulary import (
    NO_DUTIES,
    Action,
    Duty,
    Effect,
    PolicyRule,
    Role,
    cell_includes,
)
from inbox.errors import PolicyError
from inbox.strict.lines import SourceLine, read_lines, read_text, refusal

DECIDING_FILES: Final = (
    "allow.csv",
    "deny.csv",
    FACTS_FILE,
    "model.conf",
    SHIELDING_FILE,
    VOCABULARY_FILE,
)
"""The files that decide. The digests of rule 1 are over these alone."""
POLICY_FILES: Final = (*DECIDING_FILES, INVARIANTS_FILE)
CASE_FILES: Final = (CASES_FILE, SHIELDING_CASES_FILE)
ALL_FILES: Final = (*POLICY_FILES, *CASE_FILES)
_CELLS = 7
SWITCHED_OFF: Final = "off"
"""What stands in place of `allow` in a row that one person has switched off."""
_RULE_ID: Final = {
    Effect.ALLOW: re.compile(r"A\d\d[a-z]?"),
    Effect.DENY: re.compile(r"D\d\d[a-z]?"),
}
_FACTS_OF_ACTION: Final = {
    action: [fact_names_of(kind) for kind in kinds] for action, kinds in ACTION_SUBJECTS.items()
}
"""The facts that are known of each kind of subject that an action can be asked about."""
_ALLOWED_EFFECTS: Final = {
    Effect.ALLOW: f"{Effect.ALLOW.value}, or {SWITCHED_OFF}",
    Effect.DENY: Effect.DENY.value,
}
W = TypeVar("W", bound=StrEnum)


@dataclass(frozen=True, kw_only=True)
class PolicyDraft:
    """A policy folder that has been read but not yet checked.

    Its invariants are not yet proved, and its cases are not yet run.
    """

    policy: Policy
    switched_off: Mapping[int, PolicyRule] = field(default_factory=dict)
    """The rows that are switched off, by their places among all rows: they decide nothing."""
    invariants: tuple[Implication, ...]
    meanings: Meanings
    shieldings: ShieldingTable
    cases: Mapping[str, bytes]
    """The files of cases, as they are."""

    @property
    def rows(self) -> tuple[PolicyRule, ...]:
        """All rows in the order of the files, those that are switched off too."""
        rows = list(self.policy.rules)
        for place, rule in sorted(self.switched_off.items()):
            rows.insert(place, rule)
        return tuple(rows)

    def case_failures(self) -> tuple[str, ...]:
        """The written cases that fail. Raises `PolicyError` where they cannot be read.

        A case says what the rows mean. So a row that is switched off counts in it as if it were on:
        whoever switches it off need not rewrite the cases first.
        """
        return (
            *run_cases(self._with_all_rows_on(), self.cases[CASES_FILE]),
            *run_shielding_cases(self.shieldings, self.cases[SHIELDING_CASES_FILE]),
        )

    def _with_all_rows_on(self) -> Policy:
        return Policy(self.rows, facts=self.policy.facts, digest=self.policy.digest)

    def verified_policy(self) -> Policy:
        """The policy, after its invariants were proved and its cases passed.

        Raises `PolicyError`.
        """
        check_invariants(self.policy, self.invariants)
        if failures := self.case_failures():
            raise PolicyError("policy.case", "; ".join(failures))
        return self.policy


def load_policy(path: Path) -> Policy:
    """Read a policy folder, prove its invariants and run its cases. Raises `PolicyError`."""
    return read_policy(read_policy_files(path))


def load_draft(path: Path) -> PolicyDraft:
    """Read a policy folder without proving or running anything.

    Raises `PolicyError`: a file that is not there, or a line.
    """
    return read_draft(read_policy_files(path))


def read_policy_files(path: Path) -> FilesByName:
    """The bytes of all files of the policy in a folder.

    Raises `PolicyError`: one is missing, or too many.
    """
    try:
        files = {name: (path / name).read_bytes() for name in ALL_FILES}
        strays = sorted(
            entry.name
            for entry in path.iterdir()
            if entry.suffix in {".csv", ".conf", ".toml", ".txt"} and entry.name not in POLICY_FILES
        )
    except OSError as error:
        read = f"{type(error).__name__} at {Path(error.filename).name}"
        raise PolicyError("policy.unreadable", f"{read} in the folder") from error
    if strays:
        raise refusal(
            f"{strays[0]}, line 1", "stray_file", strays, f"only {', '.join(POLICY_FILES)}"
        )
    return files


def read_policy(files: FilesByName) -> Policy:
    """The policy in these files, after its invariants were proved and its cases passed.

    Raises `PolicyError`.
    """
    return _verified_policy(tuple(sorted(files.items())), NEWEST_DIGEST_RULE)


def read_policy_version(version: FilesOfVersion) -> Policy:
    """The same for a stored version: its digest is computed by the rule that it carries."""
    return _verified_policy(tuple(sorted(version.files.items())), version.digest_rule)


@lru_cache(maxsize=4)
def _verified_policy(files: tuple[tuple[str, bytes], ...], digest_rule: DigestRule) -> Policy:
    """Proved once in a process for the same bytes: a policy is never changed, and may be shared."""
    return read_draft(dict(files), digest_rule).verified_policy()


def read_draft(files: FilesByName, digest_rule: DigestRule = NEWEST_DIGEST_RULE) -> PolicyDraft:
    """The policy in these files, with the invariants and cases that it must be checked against.

    Raises `PolicyError`.
    """
    if files.keys() != set(ALL_FILES):
        raise refusal("folder", "files", sorted(files), f"exactly {', '.join(ALL_FILES)}")
    _check_model(files["model.conf"])
    of_before = digest_rule is DigestRule.DECIDING_FILES
    meanings = read_meanings(
        files[FACTS_FILE],
        files[VOCABULARY_FILE],
        may_lack=NEWER_FACTS if of_before else frozenset(),
    )
    rows = {
        **_read_rules("allow.csv", files["allow.csv"], Effect.ALLOW),
        **_read_rules("deny.csv", files["deny.csv"], Effect.DENY),
    }
    rules = [rule for rule, is_on in rows.items() if is_on]
    off = {place: rule for place, (rule, is_on) in enumerate(rows.items()) if not is_on}
    shieldings = read_shieldings(files[SHIELDING_FILE])
    claims = read_invariants(files[INVARIANTS_FILE], FACTS)
    digest = digest_of(files, digest_rule)
    policy = Policy(rules, facts=FACTS, digest=digest, shieldings=shieldings)
    _check_never_overridden(policy, meanings)
    cases = {name: files[name] for name in CASE_FILES}
    return PolicyDraft(
        policy=policy,
        switched_off=off,
        invariants=claims,
        meanings=meanings,
        shieldings=shieldings,
        cases=cases,
    )


def digest_of(files: FilesByName, rule: DigestRule = NEWEST_DIGEST_RULE) -> str:
    """The digest of a policy: over every file, or by the rule that its version carries."""
    if rule is DigestRule.DECIDING_FILES:
        return digest_over(files, *DECIDING_FILES)
    return digest_over(files)


def _check_model(raw: bytes) -> None:
    """Check that `model.conf` is the casbin model that the program runs.

    Comments are ignored in the comparison. The file exists for readers.
    """
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


def _read_rules(file: str, raw: bytes, effect: Effect) -> Mapping[PolicyRule, bool]:
    """The rows in their order, and of each whether it decides: False where it is switched off."""
    rows: dict[PolicyRule, bool] = {}
    ids: set[str] = set()
    for line in read_lines(file, raw):
        rule = _read_rule(line, effect)
        if rule.id in ids:
            raise line.refuse("rule_id_twice", rule.id, "each id once")
        ids.add(rule.id)
        rows[rule] = cells_of(line.text)[-1] != SWITCHED_OFF
    if not any(rows.values()):
        raise refusal(f"{file}, line 1", "empty", "no rows", "at least one row")
    return rows


def cells_of(row: str) -> list[str]:
    """The cells of a row of `allow.csv` or `deny.csv`."""
    return [cell.strip(" ") for cell in row.split(",")]


def _read_rule(line: SourceLine, effect: Effect) -> PolicyRule:
    cells = cells_of(line.text)
    if len(cells) != _CELLS or not all(cells):
        raise line.refuse("cells", line.text, "p, id, action, role, when, duty, effect")
    kind, rule_id, acts, roles, when, duties, eft = cells
    if kind != "p":
        raise line.refuse("kind", kind, "p")
    if _RULE_ID[effect].fullmatch(rule_id) is None:
        raise line.refuse("id", rule_id, f"such as {effect.value[0].upper()}01 or ...01b")
    if eft != effect.value and (eft, effect) != (SWITCHED_OFF, Effect.ALLOW):
        raise line.refuse("effect", eft, _ALLOWED_EFFECTS[effect])
    _check_cell(line, acts, Action, wildcard=effect is Effect.DENY)
    if effect is Effect.ALLOW and " " in acts:
        raise line.refuse("action", acts, "one action in a row that allows")
    _check_cell(line, roles, Role, wildcard=effect is Effect.DENY)
    try:
        condition = read_condition(when, FACTS.keys())
        dnf_of(condition)
    except PolicyError as error:
        raise line.with_location(error) from error
    _check_facts_known(line, acts, names_in(condition))
    return PolicyRule(
        id=rule_id,
        actions=acts,
        roles=roles,
        when=when,
        duties=_read_duties(line, duties),
        effect=effect,
    )


def _check_facts_known(line: SourceLine, acts: str, used: frozenset[str]) -> None:
    """Check that each action has a kind of subject for which all these facts are defined."""
    for action, known in _FACTS_OF_ACTION.items():
        if cell_includes(acts, action) and not any(used <= facts for facts in known):
            odd = sorted(used - frozenset().union(*known)) or sorted(used)
            nearest = max(known, key=lambda facts: len(used.intersection(facts)))
            allowed = " ".join(sorted(nearest))
            raise line.refuse("fact_unknown", f"{action}: {' '.join(odd)}", allowed)


def _read_duties(line: SourceLine, cell: str) -> frozenset[Duty]:
    if cell == NO_DUTIES:
        return frozenset()
    _check_cell(line, cell, Duty, wildcard=False)
    return frozenset(Duty(word) for word in cell.split(" "))


def _check_cell(line: SourceLine, cell: str, words: type[W], *, wildcard: bool) -> None:
    """Check that a cell contains only words of the closed list.

    The words must be distinct and separated by single spaces. The cell may be `*` instead where a
    wildcard is allowed.
    """
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
        where = f"{VOCABULARY_FILE}, line {meanings.override_line}"
        allowed = "facts that a row of deny.csv denies for"
        raise refusal(where, "overridden", missing, allowed)
