"""Authentication of case systems by API key, looked up in every request; nothing is cached."""

import asyncio
from typing import Final

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from inbox.access.question import Capacity
from inbox.errors import InboxError, Unavailable
from inbox.line import Line
from inbox.line.case_systems import capacity_of, case_system_by_key
from inbox.web import problems
from inbox.web.refused_keys import RefusalPace, RefusedKeys

OPEN: Final[frozenset[str]] = frozenset()
"""The paths that a stranger may reach on the case systems' listener: none."""
_LONGEST_KEY: Final = 200


class RequireKey:
    """Answers 401 to every request without a valid key, before body, path or query are read.

    While this process holds still every request is answered 503, with any key or none.

    A key that was given and is refused is noted in the audit, and its answer waits for a turn.

    It stands around the whole app: a path is closed whether or not somebody remembered to close
    it, and a stranger cannot tell which paths there are.
    """

    def __init__(self, app: ASGIApp, *, line: Line) -> None:
        self._app = app
        self._line = line
        self._refused = RefusedKeys()
        self._pace = RefusalPace()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with `request.state.capacity`, or answer it."""
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        key = _key_of(request)
        try:
            capacity = await run_in_threadpool(self._capacity_with_key, key)
        except InboxError as error:
            await problems.problem_response(error)(scope, receive, send)
            return
        if capacity is None:
            if key is not None:
                await asyncio.sleep(self._pace.next_delay())
            await problems.unauthenticated()(scope, receive, send)
            return
        request.state.capacity = capacity
        await self._app(scope, receive, send)

    def _capacity_with_key(self, key: str | None) -> Capacity | None:
        if self._line.standstill.gap is not None:
            raise Unavailable("standstill")  # Before a key is believed that an old database has.
        if key is None:
            return None
        with self._line.store.reading() as tx:
            system = case_system_by_key(tx, key)
            if system is None:
                self._refused.note(tx, key)
                return None
            return capacity_of(system)


def _key_of(request: Request) -> str | None:
    """The key of the one `Authorization: Bearer …` header."""
    given = request.headers.getlist("authorization")
    scheme, _, key = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not key.isascii() or len(key) > _LONGEST_KEY:
        return None
    return key or None


def authenticated_capacity(request: Request) -> Capacity:
    """The capacity of the caller, as `RequireKey` found it in this request."""
    capacity = request.state.capacity
    assert isinstance(capacity, Capacity)
    return capacity
