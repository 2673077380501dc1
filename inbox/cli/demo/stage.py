"""Sets up the demo: folders, keys, database, directory, and simulated neighbours as servers."""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from inbox.access.files.folder import read_policy_files
from inbox.config import Settings, read_settings
from inbox.directory import enrol_first_people, import_agreed, issue_code
from inbox.directory.format.rows import Directory, RowKind
from inbox.directory.format.toml_file import directory_of
from inbox.domain import OrgNumber, UnitId
from inbox.errors import ConfigurationError
from inbox.keys import create_keys
from inbox.line import Line
from inbox.line.active_rule_books import read_rule_book_files
from inbox.line.proposals.policy_or_rule_book import (
    POLICY_RULES,
    read_first_version,
    routing_rules_of,
)
from inbox.routing.rule_book import RuleBook
from inbox.simulator.casesystem.simulator import HOOK, Behaviour, CaseSystemSimulator, HandJournal
from inbox.simulator.demo_mail.expectations import SYSTEMS, SystemMode
from inbox.simulator.demo_mail.letters import (
    CAPABILITIES,
    KNOWN_REFERENCES,
    OWN,
    Letter,
    mailbag,
    refusals,
)
from inbox.simulator.demo_mail.postman import OthersLetter, Postman, others_mail
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.server import serve
from inbox.simulator.packages.certificates import TestAuthority
from inbox.wiring import (
    build_line_before_rules,
    policy_folder,
    read_rule_books,
    upgrade_database,
)

_USER, _PASSWORD = "inbox", "demo"
_BY_HAND_ID: Final = "by-hand"
ARCHIVISTS: Final = {"anne": "Anne Arkivar", "bjorn": "Bjørn Arkivar"}
_CLEARANCES: Final = ("13", "?")
_LISTS_EVERY: Final = timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Everything in the demo: the product's process, the simulators around it, and its people."""

    line: Line
    settings: Settings
    gateway: GatewaySimulator
    systems: tuple[CaseSystemSimulator, ...]
    hand: HandJournal
    letters: list[Letter]
    others: list[OthersLetter]
    postman: Postman
    codes: Mapping[str, str]
    operator_url: str
    api_url: str = ""
    gateway_url: str = ""
    product: "subprocess.Popen[str]"


@contextmanager
def open_stage(folder: Path) -> Iterator[Stage]:
    """Set up the demo in `folder`, run it until the `with` ends, and stop all its processes."""
    _clear(folder)
    with ExitStack() as closing:
        authority, now = TestAuthority(), datetime.now(UTC)
        gateway = GatewaySimulator(
            own_org=OWN,
            capabilities=CAPABILITIES,
            credentials=(_USER, _PASSWORD),
            pace=timedelta(milliseconds=100),
        )
        letters, others = mailbag(authority, now), others_mail(now)
        systems = {
            system.name: _case_system_simulator(system.name, system.mode, letters)
            for system in SYSTEMS
            if system.mode is not SystemMode.BY_HAND
        }
        hooks = {name: closing.enter_context(serve(s.app)) for name, s in systems.items()}
        gateway_url = closing.enter_context(serve(gateway.app))
        settings = _install(folder, gateway_url, hooks, authority, now)
        line = build_line_before_rules(settings)
        keys, codes = _enrol(line, settings, hooks)
        postman = Postman(gateway, letters)
        for other in others:
            gateway.put(other.envelope, other.package)
        postman.bring()
        product = closing.enter_context(_serve_process(folder))
        addresses = _addresses(product)
        for name, system in systems.items():
            key, secret = keys[name]
            whsec = "whsec_" + base64.b64encode(secret).decode()
            system.connect(addresses["api"], key=key, secret=whsec)
            closing.enter_context(system)
        yield Stage(
            line=line,
            settings=settings,
            gateway=gateway,
            systems=tuple(systems.values()),
            hand=HandJournal(),
            letters=letters,
            others=others,
            postman=postman,
            codes=codes,
            operator_url=addresses["operator"],
            api_url=addresses["api"],
            gateway_url=gateway_url,
            product=product,
        )


