"""The world outside the line's processes: neighbours, time and disk, which outlive each of them."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

from inbox import audit
from inbox.directory import issue_code
from inbox.gateway.integrasjonspunkt import client_for
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.server import serve
from inbox.store import Store, create_engine
from tests.faults.harness import line_process
from tests.faults.harness.line_process import LineProcess, Plan, shared_clock
from tests.worlds import World, channel_of, closing_engine, furnish, gateway_for, line_of, settle_in

_PATIENCE = 120.0
PEOPLE = ("anne", "bjorn", "kari", "ola")

# A server that has imported everything and forks: a process of the line costs a few milliseconds.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(
    ["tests.faults.harness.line_process", "tests.faults.harness.process_preload"]
)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a process ended."""

    exit_code: int
    """0, or minus the signal that killed it."""
    effects: tuple[str, ...]
    """The points that it passed."""


@dataclass(kw_only=True)
class OutsideWorld(World):
    """The neighbours, and a line of our own to look with."""

    url: str
    gateway_url: str
    _started: int = field(default=0)

    def plan(
        self, errand: Callable[[LineProcess], None], *, die_at: int | None = None, **words: str
    ) -> Plan:
        """What a process is to do."""
        return Plan(
            url=self.url,
            gateway_url=self.gateway_url,
            folder=str(self.folder),
            errand=f"{errand.__module__}:{errand.__name__}",
            codes=self.codes,
            die_at=die_at,
            words=words,
        )

    def start(self, plan: Plan) -> BaseProcess:
        """A process of the line, running; whoever starts it ends and joins it."""
        self._started += 1
        process = _PROCESSES.Process(
            target=line_process.main, args=(str(plan.write(self._started)),), daemon=True
        )
        process.start()
        return process

    def run(
        self, errand: Callable[[LineProcess], None], *, die_at: int | None = None, **words: str
    ) -> Ran:
        """Start one, wait for its end, and say how it ended."""
        plan = self.plan(errand, die_at=die_at, **words)
        plan.effects.unlink(missing_ok=True)
        process = self.start(plan)
        process.join(_PATIENCE)
        assert process.exitcode is not None, "a process of the line does not end"
        return Ran(exit_code=process.exitcode, effects=tuple(plan.effects.read_text().splitlines()))


@contextmanager
def outside_world(
    url: str, folder: Path, *, kind: type[GatewaySimulator] = GatewaySimulator
) -> Iterator[OutsideWorld]:
    """A furnished world on a database that has the schema and nothing in it."""
    (folder / "clock").write_bytes(bytes(8))
    clock, authority = shared_clock(folder / "clock"), furnish(folder)
    gateway = gateway_for(clock, kind)
    engine = create_engine(url)
    store = Store(engine, seal=audit.seal, clock=clock)
    with closing_engine(engine), serve(gateway.app) as base_url, client_for(base_url) as client:
        line = line_of(store, folder, channel_of(client))
        keys = settle_in(line)
        with store.transaction() as tx:
            codes = {person: issue_code(tx, person) for person in PEOPLE}
        yield OutsideWorld(
            line=line,
            clock=clock,
            folder=folder,
            codes=codes,
            gateway=gateway,
            authority=authority,
            keys=keys,
            url=url,
            gateway_url=base_url,
        )
