"""Conditions of any shape over a few names, and whether one holds where some of them do."""

from collections.abc import Collection

from hypothesis import strategies as st

from inbox.access.policy.conditions import ALWAYS, Condition, Every, Meaning, Name, Not, Some, fold


def conditions_over(names: Collection[str]) -> st.SearchStrategy[Condition]:
    """Nested and negated, of these names and `always`."""
    return st.recursive(
        st.sampled_from([*map(Name, names), Name(ALWAYS)]),
        lambda inner: st.one_of(
            inner.map(Not),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: Every(tuple(parts))),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: Some(tuple(parts))),
        ),
        max_leaves=10,
    )


def holds(condition: Condition, true: Collection[str]) -> bool:
    """Where the facts of these names hold, and no others do."""
    meaning = Meaning[bool](
        of=lambda name: name == ALWAYS or name in true,
        negated=lambda part: not part,
        every=all,
        some=any,
    )
    return fold(condition, meaning)
