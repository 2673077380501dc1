"""Installations, as empty or as far along as a test wants them."""

import shutil
from pathlib import Path

import pytest

from inbox.migrations import shipped_folder
from tests.cli.installation import OURS, Installed, settle_in


@pytest.fixture
def empty(tmp_path: Path) -> Installed:
    """Settings and folders, nothing else."""
    return settle_in(tmp_path / "installation")


@pytest.fixture
def in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands say in English what they say, as if everybody had chosen that."""
    monkeypatch.setenv("INBOX_LANGUAGE", "en")


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Keys, tables and the first two people, made by the commands; never to be changed."""
    made = settle_in(tmp_path_factory.mktemp("first") / "installation")
    assert made.ask("keys", "create").code == 0
    assert made.ask("database", "upgrade").code == 0
    enrolled = made.ask(
        *("init", "--organisation", OURS, "--desk", "dokumentsenteret=Dokumentsenteret"),
        *("--person", "anne=Anne Arkivar", "--person", "bjorn=Bjorn Arkivar", "--json"),
    )
    assert enrolled.code == 0, enrolled.err
    value = enrolled.value
    assert isinstance(value, dict)
    return Installed(made.folder, codes=value["codes"])


@pytest.fixture
def installed(first: Installed, tmp_path: Path) -> Installed:
    """The same, for one test to do with as it likes."""
    return first.copied(tmp_path / "installation")


@pytest.fixture
def own(installed: Installed) -> Installed:
    """An installation with a policy folder of its own, the same as the shipped one."""
    shutil.copytree(shipped_folder("policies"), installed.folder / "policies")
    text = installed.config.read_text()
    installed.config.write_text(f'policies = "{installed.folder}/policies"\n{text}')
    return installed
