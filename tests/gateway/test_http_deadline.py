"""A gateway that answers a byte at a time, endlessly or with an odd clock holds nobody for long."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.errors import Unavailable
from inbox.gateway.integrasjonspunkt import Bounds, Integrasjonspunkt
from tests.gateway.scripted_gateway import ASIC, NOTICE, Scripted, gateway_of
from tests.gateway.world import client_of
from tests.trickle_server import Trickle, trickling

HASTY = Bounds(
    connect=timedelta(seconds=0.1),
    read=timedelta(seconds=2),
    answer=timedelta(seconds=0.3),
    transfer_read=timedelta(seconds=0.2),
    transfer=timedelta(seconds=0.3),
)
_BODY = b"HTTP/1.1 200 OK\r\nContent-Type: " + ASIC.encode() + b"\r\n"


def _peek(gateway: Integrasjonspunkt) -> None:
    list(gateway.waiting_notices(1))


def _pop(gateway: Integrasjonspunkt) -> None:
    with gateway.fetch(NOTICE) as fetched:
        list(fetched.chunks)


def _delete(gateway: Integrasjonspunkt) -> None:
    gateway.confirm(NOTICE)


@contextmanager
def _gateway(trickle: Trickle) -> Iterator[Integrasjonspunkt]:
    with trickling(trickle), client_of(trickle.url, bounds=HASTY) as gateway:
        yield gateway


@pytest.mark.parametrize("call", [_peek, _pop, _delete])
@pytest.mark.parametrize(
    ("head", "piece", "tail"),
    [
        (_BODY + b"X-Slow: ", b"a", b"\r\nContent-Length: 0\r\n\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", _BODY + b"Content-Length: 0\r\n\r\n"),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", _BODY + b"Content-Length: 0\r\n\r\n"),
        (_BODY + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Slow: ", b"a", b"\r\n\r\n"),
        (_BODY + b"Transfer-Encoding: chunked\r\n\r\n1;a=", b"a", b"\r\n{\r\n0\r\n\r\n"),
        (_BODY + b"Content-Length: 60\r\n\r\n", b" ", b""),
    ],
    ids=["header", "100", "103", "trailer", "chunk-extension", "body"],
)
def test_gateway_that_trickles_any_part_of_an_answer_is_cut_off_at_the_deadline(
    call: Callable[[Integrasjonspunkt], None], head: bytes, piece: bytes, tail: bytes
) -> None:
    trickle = Trickle(head=head, piece=piece, tail=tail)

    with _gateway(trickle) as gateway, pytest.raises(Unavailable, match=r"gateway\.slow"):
        call(gateway)

    assert trickle.given[0] < trickle.pieces / 2


def test_large_package_may_take_longer_than_its_first_byte() -> None:
    patient = Bounds(transfer_read=timedelta(seconds=0.2), transfer=timedelta(seconds=20))
    trickle = Trickle(head=_BODY + b"Content-Length: 20\r\n\r\n", piece=b"p", pieces=20)

    with (
        trickling(trickle),
        client_of(trickle.url, bounds=patient) as gateway,
        gateway.fetch(NOTICE) as fetched,
    ):
        assert b"".join(fetched.chunks) == b"p" * 20


@given(
    st.sampled_from(
        [
            "Fri, 31 Dec 9999 23:59:59 -2359",
            "Mon, 01 Jan 0001 00:00:00 +2359",
            "Mon, 01 Jan 2026 00:00:00 +99999999999999999999",
            "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
            "Mon, 01 Jan 2026 00:00:00 -9999",
            "1 Jan 2026 99999999999:00 GMT",
        ]
    )
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80)
    | st.from_regex(
        r"[A-Z][a-z]{2}, [0-9]{1,22} (Jan|Dec) [0-9]{1,22} [0-9:.]{1,30} [-+]?[0-9A-Z]{1,22}",
        fullmatch=True,
    )
)
def test_odd_date_header_of_the_gateway_never_raises_anything(date: str) -> None:
    answer = httpx.Response(204, headers={"Date": date})

    with gateway_of(Scripted(answer)) as gateway:
        assert list(gateway.waiting_notices(1)) == []
