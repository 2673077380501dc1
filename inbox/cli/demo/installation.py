"""The demo's installation: its folder, configuration, keys, trust and schema, made by itself."""

import json
import shutil
from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from inbox.config import Settings, read_settings
from inbox.errors import ConfigurationError
from inbox.keys import create_keys
from inbox.simulator.demo_mail.letters import OWN
from inbox.wiring import upgrade_database

USER, PASSWORD = "inbox", "demo"
TRUST: Final = "trust"
CONFIGURATION: Final = "inbox.toml"
_MARKER: Final = "inbox-demo"


def empty_folder(folder: Path) -> None:
    """Make the folder, or empty one that a demo made. Raises `ConfigurationError` for another."""
    marker = folder / _MARKER
    if folder.exists() and not marker.exists() and any(folder.iterdir()):
        raise ConfigurationError(
            "demo.folder", "the folder holds something that is no demo: name another, or empty it"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    marker.write_text("made by `inbox demo`, which empties this folder each time\n")


def install(folder: Path, configuration: str, anchor: bytes, now: datetime) -> Settings:
    """Configuration, keys, folders and schema, as an operator would make them."""
    (folder / "vault").mkdir()
    (folder / TRUST).mkdir()
    (folder / TRUST / "simulator.pem").write_bytes(anchor)
    (folder / "gateway.password").write_text(PASSWORD)
    (folder / CONFIGURATION).write_text(configuration)
    create_keys(folder / "keys", now)
    settings = read_settings({}, folder / CONFIGURATION)
    upgrade_database(settings)
    return settings


def configuration_of(folder: Path, gateway_url: str, hooks: Mapping[str, str], sign_in: str) -> str:
    """The demo's configuration, kept in its folder to be read."""

    def text(value: object) -> str:
        return json.dumps(str(value), ensure_ascii=False)

    targets = "".join(
        f'\n[[webhook_targets]]\nhost = "127.0.0.1"\nport = {urlsplit(url).port}\n'
        f"networks = [{text(ip_network('127.0.0.0/8'))}]\n"
        for url in hooks.values()
    )
    return f"""# Made by `inbox demo`.
database = {text(f"sqlite:///{folder}/inbox.db")}
vault = {text(folder / "vault")}
keys = {text(folder / "keys")}
trust = {text(folder / TRUST)}
checkpoints = {text(folder / "checkpoints.txt")}
origin = "demo.example/inbox"

[api]
port = 0

[operator]
port = 0

[worker]
poll_seconds = 0.5

[terms]
keep_content_days = 90      # nothing of the last three weeks is erased
first_retry_seconds = 0.2
longest_retry_minutes = 0.02
free_gigabytes = 0.2

[[gateways]]
channel = "eformidling"
url = {text(gateway_url)}
user = {text(USER)}
password_file = {text(folder / "gateway.password")}
organisations = [{text(OWN)}]
{targets}{sign_in}"""
