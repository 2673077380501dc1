"""What is told when it goes wrong: a code and what to do; never what was sent, never why inside."""

import json
import logging

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel

from inbox.errors import (
    ConcurrentWrite,
    Conflict,
    IllegalMove,
    InboxError,
    IntegrityError,
    Invalid,
    NotFound,
    NotPermitted,
    PackageRejected,
    PolicyError,
    Unavailable,
)
from inbox.web import problems
from tests.web.conftest import CANARY, Api, Still

DEEP = "[" * 5000


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "request.invalid"),
        (f'{{"{CANARY}', 400, "request.not_json"),
        (DEEP, 400, "request.not_json"),
        (b'{"reference": "\xff\xfe"}', 400, "request.not_json"),
        (json.dumps(CANARY), 422, "request.invalid"),
        (json.dumps([CANARY]), 422, "request.invalid"),
        (json.dumps({"reference": {"a": CANARY}}), 422, "request.invalid"),
        (json.dumps({"reference": CANARY * 100}), 422, "request.invalid"),
        (json.dumps({"reference": "1", CANARY: CANARY}), 422, "request.invalid"),
        (json.dumps({"reference": f"{CANARY}\n1"}), 422, "reference.shape"),
        (json.dumps({"reference": "   "}), 422, "reference.shape"),
        (json.dumps({"reference": f"{CANARY}\ud800"}), 422, "request.invalid"),
        (json.dumps({"referense": CANARY}), 422, "request.invalid"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_malformed_registered_body_is_refused_without_repeating_its_content(
    still: Still, body: str | bytes, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"content-type": "application/json"}

    answer = still.post("registered", content=body, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert CANARY not in answer.text
    assert CANARY not in caplog.text
    assert still.stands_open()


def test_validation_problem_names_only_fields_of_the_schema(still: Still) -> None:
    answer = still.post("refused", json={"text": "x" * 2001, CANARY: 1})

    assert answer.json()["errors"] == [
        {"where": "body", "field": "code", "rule": "missing"},
        {"where": "body", "field": "text", "rule": "string_too_long"},
        {"where": "body", "rule": "extra_forbidden"},
    ]


@pytest.mark.parametrize("code", ["", "A", "with space", "x" * 61, "code\n"])
def test_refusal_code_must_match_the_code_pattern(still: Still, code: str) -> None:
    assert still.post("refused", json={"code": code}).status_code == 422


@pytest.mark.parametrize("word", ["registered", "refused", "accepted"])
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""]
)
def test_body_without_a_json_content_type_is_refused_with_the_header_to_send(
    still: Still, content_type: str, word: str
) -> None:
    headers = {"content-type": content_type} if content_type else {}

    answer = still.post(word, content=b'{"reference": "1"}', headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "request.content_type")
    assert "Content-Type: application/json" in answer.json()["detail"]
    assert "curl -d" in answer.json()["detail"]
    assert still.stands_open()


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=utf-8", "application/vnd.x+json"],
)
def test_body_with_a_json_content_type_is_read(still: Still, content_type: str) -> None:
    answer = still.post("registered", content=b"{}", headers={"content-type": content_type})

    assert [one["field"] for one in answer.json()["errors"]] == ["reference"]


def test_accepted_without_a_body_needs_no_content_type(api: Api) -> None:
    delivery = api.offered()

    answer = api.client.post(
        f"{api.path}/{delivery.id}/accepted",
        content=b"",
        headers={**api.headers(), "content-type": "application/x-www-form-urlencoded"},
    )

    assert (answer.status_code, answer.json()) == (200, {"said": "done"})


def test_too_large_body_is_refused_with_or_without_content_length(still: Still) -> None:
    large = json.dumps({"code": "x", "text": "y" * 70_000}).encode()

    said = still.post("refused", content=large)
    chunked = still.post("refused", content=iter([large[:40_000], large[40_000:]]))

    for answer in (said, chunked):
        assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")
    assert still.stands_open()


def test_unsupported_method_answers_405_with_the_allowed_methods(still: Still) -> None:
    api = still.api
    answer = api.client.put(api.path, headers=api.headers())

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"
    assert api.client.head(api.path, headers=api.headers()).status_code == 405


class _Inner(BaseModel):
    number: int


def _failing(error: Exception) -> TestClient:
    app = FastAPI()
    problems.install_error_handlers(app)

    @app.get("/")
    def fail() -> None:
        raise error

    @app.get("/validation")
    def validate() -> None:
        _Inner.model_validate({"number": CANARY})

    @app.get("/response", response_model=_Inner)
    def respond() -> dict[str, str]:
        return {"number": CANARY}

    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotFound("container.entry", CANARY), 404, "not_found"),
        (NotPermitted("not_permitted", CANARY), 403, "not_permitted"),
        (Conflict("stale", CANARY), 409, "stale"),
        (ConcurrentWrite("database.taken", CANARY), 503, "database.taken"),
        (IllegalMove("move.illegal", CANARY), 409, "move.illegal"),
        (Invalid("reference.shape", CANARY), 422, "reference.shape"),
        (Unavailable("vault.io", CANARY), 503, "vault.io"),
        (IntegrityError("vault.chunk", CANARY), 500, "internal"),
        (PackageRejected("container.crc", CANARY), 500, "internal"),
        (PolicyError("policy.case", CANARY), 500, "internal"),
        (InboxError("other", CANARY), 500, "internal"),
        (KeyError(CANARY), 500, "internal"),
        (RuntimeError(CANARY), 500, "internal"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_exceptions_become_problems_with_a_code_and_no_reason(
    error: Exception, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    answer = _failing(error).get("/")

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["status"] == status
    assert set(answer.json()) == {"type", "title", "status", "detail", "code"}
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert CANARY not in answer.text
    assert CANARY not in caplog.text
    assert ("failed" in caplog.messages) is (status >= 500)


@pytest.mark.parametrize("path", ["/validation", "/response"])
def test_internal_validation_error_answers_500_without_the_value(path: str) -> None:
    """Not raised again: the server would write down its text."""
    app = _failing(RuntimeError()).app
    client = TestClient(app, raise_server_exceptions=True)

    answer = client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert CANARY not in answer.text


def test_request_log_uses_the_route_template_without_ids(
    still: Still, caplog: pytest.LogCaptureFixture
) -> None:
    api, delivery = still.api, still.delivery
    caplog.set_level(logging.INFO, logger="inbox")
    caplog.clear()

    still.post(f"refused?{CANARY}=1", json={})
    api.client.get(f"/{CANARY}", headers=api.headers())

    fields = [
        getattr(record, "inbox_fields", {}) for record in caplog.records if record.msg == "request"
    ]
    assert [(one.get("route"), one["status"]) for one in fields] == [
        ("/api/v1/deliveries/{delivery_id}/refused", 422),
        (None, 404),
    ]
    assert CANARY not in json.dumps(fields)
    assert delivery.id not in json.dumps(fields)
