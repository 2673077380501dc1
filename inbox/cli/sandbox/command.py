"""`inbox sandbox`: the service on loopback, for vendors who write a case system against it."""

import logging
import signal
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer

from inbox import log
from inbox.app import create_app
from inbox.casesystem.webhook import Target, WebhookSender, webhook_client
from inbox.cli.sandbox.api_calls import API, ApiCall, WatchedApi
from inbox.cli.sandbox.api_words import ApiWords
from inbox.cli.sandbox.id_names import name_of_id
from inbox.cli.sandbox.installation import (
    SandboxInstallation,
    check_webhook,
    gateway_credentials,
    install,
    temporary_folder,
)
from inbox.cli.sandbox.letter_desk import LetterDesk
from inbox.cli.sandbox.letters import OWN, LetterBox
from inbox.cli.sandbox.screen import Screen
from inbox.cli.sandbox.webhook_trials import Receiver, WatchedSender, WebhookTrials
from inbox.cli.serve import HttpListener, Runnable, run_until_signal
from inbox.line import Line
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.server import serve
from inbox.simulator.packages.certificates import TestAuthority
from inbox.web.connection_deadlines import api_connections, descriptor_limit
from inbox.worker import Worker

_SIGNALS: Final = frozenset({signal.SIGTERM, signal.SIGINT})
_STEPS: Final = {
    "collected": "collect",
    "fetched": "fetch the bytes",
    "accepted": "accepted",
    "registered": "registered",
    "refused": "refused",
}


def sandbox(
    webhook: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Your receiver; without it, ask for the list (pull)."),
    ] = None,
    every: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0.1, help="Put a letter so often, without Enter."),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port of the API; 0 is any free one.")
    ] = 0,
    show_log: Annotated[
        bool, typer.Option("--log", help="Print the service's own log on standard error, too.")
    ] = False,
) -> None:
    """Try a case system against the real service, with made-up mail, on this machine.

    Needs no settings, no database and no gateway. Prints the address, the key and the secret, puts
    a letter whenever Enter is hit, and says of each call what was right or wrong with it. Ctrl-C
    ends it; nothing is left behind.
    """
    url = None if webhook is None else check_webhook(webhook)
    if show_log:
        log.to_stderr()
    else:
        logging.disable(logging.CRITICAL)
    # Every thread from here on leaves the signals to the one that waits for them.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    screen = Screen()
    screen.say("The sandbox is being made: a few seconds.")
    with ExitStack() as closing:
        folder = closing.enter_context(temporary_folder())
        authority = TestAuthority()
        gateway = GatewaySimulator(
            own_org=OWN, credentials=gateway_credentials(), pace=timedelta(milliseconds=100)
        )
        gateway_url = closing.enter_context(serve(gateway.app))
        made = install(folder, gateway_url=gateway_url, webhook=url, port=port, authority=authority)
        _Sandbox(made, gateway, authority, url, screen).run(every)


class _Sandbox:
    """The product's own parts, each with somebody who looks on."""

    def __init__(
        self,
        made: SandboxInstallation,
        gateway: GatewaySimulator,
        authority: TestAuthority,
        webhook: str | None,
        screen: Screen,
    ) -> None:
        self._made = made
        self._gateway = gateway
        self._box = LetterBox(gateway, authority)
        self._webhook = webhook
        self._screen = screen
        self._sender, self._trials = _watched_sender(made, webhook, screen)
        self._words = ApiWords(
            key=made.key,
            secret_text=made.secret_text,
            name_of_id=lambda text: name_of_id(made.line, text),
            is_made_up=lambda text: self._trials is not None and self._trials.is_made_up(text),
        )

    def run(self, every: float | None) -> None:
        """Serve, work and talk until a signal comes; then say what was seen."""
        made = self._made
        line = made.line if self._sender is None else replace(made.line, events=self._sender)
        desk = LetterDesk(line, self._gateway, self._box, self._screen, every=every)
        listener = self._listener(line)
        worker = Worker(
            line,
            poll_seconds=made.settings.worker.poll_seconds,
            checkpoints=made.settings.checkpoints,
        )
        parts: list[Runnable] = [listener, worker, desk]
        if self._sender is not None:
            parts.append(self._sender)

        def announce() -> None:
            listener.wait_until_up()
            self._introduce(listener.url, every)

        run_until_signal(parts, announce)
        self._summarise(desk)

    def _listener(self, line: Line) -> HttpListener:
        return HttpListener(
            WatchedApi(create_app(line), self._show),
            self._made.settings.api,
            connections=api_connections(descriptor_limit()),
        )

    def _show(self, call: ApiCall) -> None:
        path = call.path.replace(API, "…/deliveries", 1) if call.path.startswith(API) else call.path
        status = call.status or "cut"
        self._screen.show(f"{call.method} {path} -> {status}", self._words.remarks(call))

    def _introduce(self, address: str, every: float | None) -> None:
        made, way = self._made, self._webhook or "none: you ask for the list (pull)"
        more = "Enter puts a letter" if every is None else f"A letter comes every {every:g} seconds"
        self._screen.say(
            "",
            "Everything is made up, nothing here is real mail.",
            "",
            f"  address  {address}",
            f"  key      {made.key}",
            f"  secret   {made.secret_text}",
            f"  webhook  {way}",
            "",
            "Try:",
            f"  curl {address}{API} \\",
            f"    -H 'Authorization: Bearer {made.key}'",
            "",
            f"{more}.",
            "Ctrl-C ends it, and nothing is left behind.",
            "ok: as it should be. !!: to be mended. --: good to know.",
            "",
        )

    def _summarise(self, desk: LetterDesk) -> None:
        missing = [text for step, text in _STEPS.items() if step not in self._words.done]
        self._screen.say(
            "",
            f"Letters: {desk.put}. With a kvittering at their sender: {desk.answered}.",
            f"Not tried: {', '.join(missing)}." if missing else "Everything was tried once.",
        )


def _watched_sender(
    made: SandboxInstallation, webhook: str | None, screen: Screen
) -> tuple[WatchedSender | None, WebhookTrials | None]:
    """The product's sender of events with the words around it; none without a webhook."""
    if webhook is None:
        return None, None
    sender = WebhookSender(
        webhook_client(),
        [
            Target(host=target.host, port=target.port, networks=target.networks)
            for target in made.settings.webhook_targets
        ],
    )
    receiver = Receiver(url=webhook, key=made.key, secret=made.secret)
    trials = WebhookTrials(sender, receiver, lambda: datetime.now(UTC))
    return WatchedSender(sender, trials, screen), trials
