"""What people and case systems do to one message of the story."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from sqlmodel import col, select

from inbox import audit
from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.domain import GrantKind, HoldCause, MessageId, ProposalState, new_id
from inbox.line import Line
from inbox.line.access import grants, requests
from inbox.line.case_systems import capacity_of
from inbox.line.moves import archive_staff, case_system, conflicts, content, holds, notes, unit
from inbox.line.moves.conflicts import ConflictAbout
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.tables import (
    AccessGrant,
    AccessRequest,
    Arrival,
    CaseSystem,
    ConflictOfInterest,
    Delivery,
    Message,
    Proposal,
)
from tests.faults.harness.external_archive import ArchiveFile
from tests.faults.harness.line_process import LineProcess


@dataclass(frozen=True, kw_only=True)
class MessageContext:
    """One message as it is now, and who can do something about it."""

    inside: LineProcess
    arrival: Arrival
    found: Message | None
    wire_ids: dict[str, str]

    @property
    def message(self) -> Message:
        assert self.found is not None
        return self.found

    @property
    def subject(self) -> str:
        """The row that archive staff speak of."""
        return self.arrival.id if self.found is None else self.found.id

    @property
    def archive(self) -> ArchiveFile:
        return ArchiveFile(self.inside.folder)

    def archivist(self) -> Capacity:
        return self.inside.person("anne", Role.ARCHIVIST, "desk", strong=False)

    def approver(self) -> Capacity:
        """Another person, with the personal code."""
        return self.inside.person("bjorn", Role.ARCHIVIST, "desk")

    def leader(self) -> Capacity:
        return self.inside.person("kari", Role.LEADER, self.message.unit or "", strong=False)

    def handler(self) -> Capacity:
        return self.inside.person("ola", Role.HANDLER, self.message.unit or "", strong=False)

    def delivery(self) -> Delivery:
        return self.inside.delivery(self.message.id)

    def system(self) -> Capacity:
        with self.inside.line.store.reading() as tx:
            return capacity_of(tx.get_one(CaseSystem, self.delivery().case_system))


Act = Callable[[MessageContext], None]


def collect(it: MessageContext) -> None:
    case_system.collect(it.inside.line, it.system(), it.delivery().id)


def accept(it: MessageContext) -> None:
    case_system.acknowledge_accepted(it.inside.line, it.system(), it.delivery().id)


def say_registered(it: MessageContext) -> None:
    delivery = it.delivery()
    reference = it.archive.enter(delivery.id, it.message.wire_id)
    case_system.acknowledge_registered(
        it.inside.line, it.system(), delivery.id, reference=reference
    )


def say_refused(it: MessageContext) -> None:
    case_system.acknowledge_refused(
        it.inside.line, it.system(), it.delivery().id, code="missing_case", text="Nei"
    )


def release(it: MessageContext) -> None:
    unit.release(it.inside.line, it.leader(), it.message.id, expected_version=it.message.version)


def release_by_archive(it: MessageContext) -> None:
    unit.release(it.inside.line, it.archivist(), it.message.id, expected_version=it.message.version)


def withdraw(it: MessageContext) -> None:
    line, seen = it.inside.line, it.message.version
    unit.withdraw(line, it.leader(), it.message.id, expected_version=seen, reason="For tidlig")


def hand_back(it: MessageContext) -> None:
    line, seen = it.inside.line, it.message.version
    unit.hand_back(line, it.leader(), it.message.id, expected_version=seen, reason="Ikke vår")


def take(it: MessageContext) -> None:
    unit.take(it.inside.line, it.handler(), it.message.id)


def assign(it: MessageContext) -> None:
    unit.assign(it.inside.line, it.leader(), it.message.id, to=it.inside.person_id("ola"))


def declare_conflict(it: MessageContext) -> None:
    conflicts.declare_conflict(
        it.inside.line, it.handler(), it.message.id, about=ConflictAbout.MESSAGE
    )


def ask_access(it: MessageContext) -> None:
    requests.ask_access(it.inside.line, it.handler(), it.message.id, reason="Samme familie")


def decline_access(it: MessageContext) -> None:
    with it.inside.line.store.reading() as tx:
        asked = tx.exec(
            select(AccessRequest.id).where(
                col(AccessRequest.message_id) == it.message.id,
                col(AccessRequest.outcome).is_(None),
            )
        ).one()
    requests.decline_request(it.inside.line, it.leader(), asked)


def grant(it: MessageContext) -> None:
    to, lasts = it.inside.person_id("ola"), timedelta(days=90)
    grants.grant(it.inside.line, it.leader(), it.message.id, to=to, duration=lasts, reason="Vikar")


def break_glass(it: MessageContext) -> None:
    ola = it.inside.person("ola", Role.HANDLER, it.message.unit or "")
    grants.breakglass(it.inside.line, ola, it.message.id, reason="Haster")


def end_grant(it: MessageContext) -> None:
    with it.inside.line.store.reading() as tx:
        given = tx.exec(
            select(AccessGrant.id).where(
                col(AccessGrant.message_id) == it.message.id,
                col(AccessGrant.kind) == GrantKind.GIVEN,
            )
        ).one()
    grants.end_access(it.inside.line, it.leader(), given)


def hold(it: MessageContext) -> None:
    line, cause = it.inside.line, HoldCause.SENDER_ASKED
    with line.store.reading() as tx:
        last = tx.now.date() + timedelta(days=30)
    holds.hold(line, it.leader(), it.message.id, cause=cause, last_day=last)


def note(it: MessageContext) -> None:
    notes.write_note(it.inside.line, it.leader(), it.message.id, text="Ring avsender")


def read(it: MessageContext) -> None:
    content.read(it.inside.line, it.handler(), it.message.id)


def collect_by_hand(it: MessageContext) -> None:
    content.collect_by_hand(it.inside.line, it.handler(), it.message.id)


def register(it: MessageContext) -> None:
    """By hand, under a reference of its own or the one of a word that came late."""
    held = it.archive.held().get(it.message.wire_id)
    reference = held[0] if held else it.archive.enter(f"hand-{it.subject}", it.message.wire_id)
    line, seen = it.inside.line, it.message.version
    unit.register(line, it.handler(), it.message.id, reference=reference, expected_version=seen)


def place(where: str) -> Act:
    def placed(it: MessageContext) -> None:
        line, seen = it.inside.line, it.message.version
        archive_staff.place(line, it.archivist(), it.message.id, unit=where, expected_version=seen)

    return placed


def place_and_release(where: str) -> Act:
    def placed(it: MessageContext) -> None:
        line, seen = it.inside.line, it.message.version
        archive_staff.place_and_release(
            line, it.archivist(), it.message.id, unit=where, expected_version=seen
        )

    return placed


def place_in_a_moment(where: str, *, second: bool = False) -> Act:
    """Placed so that it can be undone: the unit gets it an hour later."""

    def placed(it: MessageContext) -> None:
        by, seen = it.approver() if second else it.archivist(), it.message.version
        archive_staff.place(_patient(it), by, it.message.id, unit=where, expected_version=seen)

    return placed


def place_and_release_in_a_moment(where: str) -> Act:
    def placed(it: MessageContext) -> None:
        archive_staff.place_and_release(
            _patient(it),
            it.archivist(),
            it.message.id,
            unit=where,
            expected_version=it.message.version,
        )

    return placed


def _patient(it: MessageContext) -> Line:
    terms = replace(it.inside.line.terms, placing_grace=timedelta(hours=1))
    return replace(it.inside.line, terms=terms)


def undo(it: MessageContext) -> None:
    archive_staff.undo(
        it.inside.line, it.archivist(), it.message.id, expected_version=it.message.version
    )


def undo_by_leader(it: MessageContext) -> None:
    archive_staff.undo(
        it.inside.line, it.leader(), it.message.id, expected_version=it.message.version
    )


def stand_down(it: MessageContext) -> None:
    """The archivist who has just placed it turns out to have a conflict of interest."""
    person = it.archivist().person
    assert person is not None
    with it.inside.line.store.transaction() as tx:
        tx.add(
            ConflictOfInterest(
                id=new_id(), person=person, message_id=it.message.id, active_from=tx.now
            )
        )
        audit.record(
            tx,
            audit.Entry(
                event="conflict:noted", who="test", subject=it.message.id, message_id=it.message.id
            ),
        )


def duplicate(of: str) -> Act:
    def recognised(it: MessageContext) -> None:
        line, seen = it.inside.line, it.message.version
        original = it.inside.message(it.wire_ids[of]).id
        archive_staff.mark_duplicate(
            line, it.archivist(), it.message.id, original_id=original, expected_version=seen
        )

    return recognised


def recheck(it: MessageContext) -> None:
    archive_staff.recheck(
        it.inside.line, it.archivist(), it.message.id, expected_version=it.message.version
    )


def refetch(it: MessageContext) -> None:
    line, seen = it.inside.line, it.arrival.version
    archive_staff.refetch(line, it.archivist(), MessageId(it.arrival.id), expected_version=seen)


def resend(it: MessageContext) -> None:
    archive_staff.resend(it.inside.line, it.archivist(), it.message.id, reason="Prøver igjen")


def accept_failure(it: MessageContext) -> None:
    archive_staff.accept_failure(it.inside.line, it.archivist(), it.message.id, reason="Ringt")


def close_task(it: MessageContext) -> None:
    """The message was taken away from the archive again: two have said so."""
    it.archive.delete(it.delivery().id, it.message.wire_id)
    approve(it)


_CODES: Final = {ProposalKind.REFUSE: "not_for_us"}


def propose(kind: ProposalKind) -> Act:
    def proposed(it: MessageContext) -> None:
        waived = it.found.code if it.found is not None else None
        code = waived if kind is ProposalKind.QUARANTINE_RELEASE else _CODES.get(kind)
        line, by = it.inside.line, it.archivist()
        message_proposals.propose(line, by, kind, it.subject, code=code or "", reason="Avtalt")

    return proposed


def decline(it: MessageContext) -> None:
    with it.inside.line.store.reading() as tx:
        proposal = tx.exec(
            select(Proposal.id).where(
                col(Proposal.subject_id) == it.subject, col(Proposal.state) == ProposalState.OPEN
            )
        ).one()
    message_proposals.decline(it.inside.line, it.approver(), proposal, reason="Det er vår")


def approve(it: MessageContext) -> None:
    with it.inside.line.store.reading() as tx:
        proposal = tx.exec(
            select(Proposal.id).where(
                col(Proposal.subject_id) == it.subject, col(Proposal.state) == ProposalState.OPEN
            )
        ).one()
    message_proposals.approve(it.inside.line, it.approver(), proposal)
