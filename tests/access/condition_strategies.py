"""Conditions of any shape over a few names, and whether one holds where some of them do."""

from collections.abc import Collection

from hypothesis import strategies as st

from inbox.access.policy.conditions import (
    ALWAYS,
    And,
    Condition,
    Interpretation,
    Name,
    Not,
    Or,
    fold,
)


def conditions_over(names: Collection[str]) -> st.SearchStrategy[Condition]:
    """Nested and negated, of these names and `always`."""
    return st.recursive(
        st.sampled_from([*map(Name, names), Name(ALWAYS)]),
        lambda inner: st.one_of(
            inner.map(Not),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: And(tuple(parts))),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: Or(tuple(parts))),
        ),
        max_leaves=10,
    )


def holds(condition: Condition, true: Collection[str]) -> bool:
    """Where the facts of these names hold, and no others do."""
    meaning = Interpretation[bool](
        atom=lambda name: name == ALWAYS or name in true,
        negate=lambda part: not part,
        conjoin=all,
        disjoin=any,
    )
    return fold(condition, meaning)
