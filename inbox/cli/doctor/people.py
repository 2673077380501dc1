"""The checks of `doctor` on the directory: units whose mail nobody could open."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from inbox.access.policy.vocabulary import Role
from inbox.cli.doctor.findings import CheckContext, DoctorFinding, ok, warning, wrong
from inbox.days import day_of
from inbox.domain import UnitId
from inbox.line.active_rule_books import ActiveRuleBooks, organisations_with_rule_book
from inbox.line.mail_units import receiving_units
from inbox.routing.lint import lint
from inbox.routing.rule_book import SAME_UNIT, RuleBook
from inbox.tables import CapacityRow, CaseSystem, Clearance, Person, Unit
from inbox.tables.periods import active_on, not_ended

_MIN_PEOPLE: Final = 2
"""One who is ill or on leave must not be the only one."""


@dataclass(frozen=True, kw_only=True)
class _Staff:
    """The living people of a unit, by role, and who of them is cleared for anything shielded."""

    by_role: Mapping[str, frozenset[str]]
    cleared: frozenset[str]

    def with_role(self, *roles: Role) -> frozenset[str]:
        """Everybody who has one of the roles."""
        return frozenset[str]().union(*(self.by_role.get(role, frozenset()) for role in roles))


def routes_to_active_units(patient: CheckContext) -> Iterator[DoctorFinding]:
    """Every unit that a rule or the desk names is active, or has an active successor."""
    for book in _books(patient):
        with patient.store.reading() as (session, now):
            living = receiving_units(session, book, now).keys()
        noted = [f for f in lint(book, on=day_of(now), units=living) if not f.is_error]
        for finding in noted:
            if finding.code.endswith("not_living"):
                yield wrong("routing", finding.text, "import the unit, or change the rule")
            else:
                yield warning("routing", finding.text, "see `inbox route lint`")
        if not noted:
            yield ok("routing", f"every unit of {book.organisation} that rules name is known")


def desks(patient: CheckContext) -> Iterator[DoctorFinding]:
    """Every desk has two people who can distribute unrouted mail and decide together."""
    with patient.store.reading() as (session, now):
        for book in _books(patient):
            taker = receiving_units(session, book, now).get(book.desk)
            desk = book.desk if taker is None else taker.id
            archivists = _staff(session, now, desk).with_role(Role.ARCHIVIST)
            means = f"{desk} has {len(archivists)} archivists"
            if len(archivists) < _MIN_PEOPLE:
                yield wrong(
                    "desk",
                    f"{means}: what takes two persons cannot be decided",
                    "import another archivist there",
                )
            else:
                yield ok("desk", means)


def reviewers(patient: CheckContext) -> Iterator[DoctorFinding]:
    """Somebody can approve changes that widen access."""
    with patient.store.reading() as (session, now):
        stands = select(CapacityRow.person).where(
            col(CapacityRow.role) == Role.SECURITY_REVIEWER.value, active_on(CapacityRow, now)
        )
        count = len(set(session.exec(stands)))
    if count:
        yield ok("reviewers", f"{count} can approve what widens access")
    else:
        yield wrong(
            "reviewers",
            "nobody is a security reviewer: what widens access cannot be approved by anybody",
            "`inbox init` enrols the first; never let the last one go",
        )


def units(patient: CheckContext) -> Iterator[DoctorFinding]:
    """Every unit that rules send mail to has a case system, and people who can open the mail."""
    with patient.store.reading() as (session, now):
        systems = _systems(session, now)
        for book in _books(patient):
            takes = receiving_units(session, book, now)
            given = {takes[name].id: takes[name] for name in _target_units(book) if name in takes}
            for unit in given.values():
                yield from _unit(unit, _staff(session, now, unit.id), systems)


def _unit(unit: Unit, staff: _Staff, systems: Collection[str]) -> Iterator[DoctorFinding]:
    before = len(problems := list(_problems(unit, staff, systems)))
    yield from problems
    if not before:
        count = len(staff.with_role(Role.HANDLER, Role.LEADER))
        yield ok("units", f"{unit.id} has a case system and {count} people")


def _problems(unit: Unit, staff: _Staff, systems: Collection[str]) -> Iterator[DoctorFinding]:
    if unit.case_system not in systems:
        yield wrong(
            "units",
            f"{unit.id} has no case system: its mail cannot be offered to any",
            "import one for the unit; the mode by_hand is one too",
        )
    people = staff.with_role(Role.HANDLER, Role.LEADER)
    if len(people) < _MIN_PEOPLE:
        yield wrong(
            "units",
            f"{unit.id} has {len(people)} handlers and leaders: its mail may wait for nobody",
            "import people with these roles there",
        )
    if not staff.with_role(Role.LEADER) and not unit.shares_unassigned:
        yield wrong(
            "units",
            f"{unit.id} has no leader and does not share its mail: nobody can assign or take it",
            "import a leader, or set shares_unassigned",
        )
    handlers = staff.with_role(Role.HANDLER)
    if handlers and not handlers & staff.cleared:
        yield warning(
            "units",
            f"no handler in {unit.id} is cleared for anything: nobody there can open shielded mail",
            "import clearances for those who need them",
        )


def _books(patient: CheckContext) -> Iterator[RuleBook]:
    """The rules that are active: those of the organisations that mail is taken for, or all."""
    ours = {o for gateway in patient.settings.gateways for o in gateway.organisations}
    active = ActiveRuleBooks()
    with patient.store.reading() as (session, _):
        for organisation in sorted(organisations_with_rule_book(session)):
            book = active.current(session, organisation)
            if book is not None and (not ours or organisation in ours):
                yield book


def _target_units(book: RuleBook) -> list[UnitId]:
    return [rule.to for rule in book.rules if rule.to is not SAME_UNIT]


def _systems(session: Session, now: datetime) -> frozenset[str]:
    living = not_ended(CaseSystem, now)
    return frozenset(session.exec(select(CaseSystem.id).where(living)))


def _staff(session: Session, now: datetime, unit: str) -> _Staff:
    """Who stands for what in a unit today; people and roles whose period is over do not count."""
    rows = session.exec(
        select(CapacityRow.role, CapacityRow.person)
        .join(Person, col(Person.id) == col(CapacityRow.person))
        .where(col(CapacityRow.unit) == unit, active_on(CapacityRow, now), active_on(Person, now))
    ).all()
    by_role: dict[str, set[str]] = {}
    for role, person in rows:
        by_role.setdefault(role, set()).add(person)
    cleared = session.exec(
        select(Clearance.person).where(
            col(Clearance.person).in_({person for _, person in rows}),
            active_on(Clearance, now),
        )
    )
    return _Staff(
        by_role={role: frozenset(people) for role, people in by_role.items()},
        cleared=frozenset(cleared),
    )
