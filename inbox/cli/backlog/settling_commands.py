"""Which commands settle a task of each kind."""

from collections.abc import Mapping, Sequence
from typing import Final

from inbox.line.task_kinds import TaskKind

_CLOSE: Final = "inbox task close TASK"
_DECIDE: Final = ("inbox message propose-refusal MESSAGE", "inbox message hold MESSAGE")

SETTLING_COMMANDS: Final[Mapping[TaskKind, Sequence[str]]] = {
    TaskKind.MISSED: (
        "inbox arrival fetch-again SUBJECT",
        "inbox arrival propose-abandon SUBJECT",
    ),
    TaskKind.QUARANTINE: (
        "inbox message held MESSAGE",
        "inbox message recheck MESSAGE",
        "inbox message propose-release MESSAGE",
        *_DECIDE,
    ),
    TaskKind.DISTRIBUTE: (
        "inbox message place MESSAGE",
        "inbox message duplicate MESSAGE",
        *_DECIDE,
    ),
    TaskKind.RELEASE: (
        "inbox message release MESSAGE",
        "inbox message hand-back MESSAGE",
        "inbox message place MESSAGE",
        *_DECIDE,
    ),
    TaskKind.COLLECT: (
        "inbox message assign MESSAGE",
        "inbox message take MESSAGE",
        "inbox message register MESSAGE",
        "inbox message withdraw MESSAGE",
    ),
    TaskKind.UNCOLLECTED: (
        "inbox delivery send-again DELIVERY",
        "inbox message withdraw MESSAGE",
        _CLOSE,
    ),
    TaskKind.RETURNED: (
        "inbox message release MESSAGE",
        "inbox message place MESSAGE",
        "inbox message hand-back MESSAGE",
        "inbox message register MESSAGE",
        *_DECIDE,
    ),
    TaskKind.RECEIPT: (
        "inbox receipt send-again MESSAGE",
        "inbox receipt accept MESSAGE",
    ),
    TaskKind.LATE_WORD: (
        "inbox task word TASK",
        "inbox message register MESSAGE",
        "inbox message propose-dismissal MESSAGE",
    ),
    TaskKind.CONFLICTING_WORD: ("inbox task word TASK", _CLOSE),
    TaskKind.OTHER_BYTES: ("inbox message held MESSAGE", _CLOSE),
    TaskKind.WAIVER: (
        "inbox message held MESSAGE",
        "inbox proposal approve PROPOSAL",
        "inbox proposal decline PROPOSAL",
    ),
    TaskKind.SECURITY_GRADE: ("inbox message held MESSAGE", _CLOSE),
    TaskKind.IDENTITY: ("inbox directory show", _CLOSE),
    TaskKind.ESCALATED: ("inbox message list", _CLOSE),
    TaskKind.NOT_PLACED: ("inbox message place MESSAGE", _CLOSE),
    TaskKind.STUCK: ("inbox doctor", _CLOSE),
    TaskKind.ASSIGNED: (
        "inbox message register MESSAGE",
        "inbox message hand-back MESSAGE",
    ),
    TaskKind.GRANTED: (_CLOSE,),
    TaskKind.EMERGENCY: ("inbox access list", _CLOSE),
    TaskKind.REVIEW: ("inbox access review SUBJECT",),
    TaskKind.UNUSUAL: ("inbox access list", _CLOSE),
    TaskKind.LISTING_DIFFERS: (_CLOSE,),
    TaskKind.DAMAGED: (_CLOSE,),
    TaskKind.AUDIT_GAP: ("inbox restore",),
    TaskKind.STATE_DIFFERS: ("inbox audit verify --state", _CLOSE),
    TaskKind.NEW_ACTION: ("inbox policy propose", _CLOSE),
    TaskKind.LEAVER: ("inbox message assign MESSAGE", _CLOSE),
    TaskKind.REASSIGN: ("inbox message assign MESSAGE", "inbox message hand-back MESSAGE"),
    TaskKind.UNASSIGNABLE: ("inbox message list",),
    TaskKind.ACCESS_ASKED: (
        "inbox access requests MESSAGE",
        "inbox access accept REQUEST",
        "inbox access decline REQUEST",
        "inbox message assign MESSAGE",
    ),
    TaskKind.END_CONFLICT: (
        "inbox proposal show PROPOSAL",
        "inbox proposal approve PROPOSAL",
        "inbox proposal decline PROPOSAL",
    ),
}
"""The commands, with the ids in capitals; what closes by itself when they are done has no close."""
