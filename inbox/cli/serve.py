"""`inbox serve` and `inbox work`: run the API, the operators' listener and the worker."""

import ctypes
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Annotated, Final, Protocol

import typer
import uvicorn
from starlette.types import ASGIApp

from inbox import log
from inbox.app import create_app, create_operator_app
from inbox.cli.common.context import settings_of
from inbox.cli.common.output import (
    EXIT_NOT_THERE_YET,
    print_error,
    print_line,
    print_unexpected_error,
)
from inbox.config import Listener, Settings
from inbox.errors import ConfigurationError, InboxError, NotThereYet, Unavailable
from inbox.line import Line
from inbox.line.upkeep.gap import compare_and_report, report_gap
from inbox.settings_digest import record_settings
from inbox.web.callbacks.app import create_callbacks_app
from inbox.web.connection_deadlines import (
    OPERATOR_CONNECTIONS,
    PEOPLE_CONNECTIONS,
    ConnectionLimits,
    api_connections,
    descriptor_limit,
    protocol_with,
)
from inbox.web.people.app import create_people_app
from inbox.web.people.site import PeopleSite
from inbox.wiring import build_line, build_sign_in_desk
from inbox.worker import Worker

_SHUTDOWN_SECONDS: Final = 15
"""How long open transfers and the step at hand may take when the program has to end."""
_STARTUP_SECONDS: Final = 30
_COMPARE_SECONDS: Final = 300
_BACKLOG: Final = 128
"""asyncio accepts as many at once, before any of them is counted."""
_SIGNALS: Final = frozenset({signal.SIGTERM, signal.SIGINT})
_PR_SET_DUMPABLE: Final = 4


class Runnable(Protocol):
    """Something that runs until it is stopped."""

    def run(self) -> None:
        """Run; what it raises ends the program."""

    def stop(self) -> None:
        """Make `run` return."""


def serve(
    ctx: typer.Context,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Serve only; `inbox work` runs in another process.")
    ] = False,
) -> None:
    """Serve the API and the operators' listener, and run the worker, until a signal stops it.

    Prints the addresses, one per line: `api http://...` and `operator http://...`, and where they
    are set `people http://...` and `callbacks http://...`. Port 0 means any free port. SIGTERM and
    SIGINT stop it gracefully; the next start resumes unfinished work. On SQLite only one process
    may run the worker; on PostgreSQL any number of processes may serve and run workers. The log
    goes to standard error.
    """
    disable_core_dumps()
    settings, line = _start(ctx)
    faces = {
        "api": HttpListener(create_app(line), settings.api, connections=_api_connections(settings)),
        "operator": HttpListener(
            create_operator_app(line), settings.operator, connections=OPERATOR_CONNECTIONS
        ),
    }
    faces |= _people_faces(line, settings)
    compares = _GapWatch(line, settings) if no_worker else _worker(line, settings)

    def announce() -> None:
        for name, face in faces.items():
            face.wait_until_up()
            print_line(f"{name} {face.url}")

    log.to_stderr()
    run_until_signal([*faces.values(), compares], announce)


def _api_connections(settings: Settings) -> int:
    beside = (0 if settings.people is None else PEOPLE_CONNECTIONS) + (
        0 if settings.callbacks is None else OPERATOR_CONNECTIONS
    )
    return api_connections(descriptor_limit() - beside)


def _people_faces(line: Line, settings: Settings) -> dict[str, "HttpListener"]:
    """The listeners for people and for callbacks, where they are set."""
    faces: dict[str, HttpListener] = {}
    people, callbacks = settings.people, settings.callbacks
    if people is None and callbacks is None:
        return faces
    desk = build_sign_in_desk(line, settings)
    desk.announce()
    if people is not None:
        site = PeopleSite(
            public_url=people.public_url,
            organisation=people.organisation,
            trusted_proxies=people.trusted_proxies,
            is_demo=people.practice,
        )
        app = create_people_app(line, site, desk)
        faces["people"] = HttpListener(app, people, connections=PEOPLE_CONNECTIONS)
    if callbacks is not None:
        faces["callbacks"] = HttpListener(
            create_callbacks_app(line, desk), callbacks, connections=OPERATOR_CONNECTIONS
        )
    return faces


def work(ctx: typer.Context) -> None:
    """Run the worker without serving anything: poll the gateways, advance messages, send receipts.

    On PostgreSQL any number of workers may run at the same time, also while `inbox serve` runs; on
    SQLite only one process may run the worker.
    """
    disable_core_dumps()
    settings, line = _start(ctx)
    log.to_stderr()
    run_until_signal([_worker(line, settings)], lambda: print_line("working"))


