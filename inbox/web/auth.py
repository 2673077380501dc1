"""Who asks: a case system proves itself with a key that is looked up anew on each request."""

from typing import Annotated, Final

from fastapi import Depends
from starlette.requests import Request

from inbox.access.subject import Capacity
from inbox.line import Line
from inbox.line.systems import capacity_of, system_with_key
from inbox.web.problems import Refused

OPEN: Final[frozenset[str]] = frozenset()
"""The paths of the API that a stranger may reach: none."""


def line_of(request: Request) -> Line:
    """The line that this application was made for."""
    line = request.app.state.line
    assert isinstance(line, Line)
    return line


def asking(request: Request) -> Capacity:
    """The case system that asks. No key, a wrong one or an ended one is the same 401."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    line = line_of(request)
    if scheme.lower() == "bearer" and key:
        with line.store.reading() as (session, now):
            system = system_with_key(session, now, key.strip())
        if system is not None:
            return capacity_of(system)
    raise Refused(401)


Asking = Annotated[Capacity, Depends(asking)]
"""A parameter of every endpoint: asking comes first."""
TheLine = Annotated[Line, Depends(line_of)]
