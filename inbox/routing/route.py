"""Routes a message: decides its unit from metadata alone, and explains the decision."""

from dataclasses import dataclass
from datetime import date

from inbox.domain import Metadata, UnitId
from inbox.errors import Invalid
from inbox.routing.conditions import RuleCondition, holds
from inbox.routing.rule_book import Release, RoutingRule, RuleBook, RuleId, SameUnit

_MAX_NEAREST = 3


@dataclass(frozen=True, kw_only=True)
class Route:
    """The unit of a message, and the rule that decided it."""

    unit: UnitId
    """As the rules have it. Whether the unit still lives, and who follows it, is the caller's."""
    rule: RuleId
    release: Release
    urgent: bool
    because: str


@dataclass(frozen=True, kw_only=True)
class ConditionAnswer:
    """One condition of a rule, and whether it is true for the message."""

    condition: RuleCondition
    holds: bool


@dataclass(frozen=True, kw_only=True)
class RuleAnswer:
    """The result of one rule for one message on one day."""

    rule: RuleId
    because: str
    in_period: bool
    off: bool
    """Whether it is switched off: what it matches, a person must place."""
    when: tuple[ConditionAnswer, ...]
    except_: tuple[ConditionAnswer, ...]

    @property
    def excepted(self) -> bool:
        """Whether the exception applies, that is, all of its conditions are true."""
        return bool(self.except_) and all(answer.holds for answer in self.except_)

    @property
    def mismatches(self) -> int:
        """The number of reasons why the rule does not match; the whole exception counts as one."""
        failed = sum(not answer.holds for answer in self.when)
        return failed + self.excepted + (not self.in_period)

    @property
    def matched(self) -> bool:
        """Whether the rule matches; an earlier matching rule may have decided."""
        return self.mismatches == 0


@dataclass(frozen=True, kw_only=True)
class RoutingExplanation:
    """Why a message is routed as it is: the result of every rule, in order.

    Holds nothing of the message: its conditions are the rules' own, so no title and no name. But it
    says that a title has one of a rule's words, so it is for those who may see why.
    """

    route: Route | None
    off_rule: RuleId | None
    """The rule that decided that a person must place it, because it is switched off."""
    rules: tuple[RuleAnswer, ...]
    nearest: tuple[RuleId, ...]
    """The rules that did not match and lacked least, at most three; the least first."""


def route(metadata: Metadata, book: RuleBook, on: date) -> Route | None:
    """The route by the first rule that matches on that day.

    None means that a person must place the message: no rule matches, or the first is switched off.

    Raises `Invalid` if the book is not the receiver's: that would route by somebody else's rules.
    """
    rule = deciding_rule(metadata, book, on)
    return None if rule is None or rule.off else route_by(rule, metadata)


def deciding_rule(metadata: Metadata, book: RuleBook, on: date) -> RoutingRule | None:
    """The first rule that matches on that day, also if it is switched off. Raises as `route`."""
    _check_receiver(metadata, book)
    for rule in book.rules:
        if evaluate_rule(rule, metadata, on).matched:
            return rule
    return None


def explain_route(metadata: Metadata, book: RuleBook, on: date) -> RoutingExplanation:
    """The route that `route` returns, and the result of every rule.

    The rules after the deciding one are included.
    """
    answers = tuple(evaluate_rule(rule, metadata, on) for rule in book.rules)
    missed = sorted((a for a in answers if not a.matched), key=lambda answer: answer.mismatches)
    rule = deciding_rule(metadata, book, on)
    is_off = rule is not None and rule.off
    return RoutingExplanation(
        route=None if rule is None or is_off else route_by(rule, metadata),
        off_rule=rule.id if rule is not None and is_off else None,
        rules=answers,
        nearest=tuple(answer.rule for answer in missed[:_MAX_NEAREST]),
    )


def evaluate_rule(rule: RoutingRule, metadata: Metadata, on: date) -> RuleAnswer:
    """Evaluate one rule; routing and explanation both use only this function."""
    return RuleAnswer(
        rule=rule.id,
        because=rule.because,
        in_period=rule.is_active_on(on),
        off=rule.off,
        when=tuple(ConditionAnswer(condition=c, holds=holds(c, metadata)) for c in rule.when),
        except_=tuple(ConditionAnswer(condition=c, holds=holds(c, metadata)) for c in rule.except_),
    )


def _check_receiver(metadata: Metadata, book: RuleBook) -> None:
    if metadata.receiver != book.organisation:
        raise Invalid("route.other_organisation", f"rules of {book.organisation}")


def route_by(rule: RoutingRule, metadata: Metadata) -> Route:
    """The route of a message that this rule matches, whether it is switched off or not."""
    if isinstance(rule.to, SameUnit):
        assert metadata.known_unit is not None  # the reader demands known_reference = true
        unit = metadata.known_unit
    else:
        unit = rule.to
    return Route(
        unit=unit, rule=rule.id, release=rule.release, urgent=rule.urgent, because=rule.because
    )
