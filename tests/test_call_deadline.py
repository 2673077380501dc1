"""A deadline holds for the whole of a call: each wait gets what is left of it."""

from datetime import timedelta

import httpx
import pytest

from inbox.call_deadline import CallDeadline, DeadlineTransport, addresses_of
from tests.gateway.scripted_gateway import NO_TLS
from tests.trickle_server import Trickle, trickling


class _Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_time_left_shrinks_with_the_clock_and_ends_at_nothing() -> None:
    seconds = _Seconds()
    deadline = CallDeadline(timedelta(seconds=10), clock=seconds)

    seconds.now = 4
    assert deadline.seconds_left() == 6
    seconds.now = 11

    assert deadline.seconds_left() == 0
    assert deadline.has_passed()


def test_restarted_deadline_gives_what_follows_a_time_of_its_own() -> None:
    seconds = _Seconds()
    deadline = CallDeadline(timedelta(seconds=10), clock=seconds)
    seconds.now = 11

    deadline.restart(timedelta(seconds=5))

    assert deadline.seconds_left() == 5


def test_single_wait_is_never_longer_than_the_silence_that_is_allowed() -> None:
    deadline = CallDeadline(timedelta(seconds=10), clock=_Seconds())

    limits = deadline.extensions(httpx.Timeout(connect=3, read=60, write=60, pool=None))["timeout"]

    assert limits == {"connect": 3, "read": 10, "write": 10, "pool": 10}


@pytest.mark.parametrize("piece", [b"", b"\x16"])
def test_tls_handshake_that_does_not_end_is_cut_off_at_the_deadline(piece: bytes) -> None:
    trickle = Trickle(piece=piece)
    deadline = CallDeadline(timedelta(seconds=0.3))
    with (
        trickling(trickle),
        httpx.Client(transport=DeadlineTransport(tls=NO_TLS)) as client,
        pytest.raises(httpx.TransportError),
    ):
        url = f"https://127.0.0.1:{trickle.port}/"
        client.get(url, extensions=deadline.extensions(client.timeout))

    assert trickle.given[0] < trickle.pieces / 2


def test_request_without_a_deadline_has_the_ordinary_time_outs() -> None:
    trickle = Trickle(
        head=b"HTTP/1.1 204 No Content\r\nX: ", piece=b"a", tail=b"\r\n\r\n", pieces=3
    )
    with trickling(trickle), httpx.Client(transport=DeadlineTransport(tls=NO_TLS)) as client:
        assert client.get(trickle.url).status_code == 204


def test_name_is_not_resolved_after_the_deadline() -> None:
    with pytest.raises(TimeoutError):
        addresses_of("name.invalid", 80, CallDeadline(timedelta(0)))


def test_name_that_no_resolver_takes_is_an_ordinary_failure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(OSError, match="name") as raised:
        addresses_of("a" * 64 + ".example", 80, CallDeadline(timedelta(seconds=5)))

    assert not isinstance(raised.value, TimeoutError)
    assert capsys.readouterr().err == ""
