"""Exact boolean functions over named facts, as binary decision diagrams (BDD).

The problem: a proof about a policy ("nobody opens without clearance") and the difference of
two policies concern every combination of facts. With forty facts nobody can try each of them.

The method: reduced ordered BDDs (Bryant 1986), combined by if-then-else (Brace, Rudell and Bryant
1990). A node tests one fact and leads to two others. The facts have one order on every path, and
no two nodes are equal; so two conditions mean the same exactly when their top nodes have the same
number. For people, a BDD is written as a list of terms from which neither a term nor a literal can
be left out: an irredundant cover by prime implicants (Morreale 1970; Minato 1993).

An example of three facts, `(in_unit or assigned) and not conflict`. Both paths share one node:

    in_unit ----- yes -----> conflict -- yes --> FALSE
       | no                   ^   | no
    assigned ---- yes --------+   +------------> TRUE
       | no
     FALSE

    >>> facts = BddAlgebra(["in_unit", "assigned", "conflict"])
    >>> unit, mine, conflict = map(facts.variable, facts.names)
    >>> one = facts.and_not(facts.disjoin([unit, mine]), conflict)
    >>> one == facts.negate(facts.disjoin([conflict, facts.negate(facts.disjoin([mine, unit]))]))
    True

Not done here: no variable is moved (the order of use in the rules keeps diagrams small enough), and
no node is freed (an algebra lives as long as one question). It is pure: no clock, no database.
"""

from collections.abc import Callable, Iterable
from typing import Final, NewType

from inbox.access.policy.conditions import ALWAYS, Condition, Conjunction, Interpretation, fold

Bdd = NewType("Bdd", int)
"""The number of the top node of a BDD. Two may be compared only if one `BddAlgebra` made both."""

FALSE: Final = Bdd(0)
TRUE: Final = Bdd(1)
_Cover = tuple[tuple[Conjunction, ...], Bdd]


