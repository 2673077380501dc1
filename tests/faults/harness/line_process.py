"""A process that has the line and does an errand; it can be told at which effect to die."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib import import_module
from mmap import mmap
from pathlib import Path
from ssl import SSLContext, create_default_context

from inbox import audit
from inbox.gateway.integrasjonspunkt import client_for
from inbox.store import Store, create_engine
from tests.faults.harness.effect_points import (
    EffectPoints,
    WatchedGateway,
    WatchedSender,
    WatchedVault,
)
from tests.worlds import Clock, House, channel_of, line_of, sharing_statements


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What one process is to do; written as a file, so that any means of starting it will do."""

    url: str
    """The address of the database."""
    gateway_url: str
    folder: str
    errand: str
    """`module:function`; the function takes the `Inside`."""
    codes: Mapping[str, str] = field(default_factory=dict)
    """The personal codes of the people."""
    die_at: int | None = None
    """At this point of `effects`, counted from 1, the process kills itself (SIGKILL)."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Whatever else the errand wants to know."""
    watched: bool = True
    """False: no points, so that every system call is the line's own."""

    @property
    def effects(self) -> Path:
        """A line for each point that was passed, newest last."""
        return Path(self.folder) / "effects.log"

    @property
    def clock(self) -> Path:
        """The time that all processes share."""
        return Path(self.folder) / "clock"

    def write(self, number: int = 1) -> Path:
        """Put it where a process can read it; each process of a test has a number."""
        path = Path(self.folder) / f"plan-{number}.json"
        path.write_text(json.dumps(asdict(self)))
        return path


@dataclass(kw_only=True)
class LineProcess(House):
    """The line of this process, and what it is to do with it."""

    plan: Plan
    points: EffectPoints


def shared_clock(path: Path) -> Clock:
    """The time in a file that all processes of a test have mapped."""
    with path.open("r+b") as file:
        return Clock(mmap(file.fileno(), 8))


@cache
def certificates() -> SSLContext:
    """Those that a client trusts, read once: it takes longer than all else here."""
    return create_default_context()


def open_line(plan: Plan) -> LineProcess:
    """The line on what the plan names; every effect is a point."""
    folder, clock = Path(plan.folder), shared_clock(plan.clock)
    points = EffectPoints(plan.effects, plan.die_at)
    seal = points.seal if plan.watched else audit.seal
    store = Store(sharing_statements(create_engine(plan.url)), seal=seal, clock=clock)
    line = line_of(store, folder, channel_of(client_for(plan.gateway_url, tls=certificates())))
    if plan.watched:
        line = replace(
            line,
            gateways={name: WatchedGateway(g, points) for name, g in line.gateways.items()},
            vault=WatchedVault(line.vault, points),
            events=WatchedSender(line.events, points),
        )
    return LineProcess(
        line=line, clock=clock, folder=folder, codes=dict(plan.codes), plan=plan, points=points
    )


def main(path: str) -> None:
    """Do the errand of the plan in this file."""
    plan = Plan(**json.loads(Path(path).read_text()))
    module, _, name = plan.errand.partition(":")
    errand: Callable[[LineProcess], None] = getattr(import_module(module), name)
    errand(open_line(plan))


if __name__ == "__main__":
    main(sys.argv[1])
