"""Puts the pieces that a comparison leaves together again: as few and as plain as can be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from inbox.routing.conditions import ALL_VALUES, Field
from inbox.routing.regions import Region, covers


@dataclass(frozen=True, kw_only=True)
class Values:
    """A constraint on a field: one of these values, or none of them."""

    among: bool
    values: frozenset[str]

    def __or__(self, other: "Values") -> "Values":
        match self.among, other.among:
            case True, True:
                return Values(among=True, values=self.values | other.values)
            case False, False:
                return Values(among=False, values=self.values & other.values)
            case True, False:
                return Values(among=False, values=other.values - self.values)
            case _:
                return Values(among=False, values=self.values - other.values)


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A set of messages and days, in the one form that equal sets have; for showing."""

    fields: Mapping[Field, Values]
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
        fields={field: v for field in Field if _says((v := _values(region, field)), field)},
        any_of=frozenset(c for c in clauses if not any(other < c for other in clauses)),
        none_of=none_of,
        first=region.first,
        last=region.last,
    )


def _values(region: Region, field: Field) -> Values:
    excluded = region.excluded.get(field, frozenset())
    if field in region.allowed:
        return Values(among=True, values=region.allowed[field] - excluded)
    return Values(among=False, values=excluded)


def _says(values: Values, field: Field) -> bool:
    """Whether the constraint excludes any value."""
    return values.values != (ALL_VALUES.get(field) if values.among else frozenset())


MAX_JOINED = 300
"""Of more pieces than this nobody reads what they become together, and it would take long."""


def joined(regions: Sequence[Region]) -> tuple[Piece, ...]:
    """The same messages and days in fewer pieces; the regions must be disjoint."""
    pieces: list[Piece] = []
    for region in regions:
        piece = piece_of(region)
        while len(regions) <= MAX_JOINED and (found := _partner(pieces, piece)) is not None:
            number, piece = found
            del pieces[number]
        pieces.append(piece)
    return tuple(pieces)


def _partner(pieces: list[Piece], piece: Piece) -> tuple[int, Piece] | None:
    """The index of a piece that can be merged with this one, and the merged piece."""
    for number, other in enumerate(pieces):
        union = _union(other, piece)
        if union is not None:
            return number, union
    return None


def _union(one: Piece, other: Piece) -> Piece | None:
    """Both as one piece, where they differ in one thing only and leave nothing between them."""
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
    everything = Values(among=False, values=frozenset())
    differing = [field for field in Field if one.fields.get(field) != other.fields.get(field)]
    if len(differing) > 1:
        return None
    fields = dict(one.fields)
    for field in differing:
        fields[field] = one.fields.get(field, everything) | other.fields.get(field, everything)
        if not _says(fields[field], field):
            del fields[field]
    return replace(one, fields=fields)


def _union_of_titles(having: Piece, lacking: Piece) -> Piece | None:
    """One has a word of these and the other none of them: between them, all else being equal."""
    for words in having.any_of - lacking.any_of:
        if having.any_of - {words} == lacking.any_of and lacking.none_of == having.none_of | words:
            return replace(having, any_of=lacking.any_of)
    return None
