"""A second, foreign provider: `oidc-provider-mock`, which is nobody's of ours."""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import oidc_provider_mock
import pytest

from inbox.directory.apply import lock_directory
from inbox.directory.identity_rows import bind_identity, identity_hash
from inbox.sign_in.callback import CallbackAnswer, take_back
from inbox.sign_in.desk import Browser, SignInDesk, SignInOutcome, send_to_provider
from inbox.sign_in.oidc.provider import Provider
from inbox.sign_in.oidc.provider_calls import ProviderCalls, build_provider_client
from inbox.sign_in.oidc.provider_terms import ClientSecret, ProviderKind, ProviderTerms
from inbox.sign_in.refusal import SignInRefused
from inbox.sign_in.sessions import read_session
from inbox.sign_in.tokens import new_token
from tests.gateway.scripted_gateway import NO_TLS
from tests.sign_in.office import PUBLIC, parameters
from tests.worlds import World

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""Of the foreign provider's own code, which runs in a thread of this process."""


@pytest.fixture
def foreign(small_world: World) -> Iterator[SignInDesk]:
    """A desk with two of them, each with an issuer of its own; Anne is bound at the first."""
    small_world.clock.now = datetime.now(UTC)
    with (
        oidc_provider_mock.run_server_in_thread() as one,
        oidc_provider_mock.run_server_in_thread() as other,
        build_provider_client(tls=NO_TLS) as client,
    ):
        issuers = {
            name: f"http://localhost:{server.server_port}"
            for name, server in (("one", one), ("other", other))
        }
        line = small_world.line
        with line.store.transaction() as tx:
            lock_directory(tx)
            hashed = identity_hash(line.keyring, issuers["one"], "sub:anne")
            bind_identity(tx, "anne", issuer=issuers["one"], subject_hash=hashed, bound_by="import")
        yield SignInDesk(
            line=line,
            providers={
                name: Provider(
                    ProviderTerms(
                        name=name,
                        title=name,
                        kind=ProviderKind.KEYCLOAK,
                        issuer=issuer,
                        client_id="inbox",
                        proof=ClientSecret(value="any"),
                    ),
                    ProviderCalls(client),
                )
                for name, issuer in issuers.items()
            },
            public_url=PUBLIC,
        )


def answer_of(address: str, sub: str) -> CallbackAnswer:
    """What the provider's page sends the browser back with."""
    with httpx.Client(trust_env=False, verify=NO_TLS) as there:
        back = there.post(address, data={"sub": sub}).headers["location"]
    found = parameters(back)
    return CallbackAnswer(state=found["state"], code=found["code"], issuer=None, error=None)


def sign_in(desk: SignInDesk, name: str, sub: str) -> SignInOutcome:
    browser = Browser(cookie=new_token())
    address = send_to_provider(desk, browser, name, return_to="/")
    return take_back(desk, browser, answer_of(address, sub))


def test_person_signs_in_with_a_foreign_provider(foreign: SignInDesk) -> None:
    outcome = sign_in(foreign, "one", "anne")

    with foreign.line.store.reading() as tx:
        found = read_session(tx, tx.now, outcome.token or "")
    assert found is not None
    assert found.person == "anne"


def test_same_subject_at_another_provider_is_nobody(foreign: SignInDesk) -> None:
    assert sign_in(foreign, "other", "anne").needs_code


def test_answer_of_one_provider_is_not_taken_for_anothers(foreign: SignInDesk) -> None:
    browser = Browser(cookie=new_token())
    ours = send_to_provider(foreign, browser, "one", return_to="/")
    theirs = send_to_provider(foreign, browser, "other", return_to="/")
    mixed_up = answer_of(theirs, "anne")

    with pytest.raises(SignInRefused):
        take_back(
            foreign,
            browser,
            CallbackAnswer(
                state=parameters(ours)["state"], code=mixed_up.code, issuer=None, error=None
            ),
        )
