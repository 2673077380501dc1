"""Who asks for a page, by the session cookie: what a page function takes as `SignedIn` or `Acting`.

One statement reads the session, the person, the capacity and the identity; once a minute a second
one notes that the session was used. Nothing is remembered between two requests.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Final

from fastapi import Depends, Request

from inbox.errors import InboxError, NotFound, NotPermitted
from inbox.language import TextLanguage
from inbox.line import Line
from inbox.sign_in.capacity_names import capacity_name
from inbox.sign_in.desk import SignInDesk, ask_quietly
from inbox.sign_in.drafts import read_draft
from inbox.sign_in.sessions import LiveSession, note_seen, read_session
from inbox.web.people.forms import Form
from inbox.web.people.language_choice import language_of
from inbox.web.people.sign_in.cookies import browser_cookie, session_cookie
from inbox.web.people.visitor import NoCapacity, NotSignedIn, Visitor, remember_visitor

DRAFT_FIELD: Final = "kladd"
"""In the address of a page: what was typed there before, and could not be taken."""
_READING: Final = frozenset({"GET", "HEAD"})


class AskProvider(NotSignedIn):
    """The provider has to be asked, without a dialogue, whether this person is signed in there."""

    def __init__(self, address: str, cookie: str) -> None:
        super().__init__("session.question")
        self.address = address
        self.cookie = cookie


class StrongNeeded(NotPermitted):
    """It takes a strong sign-in: the person signs in once more, and comes back to the form."""

    def __init__(self, form: Form | None = None) -> None:
        super().__init__("session.strong_needed")
        self.form = form


@contextmanager
def asking_for_strength(visitor: Visitor, form: Form) -> Iterator[None]:
    """Within it, a no to somebody who is not signed in strongly leads to a strong sign-in first.

    They come back to the form with what was typed; if it was not that, the no stands.
    """
    try:
        yield
    except NotPermitted as error:
        if visitor.strong:
            raise
        raise StrongNeeded(form) from error


def live_session(request: Request) -> LiveSession | None:
    """The session that the cookie of this request stands for, if it counts now.

    Raises `Unavailable` while the database is older than what was signed of it.
    """
    line: Line = request.app.state.line
    line.standstill.check()
    with line.store.reading() as tx:
        return read_session(tx, tx.now, session_cookie(request))


def signed_in(request: Request) -> Visitor:
    """The person that asks. Raises `NotSignedIn`."""
    line: Line = request.app.state.line
    session = live_session(request)
    if session is None:
        raise NotSignedIn
    if session.is_question_due:
        _ask_provider(request, session)
    if not session.is_seen_lately:
        with line.store.transaction() as tx:
            note_seen(tx, session.id)
    visitor = visitor_for(line, session, language_of(request, session.language))
    remember_visitor(request, visitor)
    _fill_in_draft(request, line, visitor)
    return visitor


def acting(visitor: "SignedIn") -> Visitor:
    """The person that asks, in a capacity. Raises `NotSignedIn`, and `NoCapacity` before one."""
    if visitor.capacity is None:
        raise NoCapacity
    return visitor


def known(request: Request) -> None:
    """Let a page that anybody may read show who is signed in, if that can be known now."""
    with suppress(InboxError):
        session = live_session(request)
        if session is not None:
            language = language_of(request, session.language)
            remember_visitor(request, visitor_for(request.app.state.line, session, language))


SignedIn = Annotated[Visitor, Depends(signed_in)]
"""A signed-in person, who may have chosen no capacity yet."""
Acting = Annotated[Visitor, Depends(acting)]
"""A signed-in person who acts in a capacity."""


def visitor_for(line: Line, session: LiveSession, language: TextLanguage) -> Visitor:
    """The visitor that a session stands for."""
    capacity = session.capacity
    return Visitor(
        session=session.id,
        person=session.person,
        name=session.name,
        capacity=capacity,
        capacity_name=""
        if capacity is None
        else capacity_name(capacity.role.value, session.unit_name, language),
        language=language,
        strong=session.strong,
        csrf_key=line.keyring.lookup_hash("csrf", session.id),
    )


def address_of(request: Request) -> str:
    """The path of this request with its query, for coming back to it."""
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path


def _ask_provider(request: Request, session: LiveSession) -> None:
    """Before a page is shown; what is sent is taken for a while yet, and then not any more."""
    if request.method not in _READING:
        if session.is_word_stale:
            raise NotSignedIn("session.unasked")
        return
    desk: SignInDesk = request.app.state.desk
    cookie = browser_cookie(request)
    address = ask_quietly(desk, cookie, session, return_to=address_of(request))
    if address is not None:
        raise AskProvider(address, cookie)


def _fill_in_draft(request: Request, line: Line, visitor: Visitor) -> None:
    """What was typed into the form of this page before a sign-in stands in it again."""
    draft_id = request.query_params.get(DRAFT_FIELD)
    if draft_id is None or request.method not in _READING:
        return
    capacity = visitor.capacity
    with suppress(NotFound), line.store.reading() as tx:
        fields = read_draft(
            line,
            tx,
            draft_id,
            person=visitor.person,
            capacity=None if capacity is None else capacity.id,
            form=request.url.path,
        )
        request.state.sent_again = Form(
            action=request.url.path,
            return_address=request.url.path,
            typed={name: tuple(values) for name, values in fields.items()},
        )
