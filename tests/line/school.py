"""A school and its people in a world, and messages that lie there, written straight as rows."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel, col, select

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.directory import import_agreed
from inbox.directory.format.toml_file import read_directory
from inbox.domain import DeliveryState, MessageState, new_id
from inbox.line import Line
from inbox.tables import (
    AccessGrant,
    Clearance,
    ConflictOfInterest,
    Delivery,
    Message,
    Task,
    UnitAbove,
    WrappedKey,
)
from tests import databases, worlds
from tests.access.town import strongly
from tests.rows import audited, message_row
from tests.worlds import SENDER, World

PEOPLE = """
organisation = "910075918"

[[unit]]
id = "oppvekst"
name = "Oppvekst"
"""
_ROLES = (
    ("nina", "handler", "skole"),
    ("lars", "leader", "skole"),
    ("lars", "handler", "skole"),
    ("per", "handler", "ppt"),
    ("paul", "leader", "ppt"),
    ("olga", "leader", "oppvekst"),
    ("siv", "security_reviewer", "desk"),
    ("lars", "security_reviewer", "desk"),
    ("ola", "security_reviewer", "desk"),
    ("pia", "policy_editor", "desk"),
    ("odd", "operator", "desk"),
)


def _directory() -> bytes:
    people = sorted({person for person, _, _ in _ROLES} - {"ola"})
    named = "".join(f'[[person]]\nid = "{each}"\nname = "N. N."\n' for each in people)
    capacities = "".join(
        f'[[capacity]]\nperson = "{person}"\nunit = "{unit}"\nrole = "{role}"\n'
        for person, role, unit in _ROLES
    )
    return (PEOPLE + named + capacities).encode()


@dataclass(frozen=True)
class School:
    """The world, with what tests of access ask for again and again."""

    world: World

    @property
    def line(self) -> Line:
        return self.world.line

    def kari(self) -> Capacity:
        """The leader."""
        return self.world.person("kari", Role.LEADER, "skole", strong=False)

    def lars(self) -> Capacity:
        """The other leader, who handles cases too."""
        return self.world.person("lars", Role.LEADER, "skole", strong=False)

    def handler(self, person: str = "nina", unit: str = "skole") -> Capacity:
        """Somebody who handles cases, signed in strongly."""
        return strongly(self.world.person(person, Role.HANDLER, unit, strong=False))

    def siv(self, person: str = "siv") -> Capacity:
        """A security reviewer; siv has no part in anything."""
        who = self.world.person(person, Role.SECURITY_REVIEWER, "desk", strong=False)
        return strongly(who)

    def anne(self) -> Capacity:
        """An archivist."""
        return self.world.person("anne", Role.ARCHIVIST, "desk", strong=False)

    def message(
        self,
        state: MessageState = MessageState.ROUTED,
        *,
        unit: str | None = "skole",
        shielding: str | None = None,
    ) -> str:
        """A message with a key of its own; its id."""
        message_id = new_id()
        _, wrapped = self.world.line.keyring.new_data_key()
        with self.world.line.store.transaction() as tx:
            tx.add(
                WrappedKey(
                    id=message_id, kek_id=wrapped.kek_id, wrapped=wrapped.wrapped, created_at=tx.now
                )
            )
            tx.add(
                message_row(
                    tx.now,
                    message_id=message_id,
                    state=state,
                    unit=unit,
                    sender=SENDER,
                    shielding=shielding,
                )
            )
        return message_id

    def offered(self, *, shielding: str | None = None) -> str:
        """A message that is offered to people: it can be opened by who may."""
        message_id = self.message(MessageState.OFFERED, shielding=shielding)
        with self.world.line.store.transaction() as tx:
            tx.add(
                Delivery(
                    id=new_id(),
                    message_id=message_id,
                    number=1,
                    case_system="hand",
                    state=DeliveryState.OPEN,
                    offered_at=tx.now,
                )
            )
        return message_id

    def conflict(self, person: str, message_id: str) -> None:
        """The person has a conflict of interest with the message from now on."""
        with self.world.line.store.transaction() as tx:
            tx.add(
                ConflictOfInterest(
                    id=new_id(), person=person, message_id=message_id, active_from=tx.now
                )
            )

    def state(self, message_id: str, state: MessageState) -> None:
        """Put the message into a state, behind the line's back."""
        with self.world.line.store.transaction() as tx:
            setattr(tx.get_one(Message, message_id), "state", state)  # noqa: B010 - no move

    def seen(self, message_id: str) -> int:
        """The version that somebody sees now."""
        with self.world.line.store.reading() as tx:
            return tx.get_one(Message, message_id).version

    def row(self, grant_id: str) -> AccessGrant:
        """The grant as it is now."""
        with self.world.line.store.reading() as tx:
            return tx.get_one(AccessGrant, grant_id)

    def tasks(self, subject: str) -> set[tuple[str, str, str | None]]:
        """Kind, role and unit of the open tasks about it."""
        with self.world.line.store.reading() as tx:
            found = tx.exec(
                select(Task).where(col(Task.subject_id) == subject, col(Task.closed_at).is_(None))
            )
            return {(task.kind, task.role, task.unit) for task in found}

    def leaves(self, event: str, subject: str) -> list[dict[str, Any]]:
        """What the audit says of the subject under this event."""
        with self.world.line.store.reading() as tx:
            leaves = [json.loads(leaf) for leaf in audited(tx)]
        return [leaf for leaf in leaves if (leaf["event"], leaf["subject"]) == (event, subject)]

    def count(self, kind: type[SQLModel]) -> int:
        """How many rows of a table there are."""
        with self.world.line.store.reading() as tx:
            return len(tx.exec(select(kind)).all())

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.world.clock.advance(timedelta(**by))


@contextmanager
def school_on(request: pytest.FixtureRequest, folder: Path) -> Iterator[School]:
    """The same on the database that a fixture's parameter names."""
    if request.param == "sqlite":
        url = databases.sqlite_database(folder)
    else:
        url = databases.postgres_database(request.getfixturevalue("postgres_server"))
    with school(url, folder) as made:
        yield made


@contextmanager
def school(database: str, folder: Path) -> Iterator[School]:
    """The world with the school's people, on a database that has the schema."""
    with worlds.world(database, folder) as world:
        with world.line.store.transaction() as tx:
            import_agreed(world.line, tx, read_directory(_directory()), approved_by="a+b")
            tx.add(UnitAbove(id=new_id(), unit="skole", above="oppvekst", active_from=tx.now))
            tx.add(Clearance(id=new_id(), person="nina", shielding="13", active_from=tx.now))
        yield School(world)


def people() -> Sequence[tuple[str, str, str]]:
    """Who is what, and where."""
    return _ROLES
