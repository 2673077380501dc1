"""The HTTP connection: how it is made, and what bounds it."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from inbox.errors import ConfigurationError, NeverAccepted, Unavailable
from inbox.gateway.http import Bounds, check_protected, client_for
from tests.gateway.scripted_gateway import (
    ASIC,
    NOTICE,
    Endless,
    Scripted,
    gateway_of,
    nothing,
    package,
)


def test_gateway_client_sends_user_agent_credentials_and_identity_encoding() -> None:
    script = Scripted(nothing())
    transport = httpx.MockTransport(script)

    with client_for("https://gateway.test/ip/", credentials=("u", "p"), transport=transport) as it:
        it.get("/api/messages/in/peek")

    [request] = script.requests
    assert request.url.path == "/ip/api/messages/in/peek"
    assert request.headers["User-Agent"].startswith("inbox/")
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.headers["Authorization"] == "Basic dTpw"


def test_gateway_client_timeouts_are_5_seconds_to_connect_and_60_to_read() -> None:
    with client_for("https://gateway.test") as client:
        assert client.timeout == httpx.Timeout(connect=5, read=60, write=60, pool=60)
        assert client.trust_env is False


def test_gateway_client_does_not_keep_cookies() -> None:
    script = Scripted(httpx.Response(204, headers={"Set-Cookie": "a=b; Path=/"}), nothing())

    with gateway_of(script) as gateway:
        list(gateway.waiting_notices(1))
        list(gateway.waiting_notices(1))

    assert "Cookie" not in script.requests[1].headers


def test_gateway_client_does_not_follow_redirects() -> None:
    script = Scripted(httpx.Response(302, headers={"Location": "https://elsewhere.test/"}))

    with gateway_of(script) as gateway, pytest.raises(Unavailable, match="unexpected"):
        list(gateway.waiting_notices(1))

    assert len(script.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "gateway.test",
        "ftp://gateway.test",
        "https://",
        "https://u:p@gateway.test",
        "https://gateway.test:port",
    ],
)
def test_invalid_gateway_url_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="address") as caught:
        client_for(url)

    assert "gateway.test" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "credentials", "code"),
    [
        ("http://gateway.test", ("u", "p"), "gateway.plain_http"),
        ("https://gateway.test", None, "gateway.no_credentials"),
        ("http://10.0.0.1", ("u", "p"), "gateway.plain_http"),
        ("http://localhost.gateway.test", ("u", "p"), "gateway.plain_http"),
    ],
)
def test_unprotected_remote_gateway_is_refused(
    url: str, credentials: tuple[str, str] | None, code: str
) -> None:
    with pytest.raises(ConfigurationError, match=code):
        check_protected(url, credentials)


@pytest.mark.parametrize(
    "url", ["http://localhost:9093", "http://127.0.0.1:9093", "http://[::1]:9093"]
)
def test_gateway_on_localhost_needs_neither_tls_nor_credentials(url: str) -> None:
    check_protected(url, None)


def test_endless_gateway_answer_is_cut_off_after_two_megabytes() -> None:
    endless = Endless()

    with (
        gateway_of(Scripted(httpx.Response(200, stream=endless))) as gateway,
        pytest.raises(Unavailable, match="garbled"),
    ):
        list(gateway.waiting_notices(1))

    assert endless.given == 2049


def test_slow_gateway_answer_raises_unavailable() -> None:
    hasty = Bounds(answer=timedelta(0))

    with (
        gateway_of(Scripted(httpx.Response(200, stream=Endless())), bounds=hasty) as gateway,
        pytest.raises(Unavailable, match="slow"),
    ):
        list(gateway.waiting_notices(1))


def test_slow_package_transfer_raises_unavailable() -> None:
    answer = httpx.Response(200, headers={"Content-Type": ASIC}, stream=Endless())

    with (
        gateway_of(Scripted(answer), bounds=Bounds(transfer=timedelta(0))) as gateway,
        gateway.fetch(NOTICE) as fetched,
        pytest.raises(Unavailable, match="slow"),
    ):
        list(fetched.chunks)


def test_package_transfer_over_the_size_limit_raises_never_accepted() -> None:
    endless, bounds = Endless(), Bounds(package_bytes=1024 * 1024)
    answer = httpx.Response(200, headers={"Content-Type": ASIC}, stream=endless)

    with (
        gateway_of(Scripted(answer), bounds=bounds) as gateway,
        gateway.fetch(NOTICE) as fetched,
        pytest.raises(NeverAccepted, match="too_large"),
    ):
        for _ in fetched.chunks:
            pass
    assert endless.given == 1025


def test_fetched_chunks_add_up_to_the_whole_package() -> None:
    content = bytes(range(256)) * 4096 + b"end"

    with gateway_of(Scripted(package(content))) as gateway, gateway.fetch(NOTICE) as fetched:
        chunks = list(fetched.chunks)

    assert b"".join(chunks) == content


@pytest.mark.parametrize("encoding", ["gzip", "br", "gzip, identity"])
def test_package_response_with_an_unrequested_encoding_is_refused(encoding: str) -> None:
    answer = httpx.Response(
        200, headers={"Content-Type": ASIC, "Content-Encoding": encoding}, stream=Endless()
    )

    with (
        gateway_of(Scripted(answer)) as gateway,
        pytest.raises(Unavailable, match="garbled"),
        gateway.fetch(NOTICE),
    ):
        pass


def test_clock_skew_is_read_from_the_date_header() -> None:
    answer = httpx.Response(204, headers={"Date": "Mon, 23 Nov 2026 12:05:00 GMT"})

    with gateway_of(
        Scripted(answer), now=lambda: datetime(2026, 11, 23, 12, tzinfo=UTC)
    ) as gateway:
        list(gateway.waiting_notices(1))

        assert gateway.clock_skew() == timedelta(minutes=5)


def test_clock_skew_without_an_earlier_answer_asks_the_health_endpoint() -> None:
    script = Scripted(httpx.Response(200, headers={"Date": "Mon, 23 Nov 2026 11:59:00 GMT"}))

    with gateway_of(script) as gateway:
        assert gateway.clock_skew() == timedelta(minutes=-1)
    assert script.asked == ["GET /manage/health"]


@pytest.mark.parametrize("date", [None, "yesterday", "Mon, 23 Nov 2026 11:59:00 -0000", "\x00"])
def test_clock_skew_is_unknown_when_the_date_header_is_unreadable(date: str | None) -> None:
    headers = {} if date is None else {"Date": date}

    with gateway_of(Scripted(httpx.Response(200, headers=headers))) as gateway:
        assert gateway.clock_skew() is None


def test_connection_error_raises_unavailable_without_the_address() -> None:
    with (
        gateway_of(Scripted(httpx.ConnectError("no route to gateway.test"))) as gateway,
        pytest.raises(Unavailable) as caught,
    ):
        list(gateway.waiting_notices(1))

    assert str(caught.value) == "gateway.unavailable: ConnectError"
