"""Generates the case systems' OpenAPI 3.1 description for vendors; the service serves none.

`python -m inbox.web.openapi > docs/openapi.json` makes the committed file anew.
"""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from fastapi import FastAPI, Header
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from inbox.casesystem.webhook import EVENT_TYPE
from inbox.web.api import router
from inbox.web.api_models import ApiModel
from inbox.web.problems import MEDIA_TYPE, Problem

_EXAMPLES: Final = Path(__file__).with_name("answer_examples.json")
_ABOUT: Final = """\
Confidential case mail (*taushetsbelagt arkivmelding*) for a case system.

List what waits (or get an event by webhook), collect it, say *accepted* when you have the bytes,
and *registered* with the archive's reference once it is journalført, or *refused* with a code. Only
*registered* sends the sender a kvittering. Every request may be repeated: the same word twice is
the same answer. Use `message_id` as your key against duplicates.

Errors are `application/problem+json` with a stable `code`. On 503, and when a transfer is cut,
repeat the request later.
"""


class Offered(ApiModel):
    """The ids that the event is about: never a word of the message."""

    delivery_id: str


class OfferedEvent(ApiModel):
    """A CloudEvent 1.0: a delivery stands open; collect it."""

    specversion: Literal["1.0"]
    id: str
    """The same at every try: the key against duplicates."""
    type: Literal["no.inbox.delivery.offered.v1"]
    source: str
    time: datetime
    datacontenttype: Literal["application/json"]
    data: Offered


def build_openapi() -> dict[str, Any]:
    """The whole OpenAPI document, in plain values and in a stable order."""
    app = FastAPI(
        title="inbox: case systems",
        version="1",
        description=_ABOUT,
        generate_unique_id_function=_operation_id,
        separate_input_output_schemas=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.include_router(router)
    app.webhooks.add_api_route(
        "delivery-offered",
        delivery_offered,
        methods=["POST"],
        status_code=204,
        generate_unique_id_function=_operation_id,
    )
    schema = app.openapi()
    parts = schema["components"]
    inner = TypeAdapter(Problem).json_schema(ref_template="#/components/schemas/{model}")
    parts["schemas"] |= inner.pop("$defs") | {"Problem": inner}
    _drop_validation_errors(schema)
    _add_examples(schema)
    parts["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    schema["security"] = [{"key": []}]
    return schema


def _drop_validation_errors(schema: dict[str, Any]) -> None:
    """Leave out FastAPI's own 422, which we never send: it repeats what it was sent."""
    echoes = ("HTTPValidationError", "ValidationError")
    for path in [*schema["paths"].values(), *schema["webhooks"].values()]:
        for operation in path.values():
            invalid = json.dumps(operation["responses"].get("422", {}))
            if any(f'schemas/{name}"' in invalid for name in echoes):
                del operation["responses"]["422"]
    for name in echoes:
        schema["components"]["schemas"].pop(name, None)


def _add_examples(schema: dict[str, Any]) -> None:
    """Real answers, and what is sent for them: each was given by a line of the tests."""
    kept = json.loads(_EXAMPLES.read_text("utf-8"))
    for path in schema["paths"].values():
        for operation in path.values():
            own = kept.get(operation["operationId"], {})
            for status, response in operation["responses"].items():
                for media_type, content in response.get("content", {}).items():
                    of_kind = kept["problems"] if media_type == MEDIA_TYPE else own
                    if status in of_kind:
                        content["example"] = of_kind[status]
    (event,) = schema["webhooks"].values()
    (content,) = event["post"]["requestBody"]["content"].values()
    content["example"] = kept["event"]["post"]
    event["post"]["requestBody"]["content"] = {EVENT_TYPE: content}


def delivery_offered(
    event: OfferedEvent,
    webhook_id: Annotated[str, Header()],
    webhook_timestamp: Annotated[str, Header()],
    webhook_signature: Annotated[str, Header()],
) -> None:
    """Sent to the case system's own address, signed as in Standard Webhooks (`v1`). Answer 2xx."""
    del event, webhook_id, webhook_timestamp, webhook_signature


def _operation_id(route: APIRoute) -> str:
    return route.name


def text() -> str:
    """The text of the committed file."""
    return json.dumps(build_openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
