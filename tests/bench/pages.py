"""What the pages of archive staff cost at the server, with fifty people at once.

Real HTTP requests of signed-in sessions, beside a list of the newest messages that no rule
restricts, by the same session, the same listener and the same template. The client is a process of
its own; what is measured is from the first byte of a request until the last of its answer.
"""

import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import quantiles
from typing import Final

import httpx
import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from sqlmodel import col, select
from starlette.types import ASGIApp, Receive, Scope, Send

from inbox.access import Role
from inbox.access.lists.queue_pages import QueuedMessage
from inbox.cli.serve import HttpListener
from inbox.config import Listener
from inbox.domain import MessageState
from inbox.line import Line
from inbox.line.desk.queue_filters import Queue
from inbox.line.desk.queue_row import RowContext, queue_row
from inbox.line.desk.unit_terms import UnitTermsTable
from inbox.sign_in import sessions
from inbox.sign_in.desk import SignInDesk
from inbox.tables import CapacityRow, Message, WrappedKey, table_of
from inbox.web.people.app import create_people_app
from inbox.web.people.pages.context import line_of
from inbox.web.people.pages.place_in_queue import PlaceInQueue
from inbox.web.people.pages.queue import COLUMNS
from inbox.web.people.pages.shown_rows import shown_row
from inbox.web.people.rendering import page_texts, render
from inbox.web.people.request_rate import SESSION_COOKIE
from inbox.web.people.sign_in.visitors import Acting
from inbox.web.people.site import PeopleSite
from tests.bench.figure import Figure, Of, Target, name_of
from tests.bench.installation import furnish, line_at
from tests.bench.mail_filler import Extent, fill
from tests.bench.neighbour_process import apart, is_asked, told
from tests.bench.outcome import WrongOutcome, check_outcome
from tests.line.desk.desk_world import verdict_of
from tests.worlds import SENDER, install

_AT_MOST: Final = 3
_PERCENT: Final = 100
_ROWS: Final = 20
_UNFILTERED: Final = "/ufiltrert"
_QUEUES: Final = (Queue.DISTRIBUTE, Queue.WAITING, Queue.DONE)
_MESSAGE: Final = "a message"
_TABLE: Final = table_of(Message)
_MANY: Final = 10**9


@dataclass(frozen=True, kw_only=True)
class PageLoad:
    """How much mail there is, how many people ask at once, and how often each asks for a page."""

    extent: Extent
    people: int
    rounds: int


FULL = PageLoad(
    extent=Extent(messages=100_000, people=10_000, units=200, grants=20_000), people=50, rounds=40
)
TINY = PageLoad(extent=Extent(messages=200, people=60, units=6, grants=40), people=4, rounds=3)


@dataclass(frozen=True, kw_only=True)
class _Served:
    """What the client has to know of the server."""

    url: str
    cookies: Sequence[str]
    messages: Sequence[str]
    rows: Mapping[str, int]
    """How many rows the first page of each queue must have."""


def figures(database: str, folder: Path) -> list[Figure]:
    """100 000 messages, 50 archivists at once."""
    return measured(database, folder, FULL)


def quick(database: str, folder: Path) -> list[Figure]:
    """A handful, to see that it works."""
    return measured(database, folder, TINY)


def measured(database: str, folder: Path, load: PageLoad) -> list[Figure]:
    """The 99th percentile of each page beside that of the unfiltered list."""
    with apart(_serve, database, folder, load) as server:
        served: _Served = told(server)
        _ask_all(served, load)
        server.send(None)
        taken: dict[str, list[float]] = told(server)
    asked = load.people * load.rounds
    check_outcome(
        "answers of each page",
        expected=dict.fromkeys((_UNFILTERED, *_QUEUES, _MESSAGE), asked),
        seen={name: len(times) for name, times in taken.items()},
    )
    slowest = {name: _slowest(times) for name, times in taken.items()}
    return [
        Figure(
            what=f"{'the queue ' if name in _QUEUES else ''}{name}, {load.people} people at once:"
            " 99th percentile",
            database=name_of(database),
            unit="ms",
            ours=(slowest[name],),
            beside=(slowest[_UNFILTERED],),
            beside_what=f"an unfiltered list, of {load.extent.messages} messages",
            target=Target(at_most=_AT_MOST, of=Of.RATIO),
            note=f"median {sorted(taken[name])[asked // 2]:.3g} ms, of the unfiltered list"
            f" {sorted(taken[_UNFILTERED])[asked // 2]:.3g} ms",
        )
        for name in (*_QUEUES, _MESSAGE)
    ]


