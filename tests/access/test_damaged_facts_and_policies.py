"""Damaged facts, empty attributes, damaged policies: each question was a yes, and none is left."""

# ruff: noqa: S311 - drawn by seed, not secret

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import pytest

from inbox.access import Action, Policy, Role
from inbox.access.files import versions
from inbox.access.files.active import POLICY_KIND, ActivePolicies
from inbox.access.files.folder import ALL_FILES
from inbox.access.policy.conditions import dnf_of
from inbox.access.policy.vocabulary import Effect
from inbox.store import Transaction
from tests.access.town import POLICIES

VALUES: list[object] = [None, "false", "true", "", 0, 1, 0.0, [], [True], {}, (), b"x", ...]
BASIC = ("own_organisation", "active_capacity", "active_person")


@dataclass(frozen=True)
class Yes:
    """A question that the sound policy answers with yes."""

    role: Role
    facts: dict[str, bool]
    action: Action


def all_yes(policy: Policy) -> list[Yes]:
    """For each way of fulfilling each rule that allows, by each of its roles."""
    found = []
    for rule in policy.rules:
        if rule.effect is Effect.DENY:
            continue
        for way in dnf_of(policy.conditions[rule.when]):
            held = dict.fromkeys(policy.facts, False) | dict.fromkeys(BASIC, True) | dict(way)
            found += [
                Yes(role, {name: held[name] for name in policy.facts_used(action, role)}, action)
                for role in Role
                for action in Action
                if rule.applies_to(action, role) and policy.decide(role, held, action).allowed
            ]
    return found


def damaged(chance: random.Random, facts: dict[str, bool]) -> dict[Any, Any]:
    """The facts with one to three things wrong, and nothing made right again."""
    broken: dict[Any, Any] = dict(facts)
    names = sorted(facts)
    for name in chance.sample(names, chance.randint(1, 3)):
        match chance.randint(0, 3):
            case 0:
                del broken[name]
            case 1:
                broken[name] = chance.choice(VALUES)
            case 2:
                broken[chance.choice(["", name.upper(), f"{name} ", f"not {name}", "always"])] = (
                    True
                )
            case 3:
                broken[chance.choice([None, 1, (name,)])] = broken.pop(name)
    return broken


def ask_damaged(policy: Policy, seed: int, questions: int) -> Counter[str]:
    chance, yes = random.Random(seed), all_yes(policy)
    said: Counter[str] = Counter()
    for _ in range(questions):
        asked = chance.choice(yes)
        decision = policy.decide(asked.role, damaged(chance, asked.facts), asked.action)
        said["allowed" if decision.allowed else decision.rule] += 1
    return said


def test_sound_policy_allows_by_every_allow_rule(the_policy: Policy) -> None:
    yes = all_yes(the_policy)

    rules = {r for y in yes for r in the_policy.decide(y.role, y.facts, y.action).matching}
    assert {r.id for r in the_policy.rules if r.effect is Effect.ALLOW} <= rules
    assert len(yes) > 50


def test_damaged_facts_are_denied_as_an_error(the_policy: Policy) -> None:
    assert ask_damaged(the_policy, 1, 600) == {"error": 600}


@pytest.mark.long
def test_damaged_facts_are_denied_as_an_error_in_ten_thousand_questions(the_policy: Policy) -> None:
    assert ask_damaged(the_policy, 2, 10_000) == {"error": 10_000}


@pytest.mark.parametrize("nothing", ["", None, " ", "*", (), 0], ids=repr)
def test_empty_role_facts_or_action_is_denied(the_policy: Policy, nothing: Any) -> None:
    for asked in all_yes(the_policy)[::5]:
        questions = (
            (nothing, asked.facts, asked.action),
            (asked.role, nothing, asked.action),
            (asked.role, asked.facts, nothing),
            (nothing, nothing, nothing),
        )
        assert not any(the_policy.decide(*question).allowed for question in questions)


def test_policy_with_disabled_enforcers_decides_error(the_policy: Policy) -> None:
    """Casbin's switch makes every answer a yes; a yes without a rule behind it is an error."""
    policy = Policy(the_policy.rules, facts=the_policy.facts, digest="d")
    yes = all_yes(policy)
    for enforcer in [*policy._enforcers.values(), *policy._single_deny_enforcers.values()]:
        enforcer.enable_enforce(enabled=False)

    assert {policy.decide(y.role, y.facts, y.action).rule for y in yes} == {"error"}