def _clear(folder: Path) -> None:
    marker = folder / "inbox-demo"
    if folder.exists() and not marker.exists() and any(folder.iterdir()):
        raise ConfigurationError(
            "demo.folder", "the folder holds something that is no demo: name another, or empty it"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    marker.write_text("made by `inbox demo`, which empties this folder each time\n")


def _case_system_simulator(
    name: str, mode: SystemMode, letters: list[Letter]
) -> CaseSystemSimulator:
    pull = timedelta(milliseconds=300) if mode is SystemMode.PULL else None
    number = 100 * [system.name for system in SYSTEMS].index(name) + 1
    refused = refusals(letters)
    behaviour = Behaviour(refuse_if=lambda told: refused.get(told.message_id))
    return CaseSystemSimulator(
        name,
        pull_every=pull,
        lists_every=_LISTS_EVERY,
        behaviour=behaviour,
        first_number=number,
    )


def _install(
    folder: Path,
    gateway_url: str,
    hooks: Mapping[str, str],
    authority: TestAuthority,
    now: datetime,
) -> Settings:
    """Configuration, keys, trust, vault and schema, as an operator would make them."""
    (folder / "vault").mkdir()
    (folder / "trust").mkdir()
    (folder / "trust" / "simulator.pem").write_bytes(authority.root_pem())
    (folder / "trust" / "simulator.crl").write_bytes(authority.crl(now))
    (folder / "gateway.password").write_text(_PASSWORD)
    (folder / "inbox.toml").write_text(_toml(folder.resolve(), gateway_url, hooks))
    create_keys(folder / "keys", now)
    settings = read_settings({}, folder / "inbox.toml")
    upgrade_database(settings)
    return settings


def _toml(folder: Path, gateway_url: str, hooks: Mapping[str, str]) -> str:
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
trust = {text(folder / "trust")}
checkpoints = {text(folder / "checkpoints.txt")}
origin = "demo.example/inbox"

[api]
port = 0

[operator]
port = 0

[worker]
poll_seconds = 0.5

[terms]
undo_minutes = 0            # the demo's people release at once
first_retry_seconds = 0.2
longest_retry_minutes = 0.02
free_gigabytes = 0.2

[[gateways]]
channel = "eformidling"
url = {text(gateway_url)}
user = {text(_USER)}
password_file = {text(folder / "gateway.password")}
organisations = [{text(OWN)}]
{targets}"""


def _enrol(
    line: Line, settings: Settings, hooks: Mapping[str, str]
) -> tuple[dict[str, tuple[str, bytes]], dict[str, str]]:
    """The first two people, then units, people and case systems; their keys and codes."""
    folder = policy_folder(settings)
    book, policy = (
        read_rule_books(folder)[OrgNumber(OWN)],
        read_first_version(POLICY_RULES, read_policy_files(folder)),
    )
    routing = read_first_version(routing_rules_of(OWN), read_rule_book_files(folder, OWN))
    desk = (str(book.desk), book.units[book.desk].name)
    with line.store.transaction() as tx:
        codes = enrol_first_people(
            tx,
            organisation=OrgNumber(OWN),
            people=ARCHIVISTS,
            desk=desk,
            digest=policy.digest,
        )
        editor, reviewer = ARCHIVISTS
        for version in (policy, routing):
            version.activate(tx, proposer=editor, approver=reviewer)
    directory = _directory(book, hooks)
    with line.store.transaction() as tx:
        keys = import_agreed(line, tx, directory, approved_by="+".join(ARCHIVISTS))
    with line.store.transaction() as tx:
        codes |= {key[0]: issue_code(tx, key[0]) for key in directory.rows[RowKind.PERSON]}
    return keys, codes


def _directory(book: RuleBook, hooks: Mapping[str, str]) -> Directory:
    """A leader and a handler in every unit of the rule book."""
    units = {
        unit: (_BY_HAND_ID if system.mode is SystemMode.BY_HAND else system.name)
        for system in SYSTEMS
        for unit in system.units
    }
    people = [(f"{role}-{unit}", unit, role) for unit in units for role in ("leader", "handler")]
    return directory_of(
        {
            "organisation": OWN,
            "case_system": [
                {
                    "id": _BY_HAND_ID if system.mode is SystemMode.BY_HAND else system.name,
                    "name": system.name,
                    "mode": system.mode.value,
                }
                | (
                    {"webhook_url": hooks[system.name] + HOOK}
                    if system.mode is SystemMode.WEBHOOK
                    else {}
                )
                for system in SYSTEMS
            ],
            "unit": [
                {"id": unit, "name": book.units[UnitId(unit)].name, "case_system": system}
                for unit, system in units.items()
            ],
            "person": [{"id": person, "name": person} for person, _, _ in people],
            "capacity": [{"person": p, "unit": unit, "role": role} for p, unit, role in people],
            "clearance": [
                {"person": person, "shielding": code}
                for person, _, _ in people
                for code in _CLEARANCES
            ],
            "reference": [
                {"counterparty": counterparty, "reference": reference, "unit": unit}
                for counterparty, reference, unit in KNOWN_REFERENCES
            ],
        }
    )


@contextmanager
def _serve_process(folder: Path) -> "Iterator[subprocess.Popen[str]]":
    """`inbox serve` as a process of its own; its log is kept in the folder."""
    with (folder / "serve.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "inbox.cli", "--config", str(folder / "inbox.toml"), "serve"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={k: v for k, v in os.environ.items() if not k.startswith("INBOX_")},
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _addresses(product: "subprocess.Popen[str]") -> dict[str, str]:
    """The addresses that `inbox serve` prints when it is up."""
    addresses: dict[str, str] = {}
    assert product.stdout is not None
    for text in product.stdout:
        name, _, address = text.strip().partition(" ")
        addresses[name] = address
        if {"api", "operator"} <= set(addresses):
            return addresses
    raise ConfigurationError(
        "demo.serve", "`inbox serve` did not start: its log is serve.log in the demo's folder"
    )
