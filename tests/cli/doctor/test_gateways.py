"""What `doctor` says of a gateway in trouble, and that it says each thing when it knows it."""

import subprocess
import time

import pytest

from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.server import serve
from inbox.simulator.packages.envelopes import sbd_json
from tests.cli.installation import OURS, Installed
from tests.gateway.troubles import TROUBLES, Trouble, silence
from tests.trickle_server import Trickle, trickling
from tests.worlds import SENDER

# The gateways' clients are closed by the end of the process, as those of every command.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def _at(installed: Installed, url: str) -> None:
    """The installation has one gateway, at this address."""
    password = installed.folder / "password"
    password.write_text("secret")
    text = installed.config.read_text()
    installed.config.write_text(
        f'{text}\n[[gateways]]\nchannel = "eformidling"\nurl = "{url}"\n'
        f'organisations = ["{OURS}"]\nuser = "inbox"\npassword_file = "{password}"\n'
        "allow_insecure = true\n"
    )


@pytest.mark.parametrize(
    "trouble",
    [pytest.param(each, marks=pytest.mark.long) if each is silence else each for each in TROUBLES],
    ids=lambda each: each.__name__,
)
def test_doctor_gives_the_advice_of_each_trouble(
    installed: Installed, tmp_path_factory: pytest.TempPathFactory, trouble: Trouble
) -> None:
    code, _, advice = TROUBLES[trouble]

    with trouble(tmp_path_factory.mktemp("gateway")) as url:
        _at(installed, url)
        told = installed.ask("doctor")

    assert f"({code}" in told.out
    assert advice in told.out
    assert told.code == 1


def test_doctor_finds_that_all_mail_of_a_gateway_is_for_another_organisation(
    installed: Installed,
) -> None:
    gateway = GatewaySimulator()
    gateway.put(sbd_json(sender=OURS, receiver=SENDER), b"package")
    with serve(gateway.app) as url:
        _at(installed, url)

        told = installed.ask("doctor")

    assert "gateway.another" in told.out
    assert f"for {SENDER}" in told.out


def test_doctor_prints_what_it_knows_before_a_silent_gateway_has_answered(
    installed: Installed,
) -> None:
    with trickling(Trickle(pieces=1000)) as silent:
        _at(installed, silent.url)
        running = installed.start("doctor")
        assert running.stdout is not None
        told, began = list[str](), time.monotonic()
        for line in running.stdout:
            told.append(line)
            if "trust" in line or time.monotonic() - began > 60:
                break
        still_runs = running.poll() is None
        running.kill()
        running.communicate()

    assert any(line.startswith("ok       vault") for line in told)
    assert still_runs
    assert isinstance(running, subprocess.Popen)
