"""The HTTP connection: how it is made, and what bounds it."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from inbox.errors import ConfigurationError, NeverAccepted, Unavailable
from inbox.gateway.http import Bounds, check_protected, client_for
from tests.gateway.scripted import (
    ASIC,
    NOTICE,
    Endless,
    Scripted,
    gateway_of,
    nothing,
    package,
)


def test_every_request_says_who_we_are_and_wants_the_bytes_as_they_are() -> None:
    script = Scripted(nothing())
    transport = httpx.MockTransport(script)

    with client_for("https://gateway.test/ip/", credentials=("u", "p"), transport=transport) as it:
        it.get("/api/messages/in/peek")

    [request] = script.requests
    assert request.url.path == "/ip/api/messages/in/peek"
    assert request.headers["User-Agent"].startswith("inbox/")
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.headers["Authorization"] == "Basic dTpw"


def test_the_client_waits_five_seconds_to_connect_and_a_minute_to_read() -> None:
    with client_for("https://gateway.test") as client:
        assert client.timeout == httpx.Timeout(connect=5, read=60, write=60, pool=60)
        assert client.trust_env is False


def test_a_cookie_is_not_kept() -> None:
    script = Scripted(httpx.Response(204, headers={"Set-Cookie": "a=b; Path=/"}), nothing())

    with gateway_of(script) as gateway:
        list(gateway.waiting_notices(1))
        list(gateway.waiting_notices(1))

    assert "Cookie" not in script.requests[1].headers


def test_a_redirect_is_not_followed() -> None:
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
def test_an_address_that_is_none_is_refused_without_being_repeated(url: str) -> None:
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
def test_an_unprotected_gateway_elsewhere_is_refused(
    url: str, credentials: tuple[str, str] | None, code: str
) -> None:
    with pytest.raises(ConfigurationError, match=code):
        check_protected(url, credentials)


@pytest.mark.parametrize(
    "url", ["http://localhost:9093", "http://127.0.0.1:9093", "http://[::1]:9093"]
)
def test_a_gateway_on_this_machine_needs_no_protection(url: str) -> None:
    check_protected(url, None)


def test_an_endless_answer_is_left_after_two_megabytes() -> None:
    endless = Endless()

    with (
        gateway_of(Scripted(httpx.Response(200, stream=endless))) as gateway,
        pytest.raises(Unavailable, match="garbled"),
    ):
        list(gateway.waiting_notices(1))

    assert endless.given == 2049


def test_an_answer_that_takes_too_long_is_left() -> None:
    hasty = Bounds(answer=timedelta(0))

    with (
        gateway_of(Scripted(httpx.Response(200, stream=Endless())), bounds=hasty) as gateway,
        pytest.raises(Unavailable, match="slow"),
    ):
        list(gateway.waiting_notices(1))


def test_a_package_that_takes_too_long_is_left() -> None:
    answer = httpx.Response(200, headers={"Content-Type": ASIC}, stream=Endless())

    with (
        gateway_of(Scripted(answer), bounds=Bounds(transfer=timedelta(0))) as gateway,
        gateway.fetch(NOTICE) as fetched,
        pytest.raises(Unavailable, match="slow"),
    ):
        list(fetched.chunks)


def test_a_package_that_does_not_end_is_left() -> None:
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


def test_a_package_comes_in_pieces_of_a_quarter_megabyte() -> None:
    content = bytes(range(256)) * 4096 + b"end"

    with gateway_of(Scripted(package(content))) as gateway, gateway.fetch(NOTICE) as fetched:
        chunks = list(fetched.chunks)

    assert b"".join(chunks) == content


@pytest.mark.parametrize("encoding", ["gzip", "br", "gzip, identity"])
def test_an_encoding_that_was_not_asked_for_is_refused(encoding: str) -> None:
    answer = httpx.Response(
        200, headers={"Content-Type": ASIC, "Content-Encoding": encoding}, stream=Endless()
    )

    with (
        gateway_of(Scripted(answer)) as gateway,
        pytest.raises(Unavailable, match="garbled"),
        gateway.fetch(NOTICE),
    ):
        pass


def test_the_clock_of_the_gateway_is_compared_with_ours() -> None:
    answer = httpx.Response(204, headers={"Date": "Mon, 23 Nov 2026 12:05:00 GMT"})

    with gateway_of(
        Scripted(answer), now=lambda: datetime(2026, 11, 23, 12, tzinfo=UTC)
    ) as gateway:
        list(gateway.waiting_notices(1))

        assert gateway.clock_skew() == timedelta(minutes=5)


def test_without_an_earlier_answer_the_clock_is_asked_for() -> None:
    script = Scripted(httpx.Response(200, headers={"Date": "Mon, 23 Nov 2026 11:59:00 GMT"}))

    with gateway_of(script) as gateway:
        assert gateway.clock_skew() == timedelta(minutes=-1)
    assert script.asked == ["GET /manage/health"]


@pytest.mark.parametrize("date", [None, "yesterday", "Mon, 23 Nov 2026 11:59:00 -0000", "\x00"])
def test_a_date_that_cannot_be_read_says_nothing_of_the_clock(date: str | None) -> None:
    headers = {} if date is None else {"Date": date}

    with gateway_of(Scripted(httpx.Response(200, headers=headers))) as gateway:
        assert gateway.clock_skew() is None


def test_a_connection_error_is_an_outage_and_says_no_address() -> None:
    with (
        gateway_of(Scripted(httpx.ConnectError("no route to gateway.test"))) as gateway,
        pytest.raises(Unavailable) as caught,
    ):
        list(gateway.waiting_notices(1))

    assert str(caught.value) == "gateway.unavailable: ConnectError"
