"""Gateways in trouble, each of another kind: at which address, and what is said of it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.server import serve
from tests.gateway.tls_server import tls_server
from tests.trickle_server import Trickle, trickling


@contextmanager
def unknown_name(folder: Path) -> Iterator[str]:
    del folder
    yield f"http://{'n' * 64}.invalid:9093"


@contextmanager
def closed_port(folder: Path) -> Iterator[str]:
    del folder
    yield "http://127.0.0.1:1"


@contextmanager
def unbelieved_certificate(folder: Path) -> Iterator[str]:
    with tls_server(folder) as port:
        yield f"https://127.0.0.1:{port}"


@contextmanager
def plain_port(folder: Path) -> Iterator[str]:
    del folder
    with trickling(Trickle(head=b"HTTP/1.1 400 Bad Request\r\n\r\n", pieces=0)) as plain:
        yield plain.url.replace("http:", "https:")


@contextmanager
def silence(folder: Path) -> Iterator[str]:
    del folder
    with trickling(Trickle(pieces=1000)) as silent:
        yield silent.url


@contextmanager
def simulated(*faults: str, password: str = "") -> Iterator[str]:
    credentials = ("inbox", password) if password else None
    gateway = GatewaySimulator(credentials=credentials, faults=faults)
    with serve(gateway.app) as url:
        yield url


def proxy_page(folder: Path) -> AbstractContextManager[str]:
    del folder
    return simulated("answer html 200 to every peek", "answer html 200 to every capabilities")


def server_error(folder: Path) -> AbstractContextManager[str]:
    del folder
    return simulated("answer 500 to every peek", "answer 500 to every capabilities")


def another_password(folder: Path) -> AbstractContextManager[str]:
    del folder
    return simulated(password="another")


Trouble = Callable[[Path], AbstractContextManager[str]]
TROUBLES: dict[Trouble, tuple[str, int | None, str]] = {
    unknown_name: ("gateway.unresolved", None, "check the host in its url"),
    closed_port: ("gateway.unavailable", None, "see that the integrasjonspunkt runs"),
    unbelieved_certificate: ("gateway.certificate", None, "set tls_ca_file"),
    plain_port: ("gateway.tls", None, "whether it is https there"),
    silence: ("gateway.slow", None, "a firewall or proxy"),
    proxy_page: ("gateway.garbled", None, "see who answers"),
    server_error: ("gateway.unavailable", 500, "see that the integrasjonspunkt runs"),
    another_password: ("gateway.unauthorised", 401, "check user and password_file"),
}
"""For each the code, the status, and what the advice has."""
