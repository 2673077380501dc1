"""Request bodies with one meaning: a route that reads JSON as strictly as everything else here."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from inbox.strict.json_text import read_json


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
    """A route whose JSON body is refused where two readers could take it differently."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of FastAPI, given a request that reads strictly."""
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return strictly
