"""The published schema of a verdict: committed, the same as the API's, and true."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from inbox.package.verdict import Verdict
from inbox.web.openapi import build_openapi
from inbox.web.verdict_schema import schema, text
from tests.package_builder import genuine, opened, quarantine

COMMITTED = Path(__file__).parents[2] / "docs" / "verdict.schema.json"
ANEW = "make it anew: .venv/bin/python -m inbox.web.verdict_schema > docs/verdict.schema.json"


def test_committed_verdict_schema_matches_the_code() -> None:
    assert COMMITTED.read_text("utf-8") == text(), ANEW


def test_openapi_describes_the_same_verdict_as_the_schema() -> None:
    parts = build_openapi()["components"]["schemas"]
    inner = json.loads(json.dumps(schema()).replace("#/$defs/", "#/components/schemas/"))

    assert {name: parts[name] for name in inner["$defs"]} == inner["$defs"]
    for part in inner["properties"].values():
        if part.get("default", "") is None:
            del part["default"]  # An API description leaves defaults out that are null.
    assert parts["Verdict"]["properties"] == inner["properties"]


def test_verdict_schema_members_have_descriptions() -> None:
    parts: dict[str, Any] = schema()["properties"]

    undescribed = {name for name, part in parts.items() if "description" not in str(part)}
    assert undescribed <= {"signers", "signer_is"}


def test_verdict_stored_before_a_member_was_added_is_still_readable() -> None:
    kept = '{"container": true, "integrity": true, "signers": [], "notes": ["x"], "code": null}'

    assert TypeAdapter(Verdict).validate_json(kept).problems == ()


@pytest.mark.parametrize(
    "verdict", [opened(genuine()).verdict, quarantine(b"x").verdict], ids=["whole", "refused"]
)
def test_verdict_members_equal_those_of_the_schema(verdict: Any) -> None:
    assert json.loads(json.dumps(verdict.as_json())).keys() == schema()["properties"].keys()
