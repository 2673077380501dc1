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
        local=_local_time,
        span=_rough_duration,
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"{problems.SECURITY_HEADERS['content-security-policy']}; style-src 'sha256-{digest}'"
    return page, {"content-security-policy": policy}


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