def test_policy_with_emptied_enforcers_denies_everything(the_policy: Policy) -> None:
    policy = Policy(the_policy.rules, facts=the_policy.facts, digest="d")
    yes = all_yes(policy)
    for enforcer in policy._enforcers.values():
        enforcer.clear_policy()

    assert not any(policy.decide(y.role, y.facts, y.action).allowed for y in yes)


def names(folder: Path) -> list[Path]:
    return [folder / name for name in ALL_FILES]


def empty(chance: random.Random, folder: Path) -> None:
    chance.choice(names(folder)).write_bytes(b"")


def cut(chance: random.Random, folder: Path) -> None:
    """Half-written: some of the last bytes are missing, and more than a line feed."""
    path = chance.choice(names(folder))
    text = path.read_bytes().rstrip()
    path.write_bytes(text[: chance.randrange(1, len(text))])


def zero(chance: random.Random, folder: Path) -> None:
    """A block that was never written, as a power cut leaves it."""
    path = chance.choice(names(folder))
    raw = bytearray(path.read_bytes())
    begin = chance.randrange(len(raw))
    raw[begin : begin + 512] = bytes(len(raw[begin : begin + 512]))
    path.write_bytes(raw)


def unreadable(chance: random.Random, folder: Path) -> None:
    """Nobody can read it, not even root."""
    path = chance.choice(names(folder))
    path.unlink()
    if chance.random() < 0.5:
        path.mkdir()
    else:
        path.symlink_to(path.name)


def remove(chance: random.Random, folder: Path) -> None:
    chance.choice(names(folder)).unlink()


def remove_all(chance: random.Random, folder: Path) -> None:
    rmtree(folder)
    if chance.random() < 0.5:
        folder.mkdir()


def swap(chance: random.Random, folder: Path) -> None:
    """One file in the place of another."""
    one, other = chance.sample(names(folder), 2)
    one.write_bytes(other.read_bytes())


Damage = Callable[[random.Random, Path], None]
DAMAGES: tuple[Damage, ...] = (empty, cut, cut, zero, unreadable, remove, remove_all, swap)


def broken_folders(seed: int, folder: Path, count: int) -> Iterator[tuple[str, Path]]:
    chance = random.Random(seed)
    for number in range(count):
        broken = Path(copytree(POLICIES, folder / str(number)))
        damage = DAMAGES[number % len(DAMAGES)]
        damage(chance, broken)
        yield damage.__name__, broken


def ask_broken(
    session: Transaction, policy: Policy, folders: Iterator[tuple[str, Path]], each: int
) -> Counter[str]:
    """What processes say where these files are kept as the policy that is active."""
    yes, said = all_yes(policy), Counter[str]()
    for name, folder in folders:
        keep(session, policy.digest, folder)
        policies = ActivePolicies()
        for asked in yes[: each // 2] + yes[-each // 2 :]:
            current = policies.current(session)
            decision = current.decide(asked.role, asked.facts, asked.action)
            said["allowed by " + name if decision.allowed else decision.rule] += 1
        assert policies.problem is not None, name
    return said


def keep(session: Transaction, digest: str, folder: Path) -> None:
    """What of the folder can be read is the version that the database has, and names."""
    files = {name: (folder / name).read_bytes() for name in ALL_FILES if (folder / name).is_file()}
    versions.keep_first_version(
        session,
        kind=POLICY_KIND,
        digest=digest,
        files=files,
        proposed_by="ada",
        approved_by="bo",
    )


def test_damaged_policy_files_deny_everything(
    session: Transaction, the_policy: Policy, tmp_path: Path
) -> None:
    said = ask_broken(session, the_policy, broken_folders(3, tmp_path, 8), 40)

    assert said == {"nobody": 320}


@pytest.mark.long
def test_damaged_policy_files_deny_everything_in_ten_thousand_questions(
    session: Transaction, the_policy: Policy, tmp_path: Path
) -> None:
    said = ask_broken(session, the_policy, broken_folders(4, tmp_path, 500), 20)

    assert said == {"nobody": 10_000}


def test_sound_policy_files_allow_every_question_of_the_damage_tests(
    session: Transaction, the_policy: Policy, tmp_path: Path
) -> None:
    """So that the tests above can see."""
    keep(session, the_policy.digest, Path(copytree(POLICIES, tmp_path / "sound")))
    policies = ActivePolicies()

    for asked in all_yes(the_policy):
        current = policies.current(session)
        assert current.decide(asked.role, asked.facts, asked.action).allowed
