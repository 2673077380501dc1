"""What one person may put in force alone in routing: only what sends mail to fewer units.

Decided by the exact difference of what goes where. One person may also switch a rule off, which
is an edit of one line: it goes on matching in its place, and a person must place what it matches.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from inbox.errors import Conflict, NotFound, PolicyError
from inbox.routing.diff import Destination, Rerouted, RoutingDiff
from inbox.routing.diff_text import reroute_text
from inbox.routing.rule_book import Release, RuleBook, RuleId
from inbox.routing.rule_reader import read_rules
from inbox.routing.sentences import RoutingSentences
from inbox.strict.phrases import Phrase, PhraseBook, phrase_in_all

_WHY: Final = PhraseBook(Path(__file__).with_name("routing_texts.toml"))


def why_two_people(found: RoutingDiff) -> tuple[Phrase, ...]:
    """Why putting the new book in place of the old one needs two people; empty: one suffices."""
    return tuple(_gains(found))


def _gains(found: RoutingDiff) -> Iterator[Phrase]:
    if _only_switched_off(found.old_book, found.new_book):
        return
    if not found.complete:
        yield _WHY("why.incomplete")
    if found.old_book.desk != found.new_book.desk:
        yield _WHY("why.desk", desk=str(found.new_book.desk))
    for moved in found.rerouted:
        if _gains_mail(moved):
            yield _WHY("why.gains_mail", moved=_reroute_phrase(moved))


def _reroute_phrase(moved: Rerouted) -> Phrase:
    return phrase_in_all(lambda each: reroute_text(moved, RoutingSentences(language=each)))


def _only_switched_off(old: RuleBook, new: RuleBook) -> bool:
    """Whether the new book is the old one with some rules off: however large, it gains nothing."""
    if replace(new, digest=old.digest, rules=old.rules) != old or len(old.rules) != len(new.rules):
        return False
    pairs = zip(old.rules, new.rules, strict=True)
    return all(rule in (was, replace(was, off=True)) for was, rule in pairs)


def _gains_mail(moved: Rerouted) -> bool:
    """Whether a unit gets what it did not get, or its case system gets it sooner."""
    was, now = moved.old_destination, moved.new_destination
    if now is None:
        return False
    return was is None or was.to != now.to or _is_sooner(was, now)


def _is_sooner(was: Destination, now: Destination) -> bool:
    return was.release is Release.BY_A_PERSON and now.release is Release.AT_ONCE


def with_rule_off(book: RuleBook, raw: bytes, rule_id: str) -> bytes:
    """The bytes of a rule file with `off = true` in one rule; nothing else of them changes.

    Raises:
        NotFound: there is no such rule.
        Conflict: it is off already.
        PolicyError: the rule is written so that no line can be added to it; such a rule is
            switched off by two people, in the file.
    """
    numbers = {rule.id: number for number, rule in enumerate(book.rules)}
    number = numbers.get(RuleId(rule_id))
    if number is None:
        raise NotFound("route.no_rule_id", "no rule has this id: see `inbox route show`")
    if book.rules[number].off:
        raise Conflict("route.off", "the rule is switched off already")
    lines = raw.decode().split("\n")
    if written := book.lines.get(("rule", number, "off")):
        lines[written - 1] = lines[written - 1].replace("false", "true", 1)
    else:
        # Before the line of `id`, where a statement begins whatever the value of `id` looks like.
        lines.insert((book.line_of("rule", number, "id") or 1) - 1, "off = true")
    changed = "\n".join(lines).encode()
    _check_only_off_changed(book, changed, RuleId(rule_id))
    return changed


def _check_only_off_changed(book: RuleBook, changed: bytes, rule_id: RuleId) -> None:
    name = f"{book.organisation}.toml"
    refusal = PolicyError("route.switch_off", f"{name}: no line can be added to the rule")
    try:
        read = read_rules(name, changed)
    except PolicyError as error:
        raise refusal from error
    wanted = tuple(replace(rule, off=True) if rule.id == rule_id else rule for rule in book.rules)
    if replace(read, digest=book.digest) != replace(book, rules=wanted):
        raise refusal
