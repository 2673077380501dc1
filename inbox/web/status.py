"""The operators' status page: the totals in bokmål, without scripts."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from inbox.audit.gap import AuditGap
from inbox.days import in_norway
from inbox.domain import MessageState
from inbox.web import problems
from inbox.web.operator_totals import Totals

_PAGES: Final = Environment(
    loader=PackageLoader("inbox.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_FOR_PEOPLE: Final = (
    MessageState.QUARANTINED,
    MessageState.UNROUTED,
    MessageState.ROUTED,
    MessageState.RETURNED,
)
"""States that wait for people."""


def render_status_page(
    totals: Totals, readiness: Mapping[str, str], gap: AuditGap | None = None
) -> tuple[str, Mapping[str, str]]:
    """The page, and the headers that allow its own style sheet and nothing else."""
    style = _PAGES.get_template("status.css").render()
    page = _PAGES.get_template("status.html").render(
        style=Markup(style),  # noqa: S704 - our own file, with nothing filled in
        totals=totals,
        readiness=readiness,
        gap=gap,
        waits=_waiting_mail(totals),
        local=_local_time,
        span=_rough_duration,
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"{problems.SECURITY_HEADERS['content-security-policy']}; style-src 'sha256-{digest}'"
    return page, {"content-security-policy": policy}


def _waiting_mail(totals: Totals) -> str:
    """What waits for people, or for a revocation list, in a sentence; empty where nothing does."""
    tasks = sum(count.number for count in totals.tasks.values())
    oldest = max((c.oldest for c in totals.tasks.values() if c.oldest is not None), default=None)
    sentences = []
    if tasks:
        noun = "oppgave venter" if tasks == 1 else "oppgaver venter"
        age = _rough_duration(oldest)
        sentences.append(f"{tasks} {noun} på mennesker, den eldste i {age}.")
    untold = sum(totals.messages[state].number for state in _FOR_PEOPLE)
    if untold and not tasks:
        sentences.append(f"Meldinger som venter på mennesker: {untold}.")
    if totals.waits_for_list:
        sentences.append(f"Meldinger som venter på sperreliste: {totals.waits_for_list}.")
    return " ".join(sentences)


def _local_time(at: datetime) -> str:
    """As people here write it: 24.11.2026 kl. 14.05."""
    return in_norway(at).strftime("%d.%m.%Y kl. %H.%M")


def _rough_duration(age: timedelta | None) -> str:
    """About how long, in the largest unit that fits."""
    if age is None:
        return "–"
    seconds = max(0, int(age.total_seconds()))
    for unit, name in ((_DAY, "døgn"), (_HOUR, "t"), (_MINUTE, "min")):
        if seconds >= unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"
