"""Request bodies with one meaning: JSON that says that it is, read strictly."""

import json
import re
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute

from inbox.strict.json_text import read_json
from inbox.web import problems

_JSON: Final = re.compile(r"application/(?:[\w.-]+\+)?json\s*(?:;.*)?", re.ASCII | re.IGNORECASE)


class _StrictRequest(Request):
    async def json(self) -> Any:
        """The body; a member twice or NaN is as much of an error as a missing bracket."""
        raw = await self.body()
        try:
            return read_json(raw)
        except ValueError:
            # The one error that FastAPI turns into a response; the text of the body stays out.
            raise json.JSONDecodeError("invalid", "", 0) from None


class StrictBodyRoute(APIRoute):
    """A route whose body must say that it is JSON, and is refused where readers could differ.

    Without that name it would not be looked at, and the answer would be about fields that are
    there: `curl -d` calls everything a form.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of FastAPI, given a request that reads strictly."""
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            strict = _StrictRequest(request.scope, request.receive)
            if await strict.body() and not _names_json(strict):
                return problems.not_named_json()
            return await handle(strict)

        return strictly


def _names_json(request: Request) -> bool:
    given = request.headers.getlist("content-type")
    return len(given) == 1 and _JSON.fullmatch(given[0]) is not None
