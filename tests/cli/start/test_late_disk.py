"""A disk that comes late: `serve` and `work` end so that they are started again."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.installation import Installed

OPERATORS = Path(__file__).parents[3] / "docs" / "operators.md"
RETRIED = 75


def _take_the_vault(installed: Installed) -> str:
    shutil.rmtree(installed.folder / "vault")
    return "vault.no_folder"


def _empty_the_key_folder(installed: Installed) -> str:
    for path in (installed.folder / "keys").iterdir():
        path.unlink()
    return "keys.missing"


def _take_the_database(installed: Installed) -> str:
    for path in installed.folder.glob("inbox.db*"):
        path.unlink()
    return "database.empty"


def _name_a_ca_file(installed: Installed) -> str:
    text = installed.config.read_text()
    installed.config.write_text(f'tls_ca_file = "late/ca.pem"\n{text}')
    return "config.tls_ca_file"


@pytest.mark.parametrize("command", ["serve", "work"])
@pytest.mark.parametrize(
    "take", [_take_the_vault, _empty_the_key_folder, _take_the_database, _name_a_ca_file]
)
def test_serve_and_work_without_something_on_a_disk_exit_to_be_retried(
    installed: Installed, take: Callable[[Installed], str], command: str
) -> None:
    code = take(installed)

    answer = installed.ask(command)

    assert answer.code == RETRIED
    assert answer.err.startswith(f"inbox: {code}: ")
    assert answer.err.count("\n") == 1


def test_wrong_setting_is_not_retried(installed: Installed) -> None:
    installed.config.write_text(installed.config.read_text() + "[nothing]\n")

    assert installed.ask("serve").code == 2


def test_unit_in_the_documentation_retries_all_but_wrong_settings() -> None:
    text = OPERATORS.read_text()

    assert "\nRestart=on-failure\n" in text
    assert "\nRestartPreventExitStatus=2\n" in text
    assert "\nStartLimitIntervalSec=0\n" in text
    assert "\nRequiresMountsFor=" in text
