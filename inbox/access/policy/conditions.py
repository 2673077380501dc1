"""The conditions of the policy files, parsed into a tree.

A condition consists of names joined by `and`, `or`, `not` and brackets.

One tree, read once, and one walk over it for every use: deciding, listing, proving.
"""

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from inbox.errors import PolicyError
from inbox.strict.lines import refused_part
from inbox.strict.phrases import READER_PHRASES, Said

T = TypeVar("T")

ALWAYS = "always"
"""The one word of a condition that is no fact."""
MAX_CHARACTERS = 400
MAX_DNF_TERMS = 64
"""Of fulfilling a rule: more are refused, for nobody could look at each."""
_TOKEN = re.compile(r" *(\(|\)|(?:role:)?[a-z][a-z_]*)")


@dataclass(frozen=True)
class Name:
    """True if the named fact is true."""

    name: str


@dataclass(frozen=True)
class Not:
    """True if its part is false."""

    part: "Condition"


@dataclass(frozen=True)
class And:
    """True if all its parts are true."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Or:
    """True if at least one of its parts is true."""

    parts: tuple["Condition", ...]


Condition = Name | Not | And | Or


@dataclass(frozen=True, kw_only=True)
class Interpretation(Generic[T]):
    """How to evaluate a condition into a value of another type.

    The value can be a boolean, an SQL expression or a decision diagram.
    """

    atom: Callable[[str], T]
    negate: Callable[[T], T]
    conjoin: Callable[[Sequence[T]], T]
    disjoin: Callable[[Sequence[T]], T]


def read_condition(text: str, names: Collection[str]) -> Condition:
    """Parse the text of a condition into a tree.

    Raises `PolicyError`: `and` beside `or` needs brackets.
    """
    if len(text) > MAX_CHARACTERS:
        raise _syntax_error(READER_PHRASES("characters", count=len(text)))
    tokens = list(_tokens(text))
    condition = _read_operands(text, tokens, names)
    if tokens:
        raise _syntax_error(tokens[0])
    return condition


def _tokens(text: str) -> Iterator[str]:
    position = 0
    text = text.rstrip(" ")
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _syntax_error(text[position:])
        yield found.group(1)
        position = found.end()


def _read_operands(text: str, tokens: list[str], names: Collection[str]) -> Condition:
    parts = [_read_operand(text, tokens, names)]
    joint = tokens[0] if tokens and tokens[0] in ("and", "or") else None
    while tokens and tokens[0] == joint:
        del tokens[0]
        parts.append(_read_operand(text, tokens, names))
    if tokens and tokens[0] in ("and", "or"):
        raise refused_part("condition_mixed", text, READER_PHRASES("not_mixed"))
    if joint is None:
        return parts[0]
    return And(tuple(parts)) if joint == "and" else Or(tuple(parts))


def _read_operand(text: str, tokens: list[str], names: Collection[str]) -> Condition:
    if not tokens:
        raise _syntax_error(text)
    word = tokens.pop(0)
    if word == "not":
        return Not(_read_operand(text, tokens, names))
    if word == "(":
        inside = _read_operands(text, tokens, names)
        if not tokens or tokens.pop(0) != ")":
            raise _syntax_error(text)
        return inside
    if word != ALWAYS and word not in names:
        raise refused_part("condition_name", word, READER_PHRASES("condition"), names=names)
    return Name(word)


def _syntax_error(read: Said) -> PolicyError:
    return refused_part("condition", read, READER_PHRASES("condition"))


def fold(condition: Condition, meaning: Interpretation[T]) -> T:
    """Evaluate the condition bottom-up under an interpretation; every part is evaluated."""
    match condition:
        case Name(name):
            return meaning.atom(name)
        case Not(part):
            return meaning.negate(fold(part, meaning))
        case And(parts):
            return meaning.conjoin([fold(part, meaning) for part in parts])
        case Or(parts):
            return meaning.disjoin([fold(part, meaning) for part in parts])


def holds(condition: Condition, facts: Mapping[str, bool]) -> bool:
    """Whether the condition is true under these facts; a fact that is not among them is false."""
    meaning = Interpretation[bool](
        atom=lambda name: name == ALWAYS or facts.get(name, False),
        negate=lambda part: not part,
        conjoin=all,
        disjoin=any,
    )
    return fold(condition, meaning)


def names_in(condition: Condition) -> frozenset[str]:
    """Every fact that the condition uses."""

    def joined(sets: Sequence[frozenset[str]]) -> frozenset[str]:
        return frozenset().union(*sets)

    used = Interpretation[frozenset[str]](
        atom=lambda name: frozenset({name}),
        negate=lambda part: part,
        conjoin=joined,
        disjoin=joined,
    )
    return fold(condition, used) - {ALWAYS}


Conjunction = frozenset[tuple[str, bool]]
"""Facts and what they must be, all of them, for one way of fulfilling a condition."""


def literal_text(name: str, wanted: bool) -> str:  # noqa: FBT001 - the two halves of a need
    """A literal as it is written in a condition.

    It is the name of a fact, with `not` before it if the fact must be false.
    """
    return name if wanted else f"not {name}"


def dnf_size(condition: Condition, *, wanted: bool = True) -> int:
    """An upper bound of the number of terms in the condition's disjunctive normal form.

    The bound can also be for the negation of the condition. It is computed without building any of
    the terms.

    Ways that contradict themselves count too, and what can never be is one way.
    """
    match condition:
        case Name():
            return 1
        case Not(part):
            return dnf_size(part, wanted=not wanted)
    numbers = [dnf_size(part, wanted=wanted) for part in condition.parts]
    return sum(numbers) if isinstance(condition, Or) is wanted else math.prod(numbers)


def dnf_of(condition: Condition, at_most: int = MAX_DNF_TERMS) -> tuple[Conjunction, ...]:
    """The terms of the condition's disjunctive normal form.

    They are used to report which facts were missing.

    Raises `PolicyError` where there are more, before any is made: they double with every `or`.
    """
    if (number := dnf_size(condition)) > at_most:
        read = READER_PHRASES("ways", count=number)
        raise refused_part("condition_ways", read, str(at_most))
    return _dnf(condition, wanted=True)


def _dnf(condition: Condition, *, wanted: bool) -> tuple[Conjunction, ...]:
    match condition:
        case Name(name):
            if name == ALWAYS:
                return (frozenset(),) if wanted else ()
            return (frozenset({(name, wanted)}),)
        case Not(part):
            return _dnf(part, wanted=not wanted)
    found = [_dnf(part, wanted=wanted) for part in condition.parts]
    if isinstance(condition, Or) is wanted:
        return tuple(way for ways in found for way in ways)
    crossed: tuple[Conjunction, ...] = (frozenset(),)
    for ways in found:
        crossed = tuple(one | other for one in crossed for other in ways)
    return tuple(way for way in crossed if not any((name, not held) in way for name, held in way))
