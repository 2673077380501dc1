"""What every answer of the people's app says to the browser."""

import pytest

from inbox.web.people.app import create_people_app
from inbox.web.people.site import PeopleSite
from tests.web.people.conftest import Pages

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


@pytest.mark.parametrize("path", ["/hjelp", "/ikke-her", "/komponenter/internal", "/sprak"])
def test_every_page_forbids_script_frames_storage_and_referrers(pages: Pages, path: str) -> None:
    headers = pages.get(path).headers

    assert headers["content-security-policy"] == POLICY
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["strict-transport-security"] == "max-age=63072000"
    assert "content-encoding" not in headers


def test_limits_before_the_app_answer_with_the_same_headers(pages: Pages) -> None:
    answer = pages.client.post("/sprak", content=b"x" * 70_000)

    assert answer.status_code == 413
    assert answer.headers["content-security-policy"] == POLICY
    assert "Det ble for mye tekst" in answer.text


def test_plain_http_gets_no_strict_transport_security(pages: Pages) -> None:
    from fastapi.testclient import TestClient

    site = PeopleSite(public_url="http://127.0.0.1:8082", organisation="Vestre Fjord kommune")
    app = create_people_app(pages.app.state.line, site)

    assert "strict-transport-security" not in TestClient(app).get("/hjelp").headers


def test_websocket_is_closed_before_the_app_is_asked(pages: Pages) -> None:
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), pages.client.websocket_connect("/hjelp"):
        pass


def test_component_pages_exist_in_the_demo_only(pages: Pages) -> None:
    from fastapi.testclient import TestClient

    site = PeopleSite(public_url="https://innboks.example.no", organisation="Vestre Fjord")
    app = create_people_app(pages.app.state.line, site)

    assert TestClient(app).get("/komponenter").status_code == 404
    assert pages.get("/komponenter").status_code == 200
