"""The story: messages that between them make every move of `message.MOVES`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from inbox.domain import ArrivalState, MessageState, ReceiptState, State
from inbox.line.proposals.message_proposals import ProposalKind
from tests.faults.harness import scenario_actions
from tests.faults.harness.scenario_actions import Act, propose
from tests.worlds import SENDER

A, M, R = ArrivalState, MessageState, ReceiptState
POLITI: Final = "910076787"
CHAPTERS: Final = ("nobody takes kvitteringer", "all is well", "what was broken is mended", "later")
FAILING, WELL, MENDED, LATER = range(4)


@dataclass(frozen=True, kw_only=True)
class Step:
    """Somebody does something when the message is in this state, and the audit says it is done."""

    when: State
    act: Act
    done: str
    """`event/move`, as the audit has it."""
    told: bool = False
    """Only when the case system has heard of the delivery by webhook."""
    from_chapter: int = FAILING


@dataclass(frozen=True, kw_only=True)
class Part:
    """One message, and what is done with it."""

    title: str = "Sakkyndig vurdering"
    sender: str = SENDER
    chapter: int = WELL
    """When it is sent."""
    odd: str = ""
    """What is wrong with it or with the gateway, see `stage.Stage`."""
    steps: tuple[Step, ...] = ()
    entries: int = 1
    """How often it stands in the archive in the end."""
    answer: str | None = "OK"
    send: Mapping[str, Any] = field(default_factory=dict)


def _at(when: State, act: Act, done: str, **more: Any) -> Step:
    return Step(when=when, act=act, done=done, **more)


def _two(
    when: State, kind: ProposalKind, done: str, approve: Act = scenario_actions.approve
) -> list[Step]:
    return [
        _at(when, propose(kind), f"proposal:opened/{kind}"),
        _at(when, approve, done),
    ]


def _refused(when: State) -> list[Step]:
    return _two(when, ProposalKind.REFUSE, "message:refused/refuse")


_COLLECT = _at(M.OFFERED, scenario_actions.collect, "delivery:collected/collect")
_WORD = _at(M.OFFERED, scenario_actions.say_registered, "message:registered/word")
_NO = _at(M.OFFERED, scenario_actions.say_refused, "message:returned/word")
_RELEASE = _at(M.ROUTED, scenario_actions.release, "message:released/release")
_WITHDRAW = _at(M.OFFERED, scenario_actions.withdraw, "message:routed/withdraw")
_PLACING = "message:placing/place"
_ASSIGN = "message:assigned/None"
_REGISTER = "message:registered/register"

PARTS: Final[Mapping[str, Part]] = {
    "told": Part(
        title="Melding om barnevern",
        steps=(
            _at(
                M.OFFERED,
                scenario_actions.accept,
                "delivery:collected/word",
                told=True,
                from_chapter=MENDED,
            ),
            _WORD,
        ),
    ),
    "straight": Part(steps=(_WORD,), send={"content": b"det samme"}),
    "refused by the system, released again": Part(
        odd="again later",
        steps=(
            _COLLECT,
            _NO,
            _at(M.RETURNED, scenario_actions.release_by_archive, "message:released/release"),
            _WORD,
        ),
    ),
    "returned, placed elsewhere, by hand": Part(
        steps=(
            _NO,
            _at(M.RETURNED, scenario_actions.place("skole"), "message:routed/place"),
            _RELEASE,
            _at(M.OFFERED, scenario_actions.assign, _ASSIGN),
            _at(M.OFFERED, scenario_actions.collect_by_hand, "delivery:collected/collect"),
            _at(M.OFFERED, scenario_actions.register, _REGISTER),
        ),
    ),
    "returned, handed back, refused": Part(
        title="Om barnevern",
        steps=(
            _NO,
            _at(M.RETURNED, scenario_actions.hand_back, "message:unrouted/hand_back"),
            *_refused(M.UNROUTED),
        ),
        entries=0,
        answer="ERROR",
    ),
    "returned, registered by hand": Part(
        title="Om barnevern",
        steps=(
            _NO,
            _at(M.RETURNED, scenario_actions.assign, _ASSIGN),
            _at(M.RETURNED, scenario_actions.register, _REGISTER),
        ),
    ),
    "returned, refused": Part(steps=(_NO, *_refused(M.RETURNED)), entries=0, answer="ERROR"),
    "placed about, a duplicate": Part(
        title="Ingen regel",
        send={"content": b"det samme"},
        steps=(
            _at(M.UNROUTED, scenario_actions.place("skole"), "message:routed/place"),
            _at(M.ROUTED, scenario_actions.place("bv"), "message:routed/place"),
            _at(M.ROUTED, scenario_actions.hand_back, "message:unrouted/hand_back"),
            _at(M.UNROUTED, scenario_actions.place_and_release("desk"), "message:released/place"),
            _at(
                M.UNROUTED,
                scenario_actions.duplicate("straight"),
                "message:registered/duplicate",
                from_chapter=MENDED,
            ),
        ),
        entries=0,
    ),
    "placed in a moment, undone again and again": Part(
        title="Ingen regel",
        steps=(
            _at(M.UNROUTED, scenario_actions.place_in_a_moment("skole"), _PLACING),
            _at(M.PLACING, scenario_actions.undo, "message:unrouted/undo"),
            _at(M.UNROUTED, scenario_actions.place_and_release("bv"), "message:released/place"),
            _at(M.RELEASED, scenario_actions.undo, "message:unrouted/undo"),
            _at(M.UNROUTED, scenario_actions.place_in_a_moment("skole"), _PLACING),
            _at(M.ROUTED, scenario_actions.place_in_a_moment("bv"), _PLACING),
            _at(M.PLACING, scenario_actions.undo, "message:routed/undo"),
            _RELEASE,
            _at(M.RELEASED, scenario_actions.undo_by_leader, "message:routed/undo"),
            _at(M.ROUTED, scenario_actions.hand_back, "message:unrouted/hand_back"),
            _at(M.UNROUTED, scenario_actions.place_and_release_in_a_moment("bv"), _PLACING),
            _WORD,
        ),
    ),
    "returned, placed in a moment, denied when it is due": Part(
        title="Om barnevern",
        steps=(
            _NO,
            _at(M.RETURNED, scenario_actions.place_in_a_moment("skole"), _PLACING),
            _at(M.PLACING, scenario_actions.undo, "message:returned/undo"),
            _at(M.RETURNED, scenario_actions.release_by_archive, "message:released/release"),
            _at(M.RELEASED, scenario_actions.undo, "message:returned/undo"),
            _at(M.RETURNED, scenario_actions.place_in_a_moment("skole"), _PLACING),
            _at(M.PLACING, scenario_actions.stand_down, "conflict:noted/None"),
            _at(M.RETURNED, scenario_actions.assign, _ASSIGN),
            _at(M.RETURNED, scenario_actions.register, _REGISTER),
        ),
    ),
    "placed in a moment, denied when it is due, placed by another": Part(
        title="Ingen regel",
        steps=(
            _at(M.UNROUTED, scenario_actions.place_in_a_moment("skole"), _PLACING),
            _at(M.PLACING, scenario_actions.stand_down, "conflict:noted/None"),
            _at(M.UNROUTED, scenario_actions.place_in_a_moment("skole", second=True), _PLACING),
            _at(M.ROUTED, scenario_actions.take, "message:taken/None"),
            _at(M.ROUTED, scenario_actions.register, _REGISTER),
        ),
    ),
    "proposed, declined, proposed again, refused": Part(
        title="Ingen regel",
        steps=(
            _at(M.UNROUTED, propose(ProposalKind.REFUSE), "proposal:opened/refuse"),
            _at(M.UNROUTED, scenario_actions.decline, "proposal:declined/decline"),
            *_refused(M.UNROUTED),
        ),
        entries=0,
        answer="ERROR",
    ),
    "a duplicate that had a unit": Part(
        title="Om en elev",
        send={"content": b"det samme"},
        steps=(
            _at(
                M.ROUTED,
                scenario_actions.duplicate("straight"),
                "message:registered/duplicate",
                from_chapter=MENDED,
            ),
        ),
        entries=0,
    ),
    "looked at for a time, handed back, refused": Part(
        title="Om en elev",
        steps=(
            _at(M.ROUTED, scenario_actions.hold, "message:held/None"),
            _at(M.ROUTED, scenario_actions.note, "note:written/None"),
            _at(M.ROUTED, scenario_actions.ask_access, "access:asked/None"),
            _at(M.ROUTED, scenario_actions.decline_access, "access:request_declined/None"),
            _at(M.ROUTED, scenario_actions.grant, "access:granted/None"),
            _at(M.ROUTED, scenario_actions.break_glass, "access:taken/None"),
            _at(M.ROUTED, scenario_actions.end_grant, "access:ended/None"),
            _at(M.ROUTED, scenario_actions.hand_back, "message:unrouted/hand_back"),
            *_refused(M.UNROUTED),
        ),
        entries=0,
        answer="ERROR",
    ),
    "assigned, given up for a conflict of interest, handed back, refused": Part(
        title="Om en elev",
        steps=(
            _at(M.ROUTED, scenario_actions.assign, _ASSIGN),
            _at(M.ROUTED, scenario_actions.declare_conflict, "conflict:declared/None"),
            _at(M.ROUTED, scenario_actions.hand_back, "message:unrouted/hand_back"),
            *_refused(M.UNROUTED),
        ),
        entries=0,
        answer="ERROR",
    ),
    "routed, refused": Part(
        title="Om en elev", steps=tuple(_refused(M.ROUTED)), entries=0, answer="ERROR"
    ),
    "proposed in vain, proposed again, refused": Part(
        title="Ingen regel",
        steps=(
            _at(M.UNROUTED, propose(ProposalKind.REFUSE), "proposal:opened/refuse"),
            _at(
                M.UNROUTED,
                propose(ProposalKind.REFUSE),
                "proposal:opened/refuse",
                from_chapter=LATER,
            ),
            _at(M.UNROUTED, scenario_actions.approve, "message:refused/refuse", from_chapter=LATER),
        ),
        entries=0,
        answer="ERROR",
    ),
    "released, withdrawn, registered": Part(
        title="Om en elev",
        steps=(
            _RELEASE,
            _at(M.RELEASED, scenario_actions.withdraw, "message:routed/withdraw"),
            _at(M.ROUTED, scenario_actions.take, "message:taken/None"),
            _at(M.ROUTED, scenario_actions.register, _REGISTER),
        ),
    ),
    "registered without being read": Part(
        title="Om en elev",
        steps=(
            _RELEASE,
            _at(M.OFFERED, scenario_actions.assign, _ASSIGN),
            _at(M.OFFERED, scenario_actions.register, _REGISTER),
        ),
    ),
    "offered to people, read, handed back, refused": Part(
        title="Om en elev",
        steps=(
            _RELEASE,
            _at(M.OFFERED, scenario_actions.assign, _ASSIGN),
            _at(M.OFFERED, scenario_actions.read, "message:read/None"),
            _at(M.OFFERED, scenario_actions.hand_back, "message:unrouted/hand_back"),
            *_refused(M.UNROUTED),
        ),
        entries=0,
        answer="ERROR",
    ),
    "a late word": Part(
        title="Om barnevern",
        steps=(
            _WITHDRAW,
            _at(M.ROUTED, scenario_actions.say_registered, "delivery:word_kept/None"),
            _RELEASE,
            _at(M.RELEASED, scenario_actions.assign, _ASSIGN),
            _at(M.RELEASED, scenario_actions.register, _REGISTER),
        ),
    ),
    "a late word that two dismiss": Part(
        title="Om barnevern",
        steps=(
            _COLLECT,
            *_two(M.OFFERED, ProposalKind.WITHDRAW, "message:routed/withdraw"),
            _at(M.ROUTED, scenario_actions.say_registered, "delivery:word_kept/None"),
            *_two(
                M.ROUTED,
                ProposalKind.DISMISS,
                "proposal:approved/approve",
                scenario_actions.close_task,
            ),
            _RELEASE,
            _WORD,
        ),
    ),
    "quarantined, checked again, refused": Part(
        odd="broken signature",
        steps=(
            _at(M.QUARANTINED, scenario_actions.recheck, "message:received/recheck"),
            *_refused(M.QUARANTINED),
        ),
        entries=0,
        answer="ERROR",
    ),
    "quarantined, let through": Part(
        odd="unknown supplier",
        steps=(
            *_two(
                M.QUARANTINED,
                ProposalKind.QUARANTINE_RELEASE,
                "message:received/quarantine_release",
            ),
            _WORD,
        ),
    ),
    "missed, announced again": Part(odd="goes missing, comes again", steps=(_WORD,)),
    "missed, given up": Part(
        odd="goes missing",
        steps=(
            _at(A.MISSED, scenario_actions.refetch, "arrival:announced/refetch"),
            *_two(A.MISSED, ProposalKind.ABANDON, "arrival:abandoning/abandon"),
        ),
        entries=0,
        answer=None,
    ),
    "no road for the kvittering": Part(
        sender=POLITI,
        steps=(
            _WORD,
            _at(R.IMPOSSIBLE, scenario_actions.accept_failure, "receipt:failure_accepted/None"),
        ),
        answer=None,
    ),
    "a road that is found later": Part(
        sender=POLITI,
        steps=(
            _WORD,
            _at(
                R.IMPOSSIBLE, scenario_actions.resend, "receipt:chosen/resend", from_chapter=MENDED
            ),
        ),
    ),
    "a kvittering that cannot be made": Part(
        odd="no conversation",
        steps=(
            _WORD,
            _at(R.FAILED, scenario_actions.accept_failure, "receipt:failure_accepted/None"),
        ),
        answer=None,
    ),
    "a kvittering that is not let out": Part(
        odd="send refused",
        steps=(
            _WORD,
            _at(R.FAILED, scenario_actions.resend, "receipt:chosen/resend", from_chapter=MENDED),
        ),
    ),
    "a kvittering that does not arrive": Part(
        chapter=FAILING,
        steps=(
            _WORD,
            _at(R.FAILED, scenario_actions.resend, "receipt:chosen/resend", from_chapter=WELL),
        ),
    ),
}
