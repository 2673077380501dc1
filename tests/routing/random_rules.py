"""Random routing rules, and every message of a small world that such rules can tell apart."""

from collections.abc import Sequence
from datetime import date
from itertools import product

from hypothesis import strategies as st

from inbox.domain import Metadata, Service, UnitId
from inbox.routing.conditions import ConditionField, RuleCondition
from inbox.routing.rule_book import Release, RoutingRule, RuleBook, RuleId
from tests.routing.rule_books import BV, POLICE, SCHOOL, STRANGER, some_metadata, the_book

_TOKENS = ("klage", "klagesak", "klageord", "skole")
_DAYS = (date(2026, 1, 31), date(2026, 2, 1), date(2026, 3, 1))
WORLD: list[tuple[Metadata, date]] = [
    (some_metadata(sender=sender, service=service, known_unit=known, public_title=title), day)
    for sender, service, known, title, day in product(
        (POLICE, SCHOOL, STRANGER),
        Service,
        (None, BV),
        (" ".join(t for t, on in zip(_TOKENS, bits, strict=True) if on)
         for bits in product((True, False), repeat=4)),
        _DAYS,
    )
]  # fmt: skip
"""With one value that no rule names in each open field, this is every message that differs."""

_VALUES = {
    ConditionField.SENDER: (POLICE, SCHOOL),
    ConditionField.SERVICE: tuple(s.value for s in Service),
    ConditionField.KNOWN_REFERENCE: ("true", "false"),
    ConditionField.PUBLIC_TITLE_HAS: ("klage", "klagesak", "klage-", "skole"),
}


def _conditions(min_size: int) -> st.SearchStrategy[tuple[RuleCondition, ...]]:
    one = st.sampled_from(list(_VALUES)).flatmap(
        lambda field: st.frozensets(st.sampled_from(_VALUES[field]), min_size=1).map(
            lambda values: RuleCondition(field=field, written=tuple(sorted(values)), values=values)
        )
    )
    return st.lists(one, min_size=min_size, max_size=3, unique_by=lambda c: c.field).map(tuple)


@st.composite
def random_rules(draw: st.DrawFn, *, at_most: int = 4) -> tuple[RoutingRule, ...]:
    return tuple(
        RoutingRule(
            id=RuleId(f"r{number}"),
            because="Fordi",
            when=draw(_conditions(1)),
            except_=draw(_conditions(0)),
            to=UnitId(f"u{number}"),
            release=draw(st.sampled_from(Release)),
            from_=draw(st.sampled_from([None, None, date(2026, 2, 1)])),
            until=draw(st.sampled_from([None, None, date(2026, 2, 28)])),
        )
        for number in range(draw(st.integers(min_value=1, max_value=at_most)))
    )


def book_of(rules: Sequence[RoutingRule]) -> RuleBook:
    found = the_book()
    return RuleBook(
        organisation=found.organisation,
        groups={},
        units={},
        desk=found.desk,
        rules=tuple(rules),
        digest="",
    )
