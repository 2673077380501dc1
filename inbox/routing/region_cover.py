"""Merges regions into few and simple pieces, for display.

The regions are those that a comparison of rule books yields.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from inbox.routing.conditions import CLOSED_FIELD_VALUES, ConditionField
from inbox.routing.regions import Region, covers


@dataclass(frozen=True, kw_only=True)
class FieldValues:
    """A constraint on a field: one of these values, or none of them."""

    included: bool
    values: frozenset[str]

    def __or__(self, other: "FieldValues") -> "FieldValues":
        match self.included, other.included:
            case True, True:
                return FieldValues(included=True, values=self.values | other.values)
            case False, False:
                return FieldValues(included=False, values=self.values & other.values)
            case True, False:
                return FieldValues(included=False, values=other.values - self.values)
            case _:
                return FieldValues(included=False, values=self.values - other.values)


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A set of messages and days in canonical form, for display.

    Equal sets therefore have equal pieces.
    """

    fields: Mapping[ConditionField, FieldValues]
    any_of: frozenset[frozenset[str]]
    """The public title has at least one word of each of these."""
    none_of: frozenset[str]
    """The public title has none of these."""
    first: date
    last: date


def piece_of(region: Region) -> Piece:
    """The piece of a region; the region must not be empty."""
    none_of = frozenset(
        word for word in region.title_none if not covers(region.title_none - {word}, word)
    )
    clauses = frozenset(
        frozenset(word for word in words if not covers(none_of, word)) for words in region.title_any
    )
    return Piece(
        fields={
            field: v
            for field in ConditionField
            if _is_restriction((v := _field_values(region, field)), field)
        },
        any_of=frozenset(c for c in clauses if not any(other < c for other in clauses)),
        none_of=none_of,
        first=region.first,
        last=region.last,
    )


def _field_values(region: Region, field: ConditionField) -> FieldValues:
    excluded = region.excluded.get(field, frozenset())
    if field in region.allowed:
        return FieldValues(included=True, values=region.allowed[field] - excluded)
    return FieldValues(included=False, values=excluded)


def _is_restriction(values: FieldValues, field: ConditionField) -> bool:
    """Whether the constraint excludes any value."""
    return values.values != (CLOSED_FIELD_VALUES.get(field) if values.included else frozenset())


MAX_MERGED = 300
"""Of more pieces than this nobody reads what they become together, and it would take long."""


def merge_regions(regions: Sequence[Region]) -> tuple[Piece, ...]:
    """The same messages and days in fewer pieces; the regions must be disjoint."""
    pieces: list[Piece] = []
    for region in regions:
        piece = piece_of(region)
        while len(regions) <= MAX_MERGED and (found := _find_mergeable(pieces, piece)) is not None:
            number, piece = found
            del pieces[number]
        pieces.append(piece)
    return tuple(pieces)


def _find_mergeable(pieces: list[Piece], piece: Piece) -> tuple[int, Piece] | None:
    """The index of a piece that can be merged with this one, and the merged piece."""
    for number, other in enumerate(pieces):
        union = _union(other, piece)
        if union is not None:
            return number, union
    return None


def _union(one: Piece, other: Piece) -> Piece | None:
    """The union of both as one piece, if there is one.

    They must differ in one respect only, and their union must leave no gap.
    """
    same_fields = one.fields == other.fields
    same_title = one.any_of == other.any_of and one.none_of == other.none_of
    same_days = one.first == other.first and one.last == other.last
    if same_title and same_days:
        return _union_of_fields(one, other)
    if same_fields and same_title:
        return _union_of_days(one, other)
    if same_fields and same_days:
        return _union_of_titles(one, other) or _union_of_titles(other, one)
    return None


def _union_of_days(one: Piece, other: Piece) -> Piece | None:
    early, late = sorted((one, other), key=lambda piece: piece.first)
    if early.last < late.first - timedelta(days=1):
        return None
    return replace(early, last=max(early.last, late.last))


def _union_of_fields(one: Piece, other: Piece) -> Piece | None:
    everything = FieldValues(included=False, values=frozenset())
    differing = [
        field for field in ConditionField if one.fields.get(field) != other.fields.get(field)
    ]
    if len(differing) > 1:
        return None
    fields = dict(one.fields)
    for field in differing:
        fields[field] = one.fields.get(field, everything) | other.fields.get(field, everything)
        if not _is_restriction(fields[field], field):
            del fields[field]
    return replace(one, fields=fields)


def _union_of_titles(having: Piece, lacking: Piece) -> Piece | None:
    """The union of two pieces that differ only in one set of title words.

    There is a union if one requires a title word of a set and the other forbids that set, and all
    else is equal.
    """
    for words in having.any_of - lacking.any_of:
        if having.any_of - {words} == lacking.any_of and lacking.none_of == having.none_of | words:
            return replace(having, any_of=lacking.any_of)
    return None
