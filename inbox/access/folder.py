"""The policy folder: strict reading of its files into a `Policy`, or a refusal that says where.

What casbin's own reader would skip or mangle without a word is refused here.
"""

import hashlib
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from inbox.access.condition import names_in, read_condition
from inbox.access.facts import FACTS
from inbox.access.lines import (
    Line,
    check_rows,
    read_lines,
    read_string,
    read_strings,
    read_table,
    read_text,
    read_toml,
    refusal,
)
from inbox.access.policy import MODEL, Action, Duty, Effect, Policy, Role, Rule
from inbox.access.review import CASES, INVARIANTS, prove, run_cases
from inbox.access.shielding import UNKNOWN, Shielding, Shieldings
from inbox.errors import PolicyError

DECIDING: Final = (
    "allow.csv",
    "deny.csv",
    "facts.toml",
    "model.conf",
    "shielding.toml",
    "vocabulary.toml",
)
"""The files that decide: the digest of a policy is over these."""
FILES: Final = (*DECIDING, INVARIANTS)
_CELLS = 7
_RULE_ID: Final = {
    Effect.ALLOW: re.compile(r"A\d\d[a-z]?"),
    Effect.DENY: re.compile(r"D\d\d[a-z]?"),
}
_NONE = "none"
W = TypeVar("W", bound=StrEnum)


def load_folder(path: Path) -> Policy:
    """Read, prove and try the policies in a folder. Raises `PolicyError`."""
    try:
        files = {name: (path / name).read_bytes() for name in FILES}
        cases = (path / CASES).read_bytes()
        strays = sorted(
            entry.name
            for entry in path.iterdir()
            if entry.suffix in {".csv", ".conf", ".toml", ".txt"} and entry.name not in FILES
        )
    except OSError as error:
        raise PolicyError("policy.unreadable", f"{type(error).__name__} in the folder") from error
    if strays:
        raise refusal(strays[0], "stray_file", strays, f"only {', '.join(FILES)}")
    policy = read_folder(files)
    if failures := run_cases(policy, cases):
        raise PolicyError("policy.case", f"{CASES}: {'; '.join(failures)}")
    return policy


def read_folder(files: Mapping[str, bytes]) -> Policy:
    """The policy that these files are, its invariants proved. Raises `PolicyError`."""
    if files.keys() != set(FILES):
        raise refusal("folder", "files", sorted(files), f"exactly {', '.join(FILES)}")
    _check_model(files["model.conf"])
    _check_facts(files["facts.toml"])
    never_overridden = _read_vocabulary(files["vocabulary.toml"])
    rules = (
        *_read_rules("allow.csv", files["allow.csv"], Effect.ALLOW),
        *_read_rules("deny.csv", files["deny.csv"], Effect.DENY),
    )
    policy = Policy(
        rules,
        facts=FACTS.keys(),
        digest=digest_of(files),
        shieldings=_read_shieldings(files["shielding.toml"]),
    )
    _check_never_overridden(policy, never_overridden)
    prove(policy, files[INVARIANTS])
    return policy


