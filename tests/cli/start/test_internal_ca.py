"""Neighbours whose certificates an internal authority has issued: believed by a setting only."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from inbox.casesystem import DeliveryEvent
from inbox.config import read_settings
from inbox.errors import ConfigurationError, NotThereYet, Unavailable
from inbox.line import Line
from inbox.wiring import build_line_before_rules, neighbour_tls
from tests.cli.installation import OURS, Installed
from tests.gateway.tls_server import tls_server

NOW = datetime.now(UTC)
EVENT = DeliveryEvent(
    id="5e0c", kind="test", organisation=OURS, delivery_id="8b1f", occurred_at=NOW
)


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
        with tls_server(tmp_path) as port:
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

        assert failures == ([] if believed else ["gateway.certificate", "webhook.certificate"])


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
