"""`inbox serve`: the case systems' API, the operators' listener, and the worker."""

import os
import resource
import signal
import socket
import threading
from typing import Annotated

import typer
import uvicorn

from inbox import log
from inbox.app import create_app, create_operator_app
from inbox.config import Listener, environment, read_settings
from inbox.errors import ConfigurationError
from inbox.wiring import build_line
from inbox.worker import Worker


def serve(
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Serve only.")] = False,
) -> None:
    """Serve the API and the operators' listener, and work, until it is told to end."""
    from inbox.cli import Options

    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    settings = read_settings(environment(), Options.config)
    line = build_line(settings)
    log.to_stderr()
    faces = [
        ("api", _Face(create_app(line), settings.api)),
        ("operator", _Face(create_operator_app(line), settings.operator)),
    ]
    worker = Worker(
        line, poll_seconds=settings.worker.poll_seconds, checkpoints=settings.checkpoints
    )
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    for name, face in faces:
        face.start()
        typer.echo(f"{name} {face.url}")
    working = threading.Thread(target=worker.run, daemon=True)
    if not no_worker:
        working.start()
    ended.wait()
    for _, face in faces:
        face.stop()
    worker.stop()
    if not no_worker:
        working.join(timeout=15)


class _Face:
    def __init__(self, app: object, listener: Listener) -> None:
        try:
            self._socket = socket.create_server((listener.host, listener.port))
        except OSError as error:
            raise ConfigurationError(
                "serve.port", f"{listener.host}:{listener.port}: {error.strerror}"
            ) from error
        host, port = self._socket.getsockname()[:2]
        self.url = f"http://{host}:{port}"
        self._server = uvicorn.Server(
            uvicorn.Config(app, access_log=False, log_config=None, lifespan="off", server_header=False)  # type: ignore[arg-type]
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
