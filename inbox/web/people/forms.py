"""Forms: whose they are, when they were made, and what was typed into them.

A form's token is the time at which the server made it and a MAC of it under the session's own key,
for one action. So a token is worthless in another session, for another action and after its time.
Before that, the browser itself must say that the request comes from a page of ours.
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from inbox.errors import Conflict, Invalid, NotPermitted
from inbox.web.people.local_address import local_address
from inbox.web.people.site import PeopleSite
from inbox.web.people.visitor import Visitor

TOKEN_FIELD: Final = "_skjema"  # noqa: S105 - the name of a field
RETURN_FIELD: Final = "_tilbake"
_FORM_TYPE: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 500
_MAC_BYTES: Final = 18
_CLOCK_SKEW: Final = timedelta(seconds=30)
"""Another process of ours, whose clock runs ahead, may have made the form."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a person sent, and from where."""

    action: str
    """The path that it was sent to."""
    return_address: str
    """The page that it was on, as an address of ours."""
    made_at: datetime | None = None
    """When the server made it; None for a form of somebody who is not signed in."""
    typed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By the name of a field, without the fields that the frame adds."""

    def one(self, name: str) -> str:
        """The only value of a field, without blanks around it; empty if it was left out."""
        found = self.typed.get(name, ())
        if len(found) > 1:
            raise Invalid("form.repeated", "a field was sent more than once")
        return found[0].strip() if found else ""

    def several(self, name: str) -> tuple[str, ...]:
        """Every value of a field, in the order of the page."""
        return self.typed.get(name, ())


class ForeignForm(NotPermitted):
    """The form comes from elsewhere, from another session, or is for another action."""

    def __init__(self, reason: str = "") -> None:
        super().__init__("form.foreign", reason)


class FormExpired(Conflict):
    """The form was open for too long; what was typed is shown again, or kept as a draft."""

    def __init__(self, form: Form) -> None:
        super().__init__("form.expired")
        self.form = form


class ChangedByAnother(Conflict):
    """What the form was about has changed meanwhile; the notice says who did what when."""

    def __init__(self, form: Form, notice: str) -> None:
        super().__init__("form.changed")
        self.form = form
        self.notice = notice


class TooFast(Conflict):
    """The form was sent sooner than a person can have read it: a held key, or a double click."""

    def __init__(self, form: Form) -> None:
        super().__init__("form.too_fast")
        self.form = form


def form_token(visitor: Visitor, action: str, at: datetime) -> str:
    """The token of a form that is made now, for one action of one session."""
    milliseconds = f"{int(at.timestamp() * 1000):x}"
    return f"{milliseconds}.{mac_of(visitor, 'form', action, milliseconds)}"


def check_same_origin(request: Request, site: PeopleSite) -> None:
    """Raise `ForeignForm` unless the browser says that the request comes from a page of ours.

    Browsers that send no `Sec-Fetch-Site` send `Origin` with every POST.
    """
    fetch_site = request.headers.getlist("sec-fetch-site")
    if fetch_site:
        if fetch_site != ["same-origin"]:
            raise ForeignForm("Sec-Fetch-Site is not same-origin")
        return
    if request.headers.getlist("origin") != [site.origin]:
        raise ForeignForm("Origin is missing or another")


def read_form(request: Request, visitor: Visitor | None, *, at_speed: bool = False) -> Form:
    """The form that was sent.

    Raises `ForeignForm`; `FormExpired` for one that was open too long; with `at_speed`, `TooFast`
    for one that was sent sooner than 0.7 s after it was made. Somebody who is not signed in has no
    token: there the browser's word on where the form comes from is all there is.
    """
    site: PeopleSite = request.app.state.site
    check_same_origin(request, site)
    fields = _fields(request)
    token, address = (fields.pop(name, ("",))[0] for name in (TOKEN_FIELD, RETURN_FIELD))
    action = request.url.path
    form = Form(action=action, return_address=local_address(address), typed=fields)
    if visitor is None:
        return form
    made_at = _made_at(visitor, action, token)
    form = Form(action=action, return_address=form.return_address, made_at=made_at, typed=fields)
    age = site.clock() - made_at
    if age > site.draft_life or age < -_CLOCK_SKEW:
        raise FormExpired(form)
    if at_speed and age < site.shortest_look:
        raise TooFast(form)
    return form


def has_token(request: Request) -> bool:
    """Whether the form was made for somebody: a page of an error may not know who is signed in."""
    return bool(_fields(request).get(TOKEN_FIELD, ("",))[0])


def _fields(request: Request) -> dict[str, tuple[str, ...]]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM_TYPE:
        raise Invalid("form.content_type")
    body: bytes = request.state.body
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise Invalid("form.unreadable") from None
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        fields[name] = (*fields.get(name, ()), value)
    return fields


def _made_at(visitor: Visitor, action: str, token: str) -> datetime:
    milliseconds, _, mac = token.partition(".")
    if not hmac.compare_digest(
        mac.encode(), mac_of(visitor, "form", action, milliseconds).encode()
    ):
        raise ForeignForm("the token is of another session or action")
    return datetime.fromtimestamp(int(milliseconds, 16) / 1000, tz=UTC)


def mac_of(visitor: Visitor, purpose: str, *said: str) -> str:
    """What only this session's pages can have written after these words."""
    signed = "\n".join((purpose, visitor.session, *said)).encode()
    digest = hmac.digest(visitor.csrf_key, signed, sha256)[:_MAC_BYTES]
    return base64.urlsafe_b64encode(digest).decode("ascii")
