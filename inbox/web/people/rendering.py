"""Turns a template and plain values into a page: in the visitor's language, everything escaped."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from inbox.access.policy.vocabulary import Action, Role
from inbox.language import TextLanguage
from inbox.line.people_lists import showing_action
from inbox.web.people import formats
from inbox.web.people.forms import Form, form_token
from inbox.web.people.frame import Side, side_in_unit, side_of
from inbox.web.people.language_choice import language_of
from inbox.web.people.local_address import local_address
from inbox.web.people.site import PeopleSite
from inbox.web.people.texts import LANGUAGE_NAMES, PageTexts, texts_in
from inbox.web.people.visitor import Visitor, visitor_of

_DATED: Final[Mapping[str, Callable[..., str]]] = {
    "day": formats.full_day,
    "day_with_year": formats.full_day_with_year,
    "short_day": formats.short_day,
    "clock": formats.clock,
    "moment": formats.moment,
    "short_moment": formats.short_moment,
    "short_weekday_moment": formats.short_weekday_moment,
    "size": formats.size,
    "number": formats.number,
}
"""Filters that write differently in each language."""


class PageTemplates:
    """The templates in three languages, and what is the same on every page."""

    def __init__(self, site: PeopleSite, style_sheets: tuple[str, ...]) -> None:
        self._site = site
        self._style_sheets = style_sheets
        self._environments = {each: _environment(texts_in(each)) for each in TextLanguage}

    def write(self, request: Request, template: str, values: Mapping[str, object]) -> str:
        """The page as text."""
        visitor = visitor_of(request)
        language = visitor.language if visitor else language_of(request)
        now = self._site.clock()
        again: Form | None = getattr(request.state, "sent_again", None)
        always = {
            "visitor": visitor,
            "language": language,
            "languages": LANGUAGE_NAMES,
            "site": self._site,
            "style_sheets": self._style_sheets,
            "now": now,
            "here": _here(request, again),
            "form_token": _token_maker(visitor, now),
            "sent_again": again,
            "notice": getattr(request.state, "notice", ""),
            "done": None,
            "problems": None,
            "side": _plain_side(visitor, request),
        }
        page = self._environments[language].get_template(template).render({**always, **values})
        return formats.unbreakable(page)


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: object,
) -> HTMLResponse:
    """A page from a template of `templates/`; an undefined name in it raises."""
    templates: PageTemplates = request.app.state.templates
    return HTMLResponse(templates.write(request, template, values), status, headers)


def render_form(
    request: Request, template: str, problems: object | None, **values: Any
) -> HTMLResponse:
    """The page of a form, as `render` makes it; 422 if `problems` says what is wrong with it."""
    status = 422 if problems else 200
    return render(request, template, status=status, problems=problems, **values)


def page_texts(request: Request) -> PageTexts:
    """The texts in the language of this request, for sentences that Python puts together."""
    visitor = visitor_of(request)
    return texts_in(visitor.language if visitor else language_of(request))


def _environment(texts: PageTexts) -> Environment:
    made = Environment(
        loader=PackageLoader("inbox.web.people"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    install: Callable[..., None] = made.install_gettext_callables  # type: ignore[attr-defined]  # the extension's
    install(texts.gettext, texts.ngettext, newstyle=True)
    dated: dict[str, Callable[..., Any]] = {
        name: partial(_with_language, write, texts.language) for name, write in _DATED.items()
    }
    made.filters |= {**dated, "orgnr": formats.orgnr, "instant": _instant}
    return made


def _with_language(write: Callable[..., str], language: TextLanguage, value: object) -> str:
    return write(value, language)


def _instant(at: datetime) -> str:
    """For the attribute `datetime` of `<time>`."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def _here(request: Request, again: Form | None) -> str:
    """The address of this page; of a form that is shown again, the one that it was on."""
    if request.method in {"GET", "HEAD"}:
        query = f"?{request.url.query}" if request.url.query else ""
        return local_address(f"{request.url.path}{query}")
    return "/" if again is None else again.return_address


def _plain_side(visitor: Visitor | None, request: Request) -> Side | None:
    if visitor is None or visitor.capacity is None:
        return None
    role, here = visitor.capacity.role, request.url.path
    if showing_action(role) is Action.LIST:
        return side_in_unit(current=here, leads=role is Role.LEADER)
    return side_of(current=here)


def _token_maker(visitor: Visitor | None, now: datetime) -> Callable[[str], str]:
    def make(action: str) -> str:
        """The token of a form; empty where nobody is signed in, or the form goes by GET."""
        path = action.partition("?")[0]
        return form_token(visitor, path, now) if visitor else ""

    return make
