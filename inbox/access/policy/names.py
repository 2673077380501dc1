"""Every name that a policy may use: since which version of the vocabulary, and what it means.

The names describe the program, not an installation, so they stand beside this module and not in the
policy folder. A policy says which version of the vocabulary it was written for. What a later
version has is reported of it, and never changes what it decides:

    the policy was written for        version 1, with rows for `open`
    version 2 has a new action        `note`, part of `open`
    so in that policy                 the rows of `open` decide who may `note`, its denials too

One that was part of several is decided by the rows of all of them. An action that was part of none
is denied by such a policy until it has rows of its own.
"""

import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from inbox.access.policy.vocabulary import Action, PolicyRule, cell_includes
from inbox.language import TextLanguage


class NameKind(StrEnum):
    """What a name stands for."""

    FACT = "fact"
    ACTION = "action"
    ROLE = "role"
    DUTY = "duty"


MeaningLanguage = TextLanguage
"""The languages in which names are explained."""
Meaning = Mapping[MeaningLanguage, str]
_FIRST: Final = 1
_EVERYTHING: Final = "*"


@dataclass(frozen=True, kw_only=True)
class KnownName:
    """A name that rules may use."""

    name: str
    kind: NameKind
    meaning: Meaning
    since: int = _FIRST
    """The version of the vocabulary that first has it."""
    part_of: tuple[Action, ...] = ()
    """Of an action that is newer: the actions that it was part of before."""


@dataclass(frozen=True, kw_only=True)
class RemovedName:
    """A name that rules could use before."""

    name: str
    until: int
    """The version of the vocabulary that first lacks it."""
    instead: Meaning
    """What to write instead."""


@dataclass(frozen=True, kw_only=True)
class LaterNames:
    """What the vocabulary has that a policy was not written for."""

    names: tuple[KnownName, ...] = ()
    stand_ins: Mapping[Action, tuple[Action, ...]] = field(default_factory=dict)
    """By each new action that was part of others: the actions whose rows decide it."""
    denied: tuple[Action, ...] = ()
    """The new actions that no row decides: they are denied."""

    def with_stand_ins(self, rule: PolicyRule) -> PolicyRule:
        """The same rule, which also decides the new actions that were part of its own."""
        if rule.actions == _EVERYTHING:
            return rule
        also = (
            new
            for new, olds in self.stand_ins.items()
            if any(cell_includes(rule.actions, old) for old in olds)
        )
        return replace(rule, also=frozenset(also))


@dataclass(frozen=True, kw_only=True, eq=False)
class Vocabulary:
    """The names of one program."""

    version: int
    names: Mapping[str, KnownName]
    removed: Mapping[str, RemovedName] = field(default_factory=dict)

    def of_kind(self, kind: NameKind) -> tuple[KnownName, ...]:
        """The names of one kind, in the order of the file."""
        return tuple(name for name in self.names.values() if name.kind is kind)

    @cached_property
    def facts(self) -> frozenset[str]:
        """The names of the facts."""
        return frozenset(fact.name for fact in self.of_kind(NameKind.FACT))

    def meaning_of(self, name: str, language: MeaningLanguage) -> str:
        """What a name means."""
        return self.names[name].meaning[language]

    def names_of_version(self, version: int) -> frozenset[str]:
        """The names that this version has; a version that is not known yet has all of them."""
        return frozenset(name.name for name in self.names.values() if name.since <= version)

    def later_than(self, known: Collection[str], rules: Iterable[PolicyRule]) -> LaterNames:
        """What a policy with these names and rows was not written for.

        An action that a row names has rows of its own, whatever version the policy says.
        """
        cells = [rule.actions for rule in rules if rule.actions != _EVERYTHING]
        later = tuple(name for name in self.names.values() if name.name not in known)
        without_rows = [
            Action(name.name)
            for name in later
            if name.kind is NameKind.ACTION
            and not any(cell_includes(cell, name.name) for cell in cells)
        ]
        stand_ins = {
            action: tuple(self._stand_ins(action, without_rows)) for action in without_rows
        }
        return LaterNames(
            names=later,
            stand_ins={new: olds for new, olds in stand_ins.items() if olds},
            denied=tuple(action for action, olds in stand_ins.items() if not olds),
        )

    def _stand_ins(self, action: Action, without_rows: Collection[Action]) -> Iterator[Action]:
        """The actions that it was part of; for one that is new too, what that one was part of."""
        for old in self.names[action].part_of:
            if old in without_rows:
                yield from self._stand_ins(old, without_rows)
            else:
                yield old


@cache
def program_vocabulary() -> Vocabulary:
    """The vocabulary of this program, as it stands in the files beside this module."""
    folder = Path(__file__).parent
    facts = tomllib.loads((folder / "facts.toml").read_text("utf-8"))
    others = tomllib.loads((folder / "vocabulary.toml").read_text("utf-8"))
    tables = {
        NameKind.FACT: facts,
        NameKind.ACTION: others["actions"],
        NameKind.ROLE: others["roles"],
        NameKind.DUTY: others["duties"],
    }
    return Vocabulary(
        version=others["version"],
        names={
            name: _known_name(name, kind, entry)
            for kind, table in tables.items()
            for name, entry in table.items()
        },
        removed={
            name: RemovedName(name=name, until=entry["until"], instead=_meaning(entry))
            for name, entry in others["removed"].items()
        },
    )


def _known_name(name: str, kind: NameKind, entry: Mapping[str, str | int]) -> KnownName:
    return KnownName(
        name=name,
        kind=kind,
        meaning=_meaning(entry),
        since=int(entry.get("since", _FIRST)),
        part_of=tuple(map(Action, str(entry.get("part_of", "")).split())),
    )


def _meaning(entry: Mapping[str, str | int]) -> Meaning:
    return {language: str(entry[language]) for language in MeaningLanguage}
