"""Sign-out that a provider tells us of: by a frame in a browser, and directly."""

from datetime import timedelta

import pytest

from inbox.sign_in.oidc.provider_terms import ProviderKind
from inbox.simulator.http.server import serve
from inbox.simulator.identity_provider.parties import ENTRA
from inbox.simulator.identity_provider.wrong_answers import WrongAnswer
from inbox.web.callbacks.app import create_callbacks_app
from tests.sign_in.office import Office, office
from tests.worlds import World

W = WrongAnswer
REFUSED = [
    W.LOGOUT_WITHOUT_EVENTS,
    W.LOGOUT_WITH_NONCE,
    W.LOGOUT_AUDIENCE,
    W.LOGOUT_ISSUER,
    W.LOGOUT_UNSIGNED,
    W.LOGOUT_BROKEN_SIGNATURE,
    W.LOGOUT_EXPIRED,
    W.LOGOUT_NO_SUBJECT,
]


def test_frame_of_the_provider_ends_the_session_without_our_cookie(both: Office) -> None:
    anne, bjorn, nobody = both.person(), both.person(), both.person()
    anne.sign_in()
    bjorn.sign_in("bjorn")
    (sid,) = both.provider.sessions_of("p-anne")
    issuer = both.provider.issuer

    for iss, wrong in (("https://evil.example", sid), (issuer, "x"), (issuer, "")):
        nobody.get(f"/oidc/front-logout?iss={iss}&sid={wrong}")
    nobody.get(f"/oidc/front-logout?sid={sid}")
    assert anne.is_in()
    framed = nobody.get(f"/oidc/front-logout?iss={issuer}&sid={sid}")

    assert framed.status_code == 200
    origin = "/".join(issuer.split("/")[:3])
    assert framed.headers["content-security-policy"].endswith(f"frame-ancestors {origin}")
    assert not anne.is_in()
    assert bjorn.is_in()


def test_every_other_page_may_be_framed_by_nobody(house: Office) -> None:
    for path in ("/logg-inn", "/oidc/callback", "/logg-ut/ferdig", "/side"):
        policy = house.person().get(path).headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy


def test_frame_of_entra_names_no_issuer_and_ends_the_session_all_the_same(
    small_world: World,
) -> None:
    tid, oid = "11111111-2222-4333-8444-555555555555", "99999999-2222-4333-8444-000000000001"
    claims = {"anne": {"tid": tid, "oid": oid}}
    with office(small_world, manners=ENTRA, kind=ProviderKind.ENTRA, claims=claims) as made:
        made.bind("anne", subject=f"oid:{tid}/{oid}")
        anne = made.person()
        anne.sign_in()
        (sid,) = made.provider.sessions_of("p-anne")

        anne.get(f"/oidc/front-logout?sid={sid}")

        assert not anne.is_in()


def test_logout_token_ends_the_session_once_and_is_not_taken_again(both: Office) -> None:
    anne = both.person()
    with serve(create_callbacks_app(both.world.line, both.desk)) as address:
        both.client(back_channel_logout_uri=f"{address}/oidc/back-logout")
        anne.sign_in()

        (sent,) = both.provider.end_sessions_of("p-anne")

    assert sent.status == 200
    assert not anne.is_in()
    again = both.callbacks.post("/oidc/back-logout", data={"logout_token": sent.token})
    assert again.status_code == 400
    assert both.refused() == ["sign_in.logout_replayed"]


@pytest.mark.parametrize("answer", REFUSED, ids=[each.name for each in REFUSED])
def test_logout_token_that_cannot_be_believed_ends_nothing(
    house: Office, answer: WrongAnswer
) -> None:
    anne = house.person()
    with serve(create_callbacks_app(house.world.line, house.desk)) as address:
        house.client(back_channel_logout_uri=f"{address}/oidc/back-logout")
        anne.sign_in()
        house.provider.wrong.stage(answer)

        (sent,) = house.provider.end_sessions_of("p-anne")

    assert house.provider.wrong.given(answer) == 1
    assert sent.status == 400
    assert anne.is_in()
    assert len(house.refused()) == 1


def test_old_logout_token_is_not_taken(house: Office) -> None:
    anne = house.person()
    with serve(create_callbacks_app(house.world.line, house.desk)) as address:
        house.client(back_channel_logout_uri=f"{address}/oidc/back-logout")
        anne.sign_in()
        (sent,) = house.provider.end_sessions_of("p-anne")
    anne.sign_in()
    house.world.clock.advance(timedelta(minutes=20))

    answer = house.callbacks.post("/oidc/back-logout", data={"logout_token": sent.token})

    assert answer.status_code == 400
    assert anne.is_in()


@pytest.mark.parametrize("body", [{}, {"logout_token": "x"}, {"logout_token": ["a.b.c", "a.b.c"]}])
def test_callback_without_one_token_is_refused(house: Office, body: dict[str, object]) -> None:
    assert house.callbacks.post("/oidc/back-logout", data=body).status_code == 400


def test_callbacks_listener_answers_one_path_by_one_method(house: Office) -> None:
    found = [
        house.callbacks.request(method, path).status_code
        for method, path in (
            ("GET", "/oidc/back-logout"),
            ("POST", "/"),
            ("GET", "/logg-inn"),
            ("GET", "/openapi.json"),
        )
    ]

    assert found == [405, 404, 404, 404]
    large = house.callbacks.post("/oidc/back-logout", data={"logout_token": "x" * 70_000})
    assert large.status_code == 413
