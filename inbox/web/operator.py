"""The operators' listener: health, readiness, metrics and a status page. Totals only.

It has no sign-in yet, so it binds loopback unless an operator decides otherwise.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from fastapi import APIRouter
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlmodel import Session, col, func, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from inbox import audit
from inbox.errors import InboxError
from inbox.line import Line
from inbox.line.settle import table_of
from inbox.store import SteadyClock
from inbox.tables import (
    Arrival,
    Delivery,
    Installation,
    Message,
    Outbox,
    Pulse,
    Receipt,
    Task,
)
from inbox.web.auth import TheLine

_QUIET: Final = timedelta(minutes=10)
"""A gateway or a worker that has not been heard of for so long is not ready."""
_ROWS: Final = {
    "arrival": Arrival,
    "message": Message,
    "delivery": Delivery,
    "receipt": Receipt,
    "outbox": Outbox,
    "task": Task,
}
_PAGES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
)
_PAGE_POLICY: Final = "default-src 'none'; style-src 'self'; frame-ancestors 'none'"

router = APIRouter()


@router.get("/health/live")
def live() -> JSONResponse:
    """The process answers."""
    return JSONResponse({"live": True})


@router.get("/health/ready")
def ready(line: TheLine) -> JSONResponse:
    """Whether everything that work needs is there: each check with its code, or None."""
    found = checks(line)
    fine = all(code is None for code in found.values())
    return JSONResponse({"ready": fine, "checks": found}, 200 if fine else 503)


@router.get("/metrics")
def metrics(line: TheLine) -> Response:
    """Prometheus text: counts by state, ages and pulses; no label names a message."""
    registry = CollectorRegistry()
    rows = Gauge("inbox_rows", "Rows by kind and state", ["kind", "state"], registry=registry)
    tasks = Gauge("inbox_open_tasks", "Open tasks by kind", ["kind"], registry=registry)
    oldest = Gauge(
        "inbox_oldest_seconds", "Age of the oldest message in a state", ["state"], registry=registry
    )
    pulses = Gauge("inbox_pulse_seconds", "Since it last worked", ["name"], registry=registry)
    backward = Gauge("inbox_clock_backward_seconds", "The clock ran back", registry=registry)
    entries = Gauge("inbox_audit_entries", "Entries in the audit", registry=registry)
    with line.store.reading() as (session, now):
        for kind, states in counts(session).items():
            for state, number in states.items():
                rows.labels(kind, state).set(number)
        for kind, number in open_tasks(session).items():
            tasks.labels(kind).set(number)
        for state, since in oldest_waiting(session).items():
            oldest.labels(state).set((now - since).total_seconds())
        for pulse in session.exec(select(Pulse)):
            if pulse.at is not None:
                pulses.labels(pulse.name).set((now - pulse.at).total_seconds())
        entries.set(audit.head(session)[0])
    clock = line.store.clock
    backward.set(clock.backward.total_seconds() if isinstance(clock, SteadyClock) else 0)
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")


@router.get("/style.css")
def style() -> Response:
    """The one style sheet of the status page."""
    text = (Path(__file__).parent / "templates" / "status.css").read_text("utf-8")
    return Response(text, media_type="text/css")


@router.get("/")
def status(request: Request, line: TheLine) -> Response:
    """The status page (*driftssiden*), in bokmål."""
    del request
    with line.store.reading() as (session, now):
        page = _PAGES.get_template("status.html").render(
            checks=checks(line),
            counts=counts(session),
            tasks=open_tasks(session),
            oldest={s: _age(now - at) for s, at in oldest_waiting(session).items()},
            pulses=[
                (pulse.name, None if pulse.at is None else _age(now - pulse.at), pulse.code)
                for pulse in session.exec(select(Pulse).order_by(col(Pulse.name)))
            ],
            entries=audit.head(session)[0],
            now=now.strftime("%d.%m.%Y %H:%M:%S UTC"),
        )
    return Response(
        page, media_type="text/html", headers={"content-security-policy": _PAGE_POLICY}
    )


def counts(session: Session) -> dict[str, dict[str, int]]:
    """How many rows of each kind are in each state."""
    found: dict[str, dict[str, int]] = {}
    for kind, row in _ROWS.items():
        state = table_of(row).c.state
        states = session.execute(sa.select(state, func.count()).group_by(state))
        found[kind] = {str(each): number for each, number in states}
    return found


def open_tasks(session: Session) -> dict[str, int]:
    """How many tasks of each kind wait for a person."""
    found = session.exec(
        select(col(Task.kind), func.count())
        .where(col(Task.closed_at).is_(None))
        .group_by(col(Task.kind))
    )
    return dict(sorted(found.all()))


def oldest_waiting(session: Session) -> dict[str, datetime]:
    """When the oldest message in each state was received."""
    found = session.exec(
        select(col(Message.state), func.min(col(Message.received_at))).group_by(col(Message.state))
    )
    return {str(state): at for state, at in found}


def checks(line: Line) -> dict[str, str | None]:
    """Each thing that work needs, with the code of what is wrong with it."""
    tests: Mapping[str, Callable[[Line], str | None]] = {
        "database": _database,
        "vault": _vault,
        "keys": _keys,
        "policies": _policies,
        "pulses": _pulses,
    }
    found: dict[str, str | None] = {}
    for name, test in tests.items():
        try:
            found[name] = test(line)
        except InboxError as error:
            found[name] = error.code
    return found


def _database(line: Line) -> str | None:
    line.store.check_schema()
    return None


def _vault(line: Line) -> str | None:
    return None if line.vault.free_bytes() >= line.terms.free_bytes else "vault.full"


def _keys(line: Line) -> str | None:
    with line.store.reading() as (session, _):
        installation = session.get(Installation, 1)
    proved = installation is not None and line.keyring.proves(installation.key_proof)
    return None if proved else "keys.not_these"


def _policies(line: Line) -> str | None:
    with line.store.reading() as (session, _):
        return None if line.policies.current(session).rules else "policy.not_active"


def _pulses(line: Line) -> str | None:
    with line.store.reading() as (session, now):
        pulses = session.exec(select(Pulse)).all()
    for pulse in pulses:
        if pulse.at is None or now - pulse.at > _QUIET:
            return pulse.code or "pulse.quiet"
    return None


def _age(span: timedelta) -> str:
    minutes, seconds = divmod(max(0, int(span.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} t"
    if hours:
        return f"{hours} t {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
