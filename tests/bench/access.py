"""What need to know costs: a decision, a page, who can, and whom another policy touches."""

import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from inbox.access import Action, Policy
from inbox.access.facts.registry import FACTS
from inbox.access.review.impact import policy_impact
from inbox.store import Transaction
from tests.bench.askers import KINDS, PAGE, WARM, Asking
from tests.bench.figure import Figure, Of, Target, in_turn, name_of
from tests.bench.installation import furnish, line_at
from tests.bench.mail_filler import Extent, fill
from tests.bench.outcome import WrongOutcome
from tests.bench.queues import MOST, SHOWN, QueueAsking
from tests.worlds import OURS, install

_PERCENT = 100
_FIRST = 10
_DROPPED, _WIDENED = "A08b", "D03"


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much mail and how many people there are, and how often is asked."""

    extent: Extent
    runs: int


FULL = Size(extent=Extent(messages=100_000, people=5_000, units=200, grants=20_000), runs=1_000)
TINY = Size(extent=Extent(messages=200, people=60, units=6, grants=40), runs=3)


def figures(database: str, folder: Path) -> list[Figure]:
    """100 000 messages, 5 000 people in 200 units, 20 000 grants."""
    return measured(database, folder, FULL)


def quick(database: str, folder: Path) -> list[Figure]:
    """A handful, to see that it works."""
    return measured(database, folder, TINY)


def measured(database: str, folder: Path, size: Size) -> list[Figure]:
    """Of the clock, each in a transaction that is open already."""
    furnish(folder)
    with line_at(database, folder) as line:
        install(line.store, line.keyring)
        fill(line, size.extent)
        with line.store.reading() as tx:
            asking = Asking(tx, line.policies.current(tx))
            found = [
                *_decisions(asking, name_of(database), size),
                *_pages(asking, name_of(database), size),
                *_queues(asking, QueueAsking(tx=tx, policy=asking.policy), database, size),
                _who_can(asking, name_of(database), size),
            ]
        with line.store.snapshot() as tx:
            policy = line.policies.current(tx)
            return [*found, _touched(tx, policy, name_of(database), size)]


def _decisions(asking: Asking, database: str, size: Size) -> list[Figure]:
    found = []
    for action in (Action.OPEN, Action.LIST):
        asking.check_decisions(action)
        ask = partial(asking.decided, action)
        first = [ask() for _ in range(_FIRST)]
        for _ in range(WARM - _FIRST):
            ask(), asking.keyed()
        ours, keyed = in_turn(ask, asking.keyed, size.runs)
        whole = Figure(
            what=f"a decision by a handler: {action}",
            database=database,
            unit="ms",
            ours=ours,
            beside=keyed,
            beside_what="the row by its key",
            target=Target(at_most=3, of=Of.RATIO),
            note=f"the first {_FIRST} of a connection: {median(first):.3g} ms",
        )
        slowest = replace(
            whole,
            what=f"{whole.what}, 99th percentile",
            ours=(_slowest(ours),),
            beside=(median(keyed),),
            target=Target(at_most=5, of=Of.RATIO),
            note=f"the row's own 99th percentile: {_slowest(keyed):.3g} ms",
        )
        found += [whole, slowest]
    return found


def _slowest(runs: tuple[float, ...]) -> float:
    """The 99th percentile."""
    return quantiles(runs, n=_PERCENT)[-1]


def _pages(asking: Asking, database: str, size: Size) -> list[Figure]:
    found = []
    for kind in KINDS:
        ask = asking.paging(kind)
        asking.unfiltered()
        ours, newest = in_turn(ask, asking.unfiltered, size.runs // 5 or 1)
        found.append(
            Figure(
                what=kind.what,
                database=database,
                unit="ms",
                ours=ours,
                beside=newest,
                beside_what=f"the newest {PAGE} unfiltered",
                target=Target.of_ratio(kind.at_most),
            )
        )
    return found


def _queues(asking: Asking, queues: QueueAsking, database: str, size: Size) -> list[Figure]:
    found = []
    for queue in SHOWN:
        ours, newest = in_turn(queues.paging(queue), asking.unfiltered, size.runs // 5 or 1)
        found.append(
            Figure(
                what=f"a page of the queue {queue}",
                database=name_of(database),
                unit="ms",
                ours=ours,
                beside=newest,
                beside_what=f"the newest {PAGE} unfiltered",
                target=Target.of_ratio(MOST),
            )
        )
    return found


def _who_can(asking: Asking, database: str, size: Size) -> Figure:
    asking.who_can()
    return Figure(
        what=f"who can open a message ({size.extent.people} people)",
        database=database,
        unit="ms",
        ours=tuple(asking.who_can() for _ in range(min(size.runs, 20))),
        target=Target(at_most=1_000),
    )


def _touched(tx: Transaction, policy: Policy, database: str, size: Size) -> Figure:
    """As `inbox policy diff --people` finds it."""
    other, runs, people = _changed(policy), list[float](), set[str]()
    for _ in range(min(size.runs, 3)):
        began = time.perf_counter()
        found = policy_impact(tx, tx.now, policy, other, organisation=OURS)
        runs.append(time.perf_counter() - began)
        people = {each.holder.person for each in found.by_capacity}
        if not people or not found.by_unit:
            raise WrongOutcome("the other policy touches nobody")
    return Figure(
        what=f"whom another policy touches"
        f" ({size.extent.people} people, {size.extent.messages} messages)",
        database=database,
        unit="s",
        ours=tuple(runs),
        target=Target(at_most=10),
        note=f"it touches {len(people)} of them",
    )


def _changed(policy: Policy) -> Policy:
    """Substitutes and grants list no more, and what nobody has is denied as a conflict is."""
    rules = {rule.id: rule for rule in policy.rules if rule.id != _DROPPED}
    denied = rules[_WIDENED]
    rules[_WIDENED] = replace(denied, when=f"{denied.when} or unassigned")
    return Policy([*rules.values()], facts=FACTS, digest="changed")
