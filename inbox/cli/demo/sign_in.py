"""How people sign in at the demo's staff inbox: a simulated provider where six can be chosen."""

import json
import secrets
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inbox.cli.demo.municipality import NAMES, SIGN_IN_AS
from inbox.simulator.demo_mail.letters import OWN
from inbox.simulator.demo_mail.senders import NAMES as ORGANISATIONS
from inbox.simulator.identity_provider.parties import (
    KEYCLOAK,
    ProviderClient,
    ProviderPerson,
)
from inbox.simulator.identity_provider.provider import IdentityProvider

_CLIENT: Final = "inbox-demo"
_SECRET_FILE: Final = "provider.secret"  # noqa: S105 - the name of a file
_STRONGEST: Final = list(KEYCLOAK.levels)[-1]


@dataclass(frozen=True, kw_only=True)
class DemoSignIn:
    """The provider, and what the installation must know of it and of its own addresses."""

    provider: IdentityProvider
    public_url: str
    configuration: str
    """Its part of the settings."""

    def identities(self) -> list[dict[str, str]]:
        """Who is who, as rows of the directory."""
        issuer = self.provider.issuer
        return [
            {"person": person, "issuer": issuer, "subject": f"sub:{person}"}
            for person in SIGN_IN_AS
        ]

    def offer(self, capacities: Mapping[str, Sequence[str]]) -> None:
        """Let people be chosen at the provider, each with the names of what they can act as."""
        for person in SIGN_IN_AS:
            about = " · ".join(capacities[NAMES[person]])
            self.provider.add(ProviderPerson(id=person, name=NAMES[person], about=about))


@contextmanager
def open_sign_in(folder: Path) -> Iterator[DemoSignIn]:
    """A provider that is there until the `with` ends, on loopback as everything here."""
    people, callbacks = _free_ports(2)
    public_url, secret = f"http://127.0.0.1:{people}", secrets.token_urlsafe(32)
    (folder / _SECRET_FILE).touch(mode=0o600)
    (folder / _SECRET_FILE).write_text(secret)
    client = ProviderClient(
        client_id=_CLIENT,
        redirect_uris=(f"{public_url}/oidc/callback",),
        secret=secret,
        post_logout_redirect_uris=(f"{public_url}/",),
        front_channel_logout_uri=f"{public_url}/oidc/front-logout",
        back_channel_logout_uri=f"http://127.0.0.1:{callbacks}/oidc/back-logout",
    )
    provider = IdentityProvider(clients=[client], people=[], manners=KEYCLOAK)
    with provider.serve() as issuer:
        yield DemoSignIn(
            provider=provider,
            public_url=public_url,
            configuration=_configuration(people, callbacks, public_url, issuer),
        )


def _free_ports(number: int) -> list[int]:
    """Ports that are free now: the address of the pages must be known before they are served."""
    with ExitStack() as closing:
        listeners = [
            closing.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)
        ]
        return [listener.getsockname()[1] for listener in listeners]


def _configuration(people: int, callbacks: int, public_url: str, issuer: str) -> str:
    organisation = json.dumps(ORGANISATIONS[OWN], ensure_ascii=False)
    return f"""
[people]
port = {people}
public_url = "{public_url}"
organisation = {organisation}
practice = true

[callbacks]
port = {callbacks}

[[providers]]
name = "demo"
title = "demoens innlogging, der alle er oppdiktet"
kind = "keycloak"
issuer = "{issuer}"
client_id = "{_CLIENT}"
secret_file = "{_SECRET_FILE}"
acr_values = ["{_STRONGEST}"]          # everybody signs in strongly at once

[[providers.strong]]
claim = "acr"
values = ["{_STRONGEST}"]
"""
