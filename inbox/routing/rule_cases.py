"""Runs the written test cases of a rule book.

A case says that with this metadata, on this day, the message must be routed there.

A case says what the rules mean. Where the rule that decides is switched off, the case passes if
it expects what that rule says, and also if it expects "unrouted": nobody has to rewrite
the cases before switching a rule off.

A file of cases says whose rules it tries (`receiver`) and on which day (`on`), and then, for each
`[[case]]`, `name`, `metadata` and `expect`: either "unrouted" or a table of `unit`, `rule` and
`release`. A case may have an `on` of its own. Metadata that a case does not give is an ordinary
confidential message from an unknown matter: channel integrasjonspunkt, service DPO, a known
sender who signs for itself, process taushetsbelagt, document type arkivmelding, one document of
100 000 bytes received at eight that morning, and nothing else known.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from inbox.days import at_hour
from inbox.domain import ARKIVMELDING_DOCUMENT_TYPE, CONFIDENTIAL_PROCESS, Metadata, Service, UnitId
from inbox.routing.phrases import ROUTING_PHRASES
from inbox.routing.route import (
    Route,
    RoutingExplanation,
    deciding_rule,
    explain_route,
    route_by,
)
from inbox.routing.rule_book import Release, RuleBook
from inbox.strict import toml_tables
from inbox.strict.refusal import ReadPosition
from inbox.strict.toml_lines import nearest_line
from inbox.strict.toml_tables import Table

UNROUTED = "unrouted"
"""What a case expects where a person must place the message."""

_DEFAULT_FILE = "tilfeller"


@dataclass(frozen=True, kw_only=True)
class CaseResult:
    """The result of one case, with the explanation of the route."""

    name: str
    line: int | None
    passed: bool
    expected: str
    got: str
    explanation: RoutingExplanation


def run_cases(book: RuleBook, raw: bytes, *, file: str = _DEFAULT_FILE) -> tuple[CaseResult, ...]:
    """Run every case of the file, in order.

    Raises `PolicyError` if the file is not as it must be.
    """
    place = ReadPosition(file=file)
    place, table = toml_tables.read_toml(place, raw)
    toml_tables.check_fields(place, table, required=("receiver", "on", "case"))
    if table["receiver"] != book.organisation:
        here = place.at("receiver", "receiver")
        raise here.refuse("other_organisation", table["receiver"], book.organisation)
    cases = toml_tables.tables_of(place.at("[[case]]", "case"), table["case"])
    if not cases:
        raise place.refuse("empty", ROUTING_PHRASES("no_cases"), ROUTING_PHRASES("a_case"))
    day = toml_tables.date_of(place.at("on", "on"), table["on"])
    return tuple(
        _run_case(place.at("[[case]]", "case", number), case, book, day)
        for number, case in enumerate(cases)
    )


def _run_case(place: ReadPosition, case: Table, book: RuleBook, day: date) -> CaseResult:
    toml_tables.check_fields(place, case, required=("name", "metadata", "expect"), optional=("on",))
    name = toml_tables.text_of(place.at(place.inside, "name"), case["name"])
    here = partial(place.at, ROUTING_PHRASES("case", case=name))
    day = toml_tables.date_of(here("on"), case["on"]) if "on" in case else day
    metadata = read_metadata(here("metadata"), case["metadata"], book, day)
    explanation = explain_route(metadata, book, day)
    expected, got = _expected(here("expect"), case["expect"]), route_text(explanation.route)
    passes = {got, _text_if_on(metadata, book, day)}
    return CaseResult(
        name=name,
        line=nearest_line(place.lines, place.path),
        passed=expected in passes,
        expected=expected,
        got=got,
        explanation=explanation,
    )


def _text_if_on(metadata: Metadata, book: RuleBook, day: date) -> str:
    """Where the rule that decides sends it, as if no rule were switched off."""
    rule = deciding_rule(metadata, book, day)
    return route_text(None if rule is None else route_by(rule, metadata))


def route_text(found: Route | None) -> str:
    """The route as text, in the form in which a case states what it expects."""
    return UNROUTED if found is None else f"{found.unit}, {found.rule}, {found.release}"


def _expected(place: ReadPosition, value: object) -> str:
    if value == UNROUTED:
        return UNROUTED
    table = toml_tables.table_of(place, value)
    toml_tables.check_fields(place, table, required=("unit", "rule", "release"))
    unit, rule, release = (
        toml_tables.text_of(place, table[f]) for f in ("unit", "rule", "release")
    )
    if release not in set(Release):
        raise place.refuse("release", release, ", ".join(Release), names=tuple(Release))
    return f"{unit}, {rule}, {release}"


def read_metadata(place: ReadPosition, value: object, book: RuleBook, day: date) -> Metadata:
    """Read the metadata of a case; what it leaves out has the values of an ordinary message.

    Raises `PolicyError`.
    """
    table = toml_tables.table_of(place, value)
    toml_tables.check_fields(place, table, required=("sender",), optional=tuple(METADATA_READERS))
    sender = toml_tables.organisation_of(place, toml_tables.text_of(place, table["sender"]))
    metadata = Metadata(
        channel="integrasjonspunkt",
        service=Service.DPO,
        sender=sender,
        sender_known=True,
        signer=sender,
        on_behalf_of=None,
        receiver=book.organisation,
        process=CONFIDENTIAL_PROCESS,
        document_type=ARKIVMELDING_DOCUMENT_TYPE,
        received_at=at_hour(day, 8),
        document_count=1,
        total_bytes=100_000,
    )
    for field, read in METADATA_READERS.items():
        if field in table:
            metadata = read(metadata, place, table[field])
    return metadata


def _service(place: ReadPosition, value: object) -> Service:
    text = toml_tables.text_of(place, value)
    if text not in set(Service):
        raise place.refuse("unknown_word", text, ", ".join(Service), names=tuple(Service))
    return Service(text)


_MetadataReader = Callable[[Metadata, ReadPosition, object], Metadata]

METADATA_READERS: Mapping[str, _MetadataReader] = {
    "sender_known": lambda m, p, v: replace(m, sender_known=toml_tables.flag_of(p, v)),
    "signer": lambda m, p, v: replace(
        m, signer=toml_tables.organisation_of(p, toml_tables.text_of(p, v))
    ),
    "on_behalf_of": lambda m, p, v: replace(
        m, on_behalf_of=toml_tables.organisation_of(p, toml_tables.text_of(p, v))
    ),
    "channel": lambda m, p, v: replace(m, channel=toml_tables.text_of(p, v)),
    "service": lambda m, p, v: replace(m, service=_service(p, v)),
    "process": lambda m, p, v: replace(m, process=toml_tables.text_of(p, v)),
    "document_type": lambda m, p, v: replace(m, document_type=toml_tables.text_of(p, v)),
    "known_unit": lambda m, p, v: replace(m, known_unit=UnitId(toml_tables.text_of(p, v))),
    "administrative_unit": lambda m, p, v: replace(
        m, administrative_unit=toml_tables.text_of(p, v)
    ),
    "screening_authority": lambda m, p, v: replace(
        m, screening_authority=toml_tables.text_of(p, v)
    ),
    "access_restriction": lambda m, p, v: replace(m, access_restriction=toml_tables.text_of(p, v)),
    "public_title": lambda m, p, v: replace(m, public_title=toml_tables.text_of(p, v)),
}
"""What a case may give beside the sender; no rule looks at the rest of the metadata."""
