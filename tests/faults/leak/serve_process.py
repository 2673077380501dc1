"""The real program over a world's database: its faces asked, its log kept, killed at the end."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

import httpx

from inbox.domain import CONFIDENTIAL_PROCESS
from inbox.migrations import shipped_folder
from tests.faults.leak.canary_messages import REFERENCE, canary, send
from tests.municipality import RULES
from tests.worlds import OURS, World

_PROGRAM = Path(sys.executable).parent / "inbox"
_SETTINGS = """\
database = "{database}"
vault = "{folder}/vault"
keys = "{folder}/keys"
trust = "{folder}/trust"
policies = "{folder}/policies"
origin = "test"
checkpoints = "{folder}/checkpoints.txt"
[api]
port = 0
[operator]
port = 0
[[gateways]]
channel = "eformidling"
url = "{gateway}"
organisations = ["{ours}"]
services = ["DPO", "DPF"]
processes = ["{process}"]
[terms]
free_gigabytes = 0
first_retry_seconds = 0.1
[worker]
poll_seconds = 0.2
"""


@dataclass(frozen=True, kw_only=True)
class ServeProcess:
    """A process of ours, and the client that asks it; what it said lies in `folder`."""

    process: "subprocess.Popen[bytes]"
    client: httpx.Client
    api: str
    operator: str
    key: str

    def answers(self) -> dict[str, str]:
        """What the faces answer to good, odd and hostile requests, headers too."""
        api, said = f"{self.api}/api/v1/deliveries", {}
        ours = {"authorization": f"Bearer {self.key}"}
        odd = canary("forespurt")
        json = {**ours, "content-type": "application/json"}
        requests = [
            ("GET", api, ours, b""),
            ("GET", f"{api}/{odd}", ours, b""),
            ("GET", f"{api}?after={odd}&limit={odd}", ours, b""),
            ("GET", f"{self.api}/{odd}", ours, b""),
            ("GET", api, {"authorization": f"Bearer {odd.encode().hex()}"}, b""),
            ("POST", f"{api}/{'0' * 32}/refused", json, f'{{"code": "{odd}"}}'.encode()),
            ("POST", f"{api}/{'0' * 32}/refused", json, f'{{"{odd}": 1}}'.encode()),
            ("POST", f"{api}/{'0' * 32}/refused", json, f'{{"code" {odd}'.encode()),
            ("POST", f"{api}/{'0' * 32}/registered", json, f'{{"reference": "{odd}"}}'.encode()),
            ("GET", f"{self.operator}/metrics", {}, b""),
            ("GET", f"{self.operator}/", {}, b""),
            ("GET", f"{self.operator}/health/ready", {}, b""),
            ("GET", f"{self.operator}/{odd}", {}, b""),
        ]
        for number, (method, url, headers, body) in enumerate(requests):
            answer = self.client.request(method, url, headers=headers, content=body)
            said[f"{number} {method} {answer.status_code}"] = f"{answer.headers}{answer.text}"
        return said

    def words(self) -> dict[str, str]:
        """Case-system words over the API, on what stands open."""
        api, said = f"{self.api}/api/v1/deliveries", {}
        ours = {"authorization": f"Bearer {self.key}"}
        open_ones = self.client.get(api, headers=ours).json()["deliveries"]
        refusal = {"code": "odd", "text": canary("fagsystemets-tekst")}
        for each, (word, body) in zip(
            open_ones,
            [("registered", {"reference": REFERENCE}), ("refused", refusal)],
            strict=False,
        ):
            self.client.get(f"{api}/{each['delivery_id']}/package", headers=ours).raise_for_status()
            answer = self.client.post(
                f"{api}/{each['delivery_id']}/{word}", json=body, headers=ours
            )
            assert answer.status_code == 200, answer.text
            said[word] = answer.text
        assert set(said) == {"registered", "refused"}
        return said


def settings_for(world: World, database: str, gateway: str) -> Path:
    """Settings for the program beside the world; the policies that are active, with its rules."""
    policies = world.folder / "policies"
    if not policies.exists():
        shutil.copytree(shipped_folder("policies"), policies)
    (policies / "routing" / f"{OURS}.toml").write_bytes(RULES)
    config = world.folder / "inbox.toml"
    config.write_text(
        _SETTINGS.format(
            folder=world.folder,
            database=database,
            gateway=gateway,
            ours=OURS,
            process=CONFIDENTIAL_PROCESS,
        )
    )
    return config


def environment(folder: Path) -> dict[str, str]:
    """This process's, without settings of ours, and with a folder for what is temporary."""
    (folder / "tmp").mkdir(exist_ok=True)
    kept = {name: text for name, text in os.environ.items() if not name.startswith("INBOX_")}
    return {**kept, "TMPDIR": str(folder / "tmp")}


@contextmanager
def serve_process(world: World, database: str, gateway: str) -> Iterator[ServeProcess]:
    """`inbox serve` with its worker, two open deliveries, two messages to take; then aborted."""
    config = settings_for(world, database, gateway)
    world.clock.now = max(world.clock.now, datetime.now(UTC))
    fresh = world.authority.crl(world.clock.now)
    (world.folder / "trust" / "root.crl").write_bytes(fresh)
    for _ in range(2):
        send(world, "Om sakkyndig")
    world.collect()
    world.work()
    for title in ("Om sakkyndig", "Ingen regel"):
        send(world, title, answered=False)
    with (world.folder / "out.log").open("wb") as out, (world.folder / "err.log").open("wb") as err:
        process = subprocess.Popen(
            [_PROGRAM, "--config", config, "serve"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=world.folder,
            env=environment(world.folder),
            preexec_fn=_allow_core_files,  # noqa: PLW1509 - nothing but a limit is set
        )
    try:
        addresses = _addresses(world.folder / "out.log", process)
        with httpx.Client(trust_env=False, timeout=20) as client:
            _until_taken(world, process)
            yield ServeProcess(
                process=process, client=client, key=world.keys["fag"][0], **addresses
            )
    finally:
        process.send_signal(signal.SIGABRT)
        process.wait(timeout=30)


def _allow_core_files() -> None:
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def _addresses(out: Path, process: "subprocess.Popen[bytes]") -> dict[str, str]:
    until = monotonic() + 60
    while (text := out.read_text()).count("\n") < 2:
        assert process.poll() is None, (out.parent / "err.log").read_text()
        assert monotonic() < until
        sleep(0.05)
    return dict(line.split(" ", 1) for line in text.splitlines())


def _until_taken(world: World, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the worker has taken what waited at the gateway."""
    until = monotonic() + 60
    while world.gateway.queue():
        assert process.poll() is None
        assert monotonic() < until, "the worker takes nothing"
        sleep(0.1)
