"""Units whose mail nobody could open, and what needs two people and has one."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, col, select

from inbox.access.policy.vocabulary import Role
from inbox.days import day_of
from inbox.domain import UnitId
from inbox.health.condition import HealthCondition, Level
from inbox.line.active_rule_books import ActiveRuleBooks, organisations_with_rule_book
from inbox.line.mail_units import receiving_units
from inbox.routing.lint import lint
from inbox.routing.rule_book import SAME_UNIT, RuleBook
from inbox.store import Store, Transaction
from inbox.tables import CapacityRow, CaseSystem, Clearance, Person, Unit
from inbox.tables.periods import active_on, not_ended

_MIN_PEOPLE: Final = 2
"""One who is ill or on leave must not be the only one."""


@dataclass(frozen=True, kw_only=True)
class Staff:
    """The living people of a unit, by role, and who of them is cleared for anything shielded."""

    by_role: Mapping[str, frozenset[str]]
    cleared: frozenset[str]

    def with_role(self, *roles: Role) -> frozenset[str]:
        """Everybody who has one of the roles."""
        return frozenset[str]().union(*(self.by_role.get(role, frozenset()) for role in roles))


def people_conditions(store: Store, books: ActiveRuleBooks) -> Iterator[HealthCondition]:
    """What is missing among the units that rules send mail to, the desks and the reviewers."""
    with store.reading() as tx:
        for book in receiving_books(books, tx):
            yield from _routes(tx, book)
            yield from _desk(tx, book)
            systems = frozenset(tx.exec(select(CaseSystem.id).where(not_ended(CaseSystem, tx.now))))
            for unit in target_units(tx, book):
                yield from _unit(unit, staff_of(tx, unit.id), systems)
        if not security_reviewers(tx):
            yield HealthCondition(subject="reviewers", code="reviewers.none", level=Level.WRONG)


def receiving_books(books: ActiveRuleBooks, session: Session) -> Iterator[RuleBook]:
    """The rules that are active, of every organisation that has any."""
    for organisation in sorted(organisations_with_rule_book(session)):
        book = books.current(session, organisation)
        if book is not None:
            yield book


def target_units(tx: Transaction, book: RuleBook) -> list[Unit]:
    """The units that get the mail of the rules today, each once."""
    takes = receiving_units(tx, book)
    named: list[UnitId] = [rule.to for rule in book.rules if rule.to is not SAME_UNIT]
    return list({takes[name].id: takes[name] for name in named if name in takes}.values())


def security_reviewers(tx: Transaction) -> frozenset[str]:
    """Who can approve changes that widen access."""
    return frozenset(
        tx.exec(
            select(CapacityRow.person).where(
                col(CapacityRow.role) == Role.SECURITY_REVIEWER.value,
                active_on(CapacityRow, tx.now),
            )
        )
    )


def staff_of(tx: Transaction, unit: str) -> Staff:
    """Who stands for what in a unit today; people and roles whose period has ended do not count."""
    rows = tx.exec(
        select(CapacityRow.role, CapacityRow.person)
        .join(Person, col(Person.id) == col(CapacityRow.person))
        .where(
            col(CapacityRow.unit) == unit, active_on(CapacityRow, tx.now), active_on(Person, tx.now)
        )
    ).all()
    by_role: dict[str, set[str]] = {}
    for role, person in rows:
        by_role.setdefault(role, set()).add(person)
    cleared = tx.exec(
        select(Clearance.person).where(
            col(Clearance.person).in_({person for _, person in rows}),
            active_on(Clearance, tx.now),
        )
    )
    return Staff(
        by_role={role: frozenset(people) for role, people in by_role.items()},
        cleared=frozenset(cleared),
    )


def desk_of(tx: Transaction, book: RuleBook) -> str:
    """The unit that distributes unrouted mail today."""
    takes = receiving_units(tx, book).get(book.desk)
    return book.desk if takes is None else takes.id


def _routes(tx: Transaction, book: RuleBook) -> Iterator[HealthCondition]:
    """Every unit that a rule or the desk names is active, or has an active successor."""
    living = receiving_units(tx, book).keys()
    for finding in lint(book, on=day_of(tx.now), units=living):
        if finding.is_error:
            continue
        dead = finding.code.endswith("not_living")
        yield HealthCondition(
            subject=f"routing:{book.organisation}",
            code="route.not_living" if dead else "route.lint",
            level=Level.WRONG if dead else Level.WARNING,
            reason=finding.text,
        )


def _desk(tx: Transaction, book: RuleBook) -> Iterator[HealthCondition]:
    """Every desk has two people who can distribute unrouted mail and decide together."""
    desk = desk_of(tx, book)
    archivists = staff_of(tx, desk).with_role(Role.ARCHIVIST)
    if len(archivists) < _MIN_PEOPLE:
        yield HealthCondition(
            subject=f"desk:{desk}",
            code="desk.few_archivists",
            level=Level.WRONG,
            count=len(archivists),
        )


def _unit(unit: Unit, staff: Staff, systems: Collection[str]) -> Iterator[HealthCondition]:
    """A unit that rules send mail to has a case system, and people who can open the mail."""
    subject, people = f"unit:{unit.id}", staff.with_role(Role.HANDLER, Role.LEADER)
    if unit.case_system not in systems:
        yield HealthCondition(subject=subject, code="unit.no_case_system", level=Level.WRONG)
    if len(people) < _MIN_PEOPLE:
        yield HealthCondition(
            subject=subject, code="unit.few_people", level=Level.WRONG, count=len(people)
        )
    if not staff.with_role(Role.LEADER) and not unit.shares_unassigned:
        yield HealthCondition(subject=subject, code="unit.no_leader", level=Level.WRONG)
    handlers = staff.with_role(Role.HANDLER)
    if handlers and not handlers & staff.cleared:
        yield HealthCondition(subject=subject, code="unit.nobody_cleared", level=Level.WARNING)