def disable_core_dumps() -> None:
    """Exclude this process's memory from core dumps, and let nobody but root read it.

    No limit does that where core files go to a program: a pipe asks for no limit.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise ConfigurationError("serve.dumpable", "this system would write its memory to disk")


def _start(ctx: typer.Context) -> tuple[Settings, Line]:
    """The settings and the line; what is not there yet ends the program so that it is retried."""
    try:
        settings = settings_of(ctx)
        return settings, _line_with_settings_noted(settings)
    except NotThereYet as error:
        print_error(error)
        raise typer.Exit(EXIT_NOT_THERE_YET) from error


def _line_with_settings_noted(settings: Settings) -> Line:
    """The line, after it was noted in the audit which settings decide from now on."""
    line = build_line(settings)
    if (gap := line.standstill.gap) is not None:
        report_gap(line, gap)
        try:
            line.standstill.check()
        except Unavailable as error:
            print_error(error)
    with line.store.transaction() as tx:
        record_settings(tx, settings)
    return line


class _GapWatch:
    """Compares the database with the checkpoint file where no worker of this process does."""

    def __init__(self, line: Line, settings: Settings) -> None:
        self._line = line
        self._checkpoints = settings.checkpoints
        self._stop = threading.Event()

    def run(self) -> None:
        """Compare every few minutes until `stop`; a database that is away is asked again."""
        while not self._stop.wait(_COMPARE_SECONDS):
            try:
                compare_and_report(self._line, self._checkpoints)
            except InboxError as error:
                log.emit(log.LogEvent.FAILED, {log.LogField.CODE: error.code})

    def stop(self) -> None:
        """Make `run` return."""
        self._stop.set()


def _worker(line: Line, settings: Settings) -> Worker:
    return Worker(line, poll_seconds=settings.worker.poll_seconds, checkpoints=settings.checkpoints)


def run_until_signal(parts: Sequence[Runnable], announce: Callable[[], None]) -> None:
    """Run every part until a signal comes or one of them ends, then stop them all.

    The signals are blocked, and waited for, so that no handler runs in the midst of something. They
    stay blocked while the parts end, each of which sends one.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    failed: list[InboxError | SystemExit] = []
    threads = [
        threading.Thread(target=_run_part, args=(part, failed), daemon=True) for part in parts
    ]
    for thread in threads:
        thread.start()
    announce()
    signal.sigwait(_SIGNALS)
    for part in parts:
        part.stop()
    until = time.monotonic() + _SHUTDOWN_SECONDS
    for thread in threads:
        thread.join(timeout=max(0, until - time.monotonic()))
    if failed:
        raise failed[0]


def _run_part(part: Runnable, failed: list[InboxError | SystemExit]) -> None:
    """Run a part; the program ends when it does, whatever for."""
    try:
        part.run()
    except (InboxError, SystemExit) as error:
        failed.append(error)
    except Exception as error:  # noqa: BLE001 - no traceback of a thread ever reaches the terminal
        print_unexpected_error(error)
        failed.append(SystemExit(1))
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


class _UvicornServer(uvicorn.Server):
    """Says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


class HttpListener:
    """One listener; it has its port as soon as it is made. Raises `ConfigurationError`."""

    def __init__(self, app: ASGIApp, listener: Listener, *, connections: int) -> None:
        self._socket = _bind(listener)
        host, port = self._socket.getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._server = _UvicornServer(
            uvicorn.Config(
                app,
                http=protocol_with(ConnectionLimits(connections=connections)),
                backlog=_BACKLOG,
                access_log=False,
                log_config=None,
                lifespan="off",
                ws="none",
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=_SHUTDOWN_SECONDS - 5,
            )
        )

    def run(self) -> None:
        """Serve until `stop`."""
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Take no more connections; open ones may finish for a while."""
        self._server.should_exit = True

    def wait_until_up(self) -> None:
        """Return when connections are served."""
        self._server.up.wait(timeout=_STARTUP_SECONDS)


def _bind(listener: Listener) -> socket.socket:
    family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
    try:
        bound = socket.create_server((listener.host, listener.port), family=family)
    except OSError as error:
        raise ConfigurationError(
            "serve.port",
            f"cannot listen on {listener.host} port {listener.port} ({error.strerror}):"
            " end what has it, or set another port, or 0 for a free one",
        ) from error
    # What is accepted inherits it. asyncio sets it only on sockets that name their protocol, and
    # without it a short answer waits 40 ms for the client to acknowledge its headers.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound
