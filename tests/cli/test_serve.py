"""`serve` and `work` as processes: addresses, the one worker of SQLite, ports, and the end."""

import signal
import socket

import httpx
import pytest

from tests.cli.conftest import SETTINGS, Installation

UP_SECONDS = 60


def test_a_second_worker_on_sqlite_is_refused_and_the_first_goes_on(
    installed: Installation,
) -> None:
    first = installed.process("serve")
    try:
        assert first.stdout is not None
        addresses = dict(first.stdout.readline().split() for _ in range(2))
        for command in ("work", "serve"):
            second = installed.process(command)
            _, told = second.communicate(timeout=UP_SECONDS)
            assert second.returncode == 2
            assert "inbox: worker.running: another worker has this SQLite database" in told
            assert "Traceback" not in told
        with httpx.Client(trust_env=False, timeout=30) as client:
            assert client.get(addresses["operator"] + "/").status_code == 200
    finally:
        first.send_signal(signal.SIGTERM)
        _, told = first.communicate(timeout=UP_SECONDS)
    assert first.returncode == 0
    assert "Traceback" not in told


def test_a_worker_alone_ends_when_it_is_told_to(installed: Installation) -> None:
    alone = installed.process("work")
    assert alone.stdout is not None
    assert alone.stdout.readline() == "working\n"

    alone.send_signal(signal.SIGINT)

    _, told = alone.communicate(timeout=UP_SECONDS)
    assert alone.returncode == 0
    assert "Traceback" not in told
    assert installed.inbox("audit", "verify").code == 0


@pytest.mark.parametrize("part", ["api", "operator"])
def test_a_port_in_use_says_which_and_what_to_do(installed: Installation, part: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = SETTINGS.format(folder=installed.folder)
        installed.config.write_text(text.replace(f"[{part}]\nport = 0", f"[{part}]\nport = {port}"))

        told = installed.inbox("serve")

    assert told.code == 2
    assert f"serve.port: cannot listen on 127.0.0.1 port {port}" in told.err
    assert "set another port" in told.err
