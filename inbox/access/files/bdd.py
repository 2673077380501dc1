"""Exact truth over named facts, as decision diagrams: no combination of facts is left out.

Reduced and ordered (Bryant 1986), so two conditions mean the same exactly when they are the same
number. Covers are irredundant and made of primes (Minato and Morreale). Pure.
"""

from collections.abc import Callable, Iterable
from typing import Final, NewType

from inbox.access.policy.conditions import ALWAYS, Condition, Meaning, Need, fold

Truth = NewType("Truth", int)
"""When something holds; comparable within the `Truths` that made it, and nowhere else."""

NEVER: Final = Truth(0)
EVER: Final = Truth(1)
_Cover = tuple[tuple[Need, ...], Truth]


class Truths:
    """Creates and combines BDDs; the variables are facts, ordered as their names are here."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names: Final = tuple(dict.fromkeys(names))
        self._place = {name: place for place, name in enumerate(self.names)}
        # (place of the fact, truth without it, truth with it), by the number of a truth.
        leaf = (len(self.names), NEVER, NEVER)
        self._nodes: list[tuple[int, Truth, Truth]] = [leaf, leaf]
        self._known: dict[tuple[int, Truth, Truth], Truth] = {}
        self._chosen: dict[tuple[Truth, Truth, Truth], Truth] = {}

    def fact(self, name: str) -> Truth:
        """The BDD of a single variable."""
        return self._node(self._place[name], NEVER, EVER)

    def _node(self, place: int, without: Truth, given: Truth) -> Truth:
        if without == given:
            return without
        key = (place, without, given)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = Truth(len(self._nodes))
            self._nodes.append(key)
        return known

    def _halves(self, truth: Truth, place: int) -> tuple[Truth, Truth]:
        """The negative and positive cofactor of a BDD by the variable at this level."""
        at, without, given = self._nodes[truth]
        return (without, given) if at == place else (truth, truth)

    def _choose(self, which: Truth, yes: Truth, no: Truth) -> Truth:
        """The ternary operator if-then-else (ITE): `yes` where `which` is true, `no` elsewhere."""
        if which == EVER or yes == no:
            return yes
        if which == NEVER:
            return no
        key = (which, yes, no)
        known = self._chosen.get(key)
        if known is None:
            place = min(self._nodes[each][0] for each in key)
            which_0, which_1 = self._halves(which, place)
            yes_0, yes_1 = self._halves(yes, place)
            no_0, no_1 = self._halves(no, place)
            known = self._chosen[key] = self._node(
                place, self._choose(which_0, yes_0, no_0), self._choose(which_1, yes_1, no_1)
            )
        return known

    def negated(self, truth: Truth) -> Truth:
        """Negation."""
        return self._choose(truth, NEVER, EVER)

    def every(self, truths: Iterable[Truth]) -> Truth:
        """Conjunction of all."""
        held = EVER
        for truth in truths:
            held = self._choose(held, truth, NEVER)
        return held

    def some(self, truths: Iterable[Truth]) -> Truth:
        """Disjunction of all."""
        held = NEVER
        for truth in truths:
            held = self._choose(held, EVER, truth)
        return held

    def but(self, truth: Truth, other: Truth) -> Truth:
        """The first and not the second."""
        return self._choose(other, NEVER, truth)

    def where(self, condition: Condition, of: Callable[[str], Truth]) -> Truth:
        """Compile a condition to a BDD; `of` gives the BDD of each name."""
        meaning = Meaning[Truth](
            of=lambda name: EVER if name == ALWAYS else of(name),
            negated=self.negated,
            every=self.every,
            some=self.some,
        )
        return fold(condition, meaning)

    def term(self, need: Need) -> Truth:
        """The BDD of a conjunction of literals."""
        facts = ((self.fact(name), wanted) for name, wanted in need)
        return self.every(fact if wanted else self.negated(fact) for fact, wanted in facts)

    def whatever(self, truth: Truth, names: Iterable[str]) -> Truth:
        """Existential quantification: true where some values of these variables make it true."""
        for name in names:
            without = self._given(truth, self._place[name], held=False)
            truth = self.some((without, self._given(truth, self._place[name], held=True)))
        return truth

    def _given(self, truth: Truth, place: int, *, held: bool) -> Truth:
        at, without, given = self._nodes[truth]
        if at > place:
            return truth
        if at == place:
            return given if held else without
        return self._node(
            at, self._given(without, place, held=held), self._given(given, place, held=held)
        )

    def example(self, truth: Truth) -> frozenset[str]:
        """What holds in one combination that makes it true, where there is one; few facts hold."""
        held = set()
        while truth not in (NEVER, EVER):
            place, without, given = self._nodes[truth]
            if without == NEVER:
                held.add(self.names[place])
            truth = given if without == NEVER else without
        return frozenset(held)

    def terms(self, truth: Truth, beside: Truth = NEVER) -> tuple[Need, ...]:
        """The few shortest ways in which it holds, none to spare; `beside` may be covered too."""
        known: dict[tuple[Truth, Truth], _Cover] = {}
        cover, _ = self._cover(truth, self.some((truth, beside)), known)
        return tuple(sorted(cover, key=self._order))

    def _order(self, need: Need) -> list[tuple[int, bool]]:
        return sorted((self._place[name], not wanted) for name, wanted in need)

    def _cover(self, least: Truth, most: Truth, known: dict[tuple[Truth, Truth], _Cover]) -> _Cover:
        """Terms that hold wherever `least` does and nowhere but in `most`, and their truth."""
        if least == NEVER:
            return (), NEVER
        if most == EVER:
            return (frozenset(),), EVER
        if (least, most) in known:
            return known[least, most]
        place = min(self._nodes[least][0], self._nodes[most][0])
        least_0, least_1 = self._halves(least, place)
        most_0, most_1 = self._halves(most, place)
        # First what takes the fact to be one way, then what is left for either way.
        terms_0, truth_0 = self._cover(self.but(least_0, most_1), most_0, known)
        terms_1, truth_1 = self._cover(self.but(least_1, most_0), most_1, known)
        left = self.some((self.but(least_0, truth_0), self.but(least_1, truth_1)))
        terms, truth = self._cover(left, self.every((most_0, most_1)), known)
        name = self.names[place]
        cover = (
            *(term | {(name, False)} for term in terms_0),
            *(term | {(name, True)} for term in terms_1),
            *terms,
        )
        both = self._node(place, self.some((truth_0, truth)), self.some((truth_1, truth)))
        known[least, most] = cover, both
        return known[least, most]
