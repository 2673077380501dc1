"""Says routing rules and their conditions as sentences, in one language.

Written from the rules alone, so nothing of any message is in them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inbox.language import TextLanguage, TextTable, read_texts
from inbox.routing.conditions import (
    CLOSED_FIELD_VALUES,
    GROUP_PREFIX,
    YES,
    ConditionField,
    RuleCondition,
)
from inbox.routing.route import RoutingExplanation, RuleAnswer
from inbox.routing.rule_book import Release, RuleTarget, SameUnit

_TEXTS: Final = Path(__file__).with_name("routing_texts.toml")
_FLAGS: Final = frozenset(field for field, all_ in CLOSED_FIELD_VALUES.items() if YES in all_)


@dataclass(frozen=True, kw_only=True)
class RoutingSentences:
    """The sentences in one language."""

    language: TextLanguage
    is_for_digest: bool = False
    """Whether the words of the files stand as they are, so that a better word changes no digest."""

    @property
    def texts(self) -> TextTable:
        """The texts about routing, in all languages."""
        return read_texts(_TEXTS)

    def text(self, key: str, **named: object) -> str:
        """One of the texts."""
        return self.texts.text(key, self.language, **named)

    def condition(self, condition: RuleCondition) -> str:
        """A condition of a rule."""
        return self.field(condition.field, condition.written)

    def field(self, field: ConditionField, written: Sequence[str]) -> str:
        """The field has one of these values, as written in the rules file."""
        if field in _FLAGS:
            return self.text(f"condition.{field}.{written[0]}")
        return self.text(f"condition.{field}.is", values=self._values(written))

    def negated_field(self, field: ConditionField, written: Iterable[str]) -> str:
        """The field has none of these values; of a boolean field, say its other value instead."""
        return self.text(f"condition.{field}.is_not", values=self._values(written))

    def _values(self, written: Iterable[str]) -> str:
        return self.text("value.or").join(
            self.text("value.group", name=each.removeprefix(GROUP_PREFIX))
            if each.startswith(GROUP_PREFIX)
            else self.text("value.name", name=each)
            for each in written
        )

    def release(self, release: Release) -> str:
        """When the case system may have what a rule routes."""
        return release.value if self.is_for_digest else self.text(f"release.{release}")

    def target(self, to: RuleTarget) -> str:
        """Where a rule sends mail: a unit has its key in every language."""
        said_so = isinstance(to, SameUnit) and not self.is_for_digest
        return self.text(f"target.{to}") if said_so else str(to)

    def key(self, key: str) -> str:
        """What a key of a rule says."""
        return key if self.is_for_digest else self.text(f"key.{key}")

    def explanation(self, found: RoutingExplanation) -> str:
        """Why mail goes where it goes: the answer, and a line for each rule and condition."""
        return "\n".join([self._headline(found), *(x for a in found.rules for x in self._rule(a))])

    def _headline(self, found: RoutingExplanation) -> str:
        chosen = found.route
        if found.off_rule is not None:
            return self.text("explanation.off", rule=found.off_rule)
        if chosen is None:
            return self.text("explanation.none")
        return self.text(
            "explanation.to", unit=chosen.unit, rule=chosen.rule, because=chosen.because
        )

    def _rule(self, answer: RuleAnswer) -> list[str]:
        matched = "matched" if answer.matched else "not_matched"
        lines = [self.text(f"explanation.{matched}", rule=answer.rule)]
        if answer.off:
            lines.append(self.text("explanation.is_off"))
        if not answer.in_period:
            lines.append(self.text("explanation.not_in_period"))
        for prefix, answers in (("", answer.when), ("except_", answer.except_)):
            for each in answers:
                key = f"explanation.{prefix}{'holds' if each.holds else 'fails'}"
                lines.append(self.text(key, condition=self.condition(each.condition)))
        return lines


BOKMAAL: Final = RoutingSentences(language=TextLanguage.NB)
"""What JSON has, in every language."""
FOR_DIGEST: Final = RoutingSentences(language=TextLanguage.NB, is_for_digest=True)
"""What the digest of a difference is computed over, in every language."""
