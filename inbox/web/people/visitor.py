"""Who asks for a page: a signed-in person as the session's row says now, or nobody.

Signing in is the business of `visitors`; everything else knows a visitor by this type alone.
"""

from dataclasses import dataclass

from starlette.requests import Request

from inbox.access.question import Capacity
from inbox.domain import PersonId
from inbox.errors import InboxError, NotPermitted
from inbox.language import TextLanguage


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """A signed-in person, as the session's row says now."""

    session: str
    """The id of the session's row, never the cookie."""
    person: PersonId
    name: str
    capacity: Capacity | None
    """The capacity that the person acts in; None before one is chosen."""
    capacity_name: str
    """Such as *Fordeler, Dokumentsenteret*, in the visitor's language; empty before a choice."""
    language: TextLanguage
    strong: bool
    """Whether the strong sign-in still counts now."""
    csrf_key: bytes
    """The key of this session that its form tokens are made with."""


class NotSignedIn(InboxError):
    """Nobody is signed in, or the session has ended: the sign-in page answers."""

    def __init__(self, code: str = "session.none", reason: str = "") -> None:
        super().__init__(code, reason)


class NoCapacity(NotPermitted):
    """Somebody is signed in, and acts in no capacity: none was chosen, or it has ended."""

    def __init__(self, code: str = "session.no_capacity", reason: str = "") -> None:
        super().__init__(code, reason)


def remember_visitor(request: Request, visitor: Visitor) -> None:
    """Let the frame of every page of this request, an error's too, show who is signed in."""
    request.state.visitor = visitor


def visitor_of(request: Request) -> Visitor | None:
    """The visitor that `remember_visitor` was given; None if nobody is known to be signed in."""
    found = getattr(request.state, "visitor", None)
    return found if isinstance(found, Visitor) else None
