"""Says rules, conditions and decisions as sentences, in one language, with their legal basis.

A rule of the files, and what is said of it:

    p, A13, hand_back, handler leader, (in_unit and assigned) or leads, reason, allow, fvl-8

    A13: case handler or unit leader may hand back to be distributed (hand_back)
      when at least one of these holds:
      - all of this:
        - acts in the unit that the message is with (in_unit)
        - the message is assigned to the person (assigned)
      - leads the unit that the message is with (leads)
      duty: requires a reason (reason)
      legal basis: Public Administration Act section 8 (fvl-8)

Each fact, action and duty is said by its meaning, with its name in brackets: the name is what the
files, JSON and the audit have, in every language.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inbox.access.policy.conditions import ALWAYS, And, Condition, Name, Not, Or, read_condition
from inbox.access.policy.legal_basis import LegalBasis
from inbox.access.policy.names import NameKind, Vocabulary
from inbox.access.policy.vocabulary import Duty, Effect, PolicyRule
from inbox.access.question import Capacity
from inbox.access.review.explain import DecisionExplanation
from inbox.language import TextLanguage, TextTable, read_texts

_TEXTS: Final = Path(__file__).with_name("access_texts.toml")
_ANY: Final = "*"
_INDENT: Final = "  "


@dataclass(frozen=True, kw_only=True)
class AccessSentences:
    """The sentences in one language."""

    vocabulary: Vocabulary
    language: TextLanguage

    @property
    def texts(self) -> TextTable:
        """The texts about access, in all languages."""
        return read_texts(_TEXTS)

    def text(self, key: str, *parts: object, **named: object) -> str:
        """One of the texts."""
        return self.texts.text(key, self.language, *parts, **named)

    def word(self, word: str) -> str:
        """A word that stands for what is not there; any other is said as it is."""
        return self.texts.text_or(f"word.{word}", self.language, word)

    def name(self, name: str) -> str:
        """A fact, an action or a duty: its meaning, and its name."""
        return f"{self.vocabulary.meaning_of(name, self.language)} ({name})"

    def role(self, role: str) -> str:
        """A role, by its word."""
        return self.vocabulary.meaning_of(role, self.language)

    def roles(self, roles: Iterable[str]) -> str:
        """Any of some roles."""
        return self.text("word.or").join(map(self.role, roles))

    def literal(self, name: str, wanted: bool) -> str:  # noqa: FBT001 - the halves of a need
        """A fact that must be true, or must be false."""
        return self.name(name) if wanted else self.text("condition.not", fact=self.name(name))

    def duties(self, duties: Iterable[Duty]) -> str:
        """What is required of the person who does it."""
        return "; ".join(map(self.name, sorted(duties))) or self.text("word.no_duty")

    def basis(self, basis: LegalBasis) -> str:
        """A legal basis: its text, its id, and what of it ends."""
        said = [f"{basis.text_in(self.language)} ({basis.id})"]
        if basis.valid_until is not None:
            said.append(self.text("basis.until", day=basis.valid_until))
        if basis.successor is not None:
            said.append(self.text("basis.successor", basis=basis.successor))
        return ", ".join(said)

    def condition(self, condition: Condition) -> Iterator[str]:
        """When it holds: a headline, and a line for each part."""
        if condition == Name(ALWAYS):
            yield self.text("condition.always")
            return
        match condition:
            case And(parts):
                yield self.text("condition.when_all")
            case Or(parts):
                yield self.text("condition.when_any")
            case _:
                yield self.text("condition.when_one")
                parts = (condition,)
        yield from self.parts(parts)

    def parts(self, parts: Iterable[Condition], indent: str = "") -> Iterator[str]:
        """A line for each part of a condition, and below it what it consists of."""
        for part in parts:
            match part:
                case Name(name):
                    yield f"{indent}- {self._always_or(name, wanted=True)}"
                case Not(Name(name)):
                    yield f"{indent}- {self._always_or(name, wanted=False)}"
                case And(inner):
                    yield from self._group("all", inner, indent)
                case Or(inner):
                    yield from self._group("any", inner, indent)
                case Not(And(inner)):
                    yield from self._group("not_all", inner, indent)
                case Not(Or(inner)):
                    yield from self._group("none", inner, indent)
                case Not(inside):
                    yield from self._group("none", (inside,), indent)

    def _always_or(self, name: str, *, wanted: bool) -> str:
        if name != ALWAYS:
            return self.literal(name, wanted)
        always = self.text("condition.always")
        return always if wanted else self.text("condition.not", fact=always)

    def _group(self, key: str, parts: Iterable[Condition], indent: str) -> Iterator[str]:
        yield f"{indent}- {self.text(f'condition.{key}')}"
        yield from self.parts(parts, f"{indent}{_INDENT}")

    def rule(
        self, rule: PolicyRule, bases: Mapping[str, LegalBasis], *, is_off: bool = False
    ) -> Iterator[str]:
        """A rule: who may do what or may not, when, with which duties, on which legal basis."""
        key = "off" if is_off else rule.effect.value
        if rule.effect is Effect.DENY and rule.roles == _ANY:
            key = "deny_all"
        yield self.text(
            f"rule.{key}",
            rule=rule.id,
            roles=self._cell(rule.roles, "rule.any_role", NameKind.ROLE),
            actions=self._cell(rule.decided_actions, "rule.any_action", NameKind.ACTION),
        )
        condition = read_condition(rule.when, self.vocabulary.facts)
        yield from (f"{_INDENT}{line}" for line in self.condition(condition))
        if rule.effect is Effect.ALLOW and rule.duties:
            yield _INDENT + self.text("rule.duties", duties=self.duties(rule.duties))
        named = "; ".join(self.basis(bases[each]) for each in rule.bases if each in bases)
        yield _INDENT + (
            self.text("rule.basis", bases=named) if named else self.text("rule.no_basis")
        )

    def _cell(self, cell: str, any_key: str, kind: NameKind) -> str:
        if cell.startswith(_ANY):
            return self.text(any_key)
        say = self.role if kind is NameKind.ROLE else self.name
        return self.text("word.or").join(map(say, cell.split()))

    def requirements(self, requires: str) -> str:
        """What a request must bring, as `describe_requirements` writes it."""
        return self.text("word.other_way").join(
            self.text("word.nothing")
            if way == "nothing"
            else "; ".join(
                self.literal(each.removeprefix("not "), not each.startswith("not "))
                for each in way.split(" and ")
            )
            for way in requires.split(" or ")
        )

    def decision(self, capacity: Capacity, explanation: DecisionExplanation) -> Iterator[str]:
        """Whether somebody may do it, and by what."""
        decision = explanation.decision
        yield self.text(
            f"explanation.{'may' if decision.allowed else 'may_not'}",
            role=self.role(capacity.role),
            unit=capacity.unit,
            action=self.name(decision.action),
        )
        special = f"explanation.by_{decision.rule}"
        yield _INDENT + (
            self.text(special)
            if special in self.texts.texts
            else self.text("explanation.by_rule", rule=decision.rule)
        )
        if decision.allowed:
            yield _INDENT + self.text("rule.duties", duties=self.duties(decision.duties))
        if explanation.bases:
            bases = "; ".join(map(self.basis, explanation.bases))
            yield _INDENT + self.text("rule.basis", bases=bases)
        if explanation.stands_for:
            new = self.name(decision.action)
            old_name = ", ".join(map(self.name, explanation.stands_for))
            yield _INDENT + self.text("explanation.stands_for", new=new, old=old_name)
        yield _INDENT + self.text("explanation.policy", digest=decision.digest)
