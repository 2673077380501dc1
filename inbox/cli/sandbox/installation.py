"""The sandbox's installation: folders, keys, database, one unit, one case system; then gone."""

import base64
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from inbox.access.files.folder import read_policy_files
from inbox.cli.sandbox.letters import OWN
from inbox.config import Settings, read_settings
from inbox.directory import enrol_first_people, import_agreed
from inbox.directory.format.rows import Directory
from inbox.directory.format.toml_file import directory_of
from inbox.domain import OrgNumber
from inbox.errors import Invalid
from inbox.keys import create_keys
from inbox.line import Line
from inbox.line.proposals.policy_or_rule_book import (
    POLICY_RULES,
    read_first_version,
    routing_rules_of,
)
from inbox.migrations import shipped_folder
from inbox.simulator.packages.certificates import TestAuthority
from inbox.wiring import build_line_before_rules, upgrade_database

SYSTEM: Final = "fagsystem"
USER, _PASSWORD = "inbox", "sandbox"
_UNIT: Final = "eksempel"
_PEOPLE: Final = {"anne": "Anne Arkivar", "bjorn": "Bjørn Arkivar"}
_DESK: Final = ("dokumentsenteret", "Dokumentsenteret")
_PORTS: Final = {"http": 80, "https": 443}
_ROUTING: Final = f"""\
# rows: 1
[units]
{_UNIT} = "Eksempelenheten"
{_DESK[0]} = "{_DESK[1]}"

[desk]
unit = "{_DESK[0]}"

[[rule]]
id = "alt-til-eksempelenheten"
because = "Sandkassen har én enhet"
when = {{ service = "DPO" }}
to = "{_UNIT}"
release = "at once"
"""
_REMOVER: Final = """\
import shutil, sys
sys.stdin.buffer.read()
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""
"""Waits until the sandbox lets go of its end, however it ended, and removes the folder."""


@dataclass(frozen=True, kw_only=True)
class SandboxInstallation:
    """What `inbox serve` would run with, and what a vendor needs to know."""

    settings: Settings
    line: Line
    key: str = field(repr=False)
    secret: bytes = field(repr=False)

    @property
    def secret_text(self) -> str:
        """The secret as vendors get it."""
        return "whsec_" + base64.b64encode(self.secret).decode()


def check_webhook(url: str) -> str:
    """The URL, if events can be sent there. Raises `Invalid`."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or parts.username or parts.password or parts.fragment:
        raise Invalid("sandbox.webhook", "write it as http://127.0.0.1:9000/hooks/inbox")
    return url


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is removed at the end, also if this process is killed."""
    folder = Path(tempfile.mkdtemp(prefix="inbox-sandbox-"))
    remover = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-I", "-c", _REMOVER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert remover.stdin is not None
    try:
        yield folder
    finally:
        remover.stdin.close()
        remover.wait()


def install(
    folder: Path, *, gateway_url: str, webhook: str | None, port: int, authority: TestAuthority
) -> SandboxInstallation:
    """Make everything that an operator, an archive and its people would have made."""
    now = datetime.now(UTC)
    (folder / "vault").mkdir()
    (folder / "trust").mkdir()
    (folder / "trust" / "simulator.pem").write_bytes(authority.root_pem())
    (folder / "trust" / "simulator.crl").write_bytes(authority.crl(now))
    (folder / "gateway.password").write_text(_PASSWORD)
    (folder / "inbox.toml").write_text(_toml(folder, gateway_url, webhook, port), "utf-8")
    create_keys(folder / "keys", now)
    settings = read_settings({}, folder / "inbox.toml")
    upgrade_database(settings)
    line = build_line_before_rules(settings)
    key, secret = _enrol(line, webhook)
    return SandboxInstallation(settings=settings, line=line, key=key, secret=secret)


def gateway_credentials() -> tuple[str, str]:
    """What the simulated gateway asks for."""
    return USER, _PASSWORD


def _toml(folder: Path, gateway_url: str, webhook: str | None, port: int) -> str:
    def text(value: object) -> str:
        return json.dumps(str(value), ensure_ascii=False)

    target = ""
    if webhook is not None:
        parts = urlsplit(webhook)
        target = (
            f"\n[[webhook_targets]]\nhost = {text(parts.hostname)}\n"
            f'port = {parts.port or _PORTS[parts.scheme]}\nnetworks = ["0.0.0.0/0", "::/0"]\n'
        )
    return f"""\
database = {text(f"sqlite:///{folder}/inbox.db")}
vault = {text(folder / "vault")}
keys = {text(folder / "keys")}
trust = {text(folder / "trust")}
checkpoints = {text(folder / "checkpoints.txt")}
origin = "sandbox.example/inbox"

[api]
port = {port}

[worker]
poll_seconds = 0.3

[terms]
undo_minutes = 0
placing_seconds = 0
first_retry_seconds = 2
longest_retry_minutes = 0.1
free_gigabytes = 0.1

[[gateways]]
channel = "eformidling"
url = {text(gateway_url)}
user = {text(USER)}
password_file = {text(folder / "gateway.password")}
organisations = [{text(OWN)}]
{target}"""


def _enrol(line: Line, webhook: str | None) -> tuple[str, bytes]:
    """Two people, one unit, one case system; its key and secret."""
    policy = read_first_version(POLICY_RULES, read_policy_files(shipped_folder("policies")))
    routing = read_first_version(routing_rules_of(OWN), {f"routing/{OWN}.toml": _ROUTING.encode()})
    with line.store.transaction() as tx:
        enrol_first_people(
            tx,
            organisation=OrgNumber(OWN),
            people=_PEOPLE,
            desk=_DESK,
            digest=policy.digest,
        )
        editor, reviewer = _PEOPLE
        for version in (policy, routing):
            version.activate(tx, proposer=editor, approver=reviewer)
    with line.store.transaction() as tx:
        keys = import_agreed(line, tx, _directory(webhook), approved_by="+".join(_PEOPLE))
    return keys[SYSTEM]


def _directory(webhook: str | None) -> Directory:
    mode = {"mode": "pull"} if webhook is None else {"mode": "webhook", "webhook_url": webhook}
    return directory_of(
        {
            "organisation": OWN,
            "case_system": [{"id": SYSTEM, "name": "Fagsystemet under utvikling", **mode}],
            "unit": [{"id": _UNIT, "name": "Eksempelenheten", "case_system": SYSTEM}],
            "person": [{"id": "leder", "name": "Lena Leder"}],
            "capacity": [{"person": "leder", "unit": _UNIT, "role": "leader"}],
        }
    )
