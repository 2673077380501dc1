"""Reads a policy folder strictly: either a `Policy`, or a refusal that names the file and line.

A folder has what reviewers decide. It is refused for a name that this program does not know, and
never for lacking one that it does: see `inbox.access.policy.names`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from inbox.access.files.bases import BASES_FILE, read_bases
from inbox.access.files.cases import CASES_FILE, run_cases
from inbox.access.files.header import (
    HEADER_FILE,
    OLDER_HEADER_FILES,
    PolicyHeader,
    is_older,
    read_header,
)
from inbox.access.files.invariants import INVARIANTS_FILE, Implication, read_invariants
from inbox.access.files.phrases import POLICY_PHRASES
from inbox.access.files.proofs import check_invariants
from inbox.access.files.removed_names import check_not_removed
from inbox.access.files.rule_rows import ALLOW_FILE, DENY_FILE, read_rules
from inbox.access.files.shieldings import (
    SHIELDING_CASES_FILE,
    SHIELDING_FILE,
    read_shieldings,
    run_shielding_cases,
)
from inbox.access.files.versions import (
    NEWEST_DIGEST_RULE,
    DigestRule,
    FilesByName,
    FilesOfVersion,
    digest_over,
)
from inbox.access.policy.conditions import names_in
from inbox.access.policy.engine import Policy
from inbox.access.policy.names import Vocabulary, program_vocabulary
from inbox.access.policy.shielding import ShieldingTable
from inbox.access.policy.vocabulary import Effect, PolicyRule
from inbox.errors import PolicyError
from inbox.language import TextLanguage
from inbox.strict.lines import policy_position, read_lines
from inbox.strict.phrases import READER_PHRASES, Phrase

_RULE_FILES: Final = (ALLOW_FILE, DENY_FILE, SHIELDING_FILE, INVARIANTS_FILE)
POLICY_FILES: Final = (HEADER_FILE, BASES_FILE, *_RULE_FILES)
CASE_FILES: Final = (CASES_FILE, SHIELDING_CASES_FILE)
ALL_FILES: Final = (*POLICY_FILES, *CASE_FILES)
"""The files of a folder as it is written today."""
OLDER_FILES: Final = (*OLDER_HEADER_FILES, *_RULE_FILES, *CASE_FILES)
"""The files of a folder from before `policy.toml`, which explained the names of the program."""
DECIDING_FILES: Final = (*OLDER_HEADER_FILES, ALLOW_FILE, DENY_FILE, SHIELDING_FILE)
"""The files that the digests of rule 1 cover. All of those versions are older folders."""
_SUFFIXES: Final = frozenset({".csv", ".conf", ".toml", ".txt"})


@dataclass(frozen=True, kw_only=True)
class PolicyDraft:
    """A policy folder that has been read but not yet checked.

    Its invariants are not yet proved, and its cases are not yet run.
    """

    policy: Policy
    switched_off: Mapping[int, PolicyRule] = field(default_factory=dict)
    """The rows that are switched off, by their places among all rows: they decide nothing."""
    invariants: tuple[Implication, ...]
    header: PolicyHeader
    vocabulary: Vocabulary
    """The names that it was read with: those of this program."""
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

    def case_failures(self) -> tuple[Phrase, ...]:
        """The written cases that fail. Raises `PolicyError` where they cannot be read.

        A case says what the rows mean. So a row that is switched off counts in it as if it were on:
        nobody has to rewrite the cases before switching it off.
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
            said = (each.text(TextLanguage.EN) for each in failures)
            raise PolicyError("policy.case", "; ".join(said))
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
        there = [entry.name for entry in path.iterdir()]
        names = OLDER_FILES if is_older(dict.fromkeys(there, b"")) else ALL_FILES
        files = {name: (path / name).read_bytes() for name in names}
    except OSError as error:
        read = f"{type(error).__name__} at {Path(error.filename).name}"
        raise PolicyError("policy.unreadable", f"{read} in the folder") from error
    if strays := sorted(n for n in there if Path(n).suffix in _SUFFIXES and n not in names):
        allowed = POLICY_PHRASES(
            "only_files", names=", ".join(name for name in names if name not in CASE_FILES)
        )
        if strays[0] in OLDER_HEADER_FILES:
            allowed = POLICY_PHRASES("without_meanings", allowed=allowed)
        place = policy_position(strays[0]).at_line(1)
        raise place.refuse("stray_file", ", ".join(strays), allowed)
    return files


