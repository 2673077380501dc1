"""The operators' status page: the totals in bokmål, without scripts."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from inbox.audit.gap import AuditGap
from inbox.days import in_norway
from inbox.domain import MessageState
from inbox.health.condition import HealthCondition, Level
from inbox.health.words import words_of
from inbox.language import TextLanguage
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
_BAD: Final = frozenset({Level.UNREADY, Level.WRONG})
_FOR_PEOPLE: Final = (
    MessageState.QUARANTINED,
    MessageState.UNROUTED,
    MessageState.ROUTED,
    MessageState.RETURNED,
)
"""States that wait for people."""


@dataclass(frozen=True, kw_only=True)
class ShownCondition:
    """A condition in bokmål."""

    code: str
    means: str
    otherwise: str
    who: str
    how: str
    since: datetime | None
    age: timedelta | None
    count: int | None
    status: int | None


def render_status_page(
    totals: Totals,
    readiness: Mapping[str, str],
    conditions: Sequence[HealthCondition],
    gap: AuditGap | None = None,
) -> tuple[str, Mapping[str, str]]:
    """The page, and the headers that allow its own style sheet and nothing else.

    `conditions` are those that may be shown where nobody signs in, the worst first.
    """
    style = _PAGES.get_template("status.css").render()
    page = _PAGES.get_template("status.html").render(
        style=Markup(style),  # noqa: S704 - our own file, with nothing filled in
        totals=totals,
        readiness=readiness,
        wrong=[_shown(each, totals.at) for each in conditions if each.level in _BAD],
        look=[_shown(each, totals.at) for each in conditions if each.level is Level.WARNING],
        tasks=[_shown(each, totals.at) for each in conditions if each.kind == "task"],
        gap=gap,
        waits=_waiting_mail(totals),
        local=_local_time,
        span=_rough_duration,
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"{problems.SECURITY_HEADERS['content-security-policy']}; style-src 'sha256-{digest}'"
    return page, {"content-security-policy": policy}


def _shown(condition: HealthCondition, now: datetime) -> ShownCondition:
    words, since = words_of(condition, TextLanguage.NB), condition.since
    return ShownCondition(
        code=condition.code,
        means=words.means,
        otherwise=words.otherwise,
        who=words.who,
        how=words.how,
        since=since,
        age=None if since is None else now - since,
        count=condition.count,
        status=condition.status,
    )


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
