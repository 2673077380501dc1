"""Why a person may open a message, or what is missing: by the rows of the policy, fact by fact."""

from collections.abc import Iterator
from dataclasses import dataclass

from inbox.access.policy.conditions import And, Condition, Name, Or
from inbox.access.policy.engine import Policy
from inbox.access.policy.names import program_vocabulary
from inbox.access.policy.vocabulary import Decision, PolicyRule
from inbox.language import TextLanguage


@dataclass(frozen=True, kw_only=True)
class NeedPart:
    """One fact that a row asks for."""

    fact: str
    """Its name in the policy."""
    text: str
    """Its meaning, in the reader's language."""
    holds: bool


@dataclass(frozen=True, kw_only=True)
class RowOfPolicy:
    """A row, with the facts that it asks for and its legal bases in the reader's language."""

    rule: str
    parts: tuple[NeedPart, ...]
    bases: tuple[str, ...]


def deciding_row(policy: Policy, decision: Decision, language: TextLanguage) -> RowOfPolicy | None:
    """The row that a yes is based on, with the facts that hold; None for a no."""
    rule = _rule(policy, decision.rule) if decision.allowed else None
    if rule is None:
        return None
    row = _row(policy, rule, decision, language)
    held = tuple(part for part in row.parts if part.holds)
    return RowOfPolicy(rule=row.rule, parts=held, bases=row.bases)


def nearest_rows(
    policy: Policy, decision: Decision, language: TextLanguage
) -> tuple[RowOfPolicy, ...]:
    """The rows that came nearest to a no, with what holds and what is missing; empty for a yes."""
    if decision.allowed:
        return ()
    rules = (_rule(policy, each.rule) for each in decision.near_misses)
    return tuple(_row(policy, rule, decision, language) for rule in rules if rule is not None)


def _rule(policy: Policy, rule_id: str) -> PolicyRule | None:
    return next((each for each in policy.rules if each.id == rule_id), None)


def _row(
    policy: Policy, rule: PolicyRule, decision: Decision, language: TextLanguage
) -> RowOfPolicy:
    names = dict.fromkeys(_named(policy.conditions[rule.when]))
    vocabulary = program_vocabulary()
    return RowOfPolicy(
        rule=rule.id,
        parts=tuple(
            NeedPart(
                fact=name,
                text=vocabulary.meaning_of(name, language),
                holds=name in decision.facts,
            )
            for name in names
        ),
        bases=tuple(
            policy.bases[each].text_in(language) for each in rule.bases if each in policy.bases
        ),
    )


def _named(condition: Condition) -> Iterator[str]:
    """The facts that a condition asks for, in its order; what it asks not to hold is left out."""
    match condition:
        case Name(name):
            yield name
        case And(parts) | Or(parts):
            for part in parts:
                yield from _named(part)
