"""The provider's pages: for everybody, without scripts, and closed to what does not belong."""

from urllib.parse import urlsplit

import httpx
import pytest
from lxml import html

from inbox.simulator.identity_provider.provider import IdentityProvider
from tests.simulator.identity_provider.relying_party import RelyingParty


@pytest.fixture
def pages(relying_party: RelyingParty) -> dict[str, httpx.Response]:
    """The page of people, an error, the question at logout, and signed out."""
    http, logout = relying_party.http, relying_party.discovery["end_session_endpoint"]
    found = {
        "people": http.get(relying_party.start().url),
        "refused": http.get(relying_party.discovery["authorization_endpoint"]),
    }
    hint = relying_party.sign_in()["id_token"]
    found["question"] = http.get(logout)
    found["signed out"] = http.get(logout, params={"id_token_hint": hint})
    return found


def test_every_page_has_a_language_a_title_one_heading_and_one_main(
    pages: dict[str, httpx.Response],
) -> None:
    trees = {name: html.fromstring(page.text) for name, page in pages.items()}

    assert {name: tree.get("lang") for name, tree in trees.items()} == dict.fromkeys(trees, "nb")
    for tree in trees.values():
        assert len(tree.findall(".//h1")) == len(tree.findall(".//main")) == 1
        assert str(tree.findtext(".//h1")) in str(tree.findtext(".//title"))
    assert {name: tree.findtext(".//h1") for name, tree in trees.items()} == {
        "people": "Hvem vil du være?",
        "refused": "Innloggingen kan ikke fortsette",
        "question": "Vil du logge ut?",
        "signed out": "Du er logget ut",
    }


def test_no_page_has_a_script_or_lets_one_run_or_may_be_framed(
    pages: dict[str, httpx.Response],
) -> None:
    for page in pages.values():
        policy = page.headers["content-security-policy"].split("; ")
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert not [each for each in policy if "unsafe" in each or each.startswith("script-src")]
        assert "<script" not in page.text
        assert page.headers["cache-control"] == "no-store"


def test_form_of_the_people_may_end_at_the_client_and_nowhere_else(
    pages: dict[str, httpx.Response],
) -> None:
    policy = pages["people"].headers["content-security-policy"].split("; ")

    assert "form-action 'self' http://127.0.0.1:9" in policy


def test_each_person_is_a_button_named_by_name_and_capacity(
    pages: dict[str, httpx.Response],
) -> None:
    buttons = html.fromstring(pages["people"].text).findall(".//li/button")

    assert [
        " ".join("".join(str(text) for text in button.itertext()).split()) for button in buttons
    ] == [
        "Kari Nordmann Fordeler, Dokumentsenteret",
        "Ola Hansen",
        "Per <b>Å</b>",
    ]
    assert {button.get("type") for button in buttons} == {"submit"}


def test_step_up_page_says_who_is_signed_in_and_why_it_asks(relying_party: RelyingParty) -> None:
    relying_party.sign_in("kari")

    page = relying_party.http.get(relying_party.start(acr_values="high").url)

    reason = html.fromstring(page.text).findtext(".//p[@id='reason']")
    assert reason == "Kari Nordmann er logget inn. Tjenesten ber om en sikrere innlogging."


def test_unknown_path_and_wrong_method_are_refused(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    token = relying_party.http.get(provider.issuer + "/token")
    unknown = relying_party.http.get(provider.issuer + "/admin")

    assert (token.status_code, token.headers["allow"]) == (405, "POST")
    assert unknown.status_code == 404


def test_request_body_without_end_is_refused(relying_party: RelyingParty) -> None:
    address = relying_party.discovery["token_endpoint"]

    assert relying_party.http.post(address, content=b"a" * 300_000).status_code == 413


def test_host_name_of_another_machine_is_misdirected(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    port = urlsplit(provider.issuer).port
    address = provider.issuer + "/jwks"

    answers = {
        host: relying_party.http.get(address, headers={"host": f"{host}:{port}"}).status_code
        for host in ("attacker.example", "localhost", "idp.localhost", "127.0.0.2", "127.0.0.1.x")
    }

    assert answers == {
        "attacker.example": 421,
        "localhost": 200,
        "idp.localhost": 200,
        "127.0.0.2": 200,
        "127.0.0.1.x": 421,
    }


def test_cookies_behind_a_tls_proxy_are_secure_and_the_form_stays_under_the_issuer(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    plain = relying_party.http.get(relying_party.start().url)
    provider.live_at("https://id.localhost:8443")

    proxied = relying_party.http.get(relying_party.start().url)

    assert "Secure" not in plain.headers["set-cookie"]
    assert proxied.headers["set-cookie"].startswith("identity_provider_8443_browser=")
    assert proxied.headers["set-cookie"].endswith("; Secure")
    assert html.fromstring(proxied.text).xpath("//form/@action") == ["/choose"]
