"""The kinds of tasks for people: which states open and close them, and which role may close them.

Entering a state that waits for people opens the task; entering one where it no longer stands
closes it. So nothing that waits is silent, and nothing that is done is still asked for.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from inbox.domain import (
    PLACED_STATES,
    READABLE_STATES,
    ArrivalState,
    MessageState,
    ReceiptState,
    State,
)
from inbox.package.codes.registry import SECURITY_GRADE

OTHER_BYTES_CODE: Final = "arrival.other_bytes"
"""The code of a message that came under a known wire id with other bytes; two may waive it."""


class TaskKind(StrEnum):
    """Every kind of task that a person can have."""

    MISSED = "missed"
    QUARANTINE = "quarantine"
    DISTRIBUTE = "distribute"
    RELEASE = "release"
    COLLECT = "collect"
    UNCOLLECTED = "uncollected"
    """A case system has had events about a delivery for long and does not collect it."""
    RETURNED = "returned"
    RECEIPT = "receipt"
    LATE_WORD = "late_word"
    CONFLICTING_WORD = "conflicting_word"
    OTHER_BYTES = "other_bytes"
    WAIVER = "waiver"
    """An archivist proposed to let a message pass that only a security reviewer may let pass."""
    SECURITY_GRADE = "security_grade"
    """What must not travel here came all the same; a person closes it, whatever becomes of it."""
    ESCALATED = "escalated"
    """A message was placed for the third time: the records manager sees to it that it gets home."""
    NOT_PLACED = "not_placed"
    """When a placing was due, the rules or the directory said no: it is where it was before."""
    STUCK = "stuck"
    """Tried in vain for long; over when the row moves on."""
    ASSIGNED = "assigned"
    """Somebody was given a message to work on."""
    GRANTED = "granted"
    """Somebody was given access to a message for a time."""
    ACCESS_ASKED = "access_asked"
    """Somebody asked for access to a message: its leaders accept or decline."""
    EMERGENCY = "emergency"
    """Somebody took emergency access (*nødtilgang*) to a message of the unit."""
    REVIEW = "review"
    """Emergency access is to be reviewed by somebody who had no part in it."""
    UNUSUAL = "unusual"
    """Somebody opened more, or took emergency access more often, than is usual."""
    LISTING_DIFFERS = "listing_differs"
    """A list showed what a decision denies: a process has stopped showing lists."""
    DAMAGED = "damaged"
    """What is stored of a message does not open any more: put it back from a copy, or ask for it.

    Found by a person who read it, or by the scrub, which closes the task when it opens again.
    """
    AUDIT_GAP = "audit_gap"
    """The database is older than what was signed of it: everything but intake holds still.

    Over when two people have accepted the gap.
    """
    STATE_DIFFERS = "state_differs"
    """A row that decides is not what the audit says of it: somebody changed the database."""
    IDENTITY = "identity"
    """Somebody signs in by another identity than before: see that it was meant."""
    NEW_ACTION = "new_action"
    """The program has an action that no row of the active policy decides: it is denied.

    Over when the policy has rows for it, or was written for a vocabulary that has it.
    """
    REASSIGN = "reassign"
    """Who worked on a message has a conflict of interest with it: it is given to another."""
    UNASSIGNABLE = "unassignable"
    """The same, where no leader of the unit may assign it: the records manager sees to it."""
    END_CONFLICT = "end_conflict"
    """A leader proposed that a conflict of interest ends; a security reviewer decides."""
    LEAVER = "leaver"
    """Somebody left, or left the unit, and what that person had has ended: give it to another."""


ROLE_OF_TASK: Final[Mapping[TaskKind, str]] = {
    TaskKind.MISSED: "archivist",
    TaskKind.QUARANTINE: "archivist",
    TaskKind.DISTRIBUTE: "archivist",
    TaskKind.RELEASE: "leader",
    TaskKind.COLLECT: "handler",
    TaskKind.UNCOLLECTED: "archivist",
    TaskKind.RETURNED: "leader",
    TaskKind.RECEIPT: "archivist",
    TaskKind.LATE_WORD: "archivist",
    TaskKind.CONFLICTING_WORD: "archivist",
    TaskKind.OTHER_BYTES: "archivist",
    TaskKind.WAIVER: "security_reviewer",
    TaskKind.SECURITY_GRADE: "archivist",
    TaskKind.ESCALATED: "records_manager",
    TaskKind.NOT_PLACED: "archivist",
    TaskKind.STUCK: "operator",
    TaskKind.ASSIGNED: "handler",
    TaskKind.GRANTED: "handler",
    TaskKind.ACCESS_ASKED: "leader",
    TaskKind.EMERGENCY: "leader",
    TaskKind.REVIEW: "security_reviewer",
    TaskKind.UNUSUAL: "security_reviewer",
    TaskKind.LISTING_DIFFERS: "security_reviewer",
    TaskKind.DAMAGED: "operator",
    TaskKind.AUDIT_GAP: "security_reviewer",
    TaskKind.STATE_DIFFERS: "security_reviewer",
    TaskKind.IDENTITY: "security_reviewer",
    TaskKind.NEW_ACTION: "security_reviewer",
    TaskKind.REASSIGN: "leader",
    TaskKind.UNASSIGNABLE: "records_manager",
    TaskKind.END_CONFLICT: "security_reviewer",
    TaskKind.LEAVER: "leader",
}
"""Who may close a task of each kind."""

OF_UNIT: Final = (TaskKind.REASSIGN, TaskKind.UNASSIGNABLE, TaskKind.ACCESS_ASKED)
"""Over when somebody works on the message, or when it leaves the unit."""

_A, _M, _R = ArrivalState, MessageState, ReceiptState

TASK_OF_STATE: Final[Mapping[State, TaskKind]] = {
    _A.MISSED: TaskKind.MISSED,
    _M.QUARANTINED: TaskKind.QUARANTINE,
    _M.UNROUTED: TaskKind.DISTRIBUTE,
    _M.ROUTED: TaskKind.RELEASE,
    _M.RETURNED: TaskKind.RETURNED,
    _R.FAILED: TaskKind.RECEIPT,
    _R.IMPOSSIBLE: TaskKind.RECEIPT,
}

PLACING_DENIED: Final = "place.denied"
PLACING_UNIT_PASSIVE: Final = "place.unit_passive"
"""The codes of a message that went back because its placing did not hold when it was due."""

TASK_OF_CODE: Final[Mapping[str, TaskKind]] = {
    SECURITY_GRADE: TaskKind.SECURITY_GRADE,
    PLACING_DENIED: TaskKind.NOT_PLACED,
    PLACING_UNIT_PASSIVE: TaskKind.NOT_PLACED,
}
"""Codes that open a task of their own, besides that of the state they lead to."""

_WITH_PEOPLE: Final = frozenset({_M.PLACING, _M.ROUTED, _M.RELEASED, _M.OFFERED, _M.RETURNED})
STATES_OF_TASK: Final[Mapping[TaskKind, frozenset[State]]] = {
    TaskKind.MISSED: frozenset({_A.MISSED, _A.ANNOUNCED, _A.ABANDONING}),
    TaskKind.QUARANTINE: frozenset({_M.QUARANTINED}),
    TaskKind.WAIVER: frozenset({_M.QUARANTINED}),
    TaskKind.DISTRIBUTE: frozenset({_M.UNROUTED, _M.PLACING}),
    TaskKind.RELEASE: frozenset({_M.ROUTED, _M.PLACING}),
    TaskKind.COLLECT: frozenset({_M.OFFERED}),
    TaskKind.ASSIGNED: _WITH_PEOPLE,
    TaskKind.LEAVER: _WITH_PEOPLE,
    TaskKind.REASSIGN: _WITH_PEOPLE,
    TaskKind.ACCESS_ASKED: frozenset({*READABLE_STATES, _M.PLACING}),
    TaskKind.UNASSIGNABLE: _WITH_PEOPLE,
    TaskKind.RETURNED: frozenset({_M.RETURNED, _M.PLACING}),
    TaskKind.ESCALATED: frozenset(PLACED_STATES),
    TaskKind.NOT_PLACED: frozenset({_M.UNROUTED, _M.ROUTED, _M.RETURNED, _M.PLACING}),
    TaskKind.RECEIPT: frozenset({_R.FAILED, _R.IMPOSSIBLE}),
}
"""In which states of its subject a task stands; kinds that are not here are closed by people.

What stands before a placing stands until it is decided: undone, all is as it was.
"""