def _slowest(times: Sequence[float]) -> float:
    return quantiles(times, n=_PERCENT, method="inclusive")[-1]


# The client


def _ask_all(served: _Served, load: PageLoad) -> None:
    """Everybody at once, each in an order of their own. Raises `WrongOutcome`."""
    wrong: list[str] = []

    def go(number: int) -> None:
        try:
            _ask(served, served.cookies[number], load.rounds, random.Random(number))  # noqa: S311 - which order does not matter
        except (WrongOutcome, httpx.HTTPError) as error:
            wrong.append(f"{type(error).__name__} {error}")

    threads = [threading.Thread(target=go, args=(number,)) for number in range(load.people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise WrongOutcome(wrong[0])


def _ask(served: _Served, cookie: str, rounds: int, chance: random.Random) -> None:
    """Every page so often; each answer is looked at."""
    headers = {"cookie": f"{SESSION_COOKIE}={cookie}"}
    with httpx.Client(base_url=served.url, headers=headers, trust_env=False, timeout=120) as client:
        for _ in range(rounds):
            message = chance.choice(served.messages)
            pages: dict[str, int | None] = {
                _UNFILTERED: served.rows[_UNFILTERED],
                **{f"/ko/{queue}": served.rows[queue] for queue in _QUEUES},
                f"/melding/{message}?ko={Queue.DISTRIBUTE}": None,
            }
            for page in chance.sample(sorted(pages), len(pages)):
                answer = client.get(page)
                check_outcome(f"status of {page[:9]}", expected=200, seen=answer.status_code)
                if pages[page] is not None:
                    rows = answer.text.count('href="/melding/')
                    check_outcome(f"rows of {page}", expected=pages[page], seen=rows)
                elif f'"/melding/{message}' not in answer.text:
                    raise WrongOutcome("a page of another message")


# The server


class _Timed:
    """The app, with the time of each answer by the page that it is of."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        """Known once the address is, which the app is told."""
        self.taken: dict[str, list[float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        await self.app(scope, receive, send)
        path = scope["path"]
        name = _MESSAGE if path.startswith("/melding/") else path.removeprefix("/ko/")
        self.taken.setdefault(name, []).append((time.perf_counter() - began) * 1000)


def _serve(out: Connection, database: str, folder: Path, load: PageLoad) -> None:
    """The pages over mail of years, until the other side asks for the times."""
    furnish(folder)
    with line_at(database, folder) as line:
        install(line.store, line.keyring)
        fill(line, load.extent)
        _give_keys(line)
        timed = _Timed(_not_yet)
        with _listening(timed) as url:
            site = PeopleSite(public_url=url, organisation="Eksempel", requests_per_minute=_MANY)
            app = create_people_app(line, site, SignInDesk(line=line, providers={}, public_url=url))
            app.include_router(_unfiltered_router)
            timed.app = app
            served = _Served(
                url=url,
                cookies=_begin_sessions(line, load.people),
                messages=_waiting(line),
                rows=_expected_rows(line),
            )
            _warm_up(served)
            timed.taken.clear()
            out.send(served)
            is_asked(out)
            out.send(timed.taken)


async def _not_yet(*_: object) -> None:
    raise WrongOutcome("asked before it was there")


@contextmanager
def _listening(app: ASGIApp) -> Iterator[str]:
    listener = HttpListener(app, Listener(), connections=256)
    thread = threading.Thread(target=listener.run, daemon=True)
    thread.start()
    listener.wait_until_up()
    try:
        yield listener.url
    finally:
        listener.stop()
        thread.join(10)


def _give_keys(line: Line) -> None:
    """Keys and verdicts that can be read: each row of a page unwraps one, as it does in service."""
    _, wrapped = line.keyring.new_data_key()
    keys, messages = table_of(WrappedKey), _TABLE
    with line.store.engine.execution_options(inbox_writes=True).begin() as connection:
        connection.execute(
            sa.update(keys)
            .where(keys.c.destroyed_at.is_(None))
            .values(kek_id=wrapped.kek_id, wrapped=wrapped.wrapped)
        )
        connection.execute(
            sa.update(messages).values(
                sealed_metadata=None,
                sealed_archive=None,
                sealed_documents=None,
                verdict=verdict_of(SENDER, "Eksempel"),
            )
        )


def _begin_sessions(line: Line, count: int) -> list[str]:
    """The cookies of so many sessions; people come in at several browsers if there are fewer."""
    found = []
    with line.store.transaction() as tx:
        rows = tx.exec(
            select(CapacityRow)
            .where(col(CapacityRow.role) == Role.ARCHIVIST)
            .order_by(col(CapacityRow.id))
        ).all()
        for number in range(count):
            row = rows[number % len(rows)]
            cookie = sessions.begin_session(tx, row.person, word=None, strong=True)
            tx.flush()
            session = sessions.read_session(tx, tx.now, cookie)
            if session is None:
                raise WrongOutcome("a session that does not count")
            sessions.choose_capacity(tx, session.id, row.person, row.id)
            found.append(cookie)
    return found


def _waiting(line: Line) -> list[str]:
    """Messages that wait for somebody, from all the years."""
    waiting = (MessageState.UNROUTED, MessageState.ROUTED, MessageState.OFFERED)
    with line.store.reading() as tx:
        found = select(Message.id).where(col(Message.state).in_(waiting))
        return list(tx.exec(found.order_by(col(Message.id)).limit(200)))


def _expected_rows(line: Line) -> dict[str, int]:
    """As many rows as there are, up to a page of them: the mail is all of one organisation."""
    with line.store.reading() as tx:
        rows = tx.execute(sa.select(_TABLE.c.state, sa.func.count()).group_by(_TABLE.c.state))
        counted: dict[MessageState, int] = {row[0]: row[1] for row in rows}
    states = {
        Queue.DISTRIBUTE: (MessageState.UNROUTED,),
        Queue.WAITING: (MessageState.RELEASED, MessageState.OFFERED),
        Queue.DONE: (
            *(MessageState.REGISTERED, MessageState.REFUSED),
            *(MessageState.ANSWERED, MessageState.ERASED),
        ),
    }
    of_queues = {queue: sum(counted.get(state, 0) for state in of) for queue, of in states.items()}
    all_rows = {str(queue): count for queue, count in of_queues.items()}
    all_rows[_UNFILTERED] = sum(counted.values())
    return {name: min(_ROWS, count) for name, count in all_rows.items()}


def _warm_up(served: _Served) -> None:
    """What a process reads and compiles once."""
    for cookie in served.cookies[:4]:
        _ask(served, cookie, 5, random.Random(1))  # noqa: S311 - as above


_unfiltered_router: Final = APIRouter()


@_unfiltered_router.get(_UNFILTERED)
def unfiltered(request: Request, visitor: Acting) -> Response:
    """The newest messages of all, as the page of a queue shows them; no rule decides."""
    line, texts = line_of(request), page_texts(request)
    names = [name for name in QueuedMessage._fields if name in _TABLE.c]
    newest = (
        sa.select(*(_TABLE.c[name] for name in names))
        .order_by(_TABLE.c.received_at.desc(), _TABLE.c.id.desc())
        .limit(_ROWS)
    )
    with line.store.snapshot() as tx:
        rows = tx.execute(newest).all()
        now = tx.now
    context = RowContext(
        line=line, now=now, terms=UnitTermsTable(), book=None, mostly_to={}, in_hand={}
    )
    nothing = dict.fromkeys(QueuedMessage._fields)
    place = PlaceInQueue(queue=Queue.DISTRIBUTE)
    shown = [
        shown_row(
            texts,
            queue_row(context, QueuedMessage(**{**nothing, **row._mapping})),
            place,
            visitor.person,
        )
        for row in rows
    ]
    return render(
        request,
        "queue.html",
        heading="",
        about="",
        empty="",
        place=place,
        is_narrowed=False,
        saved=None,
        rows=shown,
        columns=COLUMNS[place.queue],
        groups=(),
        units=(),
        placing=(),
        next_page="",
    )
