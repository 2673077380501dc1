"""Sets up the demo: the line, its people, and simulated neighbours as servers."""

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlmodel import col, select

from inbox.casesystem.webhook import Target, WebhookSender, webhook_client
from inbox.cli.demo.clock import DemoClock
from inbox.cli.demo.installation import (
    CONFIGURATION,
    PASSWORD,
    TRUST,
    USER,
    configuration_of,
    empty_folder,
    install,
)
from inbox.cli.demo.municipality import capacities_of_people, enrol
from inbox.cli.demo.sign_in import open_sign_in
from inbox.config import Settings
from inbox.errors import ConfigurationError
from inbox.line import Line
from inbox.simulator.casesystem.simulator import Behaviour, CaseSystemSimulator, HandJournal
from inbox.simulator.demo_mail.expectations import SYSTEMS, Fate, SystemMode
from inbox.simulator.demo_mail.letters import CAPABILITIES, OWN, Letter, refusals
from inbox.simulator.demo_mail.postman import OthersLetter, Postman, others_mail
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.server import serve
from inbox.simulator.packages.certificates import TestAuthority
from inbox.tables import Delivery, Message
from inbox.wiring import build_line_before_rules, open_gateway

_LISTS_EVERY: Final = timedelta(seconds=5)
_CERTIFIED_BEFORE: Final = timedelta(days=30)
_GRACES: Final = {"undo_window", "placing_grace"}
"""How long what a person did can be undone."""


@dataclass(kw_only=True)
class Stage:
    """Everything in the demo: the line, the simulators around it, and its people.

    The product's own process and its addresses are there while it runs (`running_product`).
    """

    folder: Path
    clock: DemoClock
    authority: TestAuthority
    line: Line
    settings: Settings
    gateway: GatewaySimulator
    systems: Mapping[str, CaseSystemSimulator]
    keys: Mapping[str, tuple[str, bytes]]
    hand: HandJournal
    letters: list[Letter]
    others: list[OthersLetter]
    postman: Postman
    codes: Mapping[str, str]
    gateway_url: str
    addresses: Mapping[str, str] = field(default_factory=dict)
    product: "subprocess.Popen[str] | None" = None

    def connect_case_systems(self, api: str) -> None:
        """Tell the case systems where the product is."""
        for name, system in self.systems.items():
            key, secret = self.keys[name]
            whsec = "whsec_" + base64.b64encode(secret).decode()
            system.connect(api, key=key, secret=whsec)

    def put_others_mail(self) -> None:
        """Mail of other consumers comes into the same queue of the gateway."""
        for other in self.others:
            self.gateway.put(other.envelope, other.package)

    def renew_revocation_list(self) -> None:
        """Put a fresh revocation list into the trust folder."""
        path = self.folder / TRUST / "simulator.crl"
        path.write_bytes(self.authority.crl(self.clock.now()))


@dataclass(frozen=True, kw_only=True)
class DemoMail:
    """The letters of a demo, when they come, and which of them the case systems leave lying."""

    letters: list[Letter]
    brought: Sequence[Letter] = ()
    """Those that the postman brings while the product runs."""
    left: frozenset[str] = frozenset()
    """The senders' ids of what no case system ever collects."""


