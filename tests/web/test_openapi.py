"""The description that vendors build on: committed, compared, and true."""

import json
import re
from pathlib import Path

from inbox.web.openapi import build_openapi, text

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"
ANEW = "make it anew: .venv/bin/python -m inbox.web.openapi > docs/openapi.json"


def test_committed_openapi_json_matches_the_code() -> None:
    assert COMMITTED.read_text("utf-8") == text(), ANEW


def test_every_openapi_schema_reference_resolves() -> None:
    found = build_openapi()
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(found)))

    assert "Problem" in names
    assert names <= set(found["components"]["schemas"])


def test_openapi_operations_have_an_id_a_key_and_problem_responses() -> None:
    found = build_openapi()
    operations = [one for path in found["paths"].values() for one in path.values()]

    assert len(operations) == 7
    assert found["security"] == [{"key": []}]
    for operation in operations:
        assert re.fullmatch(r"[a-z_]+", operation["operationId"])
        problem = operation["responses"]["401"]["content"]
        assert list(problem) == ["application/problem+json"]
    assert "HTTPValidationError" not in json.dumps(found)


def test_openapi_webhook_lists_its_three_headers() -> None:
    (event,) = build_openapi()["webhooks"].values()

    assert [one["name"] for one in event["post"]["parameters"]] == [
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    ]
    assert list(event["post"]["responses"]) == ["204"]
    assert list(event["post"]["requestBody"]["content"]) == ["application/cloudevents+json"]


def test_openapi_closes_what_is_taken_and_leaves_open_what_is_given() -> None:
    """A field may be added to an answer: whoever validates by the description must not mind."""
    schemas = build_openapi()["components"]["schemas"]

    closed = {name for name, each in schemas.items() if each.get("additionalProperties") is False}

    assert closed == {"Nothing", "Registered", "Refused"}
    assert {"Delivery", "Page", "Answer", "OfferedEvent", "Problem"} <= set(schemas)
