"""A line that works, with its people at the command line: each asks with the own personal code."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlmodel import col, select

from inbox.access.question import Capacity
from inbox.directory import import_agreed, issue_code
from inbox.directory.format.toml_file import read_directory
from inbox.domain import ReceiptState
from inbox.line.case_systems import capacity_of
from inbox.line.moves import case_system
from inbox.line.settle import open_task
from inbox.line.task_kinds import ROLE_OF_TASK, TaskKind
from inbox.simulator.packages.certificates import TestAuthority
from inbox.tables import CaseSystem, Message, Task
from tests.cli.installation import Answer, Installed
from tests.worlds import SENDER, World

REASON: Final = "Avtalt på telefon"
_MORE_PEOPLE: Final = b"""
organisation = "910075918"

[[person]]
id = "odd"
name = "Odd Drift"
[[person]]
id = "siv"
name = "Siv Sikkerhet"

[[capacity]]
person = "odd"
unit = "desk"
role = "operator"
[[person]]
id = "rita"
name = "Rita Arkivleder"

[[capacity]]
person = "rita"
unit = "desk"
role = "records_manager"
[[capacity]]
person = "siv"
unit = "desk"
role = "security_reviewer"
"""


@dataclass(frozen=True)
class Office:
    """The world, the program on its database, and the personal codes of its people."""

    world: World
    program: Installed
    codes: dict[str, str] = field(default_factory=dict)

    def ask(self, *words: str) -> Answer:
        """Ask the program something that nobody need sign in for."""
        return self.program.ask(*words)

    def value(self, *words: str) -> Any:
        """What it says with `--json`."""
        answer = self.ask(*words, "--json")
        assert answer.code == 0, answer.err
        return answer.value

    def says(self, by: str, *words: str, reason: str | None = None) -> Answer:
        """One person's command, with the own code and perhaps a reason on standard input."""
        stdin = self._code_of(by) + ("\n" if reason is None else f"\n{reason}\n")
        return self.program.ask(*words, "--by", by, "--code-from-stdin", stdin=stdin)

    def _code_of(self, person: str) -> str:
        if person not in self.codes:
            with self.world.line.store.transaction() as tx:
                self.codes[person] = issue_code(tx, person)
        return self.codes[person]

    def arrived(self, public_title: str = "Melding om barnevern") -> Message:
        """A message that came and went as far as it goes by itself."""
        wire_id = self.world.send(public_title)
        self.work()
        return self.world.message(wire_id)

    def collected(self, public_title: str) -> Message:
        """A message that the case system `fag` has collected and says nothing of."""
        message = self.arrived(public_title)
        case_system.acknowledge_accepted(
            self.world.line, self._fag(), self.world.delivery(message.id).id
        )
        return message

    def registered(self, message: Message, reference: str = "2026/000321-1") -> None:
        """The case system says that it registered it, perhaps too late."""
        case_system.acknowledge_registered(
            self.world.line,
            self._fag(),
            self.world.delivery(message.id).id,
            reference=reference,
        )

    def unanswerable(self) -> Message:
        """A message that was registered, and whose sender cannot be sent a receipt."""
        self.world.gateway.registry(SENDER, None)
        message = self.collected("sakkyndig")
        self.registered(message, "2026/000001-1")
        self.work()
        assert self.world.receipt(message.id).state is ReceiptState.IMPOSSIBLE
        return message

    def _fag(self) -> Capacity:
        with self.world.line.store.reading() as tx:
            return capacity_of(tx.get_one(CaseSystem, "fag"))

    def missed(self) -> str:
        """The wire id of mail that was gone when it was to be fetched."""
        wire_id = self.world.send()
        self.world.collect()
        self.world.gateway.lose(wire_id)
        self.work()
        return wire_id

    def work(self) -> None:
        """The worker goes on, at the time of the machine, by which the commands write."""
        self.world.clock.now = max(self.world.clock.now, datetime.now(UTC))
        self.world.collect()
        self.world.work()


def open_today(office: Office) -> None:
    """The world's clock shows the time of the machine, and its authority is one of today."""
    world, now = office.world, datetime.now(UTC)
    world.clock.now = now
    world.authority = TestAuthority(valid_from=now - timedelta(days=30))
    (world.folder / "trust" / "root.pem").write_bytes(world.authority.root_pem())
    (world.folder / "trust" / "root.crl").write_bytes(world.authority.crl(now))


def staff(office: Office) -> None:
    """An operator and a security reviewer beside the municipality's people."""
    line = office.world.line
    with line.store.transaction() as tx:
        import_agreed(line, tx, read_directory(_MORE_PEOPLE), approved_by="anne+bjorn")


def task_of(office: Office, kind: TaskKind, subject: str) -> str:
    """A task that stands open, opened as the line opens it; its id."""
    with office.world.line.store.transaction() as tx:
        message = tx.get(Message, subject)
        of_unit = message is not None and ROLE_OF_TASK[kind] in {"leader", "handler"}
        open_task(
            tx,
            kind=kind,
            subject=subject,
            message_id=None if message is None else subject,
            unit=message.unit if message is not None and of_unit else None,
            code="test.code",
        )
    with office.world.line.store.reading() as tx:
        return tx.exec(
            select(Task.id).where(col(Task.kind) == kind.value, col(Task.subject_id) == subject)
        ).one()
