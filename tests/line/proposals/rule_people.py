"""Two archivists who change rules, what their steps write, and several steps at one moment."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import sqlalchemy as sa

from inbox.access.files.versions import FilesByName
from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.directory import sign_in_as
from inbox.domain import OrgNumber, new_id
from inbox.errors import InboxError
from inbox.line import Line
from inbox.line.active_rule_books import ActiveRuleBooks
from inbox.line.proposals import one_person, rule_versions
from inbox.line.proposals.policy_or_rule_book import routing_rules_of
from inbox.line.proposals.version_steps import ProposedVersion
from inbox.tables import (
    ActivePolicy,
    AuditEntry,
    CapacityRow,
    Person,
    PolicyVersion,
    Proposal,
    table_of,
)
from tests.municipality import RULES
from tests.rows import audited
from tests.worlds import OURS, Clock

ROUTES = routing_rules_of(OURS)
BOOK = f"routing/{OURS}.toml"
HAVNES = "915933149"


def routes(was: str = '"barnevern"', becomes: str = '"barnevern-"') -> FilesByName:
    """The rules of the municipality with one word changed."""
    assert was in RULES.decode()
    return {BOOK: RULES.decode().replace(was, becomes, 1).encode()}


WIDER = routes('"elev"', '"elev-"')
"""More titles go to the school, and nothing goes elsewhere than before."""


@dataclass(frozen=True, kw_only=True)
class Two:
    """Two archivists, and a line for them."""

    line: Line
    clock: Clock
    anne: Capacity
    bjorn: Capacity

    def propose(
        self, files: FilesByName | None = None, by: Capacity | None = None
    ) -> ProposedVersion:
        """By Anne, if nobody else is named."""
        return rule_versions.propose(self.line, by or self.anne, ROUTES, files or routes())

    def approve(
        self, proposed: ProposedVersion, acknowledge: str | None = None, by: Capacity | None = None
    ) -> str:
        """By Bjørn, if nobody else is named."""
        return rule_versions.approve(
            self.line,
            by or self.bjorn,
            ROUTES,
            proposed.proposal_id,
            acknowledge=acknowledge or proposed.compared.digest,
        )

    def activate(self, digest: str, by: Capacity | None = None) -> None:
        """By Anne, if nobody else is named."""
        rule_versions.activate(self.line, by or self.anne, ROUTES, digest)

    def roll_back(self, by: Capacity | None = None, reason: str = "r") -> str:
        """By Bjørn, if nobody else is named; what is active again, as it gains nothing."""
        made = one_person.roll_back(self.line, by or self.bjorn, ROUTES, reason=reason)
        assert made.proposed is None, made.why
        return made.digest

    def change(self, files: FilesByName | None = None) -> str:
        """The three steps."""
        digest = self.approve(self.propose(files))
        self.activate(digest)
        return digest

    def active(self) -> str:
        """The digest that another process would route by."""
        with self.line.store.reading() as tx:
            book = ActiveRuleBooks().current(tx, OrgNumber(OURS))
        assert book is not None
        return book.digest

    def stands_for(self, person: str, role: Role, unit: str = "desk") -> Capacity:
        """A person, enrolled where not there yet, with one more capacity, strongly signed in."""
        with self.line.store.transaction() as tx:
            if tx.get(Person, person) is None:
                tx.add(Person(id=person, name="N. N.", active_from=tx.now))
                tx.flush()
            tx.add(
                CapacityRow(
                    id=new_id(), person=person, unit=unit, role=role.value, active_from=tx.now
                )
            )
        return strongly(self.line, person, role, unit)


def strongly(line: Line, person: str, role: Role, unit: str = "desk") -> Capacity:
    with line.store.reading() as tx:
        return replace(sign_in_as(tx, person, role=role, unit=unit), strong_auth=True)


def two_of(line: Line, clock: Clock) -> Two:
    anne, bjorn = (strongly(line, each, Role.ARCHIVIST) for each in ("anne", "bjorn"))
    return Two(line=line, clock=clock, anne=anne, bjorn=bjorn)


def rows(line: Line) -> list[tuple[object, ...]]:
    """Everything that a change of rules writes, but for what it reads."""
    with line.store.reading() as tx:
        return [
            tuple(row)
            for kind in (ActivePolicy, PolicyVersion, Proposal, AuditEntry)
            for row in tx.execute(sa.select(table_of(kind))).all()
        ]


def said(line: Line, event: str) -> list[dict[str, object]]:
    """The leaves of an event."""
    with line.store.reading() as tx:
        leaves = [json.loads(leaf) for leaf in audited(tx)]
    return [leaf for leaf in leaves if leaf["event"] == event]


def refused(error: InboxError, call: Callable[[], object]) -> None:
    """It raises that, and nothing is written."""
    with pytest.raises(type(error)) as caught:
        call()
    assert caught.value.code == error.code


def at_once(*calls: Callable[[], object]) -> list[str]:
    """What each of them came to when all began at one moment: `done`, or the code of a no."""
    barrier, ended = threading.Barrier(len(calls)), [""] * len(calls)

    def run(number: int, call: Callable[[], object]) -> None:
        barrier.wait()
        try:
            call()
        except InboxError as error:
            ended[number] = error.code
        else:
            ended[number] = "done"

    threads = [threading.Thread(target=run, args=each) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(ended)
