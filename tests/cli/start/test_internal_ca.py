"""Neighbours whose certificates an internal authority has issued: believed by a setting only."""

import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from inbox.casesystem import DeliveryEvent
from inbox.config import read_settings
from inbox.errors import ConfigurationError, NotThereYet, Unavailable
from inbox.line import Line
from inbox.wiring import build_line_before_rules, neighbour_tls
from tests.cli.installation import OURS, Installed

NOW = datetime.now(UTC)
EVENT = DeliveryEvent(
    id="5e0c", kind="test", organisation=OURS, delivery_id="8b1f", occurred_at=NOW
)


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._say_nothing()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._say_nothing()

    def _say_nothing(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        del args


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, by: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    """A certificate of an authority, or of a server on loopback that one has issued."""
    is_authority = name == issuer
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(by, hashes.SHA256())
    )


@contextmanager
def _tls_server(folder: Path) -> Iterator[int]:
    """A server on loopback; `ca.pem` in the folder is the authority of its certificate."""
    authority, own = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(
        _certificate("Internal", authority, "Internal", authority).public_bytes(pem)
    )
    chain = _certificate("server", own, "Internal", authority).public_bytes(pem)
    key = own.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(key + chain)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "server.pem")
    with HTTPServer(("127.0.0.1", 0), _Answers) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def _line(installed: Installed, port: int, top: str) -> Line:
    gateway = (
        f'[[gateways]]\nchannel = "ip"\nurl = "https://127.0.0.1:{port}"\n'
        f'organisations = ["{OURS}"]\n'
    )
    target = f'[[webhook_targets]]\nhost = "127.0.0.1"\nport = {port}\nnetworks = ["127.0.0.0/8"]\n'
    text = installed.config.read_text()
    installed.config.write_text(f"{top}{text}\n{gateway}\n{target}")
    return build_line_before_rules(read_settings({}, installed.config))


# The clients are closed by the end of the process, as those of every command.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def test_internal_authority_is_believed_only_where_a_setting_names_it(
    installed: Installed, tmp_path: Path
) -> None:
    url = "https://127.0.0.1:{}/hook"
    for top, believed in (("", False), (f'tls_ca_file = "{tmp_path}/ca.pem"\n', True)):
        before = installed.config.read_text()
        with _tls_server(tmp_path) as port:
            line = _line(installed, port, top)
            gateway, failures = line.gateways["ip"], list[str]()
            for call in (
                gateway.clock_skew,
                lambda: line.events.send(url.format(port), b"s", EVENT, NOW),  # noqa: B023 - called here
            ):
                try:
                    call()
                except Unavailable as error:
                    failures.append(error.code)
            line.store.engine.dispose()
        installed.config.write_text(before)

        assert failures == ([] if believed else ["gateway.unavailable", "webhook.unavailable"])


def test_missing_or_unreadable_file_of_authorities_names_the_setting(
    installed: Installed, tmp_path: Path
) -> None:
    text = installed.config.read_text()
    (tmp_path / "none.pem").write_text("no certificate")
    for name, kind in (("gone.pem", NotThereYet), ("none.pem", ConfigurationError)):
        installed.config.write_text(f'tls_ca_file = "{tmp_path}/{name}"\n{text}')

        with pytest.raises(kind, match=r"config.tls_ca_file: .*(tls_ca_file|none.pem)") as refused:
            neighbour_tls(read_settings({}, installed.config))

        assert type(refused.value) is kind