class BddAlgebra:
    """Creates and combines BDDs; the variables are facts, ordered as their names are here."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names: Final = tuple(dict.fromkeys(names))
        self._level = {name: place for place, name in enumerate(self.names)}
        # By the number of a node: (level of its fact, BDD if that is false, BDD if it is true).
        leaf = (len(self.names), FALSE, FALSE)
        self._nodes: list[tuple[int, Bdd, Bdd]] = [leaf, leaf]
        self._unique_table: dict[tuple[int, Bdd, Bdd], Bdd] = {}
        self._ite_cache: dict[tuple[Bdd, Bdd, Bdd], Bdd] = {}

    def variable(self, name: str) -> Bdd:
        """The BDD of a single variable."""
        return self._make_node(self._level[name], FALSE, TRUE)

    def _make_node(self, place: int, without: Bdd, given: Bdd) -> Bdd:
        # The first reduction of Bryant 1986: a test with two equal outcomes is no test.
        if without == given:
            return without
        key = (place, without, given)
        # The second: equal nodes are one node, so that equal functions have equal numbers.
        known = self._unique_table.get(key)
        if known is None:
            known = self._unique_table[key] = Bdd(len(self._nodes))
            self._nodes.append(key)
        return known

    def _cofactors(self, truth: Bdd, place: int) -> tuple[Bdd, Bdd]:
        """The negative and positive cofactor of a BDD by the variable at this level."""
        at, without, given = self._nodes[truth]
        return (without, given) if at == place else (truth, truth)

    def _if_then_else(self, which: Bdd, yes: Bdd, no: Bdd) -> Bdd:
        """The ternary operator if-then-else (ITE): `yes` where `which` is true, `no` elsewhere."""
        # The terminal cases; each further call goes one fact deeper, so the recursion ends.
        if which == TRUE or yes == no:
            return yes
        if which == FALSE:
            return no
        key = (which, yes, no)
        known = self._ite_cache.get(key)
        if known is None:
            # Shannon expansion by the first fact that any of the three tests.
            place = min(self._nodes[each][0] for each in key)
            which_0, which_1 = self._cofactors(which, place)
            yes_0, yes_1 = self._cofactors(yes, place)
            no_0, no_1 = self._cofactors(no, place)
            known = self._ite_cache[key] = self._make_node(
                place,
                self._if_then_else(which_0, yes_0, no_0),
                self._if_then_else(which_1, yes_1, no_1),
            )
        return known

    def negate(self, truth: Bdd) -> Bdd:
        """Negation."""
        return self._if_then_else(truth, FALSE, TRUE)

    def conjoin(self, parts: Iterable[Bdd]) -> Bdd:
        """Conjunction of all; TRUE if there are none."""
        held = TRUE
        for truth in parts:
            held = self._if_then_else(held, truth, FALSE)
        return held

    def disjoin(self, parts: Iterable[Bdd]) -> Bdd:
        """Disjunction of all; FALSE if there are none."""
        held = FALSE
        for truth in parts:
            held = self._if_then_else(held, TRUE, truth)
        return held

    def and_not(self, truth: Bdd, other: Bdd) -> Bdd:
        """The first and not the second."""
        return self._if_then_else(other, FALSE, truth)

    def compile_condition(self, condition: Condition, of: Callable[[str], Bdd]) -> Bdd:
        """Compile a condition to a BDD; `of` gives the BDD of each name."""
        meaning = Interpretation[Bdd](
            atom=lambda name: TRUE if name == ALWAYS else of(name),
            negate=self.negate,
            conjoin=self.conjoin,
            disjoin=self.disjoin,
        )
        return fold(condition, meaning)

    def conjunction(self, need: Conjunction) -> Bdd:
        """The BDD of a conjunction of literals."""
        facts = ((self.variable(name), wanted) for name, wanted in need)
        return self.conjoin(fact if wanted else self.negate(fact) for fact, wanted in facts)

    def exists(self, truth: Bdd, names: Iterable[str]) -> Bdd:
        """Existential quantification: true where some values of these variables make it true."""
        for name in names:
            # Some value makes it true: f with the fact false, or f with the fact true.
            without = self._restrict(truth, self._level[name], held=False)
            truth = self.disjoin((without, self._restrict(truth, self._level[name], held=True)))
        return truth

    def _restrict(self, truth: Bdd, place: int, *, held: bool) -> Bdd:
        at, without, given = self._nodes[truth]
        if at > place:
            return truth
        if at == place:
            return given if held else without
        return self._make_node(
            at, self._restrict(without, place, held=held), self._restrict(given, place, held=held)
        )

    def satisfy_one(self, truth: Bdd) -> frozenset[str]:
        """The facts that are true in one satisfying assignment (satisfy-one).

        The search tries to keep them few, and may miss the fewest. For FALSE, which nothing
        satisfies, the result is empty as well.
        """
        held = set()
        while truth not in (FALSE, TRUE):
            place, without, given = self._nodes[truth]
            # A fact is made true only if nothing satisfies the rest without it. This is greedy: of
            # `a or (b and c)` it gives b and c.
            if without == FALSE:
                held.add(self.names[place])
            truth = given if without == FALSE else without
        return frozenset(held)

    def irredundant_cover(self, truth: Bdd, dont_care: Bdd = FALSE) -> tuple[Conjunction, ...]:
        """An irredundant cover by prime implicants (Minato-Morreale).

        The cover may also use the don't-care set `dont_care`.
        """
        known: dict[tuple[Bdd, Bdd], _Cover] = {}
        cover, _ = self._isop(truth, self.disjoin((truth, dont_care)), known)
        return tuple(sorted(cover, key=self._term_order))

    def _term_order(self, need: Conjunction) -> list[tuple[int, bool]]:
        return sorted((self._level[name], not wanted) for name, wanted in need)

    def _isop(self, least: Bdd, most: Bdd, known: dict[tuple[Bdd, Bdd], _Cover]) -> _Cover:
        """Terms that cover `least` and stay within `most`, and their BDD.

        They are found by the Minato-Morreale algorithm (ISOP).
        """
        if least == FALSE:
            return (), FALSE
        if most == TRUE:
            return (frozenset(),), TRUE
        if (least, most) in known:
            return known[least, most]
        place = min(self._nodes[least][0], self._nodes[most][0])
        least_0, least_1 = self._cofactors(least, place)
        most_0, most_1 = self._cofactors(most, place)
        # First the terms that need the fact to be false, and those that need it to be true: they
        # cover what no term without the fact can cover.
        terms_0, truth_0 = self._isop(self.and_not(least_0, most_1), most_0, known)
        terms_1, truth_1 = self._isop(self.and_not(least_1, most_0), most_1, known)
        # What these have not covered gets terms that do not mention the fact, and that stay within
        # `most` whether it is true or false. So no literal and no term is redundant (Minato 1993).
        left = self.disjoin((self.and_not(least_0, truth_0), self.and_not(least_1, truth_1)))
        terms, truth = self._isop(left, self.conjoin((most_0, most_1)), known)
        name = self.names[place]
        cover = (
            *(term | {(name, False)} for term in terms_0),
            *(term | {(name, True)} for term in terms_1),
            *terms,
        )
        both = self._make_node(
            place, self.disjoin((truth_0, truth)), self.disjoin((truth_1, truth))
        )
        known[least, most] = cover, both
        return known[least, most]
