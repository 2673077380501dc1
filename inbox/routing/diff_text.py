"""The text of a rule book comparison, and its digest.

With the digest, a person confirms that they have read the text.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date

from inbox.routing.condition_reader import comparable_names
from inbox.routing.conditions import GROUP_PREFIX, ConditionField, field_text, negated_field_text
from inbox.routing.diff import Destination, Rerouted, RoutingDiff
from inbox.routing.region_cover import FieldValues, Piece
from inbox.routing.rule_book import RoutingRule, RuleBook, RuleId

_ORGANISATIONS = frozenset(
    {ConditionField.SENDER, ConditionField.SIGNER, ConditionField.ON_BEHALF_OF}
)


def render_diff(found: RoutingDiff) -> str:
    """The whole comparison as text.

    This text is shown, and `acknowledgement_digest` is computed over it.

    It opens with the digests of both files, so any other file has another acknowledgement, also
    where nothing goes elsewhere.
    """
    was, now = found.old_book, found.new_book
    lines = [f"{now.organisation}", f"  før {was.digest}", f"  nå  {now.digest}"]
    if was.desk != now.desk:
        lines.append(f"  det ingen regel tar: fra {was.desk} til {now.desk}")
    lines += [f"  {line}" for line in changed_rules(was, now)]
    if not found.has_changes:
        lines.append("  ingen melding går et annet sted")
    for moved in found.rerouted:
        lines.append(f"  {reroute_text(moved)}")
        lines += [f"    når {piece_text(piece, was, now)}" for piece in moved.pieces]
    if not found.complete:
        lines.append("  UFULLSTENDIG: endringen er for stor til å regnes ut; mer kan ha endret seg")
    return "\n".join(lines) + "\n"


def acknowledgement_digest(text: str) -> str:
    """SHA-256, in hex, of the comparison text (UTF-8).

    The person who activates the change must give it.

    A person who gives it has had this very text before them, of these two files and no others.
    """
    return hashlib.sha256(text.encode()).hexdigest()


def changed_rules(was: RuleBook, now: RuleBook) -> Iterator[str]:
    """Which rules were added, removed, changed or reordered."""
    one, other = _by_id(was), _by_id(now)
    yield from (f"ny regel «{name}»" for name in other if name not in one)
    yield from (f"regelen «{name}» er borte" for name in one if name not in other)
    for name in other:
        if name in one and (parts := _changed_keys(one[name], other[name])):
            yield f"regelen «{name}» er endret: {', '.join(parts)}"
    common = [name for name in one if name in other]
    if common != [name for name in other if name in one]:
        yield f"rekkefølgen er endret: {', '.join(other)}"


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


def reroute_text(moved: Rerouted) -> str:
    """The old and the new destination, with the rules that lead there."""
    old = _destination_text(moved.old_destination, moved.old_rule)
    return f"{old} → {_destination_text(moved.new_destination, moved.new_rule)}"


def _destination_text(way: Destination | None, rule: RuleId | None) -> str:
    if way is None:
        return "ingen regel" if rule is None else f"en person («{rule}» er slått av)"
    soon = ", haster" if way.urgent else ""
    return f"{way.to} ({way.release}{soon}; «{rule}»)"


def piece_text(piece: Piece, *books: RuleBook) -> str:
    """Which messages and days a piece contains, in the words of the files.

    Groups and units are given by their names.
    """
    words = [_field_values_text(field, values, books) for field, values in piece.fields.items()]
    title = ConditionField.PUBLIC_TITLE_HAS
    words += [field_text(title, sorted(clause)) for clause in sorted(map(sorted, piece.any_of))]
    if piece.none_of:
        words.append(negated_field_text(title, sorted(piece.none_of)))
    if piece.first != date.min:
        words.append(f"fra og med {piece.first.isoformat()}")
    if piece.last != date.max:
        words.append(f"til og med {piece.last.isoformat()}")
    return " og ".join(words) or "som helst"


def _field_values_text(
    field: ConditionField, values: FieldValues, books: tuple[RuleBook, ...]
) -> str:
    written = _shortest_names(values.values, _names_of_values(field, books))
    return field_text(field, written) if values.included else negated_field_text(field, written)


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
