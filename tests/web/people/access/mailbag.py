"""What a request can be about: mail of the own unit and of others, and what hangs on it."""

from collections.abc import Callable, Mapping
from typing import Final

from sqlmodel import col, select

from inbox.access.policy.vocabulary import Role
from inbox.domain import (
    ESCALATED_AFTER,
    DeliveryState,
    MessageState,
    ReceiptState,
    TaskState,
    new_id,
)
from inbox.line.desk.queue_filters import NO_FILTERS, Queue
from inbox.line.desk.saved_views import save_view
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.line.task_kinds import TaskKind
from inbox.tables import Assignment, Delivery, Message, Task, WrappedKey
from tests.line.desk.desk_world import (
    CANARY,
    another_organisation,
    arrival,
    mail,
    receipt,
    store_package,
)
from tests.web.people.access.house import PEOPLE, AccessHouse

THEIRS: Final = "915933149"


class Mailbag:
    """Makes what a request is about, anew after each time that something was done with it."""

    def __init__(self, house: AccessHouse) -> None:
        self._house = house
        self._there: dict[str, str] = {}
        another_organisation(house.hall, THEIRS)

    def id_of(self, about: str) -> str:
        """The id of one of these, as it was made."""
        if about not in self._there:
            self._there[about] = _MAKERS[about](self._house)
        return self._there[about]

    def used(self, about: str) -> None:
        """Something was done with it: the next one asks about another."""
        self._there.pop(about, None)


def _unrouted(house: AccessHouse) -> str:
    return mail(house.hall)


def _own_unit(house: AccessHouse) -> str:
    """In the unit of the handler, who has it, and of the leader."""
    message_id = mail(house.hall, MessageState.ROUTED)
    with house.hall.line.store.transaction() as tx:
        tx.add(
            Assignment(
                id=new_id(),
                message_id=message_id,
                person="nina",
                active_from=tx.now,
            )
        )
    store_package(house.hall, message_id)
    return message_id


def _unassigned(house: AccessHouse) -> str:
    """In the same unit, which shares what nobody has."""
    return mail(house.hall, MessageState.ROUTED)


def _by_hand(house: AccessHouse) -> str:
    """In the same unit, the handler's, and offered to people."""
    message_id = _own_unit(house)
    with house.hall.line.store.transaction() as tx:
        message = tx.get_one(Message, message_id)
        message.state = MessageState.OFFERED
        tx.add(
            Delivery(
                id=new_id(),
                message_id=message_id,
                case_system="hand",
                number=1,
                state=DeliveryState.OPEN,
                offered_at=tx.now,
            )
        )
    return message_id


def _handlers_access(house: AccessHouse) -> str:
    """The id of the handler's assignment."""
    message_id = _own_unit(house)
    with house.hall.line.store.reading() as tx:
        return tx.exec(select(Assignment.id).where(col(Assignment.message_id) == message_id)).one()


def _other_unit(house: AccessHouse) -> str:
    return mail(house.hall, MessageState.ROUTED, unit="bv")


def _quarantined(house: AccessHouse) -> str:
    return mail(house.hall, MessageState.QUARANTINED, unit=None, code="signer.not_sender")


def _unanswered(house: AccessHouse) -> str:
    message_id = mail(house.hall, MessageState.REGISTERED)
    receipt(house.hall, message_id, ReceiptState.FAILED)
    return message_id


def _in_conflict(house: AccessHouse) -> str:
    message_id = mail(house.hall)
    for person, *_ in PEOPLE.values():
        house.hall.conflict(person, message_id)
    return message_id


def _escalated(house: AccessHouse) -> str:
    """Placed for the third time, and not opened since."""
    return mail(house.hall, MessageState.ROUTED, unit="bv", transfers=ESCALATED_AFTER)


def _missed(house: AccessHouse) -> str:
    """An arrival that has a key, as each has."""
    arrival_id = arrival(house.hall)
    _, wrapped = house.hall.line.keyring.new_data_key()
    with house.hall.line.store.transaction() as tx:
        tx.add(
            WrappedKey(
                id=arrival_id, kek_id=wrapped.kek_id, wrapped=wrapped.wrapped, created_at=tx.now
            )
        )
    return arrival_id


def _of_another(house: AccessHouse) -> str:
    return mail(house.hall, organisation=THEIRS)


def _nothing(house: AccessHouse) -> str:
    del house
    return new_id()


def _proposal(house: AccessHouse) -> str:
    """To refuse a message, proposed by somebody whom the table does not ask as."""
    return _propose(house, "bjorn", mail(house.hall))


def _own_proposal(house: AccessHouse) -> str:
    return _propose(house, "anne", mail(house.hall))


def _proposal_of_another(house: AccessHouse) -> str:
    message_id = mail(house.hall)
    proposal_id = _propose(house, "bjorn", message_id)
    with house.hall.line.store.transaction() as tx:
        tx.get_one(Message, message_id).organisation = THEIRS
    return proposal_id


def _propose(house: AccessHouse, person: str, message_id: str) -> str:
    who = house.hall.world.person(person, Role.ARCHIVIST, "desk", strong=False)
    return message_proposals.propose(
        house.hall.line,
        who,
        ProposalKind.REFUSE,
        message_id,
        code="not_for_us",
        reason=f"clear_from_envelope: {CANARY} i grunnen",
    )


def _task(role: str) -> Callable[[AccessHouse], str]:
    def make(house: AccessHouse) -> str:
        task_id = new_id()
        kind = {"archivist": TaskKind.OTHER_BYTES, "operator": TaskKind.STUCK}[role]
        with house.hall.line.store.transaction() as tx:
            tx.add(
                Task(
                    id=task_id,
                    kind=kind,
                    subject_id=new_id(),
                    role=role,
                    state=TaskState.OPEN,
                    opened_at=tx.now,
                )
            )
        return task_id

    return make


def _own_view(house: AccessHouse) -> str:
    """The archivist's own."""
    return _saved_by(house, "anne")


def _view_of_another(house: AccessHouse) -> str:
    return _saved_by(house, "bjorn")


def _saved_by(house: AccessHouse, person: str) -> str:
    who = house.hall.world.person(person, Role.ARCHIVIST, "desk", strong=False)
    return save_view(house.hall.line, who, Queue.DISTRIBUTE, NO_FILTERS).id


_MAKERS: Final[Mapping[str, Callable[[AccessHouse], str]]] = {
    "to distribute": _unrouted,
    "own unit": _own_unit,
    "unassigned": _unassigned,
    "by hand": _by_hand,
    "the handler's access": _handlers_access,
    "the handler": lambda house: "nina",
    "other unit": _other_unit,
    "quarantined": _quarantined,
    "unanswered": _unanswered,
    "in conflict": _in_conflict,
    "another organisation": _of_another,
    "escalated": _escalated,
    "missed": _missed,
    "missed by another organisation": lambda house: arrival(house.hall, organisation=THEIRS),
    "proposed by another": _proposal,
    "proposed by the archivist": _own_proposal,
    "proposed elsewhere": _proposal_of_another,
    "of archivists": _task("archivist"),
    "of operators": _task("operator"),
    "the archivist's own": _own_view,
    "another person's": _view_of_another,
    "nothing": _nothing,
}
