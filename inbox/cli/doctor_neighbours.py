"""What `inbox doctor` looks at around the line: rules, units and people, case systems, gateways."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, select

from inbox.access.words import Role
from inbox.casesystem.webhook import Target, check_target
from inbox.cli.doctor_checks import Found, Level, failed, fine, looking, warning, wrong
from inbox.config import GatewaySettings, Settings, environment, password_of
from inbox.errors import ConfigurationError, Invalid, PolicyError, Unavailable
from inbox.gateway.connection import Bounds
from inbox.gateway.integrasjonspunkt import Integrasjonspunkt, client_for
from inbox.message import Mode, OrgNumber, UnitId
from inbox.routing.book import SAME_UNIT, RuleBook
from inbox.routing.lint import lint
from inbox.routing.rules import read_rules
from inbox.tables import Capacity, CaseSystem, Person, Unit
from inbox.wiring import policy_folder

_BOUNDS: Final = Bounds(
    connect=timedelta(seconds=5), read=timedelta(seconds=15), answer=timedelta(seconds=20)
)
_MOST_SKEW: Final = timedelta(seconds=5)
_DESK_PEOPLE: Final = 2
_NOT_LIVING: Final = frozenset({"routing.unit_not_living", "routing.desk_not_living"})
_IMPORT: Final = "put it right in the directory file and run `inbox directory import`"


def routing(settings: Settings) -> Iterator[Found]:
    """Each rule book can be read, and every receiving organisation has one."""
    books, unread = _books(settings)
    for name, error in unread.items():
        yield failed(f"routing {name}", error)
    for organisation in sorted({o for each in settings.gateways for o in each.organisations}):
        if organisation not in {book.organisation for book in books}:
            name = f"{organisation}.toml"
            if name not in unread:
                do = f"write routing/{name} in the policy folder, and try it with `inbox route`"
                yield wrong(f"routing {name}", "it receives mail, but has no rule book", do)


def rules(settings: Settings) -> Iterator[Found]:
    """What lint finds in each book, on this day and with the units that live."""
    with looking(settings) as (session, now):
        everybody = session.exec(select(Unit)).all()
        living = [unit for unit in everybody if _lives(unit, now)]
    for book in _books(settings)[0]:
        name = f"routing {book.organisation}.toml"
        units = {UnitId(unit.id) for unit in living if unit.organisation == book.organisation}
        findings = lint(book, on=now.date(), units=units)
        for finding in findings:
            bad = finding.refused or finding.code in _NOT_LIVING
            yield Found(
                name=name,
                level=Level.WRONG if bad else Level.WARNING,
                means=f"{finding.text} ({finding.code})",
                do=_IMPORT if finding.code in _NOT_LIVING else "edit the file, then `inbox route`",
            )
        if not findings:
            yield fine(name, f"{len(book.rules)} rules, nothing to remark")


def units(settings: Settings) -> Iterator[Found]:
    """The desk has two people; each unit that lives and is named can take what it is sent."""
    with looking(settings) as (session, now):
        living = {unit.id: unit for unit in session.exec(select(Unit)) if _lives(unit, now)}
        systems = {each.id for each in session.exec(select(CaseSystem)) if _lives(each, now)}
        people = _people(session, now)
    for book in _books(settings)[0]:
        yield _desk(book, people)
        named = {rule.to for rule in book.rules if rule.to is not SAME_UNIT} - {book.desk}
        for unit_id in sorted(book.units):
            unit = living.get(unit_id)
            if unit is None or unit_id == book.desk:
                continue
            lacks = list(_lacks(unit, systems, people))
            if not lacks:
                yield fine(f"unit {unit_id}", "a case system, a leader and a handler")
                continue
            level = Level.WRONG if unit_id in named else Level.WARNING
            means = f"it has {', '.join(lacks)}: what it is sent would lie there"
            yield Found(name=f"unit {unit_id}", level=level, means=means, do=_IMPORT)


def webhooks(settings: Settings) -> Iterator[Found]:
    """Each case system that is called has an address that may be called."""
    targets = [
        Target(host=each.host, port=each.port, networks=each.networks)
        for each in settings.webhook_targets
    ]
    with looking(settings) as (session, now):
        systems = [each for each in session.exec(select(CaseSystem)) if _lives(each, now)]
    for system in systems:
        name = f"webhook {system.id}"
        if system.mode is not Mode.WEBHOOK:
            continue
        if system.webhook_url is None:
            yield wrong(name, "it is to be called, but has no address", _IMPORT)
            continue
        try:
            check_target(system.webhook_url, targets)
        except Invalid as error:
            do = "add its host, port and networks to `webhook_targets` in the settings"
            yield wrong(name, f"{error.reason} ({error.code}): it hears of nothing", do)
        else:
            yield fine(name, "its address is on the list of targets")


def overrides(settings: Settings) -> Iterator[Found]:
    """What was allowed on purpose, and should not last."""
    for each in settings.gateways:
        if each.allow_insecure:
            yield warning(
                f"gateway {each.channel} override",
                "allow_insecure is set: others may listen to it or speak for it",
                "give it https and a password, then take allow_insecure away",
            )


def gateways(settings: Settings) -> Iterator[Found]:
    """Each gateway answers, lets us in, and has our time. Only reads: nothing is locked."""
    if not settings.gateways:
        do = "add `[[gateways]]` to the settings"
        yield warning("gateways", "none is set: no mail can arrive", do)
    for each in settings.gateways:
        try:
            yield from _gateway(each)
        except ConfigurationError as error:
            yield failed(f"gateway {each.channel}", error)


def _gateway(settings: GatewaySettings) -> Iterator[Found]:
    password = password_of(settings, environment())
    credentials = None if settings.user is None else (settings.user, password or "")
    with client_for(settings.url, credentials=credentials, bounds=_BOUNDS) as client:
        gateway = Integrasjonspunkt(
            client, channel=settings.channel, subscriptions=(), bounds=_BOUNDS
        )
        health = _health(gateway)
        yield health
        yield _sign_in(gateway, OrgNumber(settings.organisations[0]), health)
        yield _clock(gateway)


def _health(gateway: Integrasjonspunkt) -> Found:
    name = f"gateway {gateway.channel}"
    try:
        if gateway.healthy():
            return fine(name, "it answers, and says UP")
    except Unavailable as error:
        return failed(name, error)
    return wrong(name, "it answers, but does not say UP of itself", "see the gateway's own log")


def _sign_in(gateway: Integrasjonspunkt, own: OrgNumber, health: Found) -> Found:
    """Looks up our own organisation: the most harmless question that wants the password."""
    name = f"gateway {gateway.channel} sign-in"
    try:
        gateway.receipt_route(own)
    except Unavailable as error:
        found = failed(name, error)
        if error.code == "gateway.unauthorised" or health.level is Level.OK:
            return found
        return warning(name, f"not checked: {found.means}", found.do)
    return fine(name, "it lets us in")


def _clock(gateway: Integrasjonspunkt) -> Found:
    name = f"gateway {gateway.channel} clock"
    again = "put the gateway right first"
    try:
        skew = gateway.clock_skew()
    except Unavailable as error:
        return warning(name, f"not checked ({error.code})", again)
    if skew is None:
        return warning(name, "it does not tell its time", "compare the two clocks by hand")
    if abs(skew) <= _MOST_SKEW:
        return fine(name, "within 5 seconds of ours")
    side = "ahead of" if skew > timedelta(0) else "behind"
    means = f"{abs(skew).total_seconds():.0f} seconds {side} ours: lifetimes are counted wrongly"
    return wrong(name, means, "let both machines keep time by NTP, and see which of them is off")


def _books(settings: Settings) -> tuple[list[RuleBook], Mapping[str, PolicyError]]:
    """The rule books that can be read, and why each of the others cannot, by file name."""
    books, unread = list[RuleBook](), dict[str, PolicyError]()
    for path in sorted((policy_folder(settings) / "routing").glob("*.toml")):
        try:
            books.append(read_rules(path.name, path.read_bytes()))
        except PolicyError as error:
            unread[path.name] = error
        except OSError as error:
            unread[path.name] = PolicyError("policy.unreadable", type(error).__name__)
    return books, unread


def _lives(row: Unit | CaseSystem | Person | Capacity, now: datetime) -> bool:
    return row.active_from <= now and (row.active_until is None or row.active_until > now)


def _people(session: Session, now: datetime) -> Mapping[tuple[str, str], set[str]]:
    """Who may act today, by unit and role."""
    active = {person.id for person in session.exec(select(Person)) if _lives(person, now)}
    found = defaultdict[tuple[str, str], set[str]](set)
    for capacity in session.exec(select(Capacity)):
        if capacity.person in active and _lives(capacity, now):
            found[capacity.unit, capacity.role].add(capacity.person)
    return found


def _desk(book: RuleBook, people: Mapping[tuple[str, str], set[str]]) -> Found:
    name = f"desk {book.desk}"
    number = len(people.get((book.desk, Role.ARCHIVIST.value), ()))
    if number < _DESK_PEOPLE:
        means = f"{number} of the 2 archivists that it takes to release or refuse a message"
        return wrong(name, means, _IMPORT)
    return fine(name, f"{number} archivists")


def _lacks(
    unit: Unit, systems: Collection[str], people: Mapping[tuple[str, str], set[str]]
) -> Iterator[str]:
    if unit.case_system not in systems:
        yield "no case system"
    for role in (Role.LEADER, Role.HANDLER):
        if not people.get((unit.id, role.value)):
            yield f"no {role.value}"