def read_policy(files: FilesByName) -> Policy:
    """The policy in these files, after its invariants were proved and its cases passed.

    Raises `PolicyError`.
    """
    return read_policy_version(FilesOfVersion(files=files))


def read_policy_version(version: FilesOfVersion, vocabulary: Vocabulary | None = None) -> Policy:
    """The same for a stored version: its digest is computed by the rule that it carries."""
    files = tuple(sorted(version.files.items()))
    return _verified_policy(files, version.digest_rule, vocabulary)


@lru_cache(maxsize=4)
def _verified_policy(
    files: tuple[tuple[str, bytes], ...], digest_rule: DigestRule, vocabulary: Vocabulary | None
) -> Policy:
    """Proved once in a process for the same bytes: a policy is never changed, and may be shared."""
    return read_draft(dict(files), digest_rule, vocabulary).verified_policy()


def read_draft(
    files: FilesByName,
    digest_rule: DigestRule = NEWEST_DIGEST_RULE,
    vocabulary: Vocabulary | None = None,
) -> PolicyDraft:
    """The policy in these files, with the invariants and cases that it must be checked against.

    Raises `PolicyError`.
    """
    vocabulary = vocabulary or program_vocabulary()
    names = OLDER_FILES if is_older(files) else ALL_FILES
    if files.keys() != set(names):
        place = policy_position("").at(POLICY_PHRASES("folder"))
        allowed = READER_PHRASES("exactly", names=", ".join(names))
        raise place.refuse("files", ", ".join(sorted(files)), allowed)
    header = read_header(files, vocabulary)
    bases = None if is_older(files) else read_bases(files[BASES_FILE])
    rows = {
        **read_rules(ALLOW_FILE, files[ALLOW_FILE], Effect.ALLOW, vocabulary, bases),
        **read_rules(DENY_FILE, files[DENY_FILE], Effect.DENY, vocabulary, bases),
    }
    later = vocabulary.later_than(header.known, rows)
    decided = {later.with_stand_ins(rule): is_on for rule, is_on in rows.items()}
    shieldings = read_shieldings(files[SHIELDING_FILE])
    invariants = _read_invariants(files[INVARIANTS_FILE], vocabulary)
    policy = Policy(
        [rule for rule, is_on in decided.items() if is_on],
        facts=vocabulary.facts,
        digest=digest_of(files, digest_rule),
        shieldings=shieldings,
        later=later,
        bases=bases,
    )
    _check_never_overridden(policy, header)
    return PolicyDraft(
        policy=policy,
        switched_off={n: rule for n, (rule, is_on) in enumerate(decided.items()) if not is_on},
        invariants=invariants,
        header=header,
        vocabulary=vocabulary,
        shieldings=shieldings,
        cases={name: files[name] for name in CASE_FILES},
    )


def digest_of(files: FilesByName, rule: DigestRule = NEWEST_DIGEST_RULE) -> str:
    """The digest of a policy: over every file, or by the rule that its version carries.

    Raises `PolicyError`: the files have none by that rule.
    """
    if rule is not DigestRule.DECIDING_FILES:
        return digest_over(files)
    if missing := sorted(set(DECIDING_FILES) - files.keys()):
        raise PolicyError("policy.digest_rule", f"there is no {', '.join(missing)}")
    return digest_over(files, *DECIDING_FILES)


def _read_invariants(raw: bytes, vocabulary: Vocabulary) -> tuple[Implication, ...]:
    for line in read_lines(INVARIANTS_FILE, raw):
        check_not_removed(line, line.text, vocabulary)
    return read_invariants(raw, vocabulary.facts)


def _check_never_overridden(policy: Policy, header: PolicyHeader) -> None:
    """Check that each fact of that list is one, and that some row denies for it."""
    asked = header.never_overridden
    if unknown := sorted(set(asked) - policy.facts):
        known = sorted(policy.facts)
        allowed = POLICY_PHRASES("facts", names=", ".join(known))
        raise header.refuse_never_overridden("fact", unknown[0], allowed, *known)
    denying: frozenset[str] = frozenset().union(
        *(names_in(policy.conditions[r.when]) for r in policy.rules if r.effect is Effect.DENY)
    )
    if missing := sorted(set(asked) - denying):
        allowed = POLICY_PHRASES("denied_facts", file=DENY_FILE)
        raise header.refuse_never_overridden("overridden", ", ".join(missing), allowed)