def digest_of(files: Mapping[str, bytes]) -> str:
    """SHA-256 over names and bytes of the files that decide, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(DECIDING):
        for part in (name.encode(), files[name]):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _check_model(raw: bytes) -> None:
    """Comments apart it is the text that the program runs: the file is there to be read."""
    read = [
        line
        for line in read_text("model.conf", raw).split("\n")
        if line and not line.startswith("#")
    ]
    if read != MODEL.rstrip("\n").split("\n"):
        odd = next((line for line in read if line not in MODEL.split("\n")), f"{len(read)} lines")
        raise refusal("model.conf", "model", odd, "only the known model, comments on own lines")


def _read_rules(file: str, raw: bytes, effect: Effect) -> tuple[Rule, ...]:
    rules = tuple(_read_rule(line, effect) for line in read_lines(file, raw))
    if not rules:
        raise refusal(file, "empty", "no rows", "at least one row")
    return rules


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
        read_condition(when, FACTS.keys())
    except PolicyError as error:
        raise line.locate(error) from error
    return Rule(
        id=rule_id,
        acts=acts,
        roles=roles,
        when=when,
        duties=_read_duties(line, duties),
        effect=effect,
    )


def _read_duties(line: Line, cell: str) -> frozenset[Duty]:
    if cell == _NONE:
        return frozenset()
    _check_cell(line, cell, Duty, wildcard=False)
    return frozenset(Duty(word) for word in cell.split(" "))


def _check_cell(line: Line, cell: str, words: type[W], *, wildcard: bool) -> None:
    """Words of the closed list with one space between, none twice, or `*` where that may stand."""
    if wildcard and cell == "*":
        return
    read = cell.split(" ")
    if len(set(read)) != len(read) or any(word not in set(words) for word in read):
        allowed = ", ".join(words) + (", *" if wildcard else "")
        raise line.refuse("word", cell, allowed)


def _check_facts(raw: bytes) -> None:
    text, table = read_toml("facts.toml", raw, FACTS.keys())
    for name, value in table.items():
        where = f"facts.toml, {name}"
        fact = read_table(where, value, ("kind", "nb", "en"))
        kind = "row" if FACTS[name].given is None else "request"
        if fact["kind"] != kind:
            raise refusal(where, "kind", fact["kind"], kind)
        for language in ("nb", "en"):
            read_string(where, fact[language])
    check_rows("facts.toml", text, len(table))


def _read_vocabulary(raw: bytes) -> tuple[str, ...]:
    """The facts that no action may override; actions, roles and duties are the program's own."""
    file, lists = "vocabulary.toml", {"actions": Action, "roles": Role, "duties": Duty}
    text, table = read_toml(file, raw, (*lists, "never_overridden"))
    rows = 0
    for name, words in lists.items():
        told = read_table(f"{file}, {name}", table[name], tuple(words))
        for word, value in told.items():
            where = f"{file}, {name}.{word}"
            for language in read_table(where, value, ("nb", "en")).values():
                read_string(where, language)
        rows += len(told)
    check_rows(file, text, rows)
    if both := FACTS.keys() & {*Action, *Role, *Duty}:
        raise refusal(file, "overlap", sorted(both), "one word for one thing")
    return read_strings(f"{file}, never_overridden", table["never_overridden"])


def _check_never_overridden(policy: Policy, facts: tuple[str, ...]) -> None:
    denying: frozenset[str] = frozenset().union(
        *(names_in(policy.conditions[r.when]) for r in policy.rules if r.effect is Effect.DENY)
    )
    if missing := sorted(set(facts) - denying):
        raise refusal("deny.csv", "overridden", missing, "a row that denies for each of these")


def _read_shieldings(raw: bytes) -> Shieldings:
    file = "shielding.toml"
    text, table = read_toml(file, raw, ("shielding",))
    entries = table["shielding"]
    if not isinstance(entries, list) or not entries:
        raise refusal(file, "list", entries, "[[shielding]] tables")
    check_rows(file, text, len(entries))
    strictest_first = [_read_shielding(f"{file}, number {n}", e) for n, e in enumerate(entries, 1)]
    codes = [shielding.code for shielding in strictest_first]
    if len(set(codes)) != len(codes):
        raise refusal(file, "twice", codes, "each code once")
    shieldings = Shieldings(strictest_first)
    for shielding in strictest_first:
        for name in (shielding.code, *shielding.called):
            if shieldings.code_of(name) != shielding.code:
                raise refusal(
                    file, "shielding", name, "texts that mean one code, without and/og , ; / +"
                )
    return shieldings


def _read_shielding(where: str, value: object) -> Shielding:
    entry = read_table(where, value, ("code", "called", "nb", "en"))
    for language in ("nb", "en"):
        read_string(where, entry[language])
    code = read_string(where, entry["code"])
    if code == UNKNOWN:
        raise refusal(where, "code", code, "any other: this one stands for the unknown")
    return Shielding(code=code, called=read_strings(where, entry["called"]))
