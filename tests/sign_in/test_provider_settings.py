"""Settings of listeners and providers: what is taken, what is refused, and what doctor says."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inbox.cli.doctor.findings import CheckContext, DoctorFinding
from inbox.cli.doctor.sign_in import providers
from inbox.config import Settings, read_settings
from inbox.errors import ConfigurationError
from inbox.sign_in.oidc.provider_terms import ClientSecret
from inbox.sign_in.provider_settings import terms_of_provider
from inbox.simulator.identity_provider.parties import KEYCLOAK
from inbox.simulator.identity_provider.provider import IdentityProvider
from inbox.simulator.identity_provider.wrong_answers import WrongAnswer
from inbox.wiring import build_store
from tests.sign_in.office import CLIENT

BASIC = """
database = "sqlite:///inbox.db"
vault = "vault"
keys = "keys"
checkpoints = "checkpoints"
"""
PEOPLE = """
[people]
public_url = "https://innboks.kommune.no/"
organisation = "Vestre Fjord"
"""
PROVIDER = """
[[providers]]
name = "keycloak"
title = "Kommunens innlogging"
kind = "keycloak"
issuer = "https://login.kommune.no/realms/kommune"
client_id = "inbox"
secret_file = "keycloak.secret"
"""
STRONG = """
[[providers.strong]]
claim = "acr"
values = ["2"]
"""


def settings_of(folder: Path, text: str) -> Settings:
    path = folder / "inbox.toml"
    path.write_text(text)
    return read_settings({}, path)


def test_provider_has_its_secret_from_a_file_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "keycloak.secret").write_text("made-up\n")

    settings = settings_of(tmp_path, BASIC + PEOPLE + PROVIDER + STRONG)

    assert settings.people is not None
    assert settings.people.public_url == "https://innboks.kommune.no"
    terms = terms_of_provider(settings.providers[0], {})
    assert terms.proof == ClientSecret(value="made-up")
    assert terms.strength.rows[0].values == {"2"}
    assert "made-up" not in repr(terms)


def test_secret_in_the_environment_is_accepted_as_a_setting() -> None:
    provider = {"name": "my-own", "title": "t", "kind": "keycloak", "client_id": "c"}
    given = {"issuer": "https://login.example", **provider}
    env = {"INBOX_PROVIDER_SECRET_MY_OWN": "made-up"}
    values = {"database": "sqlite:///x", "vault": "v", "keys": "k", "checkpoints": "c"}

    settings = Settings.model_validate({**values, "providers": [given]})

    terms = terms_of_provider(settings.providers[0], env)
    assert terms.proof == ClientSecret(value="made-up")
    with pytest.raises(ConfigurationError, match="neither"):
        terms_of_provider(settings.providers[0], {})


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("https://innboks.kommune.no/", "http://innboks.kommune.no"),
        ("https://innboks.kommune.no/", "https://innboks.kommune.no/inbox"),
        ("https://login.kommune.no/realms", "http://login.kommune.no/realms"),
        ('kind = "keycloak"', 'kind = "google"'),
        ('name = "keycloak"', 'name = "Key cloak"'),
        ('client_id = "inbox"', 'client_id = "inbox"\nscopes = ["profile"]'),
        ('client_id = "inbox"', 'client_id = "inbox"\nstrong_minutes = 60'),
        ('client_id = "inbox"', 'client_id = "inbox"\nemail = true'),
    ],
)
def test_wrong_setting_of_sign_in_is_refused_with_its_place(
    tmp_path: Path, right: str, wrong: str
) -> None:
    text = (BASIC + PEOPLE + PROVIDER).replace(right, wrong)
    assert text != BASIC + PEOPLE + PROVIDER

    with pytest.raises(ConfigurationError, match=r"inbox\.toml"):
        settings_of(tmp_path, text)


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    made = IdentityProvider(
        clients=[CLIENT], people=[], manners=KEYCLOAK, clock=lambda: datetime.now(UTC)
    )
    with made.serve():
        yield made


def examined(folder: Path, provider: IdentityProvider, more: str = STRONG) -> list[DoctorFinding]:
    (folder / "keycloak.secret").write_text("made-up")
    text = PROVIDER.replace("https://login.kommune.no/realms/kommune", provider.issuer)
    settings = settings_of(folder, BASIC + PEOPLE + text + more)
    return list(providers(CheckContext(settings=settings, store=build_store(settings))))


def codes(findings: list[DoctorFinding]) -> list[str]:
    return [each.condition.code for each in findings if each.condition is not None]


def test_doctor_finds_a_provider_with_its_keys(tmp_path: Path, provider: IdentityProvider) -> None:
    (found,) = examined(tmp_path, provider)

    assert found.condition is None
    assert provider.issuer in found.means


def test_doctor_says_that_nothing_is_strong(tmp_path: Path, provider: IdentityProvider) -> None:
    assert codes(examined(tmp_path, provider, more="")) == ["provider.not_strong"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (WrongAnswer.DISCOVERY_ISSUER, "provider.issuer"),
        (WrongAnswer.DISCOVERY_AWAY, "provider.status"),
        (WrongAnswer.KEYS_AWAY, "provider.status"),
        (WrongAnswer.KEYS_EMPTY, "provider.keys"),
    ],
)
def test_doctor_says_what_is_wrong_with_a_provider(
    tmp_path: Path, provider: IdentityProvider, answer: WrongAnswer, code: str
) -> None:
    provider.wrong.stage(answer)

    assert codes(examined(tmp_path, provider)) == [code]
