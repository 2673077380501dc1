"""The people's app over HTTP, on the program's own listener with its deadlines."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from inbox.cli.serve import HttpListener
from inbox.config import Listener
from inbox.line import Line
from inbox.web.people.app import create_people_app
from inbox.web.people.site import PeopleSite
from tests.web.people.stand_in import ANNE, HandClock, SignedInAs


@dataclass(frozen=True)
class ServedPages:
    """The addresses of the app, for somebody who is signed in and for somebody who is not."""

    signed_in: str
    stranger: str
    clock: HandClock


@contextmanager
def served_pages(line: Line) -> Iterator[ServedPages]:
    """Both, until the end of the `with`; their clock stands still, so that pages compare."""
    clock = HandClock()
    listeners = []
    for visitor in (ANNE, None):
        signed_in = SignedInAs(_not_yet, visitor)
        listener = HttpListener(signed_in, Listener(), connections=64)
        site = PeopleSite(
            public_url=listener.url, organisation="Vestre Fjord kommune", is_demo=True
        )
        signed_in.app = create_people_app(line, replace(site, clock=clock))
        listeners.append(listener)
    threads = [threading.Thread(target=each.run, daemon=True) for each in listeners]
    for thread, listener in zip(threads, listeners, strict=True):
        thread.start()
        listener.wait_until_up()
    try:
        yield ServedPages(listeners[0].url, listeners[1].url, clock)
    finally:
        for thread, listener in zip(threads, listeners, strict=True):
            listener.stop()
            thread.join(10)


async def _not_yet(*_: object) -> None:
    raise AssertionError("asked before it was there")
