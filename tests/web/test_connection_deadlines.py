"""A client that is silent, slow or one of very many is cut off, and stops nobody else."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
import uvicorn

from inbox.web.connection_deadlines import (
    ConnectionLimits,
    api_connections,
    protocol_with,
)
from tests.worker_thread import until

_LIMITS = ConnectionLimits(connections=20, head=0.5, body=0.5, write=0.5)
_ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def _app(scope: dict[str, object], receive: object, send: object) -> None:
    assert callable(receive)
    assert callable(send)
    while (await receive()).get("more_body"):
        pass
    body = b"x" * 20_000_000 if scope["path"] == "/big" else b"ok"
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def _serving(limits: ConnectionLimits = _LIMITS) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(
            _app,
            http=protocol_with(limits),
            lifespan="off",
            ws="none",
            log_config=None,
            backlog=128,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        until(lambda: server.started)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as asking:
        asking.sendall(_ASK)
        return asking.recv(100).startswith(b"HTTP/1.1 200")
    return False


def _is_cut(client: socket.socket) -> bool:
    try:
        client.sendall(b"a")
    except OSError:
        return True
    return False


@pytest.mark.parametrize(
    ("first", "code"),
    [
        (b"", "slow_head"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ", "slow_head"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", "slow_body"),
        (b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n", "slow_reader"),
    ],
    ids=["silent", "head", "body", "never-reads"],
)
def test_connection_that_takes_too_long_over_any_part_is_cut_off(
    first: bytes, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "inbox")
    with _serving() as port, socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(first)

        until(lambda: _is_cut(client))

        assert _answers(port)
    cut = {record.__dict__["inbox_fields"]["code"] for record in caplog.records}
    assert cut == {f"serve.{code}"}


def test_answer_that_is_taken_slowly_is_cut_off_by_the_time_limit_of_writing_alone() -> None:
    limits = ConnectionLimits(connections=20, head=0.5, body=0.5, write=60)
    with _serving(limits) as port, socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(4):
            threading.Event().wait(1)
            client.recv(1000)

        left = client.recv(1 << 20)
        while chunk := client.recv(1 << 20):
            left += chunk
            if len(left) > 19_000_000:
                break

    assert len(left) > 19_000_000


def test_more_connections_than_the_limit_are_refused_and_end_by_themselves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "inbox")
    with _serving() as port, ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(200)
        ]
        until(lambda: sum(map(_is_cut, clients)) >= 180)
        until(lambda: all(map(_is_cut, clients)))

        assert _answers(port)

    codes = [record.__dict__["inbox_fields"]["code"] for record in caplog.records]
    assert 1 <= codes.count("serve.too_many_connections") < 20


def test_client_that_asks_again_in_time_keeps_its_connection() -> None:
    with _serving() as port, socket.create_connection(("127.0.0.1", port)) as client:
        for _ in range(5):
            client.sendall(_ASK)
            answer = b""
            while not answer.endswith(b"ok"):
                answer += client.recv(1000)
            assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(("descriptors", "connections"), [(256, 16), (1024, 704), (65536, 1000)])
def test_api_connections_leave_a_reserve_of_descriptors(descriptors: int, connections: int) -> None:
    assert api_connections(descriptors) == connections
