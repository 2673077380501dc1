"""Settings: read once, refused at the first mistake with the key and what is allowed."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from inbox.config import Settings, read_settings
from inbox.errors import ConfigurationError
from inbox.line import Terms
from inbox.package.inputs import Limits
from inbox.wiring import limits_of, terms_of

GOOD = """
database = "sqlite:///inbox.db"
vault = "vault"
keys = "keys"
checkpoints = "checkpoints.txt"

[[gateways]]
channel = "eformidling"
url = "http://127.0.0.1:9093"
organisations = ["910075918"]
"""
REMOTE = GOOD.replace("http://127.0.0.1:9093", "https://ip.example.no")


def _read(folder: Path, text: str, environment: dict[str, str] | None = None) -> Settings:
    path = folder / "inbox.toml"
    path.write_text(text)
    return read_settings(environment or {}, path)


def test_settings_are_read_from_file_and_environment(tmp_path: Path) -> None:
    settings = _read(tmp_path, GOOD, {"INBOX_ORIGIN": "elsewhere", "HOME": "/"})

    assert settings.origin == "elsewhere"
    assert settings.gateways[0].channel == "eformidling"
    assert settings.operator.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "[terms]\nundo_minuts = 1\n", ["terms.undo_minuts", "undo_minutes"]),
        ("vaults = 'x'\n" + GOOD, ["vaults", "vault,"]),
        (GOOD.replace("vault =", "#"), ["vault", "required"]),
        (GOOD.replace("910075918", "910075919"), ["organisations", "check digit"]),
        (GOOD.replace("sqlite:///", "mysql://"), ["database"]),
        (GOOD + "[api]\nport = 70000\n", ["api.port", "65535"]),
        (GOOD + "[worker]\nsmall = 0\n", ["worker.small"]),
        ("database = ", ["not TOML"]),
    ],
)
def test_invalid_setting_error_names_the_key_and_allowed_values(
    tmp_path: Path, text: str, said: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as told:
        _read(tmp_path, text)

    assert [word for word in said if word not in str(told.value)] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "[terms]\nundo_minuts = 1\n", "line 12, terms.undo_minuts: there is no such"),
        (GOOD + "[terms]\nundo_minuts = 1\n", "(is undo_minutes meant?)"),
        (GOOD + "[api]\nport = 70000\n", "line 12, api.port: read 70000; allowed: a whole number"),
        (GOOD + "[worker]\nsmall = 1.5\n", "line 12, worker.small: read 1.5; allowed: a whole"),
        (GOOD + "services = ['DPX']\n", 'line 11, gateways.services: read "DPX"; allowed: "DPO",'),
        (GOOD + "allow_insecure = 'perhaps'\n", 'read "perhaps"; allowed: true or false'),
        (GOOD + "[terms]\nlegacy_sha1_until = 'x'\n", 'read "x"; allowed: a date, such as'),
        (
            GOOD.replace("[[gateways]]", "[gateways]"),
            "line 7, gateways: read a table; allowed: tab",
        ),
        (GOOD.replace('["910075918"]', "[]"), "read a list; allowed: a list of at least one: org"),
        ("terms = 3\n" + GOOD, "line 1, terms: read 3; allowed: a table [terms]"),
        (
            GOOD + "password = hunter2\n",
            "inbox.toml is not TOML: line 11: read «password = …»; allowed: `key",
        ),
        (
            GOOD + "channel = 'x'\n",
            "is not TOML: line 11: read «channel = …», which stands there twice",
        ),
        (
            "\ufeff" + GOOD,
            "is not TOML: line 1: read a byte order mark; allowed: UTF-8 without",
        ),
        (REMOTE, "line 9, gateways.url: read another machine and no user; allowed: user and pass"),
        (REMOTE + "user = 'x'\n", "line 11, gateways.user: read a user and no password; allowed:"),
        (GOOD.replace("sqlite:///inbox.db", "postgresql://u:hunter2@h:x/n"), "line 2, database: "),
    ],
)
def test_settings_error_says_file_line_what_was_read_and_what_is_allowed(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(ConfigurationError) as told:
        _read(tmp_path, text)

    assert said in str(told.value)
    assert re.search(r"inbox\.toml(, | is not TOML: )line \d+[,:]", str(told.value))
    assert [
        word for word in ("hunter2", "Input", "Field", "valid ") if word in str(told.value)
    ] in (
        [],
        ["valid "],  # "with a valid check digit" is ours
    )


def test_listener_with_a_host_alone_keeps_its_documented_port(tmp_path: Path) -> None:
    settings = _read(tmp_path, GOOD + '[api]\nhost = "0.0.0.0"\n[operator]\nhost = "::1"\n')

    assert (settings.api.port, settings.operator.port) == (8080, 8081)


def test_relative_paths_of_the_file_begin_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("hemmelig\n")
    text = 'tls_ca_file = "tls/ca.pem"\n' + REMOTE + 'user = "inbox"\npassword_file = "pw"\n'

    settings = _read(tmp_path, text, {"INBOX_TRUST": "trust"})

    assert settings.database == f"sqlite:///{tmp_path}/inbox.db"
    assert (settings.vault, settings.keys) == (tmp_path / "vault", tmp_path / "keys")
    assert settings.checkpoints == tmp_path / "checkpoints.txt"
    assert settings.tls_ca_file == tmp_path / "tls" / "ca.pem"
    assert settings.gateways[0].password_file == tmp_path / "pw"
    assert settings.trust == Path("trust")


def test_unknown_inbox_variable_in_the_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="INBOX_VALT"):
        _read(tmp_path, GOOD, {"INBOX_VALT": "x"})


def test_invalid_setting_error_never_quotes_the_value(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as told:
        _read(tmp_path, GOOD.replace('"vault"', '["hemmelig-verdi"]'))

    assert "hemmelig" not in str(told.value)


def test_missing_settings_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"config.unreadable: gone\.toml"):
        read_settings({}, tmp_path / "gone.toml")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (REMOTE, "gateway.no_credentials"),
        (REMOTE.replace("https", "http"), "gateway.plain_http"),
        (REMOTE + 'user = "inbox"\n', "config.invalid"),
    ],
)
def test_unprotected_gateway_settings_are_refused_without_allow_insecure(
    tmp_path: Path, text: str, code: str
) -> None:
    with pytest.raises(ConfigurationError, match=code):
        _read(tmp_path, text)
    if code != "config.invalid":
        assert _read(tmp_path, text + "allow_insecure = true\n").gateways[0].allow_insecure


def test_gateway_password_comes_only_from_a_file_or_the_environment(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("hemmelig\n")

    by_file = REMOTE + f'user = "inbox"\npassword_file = "{tmp_path}/pw"\n'
    by_environment = {"INBOX_GATEWAY_PASSWORD_EFORMIDLING": "hemmelig"}

    assert _read(tmp_path, by_file).gateways
    assert _read(tmp_path, REMOTE + 'user = "inbox"\n', by_environment).gateways
    with pytest.raises(ConfigurationError, match="password"):
        _read(tmp_path, GOOD + 'password = "hemmelig"\n')


def test_package_limits_default_to_the_reader_limits(tmp_path: Path) -> None:
    assert limits_of(_read(tmp_path, GOOD)) == Limits()


def test_package_limits_of_the_line_follow_the_settings(tmp_path: Path) -> None:
    text = "[limits]\npackage_mib = 1\ninflated_mib = 2\nentries = 3\n"

    limits = terms_of(_read(tmp_path, GOOD + text)).limits

    assert (limits.max_container_bytes, limits.max_inflated_bytes) == (1 << 20, 2 << 20)
    assert limits.max_entries == 3


def test_access_terms_of_the_line_follow_the_settings(tmp_path: Path) -> None:
    text = (
        "[access]\ngrant_days = 30\ndelegation_days = 14\nbreakglass_minutes = 15\n"
        "breakglass_per_person_day = 1\nbreakglass_per_unit_week = 2\nopens_per_person_hour = 9\n"
    )

    terms = terms_of(_read(tmp_path, GOOD + text))

    assert (terms.grant_longest, terms.delegation_longest) == (timedelta(30), timedelta(14))
    assert terms.breakglass_duration == timedelta(minutes=15)
    assert (terms.breakglass_per_person_day, terms.breakglass_per_unit_week) == (1, 2)
    assert terms.opens_per_person_hour == 9


def test_access_settings_default_to_line_terms(tmp_path: Path) -> None:
    terms, line = terms_of(_read(tmp_path, GOOD)), Terms()

    assert (terms.grant_longest, terms.delegation_longest, terms.breakglass_duration) == (
        *(line.grant_longest, line.delegation_longest),
        line.breakglass_duration,
    )
    assert (
        terms.breakglass_per_person_day,
        terms.breakglass_per_unit_week,
        terms.opens_per_person_hour,
    ) == (
        *(line.breakglass_per_person_day, line.breakglass_per_unit_week),
        line.opens_per_person_hour,
    )


@pytest.mark.parametrize("text", ["recheck = 0", "recheck = 1.1", "recheck = nan"])
def test_recheck_share_must_be_above_0_and_at_most_1(tmp_path: Path, text: str) -> None:
    assert _read(tmp_path, GOOD).access.recheck == 0.01
    assert _read(tmp_path, f"{GOOD}[access]\nrecheck = 1\n").access.recheck == 1
    with pytest.raises(ConfigurationError, match=r"access\.recheck"):
        _read(tmp_path, f"{GOOD}[access]\n{text}\n")


@pytest.mark.parametrize(
    "text", ["grant_days = 91", "delegation_days = 0", "breakglass_minutes = 61"]
)
def test_access_durations_outside_their_bounds_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"access\.{text.split(maxsplit=1)[0]}"):
        _read(tmp_path, f"{GOOD}[access]\n{text}\n")
