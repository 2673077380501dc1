"""What a race left behind, held against what the parties leave when they act one by one."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from random import Random

from sqlmodel import Session, col, or_, select

from inbox.audit import verify
from inbox.audit.state import verify_state
from inbox.errors import ConcurrentWrite, Conflict, IllegalMove, NotFound, NotPermitted
from inbox.tables import (
    AccessGrant,
    Arrival,
    Assignment,
    AuditEntry,
    Delivery,
    Message,
    Note,
    Outbox,
    Proposal,
    Receipt,
    Task,
)
from tests.faults.race.two_party_race import (
    Moment,
    Race,
    SetUp,
    Side,
    at_once,
    one_by_one,
    run_party,
    run_with_first_held,
)
from tests.worlds import World

_CLEAR_ERRORS = (Conflict, ConcurrentWrite, IllegalMove, NotFound, NotPermitted)
_CLEAR = (
    *(f"{error.__name__} " for error in _CLEAR_ERRORS),
    *("409 ", "404 ", "403 ", "503 database.taken"),
)
YIELDED = "worked, or gave way"
"""What a worker says: it is told nothing, and looks again after its lease."""

Left = tuple[object, ...]


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a race ended: what both were told, and what they left."""

    left: str
    right: str
    leaves: Left


def left_behind(world: World, race: Race) -> Left:
    """The rows that came of it, without ids and times, and the container on disk."""
    stored = {name for name, _ in world.line.vault.names()}
    with world.line.store.reading() as tx:
        arrivals = [tx.get_one(Arrival, each) for each in race.arrivals]
        messages = [tx.get_one(Message, each) for each in race.messages]
        return (
            tuple((a.state, a.misses, _tasks(tx, a.id)) for a in arrivals),
            tuple(_of_message(tx, m, m.object_name in stored) for m in messages),
        )


def _of_message(session: Session, message: Message, kept: bool) -> Left:  # noqa: FBT001 - a column
    its = message.id
    deliveries = session.exec(select(Delivery).where(col(Delivery.message_id) == its)).all()
    receipts = session.exec(select(Receipt).where(col(Receipt.message_id) == its)).all()
    proposals = session.exec(select(Proposal).where(col(Proposal.subject_id) == its)).all()
    assigned = session.exec(
        select(Assignment.person).where(
            col(Assignment.message_id) == its, col(Assignment.active_until).is_(None)
        )
    ).all()
    grants = session.exec(select(AccessGrant).where(col(AccessGrant.message_id) == its)).all()
    events = session.exec(select(Outbox).where(col(Outbox.message_id) == its)).all()
    notes = session.exec(select(Note.number).where(col(Note.message_id) == its)).all()
    return (
        (message.state, message.unit, message.code, message.registered_by, kept),
        (message.held_for, message.held_until is not None),
        ("deliveries", *_sorted((d.number, d.state, d.word_hash is not None) for d in deliveries)),
        ("receipts", *_sorted((r.state, r.outcome, r.settled_at is None) for r in receipts)),
        ("proposals", *_sorted((p.kind, p.state) for p in proposals)),
        ("assigned", *_sorted(assigned)),
        ("access", *_sorted((g.kind, g.person, _stands(g)) for g in grants)),
        ("events", len(events)),
        ("notes", *_sorted(notes)),
        ("tasks", *_tasks(session, its)),
    )


def _stands(grant: AccessGrant) -> bool:
    """Not ended early: it was given or taken for at least an hour."""
    return grant.active_until - grant.active_from >= timedelta(hours=1)


def _sorted(found: Iterable[object]) -> list[str]:
    return sorted(str(each) for each in found)


def _tasks(session: Session, subject: str) -> tuple[str, ...]:
    """Kinds of the open tasks about it, once per task."""
    query = select(Task.kind).where(
        or_(col(Task.subject_id) == subject, col(Task.message_id) == subject),
        col(Task.closed_at).is_(None),
    )
    return tuple(sorted(session.exec(query)))


