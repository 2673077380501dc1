"""A product and case systems on ports of their own."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import httpx

from inbox.simulator.casesystem.simulator import HOOK, Behaviour, CaseSystemSimulator
from inbox.simulator.http.server import serve
from tests.simulator.product import KEY, SECRET, Product

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
OFTEN = timedelta(milliseconds=30)


class World:
    """A product and case systems, each on its own port."""

    def __init__(self, stack: ExitStack, product: Product) -> None:
        self._stack = stack
        self.url = stack.enter_context(serve(product))

    def told(self, behaviour: Behaviour | None = None) -> tuple[CaseSystemSimulator, str]:
        """A case system that is told by webhook, and its address."""
        system = CaseSystemSimulator("told", behaviour=behaviour, clock=lambda: NOW)
        address = self._stack.enter_context(serve(system.app)) + HOOK
        system.connect(self.url, key=KEY, secret=SECRET)
        return self._stack.enter_context(system), address

    def asking(self, behaviour: Behaviour | None = None, key: str = KEY) -> CaseSystemSimulator:
        """A case system that asks by itself."""
        system = CaseSystemSimulator(
            "asking", pull_every=OFTEN, behaviour=behaviour, clock=lambda: NOW
        )
        system.connect(self.url, key=key)
        return self._stack.enter_context(system)


def post(address: str, told: tuple[bytes, dict[str, str]]) -> int:
    body, headers = told
    return httpx.post(address, content=body, headers=headers, trust_env=False).status_code
