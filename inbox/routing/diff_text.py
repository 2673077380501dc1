"""A comparison of rule books in words, and the digest by which somebody says to have read it."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date

from inbox.routing.condition_reader import names_of
from inbox.routing.conditions import GROUP, Field, said_not_of, said_of
from inbox.routing.diff import Diff, Moved, Way
from inbox.routing.region_cover import Piece, Values
from inbox.routing.rule_book import Rule, RuleBook, RuleId

_ORGANISATIONS = frozenset({Field.SENDER, Field.SIGNER, Field.ON_BEHALF_OF})


def printed(found: Diff) -> str:
    """The whole comparison: what is shown, and what `acknowledgement` is the digest of.

    It opens with the digests of both files, so any other file has another acknowledgement, also
    where nothing goes elsewhere.
    """
    was, now = found.was, found.now
    lines = [f"{now.organisation}", f"  før {was.digest}", f"  nå  {now.digest}"]
    if was.desk != now.desk:
        lines.append(f"  det ingen regel tar: fra {was.desk} til {now.desk}")
    lines += [f"  {line}" for line in rewritten(was, now)]
    if not found.found:
        lines.append("  ingen melding går et annet sted")
    for moved in found.moved:
        lines.append(f"  {way_said(moved)}")
        lines += [f"    når {words_of_piece(piece, was, now)}" for piece in moved.where]
    if not found.complete:
        lines.append("  UFULLSTENDIG: endringen er for stor til å regnes ut; mer kan ha endret seg")
    return "\n".join(lines) + "\n"


def acknowledgement(text: str) -> str:
    """SHA-256, in hex, of a printed comparison, UTF-8: what the one who activates must give.

    A person who gives it has had this very text before them, of these two files and no others.
    """
    return hashlib.sha256(text.encode()).hexdigest()


def rewritten(was: RuleBook, now: RuleBook) -> Iterator[str]:
    """Which rules were added, removed, changed or reordered."""
    one, other = _by_id(was), _by_id(now)
    yield from (f"ny regel «{name}»" for name in other if name not in one)
    yield from (f"regelen «{name}» er borte" for name in one if name not in other)
    for name in other:
        if name in one and (parts := _changed(one[name], other[name])):
            yield f"regelen «{name}» er endret: {', '.join(parts)}"
    common = [name for name in one if name in other]
    if common != [name for name in other if name in one]:
        yield f"rekkefølgen er endret: {', '.join(other)}"


def _by_id(book: RuleBook) -> dict[RuleId, Rule]:
    return {rule.id: rule for rule in book.rules}


def _changed(was: Rule, now: Rule) -> list[str]:
    parts = (
        ("because", was.because, now.because),
        ("when", was.when, now.when),
        ("except", was.except_, now.except_),
        ("to", was.to, now.to),
        ("release", was.release, now.release),
        ("urgent", was.urgent, now.urgent),
        ("from", was.from_, now.from_),
        ("until", was.until, now.until),
        ("before", was.before, now.before),
    )
    return [name for name, one, other in parts if one != other]


def way_said(moved: Moved) -> str:
    """The old and the new destination, with the rules that lead there."""
    return f"{_way(moved.was_way, moved.was)} → {_way(moved.now_way, moved.now)}"


def _way(way: Way | None, rule: RuleId | None) -> str:
    if way is None:
        return "ingen regel"
    soon = ", haster" if way.urgent else ""
    return f"{way.to} ({way.release}{soon}; «{rule}»)"


def words_of_piece(piece: Piece, *books: RuleBook) -> str:
    """Which messages and days, in the words of the files: groups and units by their names."""
    words = [_field_said(field, values, books) for field, values in piece.fields.items()]
    title = Field.PUBLIC_TITLE_HAS
    words += [said_of(title, sorted(clause)) for clause in sorted(map(sorted, piece.any_of))]
    if piece.none_of:
        words.append(said_not_of(title, sorted(piece.none_of)))
    if piece.first != date.min:
        words.append(f"fra og med {piece.first.isoformat()}")
    if piece.last != date.max:
        words.append(f"til og med {piece.last.isoformat()}")
    return " og ".join(words) or "som helst"


def _field_said(field: Field, values: Values, books: tuple[RuleBook, ...]) -> str:
    written = _written(values.values, _names(field, books))
    return said_of(field, written) if values.among else said_not_of(field, written)


def _names(field: Field, books: tuple[RuleBook, ...]) -> Mapping[str, frozenset[str]]:
    """The names under which all these files know a set of values."""
    if field in _ORGANISATIONS:
        named = [
            {f"{GROUP}{n}": frozenset(map(str, m)) for n, m in b.groups.items()} for b in books
        ]
    elif field is Field.ADMINISTRATIVE_UNIT:
        named = [{str(key): names_of(unit) for key, unit in b.units.items()} for b in books]
    else:
        return {}
    return {n: v for n, v in named[0].items() if all(names.get(n) == v for names in named)}


def _written(values: frozenset[str], names: Mapping[str, frozenset[str]]) -> list[str]:
    """The values, with as few names as possible; a value without a name stays as it is."""
    written, left = [], values
    for name, members in sorted(names.items(), key=lambda item: -len(item[1])):
        if members <= values and members & left:
            written.append(name)
            left -= members
    return sorted(written) + sorted(left)