@contextmanager
def open_stage(
    folder: Path, clock: DemoClock, mail_of: Callable[[TestAuthority], DemoMail]
) -> Iterator[Stage]:
    """Set up everything but the product's own process in `folder`, until the `with` ends."""
    empty_folder(folder)
    with ExitStack() as closing:
        now = clock.now()
        authority = TestAuthority(valid_from=now - _CERTIFIED_BEFORE)
        gateway = GatewaySimulator(
            clock=clock.now,
            own_org=OWN,
            capabilities=CAPABILITIES,
            credentials=(USER, PASSWORD),
            pace=timedelta(milliseconds=100),
        )
        mail, others = mail_of(authority), others_mail(datetime.now(UTC))
        systems = {
            system.name: _case_system_simulator(system.name, system.mode, clock)
            for system in SYSTEMS
            if system.mode is not SystemMode.BY_HAND
        }
        hooks = {name: closing.enter_context(serve(s.app)) for name, s in systems.items()}
        gateway_url = closing.enter_context(serve(gateway.app))
        sign_in = closing.enter_context(open_sign_in(folder))
        configuration = configuration_of(
            folder.resolve(), gateway_url, hooks, sign_in.configuration
        )
        settings = install(folder, configuration, authority.root_pem(), now)
        line = _own_line(build_line_before_rules(settings, clock=clock), settings, closing)
        enrolled = enrol(line, settings, hooks, sign_in.identities())
        sign_in.offer(capacities_of_people(line))
        stage = Stage(
            folder=folder,
            clock=clock,
            authority=authority,
            line=line,
            settings=settings,
            gateway=gateway,
            systems=systems,
            keys=enrolled.keys,
            hand=HandJournal(),
            letters=mail.letters,
            others=others,
            postman=Postman(gateway, mail.brought),
            codes=enrolled.codes,
            gateway_url=gateway_url,
        )
        stage.renew_revocation_list()
        for system in systems.values():
            system.behave(_behaviour(line, mail))
            closing.callback(system.close)
        yield stage


@contextmanager
def running_product(stage: Stage) -> Iterator[None]:
    """`inbox serve` beside the simulators, at the present time, until the `with` ends."""
    with ExitStack() as closing:
        product = closing.enter_context(_serve_process(stage.folder))
        stage.product, stage.addresses = product, _addresses(product)
        stage.connect_case_systems(stage.addresses["api"])
        for system in stage.systems.values():
            closing.enter_context(system)
        yield


def _own_line(line: Line, settings: Settings, closing: ExitStack) -> Line:
    """The line of this process, whose connections end with the stage.

    The demo's own people do not wait until what they did can no longer be undone; `inbox serve` has
    the settings of the file, so who tries the pages may undo as anywhere.
    """
    client = closing.enter_context(webhook_client())
    targets = [
        Target(host=each.host, port=each.port, networks=each.networks)
        for each in settings.webhook_targets
    ]
    gateways = {
        each.channel: closing.enter_context(open_gateway(each, {})) for each in settings.gateways
    }
    known = {each.name for each in fields(line.terms)}
    graces: dict[str, Any] = dict.fromkeys(_GRACES & known, timedelta(0))
    return replace(
        line,
        gateways=gateways,
        events=WebhookSender(client, targets),
        terms=replace(line.terms, **graces),
    )


def _behaviour(line: Line, mail: DemoMail) -> Behaviour:
    """Case systems refuse, pass over and forget what the letters say."""
    refused = refusals(mail.letters)
    silent = {
        each.message_id
        for each in mail.letters
        if each.expect.fate is Fate.OFFERED and each.message_id not in mail.left
    }

    def passes_over(delivery_id: str) -> bool:
        if not mail.left:
            return False
        with line.store.reading() as tx:
            wire_id = tx.exec(
                select(Message.wire_id)
                .join(Delivery, col(Delivery.message_id) == col(Message.id))
                .where(col(Delivery.id) == delivery_id)
            ).one()
        return wire_id in mail.left

    return Behaviour(
        refuse_if=lambda told: refused.get(told.message_id),
        falls_silent=lambda told: told.message_id in silent,
        passes_over=passes_over,
    )


def _case_system_simulator(name: str, mode: SystemMode, clock: DemoClock) -> CaseSystemSimulator:
    pull = timedelta(milliseconds=300) if mode is SystemMode.PULL else None
    number = 100 * [system.name for system in SYSTEMS].index(name) + 1
    return CaseSystemSimulator(
        name, pull_every=pull, lists_every=_LISTS_EVERY, first_number=number, clock=clock.now
    )


@contextmanager
def _serve_process(folder: Path) -> "Iterator[subprocess.Popen[str]]":
    """`inbox serve` as a process of its own; its log is kept in the folder."""
    with (folder / "serve.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "inbox.cli", "--config", str(folder / CONFIGURATION), "serve"],
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
        if {"api", "operator", "people"} <= set(addresses):
            return addresses
    raise ConfigurationError(
        "demo.serve", "`inbox serve` did not start: its log is serve.log in the demo's folder"
    )
