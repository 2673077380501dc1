"""Strictly reads the routing rules of one organisation from TOML.

Everything unexpected is refused.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType

from inbox.domain import OrgNumber, UnitId
from inbox.errors import PolicyError
from inbox.language import TextLanguage
from inbox.routing.condition_reader import Definitions, read_conditions, read_short_name
from inbox.routing.conditions import YES, ConditionField, normalise
from inbox.routing.lint import RoutingFinding, find_errors
from inbox.routing.phrases import ROUTING_PHRASES
from inbox.routing.rule_book import (
    SAME_UNIT,
    Release,
    RoutingRule,
    RuleBook,
    RuleId,
    RuleTarget,
    RuleUnit,
)
from inbox.strict import toml_tables
from inbox.strict.refusal import ReadPosition
from inbox.strict.source_text import check_row_count
from inbox.strict.toml_tables import Table, numbered

MAX_RULES = 200

_MAX_SHOWN_ERRORS = 20


class RefusedRules(PolicyError):
    """Rules that are valid by themselves contradict each other."""

    def __init__(self, file: str, found: Sequence[RoutingFinding]) -> None:
        told = [each.text_with_line for each in found[:_MAX_SHOWN_ERRORS]]
        if len(found) > _MAX_SHOWN_ERRORS:
            more = ROUTING_PHRASES("and_more", count=len(found) - _MAX_SHOWN_ERRORS)
            told.append(more.text(TextLanguage.EN))
        super().__init__(found[0].code, f"{file}: {'; '.join(told)}")


def read_rules(name: str, raw: bytes) -> RuleBook:
    """Read the rules from a file of this name, checked and ready for use.

    Raises:
        PolicyError: anything unexpected, a dead rule, or an overlap that no `before` orders. The
            reason names file, line and rule, says what was read and what is allowed; of several
            errors of order it has the first twenty, under the code of the first of them.
    """
    book = read_unchecked_rules(name, raw)
    found = find_errors(book)
    if found:
        raise RefusedRules(name, found)
    return book


def read_unchecked_rules(name: str, raw: bytes) -> RuleBook:
    """Read the rules as written, without checking them against each other.

    Each rule is valid by itself. The result is for `lint`, never for routing.

    Raises `PolicyError` as `read_rules` does, except for what `lint.find_errors` finds.
    """
    place = ReadPosition(file=name)
    organisation, suffix = name[:-5], name[-5:]
    if suffix != ".toml":
        raise place.refuse("file_name", name, ROUTING_PHRASES("file_name"))
    toml_tables.organisation_of(place, organisation)
    place, table = toml_tables.read_toml(place, raw)
    takes_all = _takes_all(place.at("[desk]", "desk", "takes_all"), table.get("desk"))
    if takes_all:
        table = {"rule": [], **table}
    toml_tables.check_fields(place, table, required=("units", "desk", "rule"), optional=("groups",))
    named = Definitions(groups=_groups(place, table), units=_units(place, table))
    desk = _desk(place.at("[desk]", "desk"), table["desk"], named)
    rules = _rules(place, table["rule"], named, takes_all=takes_all)
    check_row_count(place, raw.decode(), len(rules))
    return RuleBook(
        organisation=OrgNumber(organisation),
        groups=named.groups,
        units=named.units,
        desk=desk,
        rules=rules,
        digest=hashlib.sha256(raw).hexdigest(),
        lines=place.lines,
    )


def _groups(place: ReadPosition, table: Table) -> Mapping[str, tuple[OrgNumber, ...]]:
    if "groups" not in table:
        return MappingProxyType({})
    groups: dict[str, tuple[OrgNumber, ...]] = {}
    for name, members in toml_tables.table_of(
        place.at("[groups]", "groups"), table["groups"]
    ).items():
        here = place.at(f"[groups] {name}", "groups", name)
        numbers = toml_tables.text_list_of(here, members)
        groups[read_short_name(here, name)] = tuple(
            toml_tables.organisation_of(here, n) for n in numbers
        )
    return MappingProxyType(groups)


def _units(place: ReadPosition, table: Table) -> Mapping[UnitId, RuleUnit]:
    units: dict[UnitId, RuleUnit] = {}
    taken: dict[str, str] = {}
    for key, value in toml_tables.table_of(place.at("[units]", "units"), table["units"]).items():
        here = place.at(f"[units] {key}", "units", key)
        unit = _unit(here, value)
        units[UnitId(read_short_name(here, key))] = unit
        for name in (unit.name, *unit.aliases):
            if taken.setdefault(normalise(name), key) != key:
                other = taken[normalise(name)]
                allowed = ROUTING_PHRASES("name_of_another", other=other)
                raise here.refuse("duplicate", name, allowed)
    return MappingProxyType(units)


def _unit(place: ReadPosition, value: object) -> RuleUnit:
    """Read a unit: either only its name, or a table of `name` and `called`."""
    if isinstance(value, str):
        return RuleUnit(name=toml_tables.text_of(place, value))
    table = toml_tables.table_of(place, value)
    toml_tables.check_fields(place, table, required=("name",), optional=("called",))
    called = toml_tables.text_list_of(place, table["called"]) if "called" in table else ()
    return RuleUnit(name=toml_tables.text_of(place, table["name"]), aliases=called)


def _desk(place: ReadPosition, value: object, named: Definitions) -> UnitId:
    table = toml_tables.table_of(place, value)
    toml_tables.check_fields(place, table, required=("unit",), optional=("takes_all",))
    here = place.at(place.inside, "unit")
    return named.unit(here, toml_tables.text_of(here, table["unit"]))


def _takes_all(place: ReadPosition, desk: object) -> bool:
    """Whether the file says that people distribute everything: it then has no rules."""
    if not isinstance(desk, dict) or "takes_all" not in desk:
        return False
    return toml_tables.flag_of(place, desk["takes_all"])


def _rules(
    place: ReadPosition, value: object, named: Definitions, *, takes_all: bool
) -> tuple[RoutingRule, ...]:
    tables = toml_tables.tables_of(place.at("[[rule]]", "rule"), value)
    if takes_all and tables:
        here = place.at("[desk]", "desk", "takes_all")
        read = ROUTING_PHRASES("rules", count=len(tables))
        raise here.refuse("takes_all", read, ROUTING_PHRASES("no_rules_or_no_takes_all"))
    if not takes_all and not 0 < len(tables) <= MAX_RULES:
        allowed = ROUTING_PHRASES("rule_count", count=MAX_RULES)
        raise place.refuse("rule_count", ROUTING_PHRASES("rules", count=len(tables)), allowed)
    rules: dict[RuleId, RoutingRule] = {}
    for number, table in enumerate(tables):
        here = place.at(numbered("[[rule]]", number + 1), "rule", number)
        rule = _rule(here, table, named)
        if rule.id in rules:
            allowed = ROUTING_PHRASES("new_id")
            raise here.at(here.inside, "id").refuse("duplicate", rule.id, allowed)
        rules[rule.id] = rule
    return tuple(rules.values())


def _rule(place: ReadPosition, table: Table, named: Definitions) -> RoutingRule:
    if "id" in table:
        here = place.at(place.inside, "id")
        rule_id = read_short_name(here, toml_tables.text_of(here, table["id"]))
        place = place.at(ROUTING_PHRASES("rule", rule=rule_id))
    toml_tables.check_fields(
        place,
        table,
        required=("id", "because", "when", "to", "release"),
        optional=("except", "urgent", "from", "until", "before", "off"),
    )
    at = partial(place.at, place.inside)
    before = toml_tables.text_list_of(at("before"), table["before"]) if "before" in table else ()
    rule = RoutingRule(
        id=RuleId(toml_tables.text_of(at("id"), table["id"])),
        because=toml_tables.text_of(at("because"), table["because"]),
        when=read_conditions(at("when"), table["when"], named),
        except_=read_conditions(at("except"), table["except"], named) if "except" in table else (),
        to=_target(at("to"), table["to"], named),
        release=_release(at("release"), table["release"]),
        urgent=toml_tables.flag_of(at("urgent"), table["urgent"]) if "urgent" in table else False,
        from_=toml_tables.date_of(at("from"), table["from"]) if "from" in table else None,
        until=toml_tables.date_of(at("until"), table["until"]) if "until" in table else None,
        before=tuple(RuleId(other) for other in before),
        off=toml_tables.flag_of(at("off"), table["off"]) if "off" in table else False,
    )
    _check_rule(place, rule)
    return rule


def _check_rule(place: ReadPosition, rule: RoutingRule) -> None:
    if rule.from_ and rule.until and rule.until < rule.from_:
        at = place.at(place.inside, "until")
        allowed = ROUTING_PHRASES("not_before_from", day=str(rule.from_))
        raise at.refuse("period", f"until {rule.until}", allowed)
    follows = any(c.field is ConditionField.KNOWN_REFERENCE and YES in c.values for c in rule.when)
    if rule.to is SAME_UNIT and not follows:
        allowed = ROUTING_PHRASES("same_unit")
        raise place.at(place.inside, "to").refuse("same_unit", "to = same unit", allowed)


def _target(place: ReadPosition, value: object, named: Definitions) -> RuleTarget:
    text = toml_tables.text_of(place, value)
    return SAME_UNIT if text == SAME_UNIT else named.unit(place, text)


def _release(place: ReadPosition, value: object) -> Release:
    text = toml_tables.text_of(place, value)
    if text not in set(Release):
        raise place.refuse("release", text, ", ".join(Release), names=tuple(Release))
    return Release(text)