class Judge:
    """Knows the ends that one after the other has, and one alone; every other end is a finding.

    Where a fault is planted in the sides, `honest` ones say how it should end.
    """

    def __init__(
        self,
        world: World,
        set_up: SetUp,
        sides: tuple[Side, Side],
        honest: tuple[Side, Side] | None = None,
    ) -> None:
        self._world, self._set_up = world, set_up
        self._sides = honest or sides
        self._orders = {
            "left": self._ordered(swapped=False),
            "right": self._ordered(swapped=True),
        }
        self._alone = {name: self._by_itself(name) for name in ("left", "right")}
        self._sides = sides

    def _ordered(self, *, swapped: bool) -> Ended:
        race, (left, right) = self._set_up(self._world), self._sides
        one, two = (race.left, left), (race.right, right)
        told = one_by_one(two, one)[::-1] if swapped else one_by_one(one, two)
        return Ended(left=told[0], right=told[1], leaves=left_behind(self._world, race))

    def _by_itself(self, name: str) -> tuple[str, Left]:
        race, (left, right) = self._set_up(self._world), self._sides
        told = run_party(race.left, left) if name == "left" else run_party(race.right, right)
        return told, left_behind(self._world, race)

    def faults(self, ended: Ended, *, first: str | None = None) -> list[str]:
        """Nothing, if one of the orders explains it, or one won and the other was told clearly.

        `first` had ended before the other locked or wrote anything that counts: it came first.
        """
        told = {"left": ended.left, "right": ended.right}
        for winner, loser in (("left", "right"), ("right", "left")):
            if first not in (None, winner):
                continue
            if ended == self._orders[winner]:
                return []
            answer, leaves = self._alone[winner]
            clear = told[loser].startswith(_CLEAR) or told[loser] == YIELDED
            if clear and told[winner] == answer and ended.leaves == leaves:
                return []
        return [f"{ended}\nneither of {self._orders}\nnor alone {self._alone}"]

    def forced(self) -> list[str]:
        """Each party held at each moment while the other acts."""
        found = []
        for moment, (holding, other) in product(Moment, (("left", "right"), ("right", "left"))):
            race = self._set_up(self._world)
            acts = {"left": (race.left, self._sides[0]), "right": (race.right, self._sides[1])}
            one, two, overtaken = run_with_first_held(
                self._world, acts[holding], acts[other], moment
            )
            told = {holding: one, other: two}
            ended = Ended(**told, leaves=left_behind(self._world, race))
            first = other if overtaken and not race.acts_before else None
            found += [f"{holding} held {moment}: {f}" for f in self.faults(ended, first=first)]
        return found

    def unforced(self, times: int, seed: int) -> list[str]:
        """Both at once, so many times."""
        found = []
        for number in range(times):
            race, (left, right) = self._set_up(self._world), self._sides
            pauses = Random(seed + number)  # noqa: S311 - repeatable, not secret
            told = at_once((race.left, left), (race.right, right), pauses)
            ended = Ended(left=told[0], right=told[1], leaves=left_behind(self._world, race))
            found += [f"seed {seed + number}: {fault}" for fault in self.faults(ended)]
        return found


def of_audit(world: World) -> list[str]:
    """What is wrong with the audit: it does not verify, or a move does not go on from the last."""
    with world.line.store.reading() as tx:
        report = verify.verify(tx, world.line.keyring, [])
        rows = verify_state(tx, world.line.keyring.row_key()).findings
        leaves = tx.exec(select(AuditEntry.leaf).order_by(col(AuditEntry.seq))).all()
    found = [f"{finding.code} at {finding.at}" for finding in report.findings]
    found += [f"{finding.code} of {finding.table} {finding.row}" for finding in rows]
    return found + _broken(json.loads(leaf) for leaf in leaves)


def repeated_moves(world: World) -> list[str]:
    """Moves of one row that the audit has twice, in a world where none is made again."""
    with world.line.store.reading() as tx:
        leaves = tx.exec(select(AuditEntry.leaf)).all()
    entries = [json.loads(leaf) for leaf in leaves]
    moves = Counter((e["subject"], e["was"], e["became"]) for e in entries if e["became"])
    return [f"{move} told {count} times" for move, count in moves.items() if count > 1]


def _broken(entries: Iterable[Mapping[str, object]]) -> list[str]:
    """Moves that begin elsewhere than where the one before them ended: somebody wrote over it."""
    found, stands = [], dict[object, object]()
    for entry in entries:
        subject, was = entry["subject"], entry["was"]
        if was is not None and subject in stands and stands[subject] != was:
            found.append(f"{entry['event']} of {was}, which is {stands[subject]}")
        if entry["became"] is not None:
            stands[subject] = entry["became"]
    return found


def of_senders(world: World) -> list[str]:
    """Wire ids whose sender holds more than one kvittering."""
    seen: dict[str, int] = {}
    for receipt in world.gateway.receipts_at_sender():
        related = str(receipt["relatedToMessageId"])
        seen[related] = seen.get(related, 0) + 1
    return [f"{count} kvitteringer for one message" for count in seen.values() if count > 1]
