"""The provider has no address off this machine, and is given none."""

import asyncio
from typing import Any

import pytest

from inbox.simulator.identity_provider.loopback import is_loopback
from inbox.simulator.identity_provider.parties import ClientAuthentication, ProviderClient
from inbox.simulator.identity_provider.provider import IdentityProvider

AT_HOME = "http://127.0.0.1:9/"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("innboks.localhost", True),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("0.0.0.0", False),  # noqa: S104 - must be refused
        ("10.0.0.1", False),
        ("", False),
        (None, False),
    ],
)
def test_loopback_is_recognised_by_address_and_by_reserved_name(
    host: str | None, *, expected: bool
) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    "address",
    [
        "https://innboks.kommune.example/callback",
        "http://0.0.0.0/callback",
        "http://127.0.0.1@kommune.example/callback",
        "http://user@127.0.0.1/callback",
        "http://127.0.0.1/callback#fragment",
        "javascript:alert(1)",
        "/callback",
    ],
)
@pytest.mark.parametrize(
    "field",
    [
        "redirect_uris",
        "post_logout_redirect_uris",
        "front_channel_logout_uri",
        "back_channel_logout_uri",
    ],
)
def test_client_with_an_address_off_loopback_cannot_be_registered(field: str, address: str) -> None:
    value = (address,) if field.endswith("uris") else address
    fields: dict[str, Any] = {"redirect_uris": (AT_HOME,), field: value}

    with pytest.raises(ValueError, match="must"):
        ProviderClient(client_id="inbox", secret="a secret", **fields)


@pytest.mark.parametrize("base", ["https://id.kommune.example", "http://0.0.0.0:8000", "8000"])
def test_issuer_off_loopback_is_refused(base: str) -> None:
    provider = IdentityProvider(clients=[], people=[])

    with pytest.raises(ValueError, match="the issuer must be an http address on loopback"):
        provider.live_at(base)
    assert provider.issuer == ""


def test_issuer_behind_a_proxy_may_be_any_name_of_this_machine() -> None:
    provider = IdentityProvider(clients=[], people=[])

    provider.live_at("https://id.localhost:8443/")

    assert provider.issuer == "https://id.localhost:8443"


def test_caller_from_another_machine_is_forbidden() -> None:
    """No socket here is open to one; this is what stands behind it all the same."""
    provider = IdentityProvider(clients=[], people=[])
    sent: list[Any] = []

    async def call(host: str) -> None:
        waiting = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            return waiting.pop() if waiting else await asyncio.Event().wait()

        async def send(event: Any) -> None:
            sent.append(event)

        scope: dict[str, object] = {
            "type": "http",
            "method": "GET",
            "path": "/jwks",
            "query_string": b"",
            "headers": [(b"host", b"127.0.0.1")],
            "client": (host, 4711),
        }
        await provider.app(scope, receive, send)

    asyncio.run(call("192.0.2.7"))
    asyncio.run(call("127.0.0.1"))

    statuses = [event["status"] for event in sent if event["type"] == "http.response.start"]
    assert statuses == [403, 200]


@pytest.mark.parametrize("method", ClientAuthentication)
def test_client_must_have_what_its_method_needs(method: ClientAuthentication) -> None:
    with pytest.raises(ValueError, match=f"needs .* for {method}"):
        ProviderClient(client_id="inbox", redirect_uris=(AT_HOME,), authentication=method)
