"""Walks the provider's pages as a browser would: reads a page, submits its form, stops at home."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx


class NoSuchChoice(Exception):
    """The page does not offer what was to be chosen; says the page's heading and status."""


@dataclass
class PageForm:
    """The one form of a page, as far as a submit button needs it."""

    action: str = ""
    hidden: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    heading: str = ""


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = PageForm()
        self._in_heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._in_heading = tag == "h1"
        if tag == "form":
            self.found.action = given.get("action", "")
        elif tag == "input" and given.get("type") == "hidden":
            self.found.hidden[given["name"]] = given["value"]
        elif tag == "button":
            self.found.buttons.append((given["name"], given["value"]))

    def handle_data(self, data: str) -> None:
        if self._in_heading:
            self.found.heading += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "h1":
            self._in_heading = False


def read_form(html: str) -> PageForm:
    """The form of a page of the provider."""
    reader = _FormReader()
    reader.feed(html)
    return reader.found


def choose_person(http: httpx.Client, authorization_url: str, person_id: str) -> str:
    """Follow an authorization URL, choose a person if asked to; gives the URL of the callback.

    The cookies stay in the client, which is the browser; a second time in the same one, a session
    may answer without a page. The callback is not fetched, and may carry an error.
    """
    page = http.get(authorization_url, follow_redirects=False)
    if page.is_redirect:
        return page.headers["location"]
    return press(http, page, "person", person_id)


def press(http: httpx.Client, page: httpx.Response, name: str, value: str) -> str:
    """Press a button of a page of the provider; gives the URL that the answer leads to."""
    form = read_form(page.text)
    if (name, value) not in form.buttons:
        raise NoSuchChoice(f"{page.status_code} {form.heading}: no button {name}={value}")
    answer = http.post(
        urljoin(str(page.url), form.action),
        data={**form.hidden, name: value},
        follow_redirects=False,
    )
    if not answer.is_redirect:
        raise NoSuchChoice(f"{answer.status_code} {read_form(answer.text).heading}")
    return answer.headers["location"]
