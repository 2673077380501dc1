"""A proxy as an organisation has one: TLS on a host name of its own, and plain HTTP behind it."""

import http.client
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "innboks.localhost"
_OF_ONE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "host"}


class TlsProxy:
    """Takes what comes by https to its name, and asks the server behind it by that one's own."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self._server = server
        self.upstream = ""
        self.asked: list[str] = []
        """The `Host` of each request of a browser."""

    @property
    def url(self) -> str:
        """The address that people type."""
        return f"https://{HOST}:{self._server.server_port}"

    def before(self, upstream: str) -> str:
        """Stand before this server; gives the address that people reach it by."""
        self.upstream = upstream
        return self.url


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: TlsProxy

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        self.proxy.asked.append(self.headers["host"])
        behind = urlsplit(self.proxy.upstream)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in _OF_ONE_CONNECTION
        }
        headers |= {"x-forwarded-for": self.client_address[0], "x-forwarded-proto": "https"}
        connection = http.client.HTTPConnection(behind.hostname or "", behind.port, timeout=20)
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _OF_ONE_CONNECTION | {"content-length"}:
                self.send_header(name, value)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *args: object) -> None:
        del args


@contextmanager
def tls_proxy(folder: Path) -> Iterator[TlsProxy]:
    """A proxy on loopback until the `with` ends; its certificate is its own."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(_certificate(folder))
    handler = type("Handler", (_Passing,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        handler.proxy = proxy = TlsProxy(server)  # type: ignore[attr-defined]  # of this class
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()


def _certificate(folder: Path) -> Path:
    """A file with a key and the certificate that it signed for itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "proxy.pem"
    file.write_bytes(private + made.public_bytes(pem))
    return file
