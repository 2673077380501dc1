"""The same page once more, with a line on top that says why, and with everything that was typed.

A form that came too soon or too late is not acted on. Its page is asked for again in its own name,
so it shows what is true now, and the person must still be allowed to see it.
"""

from typing import Final

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from inbox.web.people.forms import Form

_OF_THE_BODY: Final = frozenset({b"content-length", b"content-type", b"transfer-encoding"})
_OF_THE_ROUTE: Final = frozenset({"route", "endpoint", "path_params", "router"})


class SamePage(Response):
    """Answers a POST with the page that the form was on."""

    def __init__(self, form: Form, notice: str) -> None:
        super().__init__()
        self._form = form
        self._notice = notice

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the app for the page, as a GET of the same person."""
        del receive
        path, _, query = self._form.return_address.partition("?")
        headers = [pair for pair in scope["headers"] if pair[0] not in _OF_THE_BODY]
        again = {key: value for key, value in scope.items() if key not in _OF_THE_ROUTE}
        again |= {
            "method": "GET",
            "path": path,
            "raw_path": path.encode("ascii"),
            "query_string": query.encode("ascii"),
            "headers": headers,
            "state": {**scope.get("state", {}), "sent_again": self._form, "notice": self._notice},
        }
        await scope["app"].router(again, _nothing_more, send)


async def _nothing_more() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
