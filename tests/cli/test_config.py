"""Settings as the command line reads and shows them."""

import pytest

from tests.cli.installation import Installed, program


def _add(installed: Installed, text: str) -> None:
    installed.config.write_text(text + "\n" + installed.config.read_text())


def test_config_check_accepts_valid_settings(empty: Installed) -> None:
    assert empty.ask("config", "check").code == 0


def test_unknown_key_in_the_settings_file_is_refused_with_the_known_keys(empty: Installed) -> None:
    _add(empty, 'valt = "/somewhere"')

    answer = empty.ask("config", "check")

    assert answer.code == 2
    assert "valt: there is no such setting (is vault meant?); allowed: " in answer.err
    assert answer.err.startswith("inbox: config.invalid: inbox.toml, line ")


def test_unknown_setting_in_the_environment_is_refused(empty: Installed) -> None:
    answer = program("--config", empty.config, "config", "check", env={"INBOX_VALT": "/somewhere"})

    assert answer.code == 2
    assert "inbox: config.unknown_key: INBOX_VALT is no setting" in answer.err


def test_settings_file_with_invalid_toml_is_refused_by_name(empty: Installed) -> None:
    empty.config.write_text("database =")

    answer = empty.ask("config", "show")

    assert (answer.code, answer.out) == (2, "")
    assert "inbox: config.toml: inbox.toml is not TOML" in answer.err


@pytest.mark.parametrize("words", [["config", "show"], ["config", "show", "--json"]])
def test_config_show_never_prints_a_password(empty: Installed, words: list[str]) -> None:
    text = empty.config.read_text().splitlines()[1:]
    address = (
        "postgresql://inbox:verysecret@db.example/inbox?sslpassword=alsosecret&sslmode=require"
    )
    empty.config.write_text("\n".join([f'database = "{address}"', *text]))

    answer = empty.ask(*words)

    assert answer.code == 0
    assert "db.example/inbox" in answer.out
    assert "sslmode=require" in answer.out
    assert "secret" not in answer.out
