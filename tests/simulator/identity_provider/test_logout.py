"""Logout: from the client, by frames in a page, and by a POST to the client."""

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from joserfc import jwt

from inbox.simulator.http.asgi import Receive, Scope, Send
from inbox.simulator.http.server import serve
from inbox.simulator.identity_provider.browser import press, read_form
from inbox.simulator.identity_provider.parties import ENTRA, ProviderClient
from inbox.simulator.identity_provider.provider import IdentityProvider
from inbox.simulator.identity_provider.wrong_answers import WrongAnswer
from tests.simulator.conftest import Clock
from tests.simulator.identity_provider.conftest import MakeProvider
from tests.simulator.identity_provider.relying_party import CALLBACK, RelyingParty, unverified

BACK = "http://127.0.0.1:9/"
FRONT = "http://127.0.0.1:9/oidc/front-logout"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


class LogoutReceiver:
    """A client's back-channel: keeps what is posted to it; may ask for the keys meanwhile."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.status = 200

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            event = await receive()
            part = event.get("body", b"")
            body += part if isinstance(part, bytes) else b""
            more = bool(event.get("more_body"))
        self.tokens.append(dict(parse_qsl(body.decode()))["logout_token"])
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def receiver(provider: IdentityProvider) -> Iterator[LogoutReceiver]:
    receiver = LogoutReceiver()
    with serve(receiver) as address:
        client = ProviderClient(
            client_id="inbox",
            redirect_uris=(CALLBACK,),
            secret="a secret",
            back_channel_logout_uri=address + "/oidc/back-logout",
        )
        provider.register(client)
        yield receiver


def _address(client: RelyingParty, **parameters: str) -> str:
    return f"{client.discovery['end_session_endpoint']}?{urlencode(parameters)}"


def test_logout_with_its_id_token_ends_the_session_and_goes_back_with_the_state(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    hint = relying_party.sign_in()["id_token"]

    answer = relying_party.http.get(
        _address(relying_party, id_token_hint=hint, post_logout_redirect_uri=BACK, state="s t&a=1")
    )

    assert (answer.status_code, answer.headers["location"]) == (303, BACK + "?state=s+t%26a%3D1")
    assert provider.sessions_of("kari") == []


def test_expired_id_token_under_a_dropped_key_still_is_a_hint(
    relying_party: RelyingParty, provider: IdentityProvider, clock: Clock
) -> None:
    hint = relying_party.sign_in()["id_token"]
    clock.passes(hours=2)
    provider.rotate_keys()
    provider.drop_old_keys()

    answer = relying_party.http.get(_address(relying_party, id_token_hint=hint))

    assert answer.status_code == 200
    assert provider.sessions_of("kari") == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"post_logout_redirect_uri": BACK + "other"},
        {"post_logout_redirect_uri": "https://attacker.example/"},
        {"client_id": "other"},
        {"id_token_hint": "a.b.c"},
    ],
)
def test_logout_with_a_wrong_parameter_gets_a_page_and_the_session_stays(
    relying_party: RelyingParty, provider: IdentityProvider, parameters: dict[str, str]
) -> None:
    given = {
        "id_token_hint": relying_party.sign_in()["id_token"],
        "post_logout_redirect_uri": BACK,
        **parameters,
    }

    answer = relying_party.http.get(_address(relying_party, **given))

    assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert len(provider.sessions_of("kari")) == 1


def test_return_address_without_a_known_client_is_refused(relying_party: RelyingParty) -> None:
    answer = relying_party.http.get(_address(relying_party, post_logout_redirect_uri=BACK))

    assert answer.status_code == 400


def test_logout_without_a_hint_asks_first(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    relying_party.sign_in()

    page = relying_party.http.get(
        _address(relying_party, client_id="inbox", post_logout_redirect_uri=BACK)
    )
    asked = len(provider.sessions_of("kari"))
    location = press(relying_party.http, page, "confirmed", "yes")

    assert "Vil du logge ut?" in page.text
    assert (asked, provider.sessions_of("kari"), location) == (1, [], BACK)


def test_logout_with_the_id_token_of_another_session_asks_first(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    old = relying_party.sign_in("ola")["id_token"]
    relying_party.sign_in("kari", prompt="login")

    page = relying_party.http.get(_address(relying_party, id_token_hint=old))

    assert ("confirmed", "yes") in read_form(page.text).buttons
    assert len(provider.sessions_of("kari")) == 1


def test_confirmation_from_another_origin_asks_again(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    relying_party.sign_in()

    relying_party.http.post(
        relying_party.discovery["end_session_endpoint"],
        data={"confirmed": "yes"},
        headers={"origin": "http://127.0.0.1:9"},
    )

    assert len(provider.sessions_of("kari")) == 1


def _with_front_channel(provider: IdentityProvider) -> None:
    provider.register(
        ProviderClient(
            client_id="inbox",
            redirect_uris=(CALLBACK,),
            secret="a secret",
            post_logout_redirect_uris=(BACK,),
            front_channel_logout_uri=FRONT,
        )
    )


def test_front_channel_page_frames_each_client_with_issuer_and_session(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    _with_front_channel(provider)
    token = relying_party.sign_in()
    sid = relying_party.claims(token)["sid"]

    page = relying_party.http.get(
        _address(relying_party, id_token_hint=token["id_token"], post_logout_redirect_uri=BACK)
    )

    query = urlencode({"iss": provider.issuer, "sid": sid}).replace("&", "&amp;")
    assert f'<iframe src="{FRONT}?{query}"' in page.text
    assert f'href="{BACK}"' in page.text
    assert "frame-src http://127.0.0.1:9;" in page.headers["content-security-policy"] + ";"


def test_front_channel_of_entra_comes_without_the_issuer(
    make_provider: MakeProvider, browser: httpx.Client
) -> None:
    provider = make_provider(ENTRA)
    _with_front_channel(provider)
    client = RelyingParty(browser, provider.issuer)
    token = client.sign_in()

    page = browser.get(_address(client, id_token_hint=token["id_token"]))

    assert f"{FRONT}?sid=" in page.text
    assert "iss=" not in page.text


def test_back_channel_posts_a_signed_logout_token_before_the_page_is_shown(
    relying_party: RelyingParty, provider: IdentityProvider, receiver: LogoutReceiver, clock: Clock
) -> None:
    token = relying_party.sign_in()
    sid = relying_party.claims(token)["sid"]

    relying_party.http.get(_address(relying_party, id_token_hint=token["id_token"]))

    decoded = jwt.decode(receiver.tokens[0], relying_party.keys(), algorithms=["RS256"])
    assert decoded.header["typ"] == "logout+jwt"
    assert decoded.claims.pop("jti")
    now = int(clock.now.timestamp())
    assert decoded.claims == {
        "iss": provider.issuer,
        "sub": "kari",
        "sid": sid,
        "aud": "inbox",
        "iat": now,
        "exp": now + 120,
        "events": {EVENT: {}},
    }


def test_administrator_signs_a_person_out_everywhere(
    relying_party: RelyingParty, provider: IdentityProvider, receiver: LogoutReceiver
) -> None:
    relying_party.sign_in("kari")
    relying_party.http.cookies.clear()
    relying_party.sign_in("kari")
    relying_party.http.cookies.clear()
    relying_party.sign_in("ola")

    sent = provider.end_sessions_of("kari")

    assert [each.status for each in sent] == [200, 200]
    assert [each.token for each in sent] == receiver.tokens
    assert (provider.sessions_of("kari"), len(provider.sessions_of("ola"))) == ([], 1)


def test_client_that_refuses_or_is_away_is_tried_once(
    relying_party: RelyingParty, provider: IdentityProvider, receiver: LogoutReceiver
) -> None:
    receiver.status = 400
    relying_party.sign_in("kari")
    refused = provider.end_sessions_of("kari")
    relying_party.sign_in("kari")
    gone = ProviderClient(
        client_id="inbox",
        redirect_uris=(CALLBACK,),
        secret="a secret",
        back_channel_logout_uri="http://127.0.0.1:9/oidc/back-logout",
    )
    provider.register(gone)
    away = provider.end_sessions_of("kari")

    assert [each.status for each in (*refused, *away)] == [400, None]
    assert provider.sent_logouts == [*refused, *away]


def _found(client: RelyingParty, token: str, *, before: str, sid: str, clock: Clock) -> list[str]:
    """What is wrong with a logout token (Back-Channel Logout, section 2.6)."""
    header, claims = unverified(token)
    checks = {
        "algorithm": header["alg"] == "RS256",
        "signature": client._is_signed(token),
        "iss": claims["iss"] == client.issuer,
        "aud": claims["aud"] == "inbox",
        "exp": clock.now.timestamp() < claims["exp"],
        "events": EVENT in claims.get("events", {}),
        "nonce": "nonce" not in claims,
        "who": "sub" in claims or claims.get("sid") == sid,
        "jti": claims["jti"] != unverified(before)[1]["jti"],
    }
    return [name for name, right in checks.items() if not right]


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (WrongAnswer.LOGOUT_REPLAYED, ["jti"]),
        (WrongAnswer.LOGOUT_WITHOUT_EVENTS, ["events"]),
        (WrongAnswer.LOGOUT_WITH_NONCE, ["nonce"]),
        (WrongAnswer.LOGOUT_AUDIENCE, ["aud"]),
        (WrongAnswer.LOGOUT_ISSUER, ["iss"]),
        (WrongAnswer.LOGOUT_UNSIGNED, ["algorithm", "signature"]),
        (WrongAnswer.LOGOUT_BROKEN_SIGNATURE, ["signature"]),
        (WrongAnswer.LOGOUT_EXPIRED, ["exp"]),
        (WrongAnswer.LOGOUT_NO_SUBJECT, ["who"]),
    ],
)
def test_wrong_logout_token_is_wrong_in_that_and_nothing_else(
    relying_party: RelyingParty,
    provider: IdentityProvider,
    receiver: LogoutReceiver,
    clock: Clock,
    wrong: WrongAnswer,
    found: list[str],
) -> None:
    relying_party.sign_in("ola")
    provider.end_sessions_of("ola")
    sid = relying_party.claims(relying_party.sign_in("kari"))["sid"]
    provider.wrong.stage(wrong, times=1)

    provider.end_sessions_of("kari")

    before, token = receiver.tokens
    assert _found(relying_party, token, before=before, sid=sid, clock=clock) == found
    assert provider.wrong.given(wrong) == 1


def test_right_logout_token_has_nothing_wrong(
    relying_party: RelyingParty, provider: IdentityProvider, receiver: LogoutReceiver, clock: Clock
) -> None:
    relying_party.sign_in("ola")
    provider.end_sessions_of("ola")
    sid = relying_party.claims(relying_party.sign_in("kari"))["sid"]

    provider.end_sessions_of("kari")

    before, token = receiver.tokens
    assert _found(relying_party, token, before=before, sid=sid, clock=clock) == []


def test_expired_sessions_tell_nobody(
    relying_party: RelyingParty, provider: IdentityProvider, receiver: LogoutReceiver
) -> None:
    relying_party.sign_in()

    provider.expire_sessions()

    assert (provider.sessions_of("kari"), receiver.tokens) == ([], [])
