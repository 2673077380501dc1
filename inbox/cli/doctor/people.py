"""The checks of `doctor` on the directory: units whose mail nobody could open."""

from collections import defaultdict
from collections.abc import Iterator

from inbox.access.policy.vocabulary import Role
from inbox.cli.doctor.findings import CheckContext, DoctorFinding, of_condition, ok
from inbox.health.current import with_times
from inbox.health.people import (
    desk_of,
    people_conditions,
    receiving_books,
    security_reviewers,
    staff_of,
    target_units,
)
from inbox.line.active_rule_books import ActiveRuleBooks


def people(patient: CheckContext) -> Iterator[DoctorFinding]:
    """Each route leads to a unit; each unit, desk and review has the people that it takes."""
    books = ActiveRuleBooks()
    found = with_times(patient.store, list(people_conditions(patient.store, books)))
    by_subject = defaultdict(list)
    for each in found:
        by_subject[each.subject].append(of_condition(each))
    for subject, means in _sound(patient, books):
        yield from by_subject.pop(subject, None) or [ok(subject, means)]
    for findings in by_subject.values():
        yield from findings


def _sound(patient: CheckContext, books: ActiveRuleBooks) -> Iterator[tuple[str, str]]:
    """What is checked, in the order in which it is reported, and the words where it is sound."""
    with patient.store.reading() as tx:
        for book in receiving_books(books, tx):
            yield f"routing:{book.organisation}", "every unit that the rules name is known"
            desk = desk_of(tx, book)
            archivists = staff_of(tx, desk).with_role(Role.ARCHIVIST)
            yield f"desk:{desk}", f"{len(archivists)} archivists"
            for unit in target_units(tx, book):
                count = len(staff_of(tx, unit.id).with_role(Role.HANDLER, Role.LEADER))
                yield f"unit:{unit.id}", f"has a case system and {count} people"
        count = len(security_reviewers(tx))
        yield "reviewers", f"{count} can approve what widens access"
