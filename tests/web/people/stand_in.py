"""Who is signed in, until sign-in itself is tried: a visitor that the test names."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.domain import OrgNumber, PersonId, UnitId
from inbox.language import TextLanguage
from inbox.web.people.language_choice import language_of
from inbox.web.people.visitor import Visitor, remember_visitor

BEGIN = datetime(2026, 11, 30, 6, 52, tzinfo=UTC)
ANNE = Visitor(
    session="s1",
    person=PersonId("anne"),
    name="Anne Arkivar",
    capacity=Capacity(
        id="c1",
        role=Role.ARCHIVIST,
        organisation=OrgNumber("910075918"),
        person=PersonId("anne"),
        unit=UnitId("dok"),
    ),
    capacity_name="Fordeler, Dokumentsenteret",
    language=TextLanguage.NB,
    strong=False,
    csrf_key=b"a" * 32,
)
BEFORE_A_CHOICE = replace(ANNE, capacity=None, capacity_name="")


@dataclass
class HandClock:
    """The time of the pages, moved by hand."""

    now: datetime = BEGIN

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@dataclass
class SignedInAs:
    """The app for one visitor, or for nobody."""

    app: ASGIApp
    visitor: Visitor | None = field(default=ANNE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.visitor is not None:
            request = Request(scope)
            language = language_of(request, self.visitor.language)
            remember_visitor(request, replace(self.visitor, language=language))
        await self.app(scope, receive, send)
