"""The little language of the policy files: names joined by `and`, `or`, `not` and brackets.

One tree, read once, and one walk over it for every use: deciding, listing, proving.
"""

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from inbox.errors import PolicyError

T = TypeVar("T")

ALWAYS = "always"
"""The one word of a condition that is no fact."""
MAX_CHARACTERS = 400
MOST_WAYS = 64
"""Of fulfilling a rule: more are refused, for nobody could look at each."""
_TOKEN = re.compile(r" *(\(|\)|(?:role:)?[a-z][a-z_]*)")
_ALLOWED = "facts of the closed list, and/or/not, brackets where `and` and `or` are mixed"


@dataclass(frozen=True)
class Name:
    """True if the named fact is true."""

    name: str


@dataclass(frozen=True)
class Not:
    """True if its part is false."""

    part: "Condition"


@dataclass(frozen=True)
class Every:
    """True if all its parts are true."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Some:
    """True if at least one of its parts is true."""

    parts: tuple["Condition", ...]


Condition = Name | Not | Every | Some


@dataclass(frozen=True, kw_only=True)
class Meaning(Generic[T]):
    """What a condition is made into: a boolean, an SQL expression, a truth table."""

    of: Callable[[str], T]
    negated: Callable[[T], T]
    every: Callable[[Sequence[T]], T]
    some: Callable[[Sequence[T]], T]


def read_condition(text: str, names: Collection[str]) -> Condition:
    """Parse the text of a condition into a tree.

    Raises `PolicyError`: `and` beside `or` needs brackets.
    """
    if len(text) > MAX_CHARACTERS:
        raise _refused(f"{len(text)} characters")
    tokens = list(_tokens(text))
    condition = _read_joined(text, tokens, names)
    if tokens:
        raise _refused(tokens[0])
    return condition


def _tokens(text: str) -> Iterator[str]:
    position = 0
    text = text.rstrip(" ")
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _refused(text[position:])
        yield found.group(1)
        position = found.end()


def _read_joined(text: str, tokens: list[str], names: Collection[str]) -> Condition:
    parts = [_read_part(text, tokens, names)]
    joint = tokens[0] if tokens and tokens[0] in ("and", "or") else None
    while tokens and tokens[0] == joint:
        del tokens[0]
        parts.append(_read_part(text, tokens, names))
    if tokens and tokens[0] in ("and", "or"):
        raise PolicyError(
            "policy.condition_mixed", f"{text!r} mixes `and` and `or` without brackets"
        )
    if joint is None:
        return parts[0]
    return Every(tuple(parts)) if joint == "and" else Some(tuple(parts))


def _read_part(text: str, tokens: list[str], names: Collection[str]) -> Condition:
    if not tokens:
        raise _refused(text)
    word = tokens.pop(0)
    if word == "not":
        return Not(_read_part(text, tokens, names))
    if word == "(":
        inside = _read_joined(text, tokens, names)
        if not tokens or tokens.pop(0) != ")":
            raise _refused(text)
        return inside
    if word != ALWAYS and word not in names:
        raise PolicyError("policy.condition_name", f"read {word!r}; allowed: {_ALLOWED}")
    return Name(word)


def _refused(read: str) -> PolicyError:
    return PolicyError("policy.condition", f"read {read[:80]!r}; allowed: {_ALLOWED}")


def fold(condition: Condition, meaning: Meaning[T]) -> T:
    """Evaluate the condition bottom-up under an interpretation; every part is evaluated."""
    match condition:
        case Name(name):
            return meaning.of(name)
        case Not(part):
            return meaning.negated(fold(part, meaning))
        case Every(parts):
            return meaning.every([fold(part, meaning) for part in parts])
        case Some(parts):
            return meaning.some([fold(part, meaning) for part in parts])


def holds(condition: Condition, facts: Mapping[str, bool]) -> bool:
    """Whether the condition is true under these facts; a fact that is not among them is false."""
    meaning = Meaning[bool](
        of=lambda name: name == ALWAYS or facts.get(name, False),
        negated=lambda part: not part,
        every=all,
        some=any,
    )
    return fold(condition, meaning)


def names_in(condition: Condition) -> frozenset[str]:
    """Every fact that the condition uses."""

    def joined(sets: Sequence[frozenset[str]]) -> frozenset[str]:
        return frozenset().union(*sets)

    used = Meaning[frozenset[str]](
        of=lambda name: frozenset({name}), negated=lambda part: part, every=joined, some=joined
    )
    return fold(condition, used) - {ALWAYS}


Need = frozenset[tuple[str, bool]]
"""Facts and what they must be, all of them, for one way of fulfilling a condition."""


def literal_of(name: str, wanted: bool) -> str:  # noqa: FBT001 - the two halves of a need
    """A fact that must be so, or not, as a condition writes it."""
    return name if wanted else f"not {name}"


def number_of_ways(condition: Condition, *, wanted: bool = True) -> int:
    """At most so many ways of fulfilling it (or not): counted, so that none need be made first.

    Ways that contradict themselves count too, and what can never be is one way.
    """
    match condition:
        case Name():
            return 1
        case Not(part):
            return number_of_ways(part, wanted=not wanted)
    numbers = [number_of_ways(part, wanted=wanted) for part in condition.parts]
    return sum(numbers) if isinstance(condition, Some) is wanted else math.prod(numbers)


def ways_of(condition: Condition, at_most: int = MOST_WAYS) -> tuple[Need, ...]:
    """The ways of fulfilling a condition (its disjunctive form), for telling what was missing.

    Raises `PolicyError` where there are more, before any is made: they double with every `or`.
    """
    if (number := number_of_ways(condition)) > at_most:
        raise PolicyError(
            "policy.condition_ways", f"read {number} ways of fulfilling it; allowed: {at_most}"
        )
    return _ways(condition, wanted=True)


def _ways(condition: Condition, *, wanted: bool) -> tuple[Need, ...]:
    match condition:
        case Name(name):
            if name == ALWAYS:
                return (frozenset(),) if wanted else ()
            return (frozenset({(name, wanted)}),)
        case Not(part):
            return _ways(part, wanted=not wanted)
    found = [_ways(part, wanted=wanted) for part in condition.parts]
    if isinstance(condition, Some) is wanted:
        return tuple(way for ways in found for way in ways)
    crossed: tuple[Need, ...] = (frozenset(),)
    for ways in found:
        crossed = tuple(one | other for one in crossed for other in ways)
    return tuple(way for way in crossed if not any((name, not held) in way for name, held in way))
