"""An installation to measure: rows, keys and trust, on the clock of its database."""

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

from inbox import audit
from inbox.gateway.integrasjonspunkt import client_for
from inbox.keys import create_keys
from inbox.line import Line
from inbox.simulator.packages.arkivmelding import ArkivmeldingLetter, arkivmelding_xml
from inbox.simulator.packages.builder import Parcel, ParcelDocument, package_bytes, write_package
from inbox.simulator.packages.certificates import TestAuthority
from inbox.store import SteadyClock, Store, create_engine, database_clock
from tests.cli.installation import clean_environment
from tests.worlds import OURS, SENDER, channel_of, line_of

TO_PULL = "Melding om sakkyndig vurdering"
"""The rules of the tests' municipality give it to a case system that asks by itself."""
_BLOCK = 1 << 20
_NOBODY = "http://127.0.0.1:9"


@cache
def authority() -> TestAuthority:
    """Signs every package of a run."""
    return TestAuthority()


def furnish(folder: Path) -> None:
    """Keys, an empty vault, and trust in the authority of this run."""
    now = datetime.now(UTC)
    create_keys(folder / "keys", now)
    (folder / "vault").mkdir()
    (folder / "trust").mkdir()
    (folder / "trust" / "root.pem").write_bytes(authority().root_pem())
    (folder / "trust" / "root.crl").write_bytes(authority().crl(now))


def store_of(database: str) -> Store:
    """The database with its own clock."""
    return Store(create_engine(database), seal=audit.seal, clock=SteadyClock(database_clock))


@contextmanager
def line_at(database: str, folder: Path, gateway_url: str = _NOBODY) -> Iterator[Line]:
    """The line of this process in a furnished folder."""
    store = store_of(database)
    with client_for(gateway_url) as client:
        line = line_of(store, folder, channel_of(client))
        yield line
    store.engine.dispose()


@dataclass(frozen=True, kw_only=True)
class Side:
    """What a process needs to have the line of an installation."""

    database: str
    folder: Path
    gateway_url: str
    slowly: Callable[[Line], Line] | None = None
    """Puts something slow into the line, to see that the benchmark sees it."""

    @contextmanager
    def line(self) -> Iterator[Line]:
        """The line, in this process."""
        with line_at(self.database, self.folder, self.gateway_url) as line:
            yield line if self.slowly is None else self.slowly(line)


def small_package(size: int) -> bytes:
    """A genuine container with one document that does not shrink."""
    return package_bytes(
        _parcel((ParcelDocument("brev.pdf", "application/pdf", document_bytes(0, size)),))
    )


def large_package(path: Path, *, documents: int, size: int) -> Path:
    """A genuine container of so many documents that do not shrink; made once in a run."""
    if not path.exists():
        parts = tuple(
            ParcelDocument(
                f"vedlegg-{number:03}.pdf", "application/pdf", partial(_blocks, number, size)
            )
            for number in range(1, documents + 1)
        )
        with path.open("wb") as file:
            write_package(file, _parcel(parts))
    return path


def _parcel(documents: tuple[ParcelDocument, ...]) -> Parcel:
    names = tuple(document.name for document in documents)
    letter = replace(ArkivmeldingLetter(), public_title=TO_PULL, file_names=names)
    return Parcel(
        sender=SENDER,
        receiver=OURS,
        signer=authority().issue(SENDER),
        documents=documents,
        arkivmelding=arkivmelding_xml(letter),
    )


def _blocks(seed: int, size: int) -> Iterator[bytes]:
    """Bytes that no compression shortens, the same for the same seed."""
    noise = random.Random(seed)  # noqa: S311 - made up, not secret
    for start in range(0, size, _BLOCK):
        yield noise.randbytes(min(_BLOCK, size - start))


def document_bytes(number: int, size: int) -> bytes:
    """The content of a document of a large package."""
    return b"".join(_blocks(number, size))


def settings_at(database: str, folder: Path, more: str = "") -> Path:
    """The settings file of the installation in this folder."""
    path = folder / "inbox.toml"
    path.write_text(
        f'database = "{database}"\n'
        f'vault = "{folder}/vault"\nkeys = "{folder}/keys"\ntrust = "{folder}/trust"\n'
        f'checkpoints = "{folder}/checkpoints.txt"\norigin = "test"\n'
        "[api]\nport = 0\n[operator]\nport = 0\n[terms]\nfree_gigabytes = 0\n" + more
    )
    return path


@contextmanager
def served(config: Path, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """`inbox serve` as a process of its own; it prints its addresses, and ends with the `with`."""
    with (config.parent / "serve.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "inbox.cli", "--config", config, "serve", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=clean_environment(),
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=30)
            if process.stdout is not None:
                process.stdout.close()


def addresses_of(process: "subprocess.Popen[str]") -> dict[str, str]:
    """What `inbox serve` says once it is up: its listeners by name."""
    assert process.stdout is not None
    said = [process.stdout.readline().strip().partition(" ") for _ in range(2)]
    assert all(url for _, _, url in said), "inbox serve ended before it was up"
    return {name: url for name, _, url in said}
