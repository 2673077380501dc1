"""The text of a rule book comparison, and its digest.

With the digest, a person confirms that they have read the text.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date

from inbox.routing.condition_reader import comparable_names
from inbox.routing.conditions import GROUP_PREFIX, ConditionField
from inbox.routing.diff import Destination, Rerouted, RoutingDiff
from inbox.routing.region_cover import FieldValues, Piece
from inbox.routing.rule_book import RoutingRule, RuleBook, RuleId
from inbox.routing.sentences import FOR_DIGEST, RoutingSentences

_ORGANISATIONS = frozenset(
    {ConditionField.SENDER, ConditionField.SIGNER, ConditionField.ON_BEHALF_OF}
)


def render_diff(found: RoutingDiff, said: RoutingSentences = FOR_DIGEST) -> str:
    """The whole comparison as text.

    `acknowledgement_digest` is computed over the text `FOR_DIGEST`, whatever language is shown.

    It opens with the digests of both files, so any other file has another acknowledgement, also
    where nothing goes elsewhere.
    """
    was, now = found.old_book, found.new_book
    lines = [
        f"{now.organisation}",
        said.text("difference.before", digest=was.digest),
        said.text("difference.now", digest=now.digest),
    ]
    if was.desk != now.desk:
        lines.append(said.text("difference.desk", was=was.desk, now=now.desk))
    lines += [f"  {line}" for line in changed_rules(was, now, said)]
    if not found.has_changes:
        lines.append(said.text("difference.same"))
    for moved in found.rerouted:
        lines.append(f"  {reroute_text(moved, said)}")
        pieces = (piece_text(piece, was, now, said=said) for piece in moved.pieces)
        lines += [said.text("difference.when", messages=piece) for piece in pieces]
    if not found.complete:
        lines.append(said.text("difference.incomplete"))
    return "\n".join(lines) + "\n"


def acknowledgement_digest(text: str) -> str:
    """SHA-256, in hex, of the comparison text (UTF-8).

    The person who activates the change must give it.

    A person who gives it has had this very text before them, of these two files and no others.
    """
    return hashlib.sha256(text.encode()).hexdigest()


def changed_rules(
    was: RuleBook, now: RuleBook, said: RoutingSentences = FOR_DIGEST
) -> Iterator[str]:
    """Which rules were added, removed, changed or reordered."""
    one, other = _by_id(was), _by_id(now)
    added, gone = (name for name in other if name not in one), [n for n in one if n not in other]
    yield from (said.text("difference.rule_added", rule=name) for name in added)
    yield from (said.text("difference.rule_gone", rule=name) for name in gone)
    for name in other:
        if name in one and (parts := _changed_keys(one[name], other[name])):
            keys = ", ".join(map(said.key, parts))
            yield said.text("difference.rule_changed", rule=name, keys=keys)
    common = [name for name in one if name in other]
    if common != [name for name in other if name in one]:
        yield said.text("difference.order", rules=", ".join(other))


def _by_id(book: RuleBook) -> dict[RuleId, RoutingRule]:
    return {rule.id: rule for rule in book.rules}


def _changed_keys(was: RoutingRule, now: RoutingRule) -> list[str]:
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
        ("off", was.off, now.off),
    )
    return [name for name, one, other in parts if one != other]


def reroute_text(moved: Rerouted, said: RoutingSentences = FOR_DIGEST) -> str:
    """The old and the new destination, with the rules that lead there."""
    old = _destination_text(moved.old_destination, moved.old_rule, said)
    return f"{old} → {_destination_text(moved.new_destination, moved.new_rule, said)}"


def _destination_text(way: Destination | None, rule: RuleId | None, said: RoutingSentences) -> str:
    if way is None:
        if rule is None:
            return said.text("difference.no_rule")
        return said.text("difference.rule_off", rule=rule)
    key = "urgent" if way.urgent else "destination"
    unit, release = said.target(way.to), said.release(way.release)
    return said.text(f"difference.{key}", unit=unit, release=release, rule=rule)


def piece_text(piece: Piece, *books: RuleBook, said: RoutingSentences = FOR_DIGEST) -> str:
    """Which messages and days a piece contains, in the words of the files.

    Groups and units are given by their names.
    """
    words = [
        _field_values_text(field, values, books, said) for field, values in piece.fields.items()
    ]
    title = ConditionField.PUBLIC_TITLE_HAS
    words += [said.field(title, sorted(clause)) for clause in sorted(map(sorted, piece.any_of))]
    if piece.none_of:
        words.append(said.negated_field(title, sorted(piece.none_of)))
    if piece.first != date.min:
        words.append(said.text("difference.first", day=piece.first.isoformat()))
    if piece.last != date.max:
        words.append(said.text("difference.last", day=piece.last.isoformat()))
    return said.text("difference.and").join(words) or said.text("difference.any")


def _field_values_text(
    field: ConditionField,
    values: FieldValues,
    books: tuple[RuleBook, ...],
    said: RoutingSentences,
) -> str:
    written = _shortest_names(values.values, _names_of_values(field, books))
    return said.field(field, written) if values.included else said.negated_field(field, written)


def _names_of_values(
    field: ConditionField, books: tuple[RuleBook, ...]
) -> Mapping[str, frozenset[str]]:
    """The names under which all these files know a set of values."""
    if field in _ORGANISATIONS:
        named = [
            {f"{GROUP_PREFIX}{n}": frozenset(map(str, m)) for n, m in b.groups.items()}
            for b in books
        ]
    elif field is ConditionField.ADMINISTRATIVE_UNIT:
        named = [{str(key): comparable_names(unit) for key, unit in b.units.items()} for b in books]
    else:
        return {}
    return {n: v for n, v in named[0].items() if all(names.get(n) == v for names in named)}


def _shortest_names(values: frozenset[str], names: Mapping[str, frozenset[str]]) -> list[str]:
    """The values, with as few names as possible; a value without a name stays as it is."""
    written, left = [], values
    for name, members in sorted(names.items(), key=lambda item: -len(item[1])):
        if members <= values and members & left:
            written.append(name)
            left -= members
    return sorted(written) + sorted(left)
