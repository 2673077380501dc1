"""Closed by default: nothing without a key, and nothing of another's."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from inbox.app import create_app
from inbox.line.case_systems import hash_api_key
from inbox.tables import CaseSystem
from inbox.web.auth import OPEN
from tests.web.conftest import Api, Still

SAFE = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def _routes(app: FastAPI) -> set[tuple[str, str]]:
    """Every method and path, those of included routers too."""
    return {
        (method, route.path or "")
        for route in iter_route_contexts(app.routes)
        for method in route.methods or {"*"}
    }


def test_route_walk_includes_nested_routers() -> None:
    app, outer, inner = FastAPI(openapi_url=None), APIRouter(prefix="/a"), APIRouter(prefix="/b")
    inner.add_api_route("/c", lambda: None, methods=["PUT"])
    outer.include_router(inner)
    app.include_router(outer)

    assert _routes(app) == {("PUT", "/a/b/c")}


def test_every_api_route_requires_a_key(api: Api) -> None:
    app = create_app(api.world.line)
    routes = _routes(app)
    assert ("POST", "/api/v1/deliveries/{delivery_id}/registered") in routes
    assert len(routes) == 7

    delivery = api.offered()
    answers = {}
    for method, path in routes:
        filled = path.format(delivery_id=delivery.id, number=1)
        answer = api.client.request(method, filled, content=b"{nonsense")
        answers[method, path] = (answer.status_code, answer.json()["code"])

    assert set(answers.values()) == {(401, "not_signed_in")}
    assert frozenset() == OPEN


def test_request_without_a_key_cannot_tell_known_from_unknown_paths(still: Still) -> None:
    api = still.api
    known = api.client.get(api.path)
    unknown = api.client.get("/docs")

    assert known.content == unknown.content
    assert known.headers == unknown.headers
    assert known.headers["www-authenticate"] == "Bearer"


def test_api_serves_no_docs_or_openapi_pages(still: Still) -> None:
    api = still.api
    for path in ("/docs", "/redoc", "/openapi.json", "/api/v1/deliveries/"):
        assert api.client.get(path, headers=api.headers()).status_code == 404


@pytest.mark.parametrize(
    "scheme", ["Basic {}", "{}", "Bearer", "Bearer ", "Bearer {}x", "Bearer æ"]
)
def test_only_a_complete_bearer_key_is_accepted(still: Still, scheme: str) -> None:
    api = still.api
    header = scheme.format(api.world.keys["sak"][0])

    answer = api.client.get(api.path, headers={b"authorization": header.encode()})

    assert answer.status_code == 401


def test_two_authorization_headers_are_rejected(still: Still) -> None:
    api = still.api
    key = api.headers()["authorization"]

    answer = api.client.get(api.path, headers=[("authorization", key), ("authorization", key)])

    assert answer.status_code == 401


def test_bearer_scheme_is_case_insensitive(still: Still) -> None:
    api = still.api
    key = api.world.keys["sak"][0]

    answer = api.client.get(api.path, headers={"authorization": f"bearer {key}"})

    assert answer.status_code == 200


def test_ended_case_system_key_is_rejected_at_the_next_request(api: Api) -> None:
    assert api.client.get(api.path, headers=api.headers()).status_code == 200
    with api.world.line.store.transaction() as tx:
        tx.execute(
            sa.update(CaseSystem)
            .where(sa.column("id") == "sak")
            .values(active_until=tx.now - timedelta(seconds=1))
        )

    assert api.client.get(api.path, headers=api.headers()).status_code == 401
    assert api.client.get(api.path, headers=api.headers("fag")).status_code == 200


def test_replaced_case_system_key_is_rejected_and_the_new_key_accepted(api: Api) -> None:
    with api.world.line.store.transaction() as tx:
        tx.execute(
            sa.update(CaseSystem)
            .where(sa.column("id") == "sak")
            .values(key_hash=hash_api_key("another"))
        )

    assert api.client.get(api.path, headers=api.headers()).status_code == 401
    answer = api.client.get(api.path, headers={"authorization": "Bearer another"})
    assert answer.status_code == 200


def test_foreign_and_unknown_deliveries_get_identical_404_responses(api: Api) -> None:
    theirs = api.offered().id
    nobodys = "0" * 32

    for method, end in (
        ("GET", ""),
        ("GET", "/package"),
        ("GET", "/documents/1"),
        ("POST", "/accepted"),
        ("POST", "/registered"),
        ("POST", "/refused"),
    ):
        body = {"/registered": {"reference": "1"}, "/refused": {"code": "no"}}.get(end)
        first, second, odd = (
            api.client.request(
                method, f"{api.path}/{one}{end}", json=body, headers=api.headers("fag")
            )
            for one in (theirs, nobodys, "..%00'")
        )
        assert first.status_code == 404
        assert (first.content, first.headers) == (second.content, second.headers)
        assert (first.content, first.headers) == (odd.content, odd.headers)
    assert api.world.delivery(api.world.messages()[0].id).state == "OPEN"


def test_delivery_list_omits_deliveries_of_other_systems_even_with_a_foreign_cursor(
    api: Api,
) -> None:
    theirs, ours = api.offered(), api.offered("Sakkyndig vurdering")

    listed = api.client.get(api.path, params={"after": theirs.id}, headers=api.headers("fag"))

    assert [one["delivery_id"] for one in listed.json()["deliveries"]] == [ours.id]


def test_every_api_response_has_the_security_headers(api: Api) -> None:
    delivery = api.offered()
    answers = [
        api.client.get("/", headers=api.headers()),
        api.client.delete(api.path, headers=api.headers()),
        api.client.get(api.path),
        api.client.get(api.path, headers=api.headers()),
        api.client.get(f"{api.path}/{delivery.id}", headers=api.headers()),
        api.client.get(f"{api.path}/{delivery.id}/package", headers=api.headers()),
        api.client.get(f"{api.path}/{delivery.id}/documents/1", headers=api.headers()),
    ]

    assert [answer.status_code for answer in answers] == [404, 405, 401, 200, 200, 200, 200]
    for answer in answers:
        assert {name: answer.headers[name] for name in SAFE} == SAFE


def test_websocket_connections_are_closed_at_once(still: Still) -> None:
    api = still.api
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), api.client.websocket_connect(api.path):
        pass


def test_api_answers_503_when_the_database_is_unavailable(api: Api) -> None:
    client = TestClient(create_app(api.world.line), raise_server_exceptions=False)
    api.world.edited = True
    with api.world.line.store.transaction() as tx:
        tx.connection().exec_driver_sql("ALTER TABLE case_system RENAME TO gone")

    answer = client.get(api.path, headers=api.headers())

    assert answer.status_code == 503
    assert answer.json()["code"] == "database.unavailable"
    assert answer.headers["retry-after"] == "30"
