"""One server for all tests, a provider for each, a browser, and a client of another maker."""

from collections.abc import Callable, Iterator
from copy import copy

import httpx
import pytest
from joserfc.jwk import RSAKey

from inbox.simulator.http.asgi import Receive, Scope, Send
from inbox.simulator.http.server import serve
from inbox.simulator.identity_provider.parties import (
    ClientAuthentication,
    Manners,
    ProviderClient,
    ProviderPerson,
)
from inbox.simulator.identity_provider.provider import IdentityProvider
from inbox.simulator.identity_provider.provider_keys import ProviderKeyring
from tests.gateway.scripted_gateway import NO_TLS
from tests.simulator.conftest import Clock
from tests.simulator.identity_provider.relying_party import CALLBACK, RelyingParty

CLIENT_KEY = RSAKey.generate_key(2048, {"kid": "client-key"})
CLIENT = ProviderClient(
    client_id="inbox",
    redirect_uris=(CALLBACK,),
    secret="a secret",
    post_logout_redirect_uris=("http://127.0.0.1:9/",),
)
OTHER = ProviderClient(client_id="other", redirect_uris=(CALLBACK,), secret="another secret")
BY_POST = ProviderClient(
    client_id="by-post",
    redirect_uris=(CALLBACK,),
    secret="a secret",
    authentication=ClientAuthentication.SECRET_POST,
)
BY_KEY = ProviderClient(
    client_id="by-key",
    redirect_uris=(CALLBACK,),
    jwks={"keys": [CLIENT_KEY.as_dict(private=False)]},
    authentication=ClientAuthentication.PRIVATE_KEY_JWT,
)
PEOPLE = (
    ProviderPerson(
        id="kari",
        name="Kari Nordmann",
        about="Fordeler, Dokumentsenteret",
        claims={"pid": "24816296473", "email": "kari@kommune.example"},
    ),
    ProviderPerson(id="ola", name="Ola Hansen", claims={"email": "ola@kommune.example"}),
    ProviderPerson(id="per", name="Per <b>Å</b>", strongest="substantial"),
)


class ProviderSwitch:
    """Passes each request to the provider of the test that runs."""

    provider: IdentityProvider
    url: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.provider.app(scope, receive, send)


@pytest.fixture(scope="session")
def provider_switch() -> Iterator[ProviderSwitch]:
    switch = ProviderSwitch()
    with serve(switch) as switch.url:
        yield switch


@pytest.fixture(scope="session")
def provider_keys() -> ProviderKeyring:
    """Made once; each provider rotates a copy of its own."""
    return ProviderKeyring()


MakeProvider = Callable[[Manners], IdentityProvider]


@pytest.fixture
def make_provider(
    provider_switch: ProviderSwitch, provider_keys: ProviderKeyring, clock: Clock
) -> MakeProvider:
    def make(manners: Manners) -> IdentityProvider:
        provider = IdentityProvider(
            clients=[CLIENT, OTHER, BY_POST, BY_KEY],
            people=PEOPLE,
            manners=manners,
            clock=clock,
            tls=NO_TLS,
            keys=copy(provider_keys),
        )
        provider.live_at(provider_switch.url)
        provider_switch.provider = provider
        return provider

    return make


@pytest.fixture
def provider(make_provider: MakeProvider) -> IdentityProvider:
    return make_provider(Manners())


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, verify=NO_TLS) as client:
        yield client


@pytest.fixture
def relying_party(provider: IdentityProvider, browser: httpx.Client) -> RelyingParty:
    return RelyingParty(browser, provider.issuer)
