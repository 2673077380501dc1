"""What a stranger to the program sees first."""

import subprocess
import sys
import time

import pytest

from inbox.cli.late import COMMANDS
from tests.cli.conftest import Installation, run_here


def test_the_help_names_every_command_and_the_exit_codes() -> None:
    told = run_here("--help")

    assert told.code == 0
    assert [name for name in COMMANDS if f" {name} " not in told.out] == []
    assert "Exit codes: 0 fine; 1" in told.out


def test_the_help_imports_no_command() -> None:
    heavy = "{'sqlmodel', 'fastapi', 'casbin', 'cryptography', 'pydantic'}"
    program = (
        "import sys\nfrom inbox.cli import run\nassert run(['--help']) == 0\n"
        f"print('loaded', sorted({heavy} & set(sys.modules)))"
    )
    began = time.monotonic()

    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert "loaded []" in told.stdout
    assert time.monotonic() - began < 5  # 0.2 s on an idle machine; this one may be busy


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_tells_what_it_is_for(name: str) -> None:
    told = run_here(name, "--help")

    assert told.code == 0
    assert "Usage: inbox" in told.out


def test_the_module_is_the_program() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "inbox.cli", "--help"], capture_output=True, text=True, check=False
    )

    assert told.returncode == 0
    assert "Usage: inbox" in told.stdout


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["audit", "nonsense"], ["--nonsense"], ["message", "list", "-9"]]
)
def test_what_is_no_command_is_usage(arguments: list[str]) -> None:
    told = run_here(*arguments)

    assert told.code == 2
    assert "Usage" in told.err


def test_an_unexpected_error_is_its_type_and_nothing_of_its_text(installed: Installation) -> None:
    installed.sql(
        "INSERT INTO message (id, state, version, attempts, organisation, channel, service,"
        " wire_id, digest, size, received_at, shares_wire_id, waivers, urgent, transfers)"
        " VALUES ('m', 'SECRET', 0, 0, '910075918', 'c', 'DPO', 'w', 'd', 1,"
        " '2026-01-01 00:00:00', 0, '', 0, 0)"
    )

    told = installed.inbox("message", "list")

    assert told.code == 1
    assert told.err.startswith("inbox: internal: ValueError")
    assert "SECRET" not in told.err
