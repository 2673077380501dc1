"""What `/api/v1` promises stays: fields may be added to answers, and nothing may go.

`promised_api.json` is what was promised. A field that was added is added there too, by hand; what
stands there is never changed under `/api/v1` (docs/answers.md, "What may be added").
"""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from inbox.web.openapi import build_openapi

PROMISED = Path(__file__).with_name("promised_api.json")
_WORDS = {"description", "title", "examples", "enum", "const", "default"}
"""What may be said otherwise, and lists that may grow."""
Promises = dict[str, dict[str, Any]]


def _bare(value: Any) -> Any:
    """A schema without words."""
    if isinstance(value, dict):
        return {name: _bare(each) for name, each in value.items() if name not in _WORDS}
    return [_bare(each) for each in value] if isinstance(value, list) else value


def promises_of(schema: dict[str, Any]) -> Promises:
    """The operations with their statuses, the fields that are given, and those that are taken."""
    given, taken = {}, {}
    for name, part in schema["components"]["schemas"].items():
        fields = {field: _bare(each) for field, each in part.get("properties", {}).items()}
        if part.get("additionalProperties") is False:
            taken[name] = {"fields": fields, "required": sorted(part.get("required", []))}
        elif fields:
            given[name] = {"fields": fields, "required": sorted(part.get("required", []))}
    operations = {
        f"{method.upper()} {path}": sorted(operation["responses"])
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }
    return {"operations": operations, "given": given, "taken": taken}


def broken_promises(then: Promises, now: Promises) -> Iterator[str]:
    """What was promised and does not hold any more."""
    for operation, statuses in then["operations"].items():
        if not set(statuses) <= set(now["operations"].get(operation, [])):
            yield operation
    for side in ("given", "taken"):
        for name, part in then[side].items():
            today = now[side].get(name, {"fields": {}, "required": []})
            for field, shape in part["fields"].items():
                if today["fields"].get(field) != shape:
                    yield f"{name}.{field}"
            always, still = set(part["required"]), set(today["required"])
            gone = always - still if side == "given" else still - always
            yield from (f"{name}.{field} required" for field in sorted(gone))


@pytest.fixture(scope="module")
def then() -> Promises:
    found: Promises = json.loads(PROMISED.read_text("utf-8"))
    return found


def test_every_promise_of_the_api_is_kept(then: Promises) -> None:
    assert list(broken_promises(then, promises_of(build_openapi()))) == []


def test_addition_to_the_api_is_promised_too(then: Promises) -> None:
    now = promises_of(build_openapi())

    assert list(broken_promises(now, then)) == [], f"add it to {PROMISED.name}"


def _drop(now: Promises) -> None:
    del now["given"]["Delivery"]["fields"]["message_id"]


def _make_null(now: Promises) -> None:
    now["given"]["Listed"]["fields"]["offered_at"] = {"anyOf": [{}, {"type": "null"}]}


def _demand(now: Promises) -> None:
    now["taken"]["Registered"]["required"].append("journal")


def _leave_out(now: Promises) -> None:
    now["given"]["Page"]["required"].remove("next")


def _remove_status(now: Promises) -> None:
    now["operations"]["POST /api/v1/deliveries/{delivery_id}/registered"].remove("202")


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (_drop, "Delivery.message_id"),
        (_make_null, "Listed.offered_at"),
        (_demand, "Registered.journal required"),
        (_leave_out, "Page.next required"),
        (_remove_status, "POST /api/v1/deliveries/{delivery_id}/registered"),
    ],
)
def test_broken_promise_of_the_api_is_found(
    then: Promises, change: Callable[[Promises], None], broken: str
) -> None:
    now = copy.deepcopy(then)
    change(now)

    assert list(broken_promises(then, now)) == [broken]


def test_field_added_to_an_answer_breaks_no_promise(then: Promises) -> None:
    now = copy.deepcopy(then)
    now["given"]["Delivery"]["fields"]["urgent"] = {"type": "boolean"}
    now["taken"]["Registered"]["fields"]["journal"] = {"type": "string"}

    assert list(broken_promises(then, now)) == []
