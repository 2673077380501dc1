"""What attackers try with a sign-in: each attempt leaves nobody signed in, and an entry behind."""

from datetime import timedelta

import pytest

from inbox.sign_in.callback import CallbackAnswer
from inbox.sign_in.oidc.provider_terms import ProviderKind
from inbox.sign_in.return_paths import safe_return_path
from inbox.simulator.identity_provider.parties import ENTRA, ID_PORTEN, Manners
from inbox.simulator.identity_provider.wrong_answers import WrongAnswer
from inbox.tables import Pulse
from tests.sign_in.office import Office, office, parameters, path_of
from tests.worlds import World

W = WrongAnswer
TOKENS = [
    (W.NONCE, "sign_in.token_nonce"),
    (W.NO_NONCE, "sign_in.token_nonce"),
    (W.ISSUER, "sign_in.token_issuer"),
    (W.AUDIENCE, "sign_in.token_audience"),
    (W.MORE_AUDIENCES, "sign_in.token_audience"),
    (W.OTHER_PARTY, "sign_in.token_audience"),
    (W.EXPIRED, "sign_in.token_expired"),
    (W.ISSUED_LATER, "sign_in.token_early"),
    (W.NO_SUBJECT, "sign_in.token_subject"),
    (W.ACCESS_TOKEN_HASH, "sign_in.token_access"),
    (W.UNSIGNED, "sign_in.token_algorithm"),
    (W.SIGNED_WITH_PUBLIC_KEY, "sign_in.token_algorithm"),
    (W.UNKNOWN_KEY, "sign_in.token_key"),
    (W.BROKEN_SIGNATURE, "sign_in.token_signature"),
    (W.NO_ID_TOKEN, "sign_in.token_shape"),
    (W.RESPONSE_ISSUER, "sign_in.other_issuer"),
    (W.RESPONSE_NO_ISSUER, "sign_in.no_issuer"),
    (W.RESPONSE_STATE, "sign_in.state"),
    (W.CODE_OF_ANOTHER_CLIENT, "sign_in.code"),
    (W.TOKEN_REFUSED, "sign_in.code"),
]
AWAY = [
    (W.TOKEN_HUGE, "provider.too_large"),
    (W.TOKEN_SLOW, "provider.slow"),
    (W.TOKEN_TRICKLE, "provider.slow"),
    (W.TOKEN_REDIRECT, "provider.redirect"),
    (W.TOKEN_NOT_JSON, "provider.garbled"),
    (W.TOKEN_FAILS, "provider.status"),
    (W.KEYS_AWAY, "provider.status"),
    (W.KEYS_EMPTY, "provider.keys"),
    (W.KEYS_FOR_ENCRYPTION, "provider.keys"),
]


@pytest.mark.parametrize(("answer", "code"), TOKENS, ids=[each.name for each, _ in TOKENS])
def test_wrong_answer_signs_nobody_in_and_is_in_the_audit(
    house: Office, answer: WrongAnswer, code: str
) -> None:
    anne = house.person()
    house.provider.wrong.stage(answer)

    refused = anne.sign_in()

    assert house.provider.wrong.given(answer) == 1
    assert refused.status_code == 403
    assert not anne.is_in()
    assert house.refused() == [code]


@pytest.mark.parametrize(("answer", "code"), AWAY, ids=[each.name for each, _ in AWAY])
def test_provider_that_answers_nothing_usable_is_away(
    small_world: World, answer: WrongAnswer, code: str
) -> None:
    with office(small_world, patience=timedelta(seconds=0.3)) as house:
        house.bind("anne")
        anne = house.person()
        house.provider.wrong.stage(answer)

        away = anne.sign_in()

        assert away.status_code == 503
        assert "Innloggingstjenesten svarer ikke" in away.text
        assert not anne.is_in()
        with small_world.line.store.reading() as tx:
            pulse = tx.get_one(Pulse, "provider:p")
        assert pulse.code == code


@pytest.mark.parametrize("answer", [W.DISCOVERY_ISSUER, W.DISCOVERY_AWAY])
def test_discovery_of_another_issuer_sends_nobody_anywhere(
    house: Office, answer: WrongAnswer
) -> None:
    house.provider.wrong.stage(answer)

    away = house.person().get("/logg-inn/med/p")

    assert away.status_code == 503
    assert "location" not in away.headers


def test_email_of_another_person_makes_nobody_that_person(house: Office) -> None:
    house.provider.wrong.stage(W.EMAIL_OF_ANOTHER)
    anne = house.person()

    anne.sign_in("anne")

    assert anne.get("/side").text.startswith("Anne")


def test_weak_or_old_sign_in_is_not_strong_whatever_was_asked_for(house: Office) -> None:
    for answer in (W.WEAKER_LEVEL, W.OLD_SIGN_IN):
        anne = house.person()
        anne.sign_in()
        house.provider.wrong.stage(answer)
        refused = anne.get(anne.choose(anne.leave("/logg-inn/sterk"), "anne"))
        house.provider.wrong.calm()

        assert refused.status_code == 403
        assert anne.get("/side").text == "Anne Arkivar False"
    assert set(house.refused()) == {"sign_in.not_strong"}


def test_answer_is_taken_once_and_a_replayed_state_or_code_is_not(both: Office) -> None:
    anne = both.person()
    answer = anne.choose(anne.leave(), "anne")
    anne.get(answer)
    assert anne.is_in()
    anne.pages.cookies.delete("__Host-okt")

    assert anne.get(answer).status_code == 403
    code = parameters(answer)["code"]
    fresh = parameters(anne.leave())["state"]
    issuer = both.provider.issuer
    replayed = anne.get(f"/oidc/callback?state={fresh}&code={code}&iss={issuer}")
    assert replayed.status_code == 403

    assert not anne.is_in()
    assert both.refused() == ["sign_in.state", "sign_in.code"]


def test_sign_in_that_was_begun_in_another_browser_is_not_finished_in_this_one(
    both: Office,
) -> None:
    attacker, victim = both.person(), both.person()
    victim.leave()
    forced = attacker.choose(attacker.leave(), "bjorn")

    refused = victim.get(forced)

    assert refused.status_code == 403
    assert not victim.is_in()


def test_sign_in_is_finished_within_ten_minutes_or_not_at_all(both: Office) -> None:
    anne = both.person()
    address = anne.leave()
    both.world.clock.advance(timedelta(minutes=10))

    assert anne.get(anne.choose(address, "anne")).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?code=x",
        "?state=",
        "?state=x&code=y",
        "?state=a&state=b&code=c",
        "?error=access_denied",
    ],
)
def test_callback_without_what_was_begun_is_refused(house: Office, query: str) -> None:
    anne = house.person()
    anne.leave()

    assert anne.get(f"/oidc/callback{query}").status_code == 403
    assert not anne.is_in()


def test_answer_with_two_codes_is_refused(house: Office) -> None:
    anne = house.person()
    answer = anne.choose(anne.leave(), "anne")

    assert anne.get(f"{answer}&code=other").status_code == 403
    assert not anne.is_in()


def test_session_cookie_that_an_attacker_planted_is_never_taken_over(both: Office) -> None:
    anne = both.person()
    planted = "A" * 43
    anne.pages.cookies.set("__Host-okt", planted)

    back = anne.sign_in()

    assert planted not in back.headers["set-cookie"]
    other = both.person()
    other.pages.cookies.set("__Host-okt", planted)
    assert not other.is_in()


def test_session_of_somebody_else_does_not_become_the_new_persons(both: Office) -> None:
    shared = both.person()
    shared.sign_in("bjorn")
    old = shared.cookie
    shared.there.cookies.clear()

    shared.sign_in("anne")

    assert shared.get("/side").text.startswith("Anne")
    thief = both.person()
    thief.pages.cookies.set("__Host-okt", old or "")
    assert not thief.is_in()


def test_step_up_by_another_person_is_refused_and_strengthens_nobody(both: Office) -> None:
    anne = both.person()
    anne.sign_in()
    anne.there.cookies.clear()

    refused = anne.get(anne.choose(anne.leave("/logg-inn/sterk"), "bjorn"))

    assert refused.status_code == 403
    assert anne.get("/side").text == "Anne Arkivar False"
    assert both.refused() == ["sign_in.other_identity"]


def test_question_that_another_person_answers_ends_the_session(both: Office) -> None:
    anne = both.person()
    anne.sign_in()
    anne.there.cookies.clear()
    for _ in range(3):
        both.world.clock.advance(timedelta(minutes=20))
        asked = anne.get("/side")
    silent = asked.headers["location"]
    state = parameters(silent)["state"]
    bjorns = anne.choose(silent.replace("prompt=none", "prompt=login"), "bjorn")
    assert parameters(bjorns)["state"] == state

    assert anne.get(bjorns).status_code == 403
    assert not anne.is_in()


def test_sign_out_is_not_undone_by_a_question_that_was_under_way(both: Office) -> None:
    anne = both.person()
    anne.sign_in()
    for _ in range(3):
        both.world.clock.advance(timedelta(minutes=20))
        asked = anne.get("/side")
    both.world.clock.advance(timedelta(seconds=11))
    both.provider.wrong.stage(W.AWAY, times=1)
    token = anne.token("/okter", "/logg-ut")
    anne.post("/logg-ut", {"_skjema": token})
    answer = anne.there.get(asked.headers["location"], follow_redirects=False)

    back = anne.get(path_of(answer.headers["location"]))

    assert back.headers["location"] == "/logg-inn?til=/side"
    assert not anne.is_in()


@pytest.mark.parametrize(
    "til",
    [
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%5Cevil.example",
        "/%2F/evil.example",
        "/%09/evil.example",
        "/\t/evil.example",
        "/\nevil",
        " //evil.example",
        "javascript:alert(1)",
        "/ko//evil.example",
        "/../..//evil.example",
        "http:evil.example",
        "/logg-inn/med/p",
        "/oidc/callback?state=x",
        "/" + "a" * 600,
        "evil.example",
        "",
    ],
)
def test_return_address_is_a_page_of_ours_or_the_front_page(house: Office, til: str) -> None:
    anne = house.person()

    back = anne.sign_in(back=til)

    assert back.headers["location"] == "/"
    assert safe_return_path(til) == "/"


@pytest.mark.parametrize("path", ["/", "/ko/til-fordeling?frist=i-dag", "/melding/abc-1", "/side"])
def test_return_address_of_ours_is_kept(path: str) -> None:
    assert safe_return_path(path) == path


def test_host_header_changes_no_address(house: Office) -> None:
    anne = house.person()

    left = anne.get("/logg-inn/med/p", host="evil.example")

    assert parameters(left.headers["location"])["redirect_uri"] == "https://127.0.0.1/oidc/callback"
    assert "evil.example" not in anne.get("/side", host="evil.example").headers["location"]


def test_other_site_begins_no_sign_in(house: Office) -> None:
    anne = house.person()

    for site in ("cross-site", "same-site"):
        answer = anne.get("/logg-inn/med/p", **{"sec-fetch-site": site})
        assert answer.headers["location"] == "/logg-inn"
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/logg-ut", "/kapasitet", "/okter", "/handling"])
def test_form_or_fetch_of_another_site_does_nothing(house: Office, path: str) -> None:
    anne, bjorn = house.person(), house.person()
    anne.sign_in()
    bjorn.sign_in("bjorn")
    token = bjorn.token("/okter", "/logg-ut")
    others = [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ]

    for headers in others:
        assert anne.post(path, {"_skjema": token}, **headers).status_code == 403
    no_header = anne.pages.post(path, data={"_skjema": token}, follow_redirects=False)
    foreign = anne.pages.post(
        path, data={}, headers={"origin": "https://evil.example"}, follow_redirects=False
    )
    own_site_without_token = anne.post(path, {"x": "y"})
    with_anothers_token = anne.post(path, {"_skjema": token})

    statuses = {
        each.status_code
        for each in (no_header, foreign, own_site_without_token, with_anothers_token)
    }
    assert statuses == {403}
    assert anne.is_in()


def test_binding_code_is_taken_from_no_other_site(house: Office) -> None:
    kari = house.person()
    kari.sign_in("kari")

    answer = kari.pages.post("/knytt", data={"kode": "x"}, headers={"sec-fetch-site": "cross-site"})

    assert answer.status_code == 403
    assert "binding_code.wrong" not in house.refused()


def test_capacity_of_another_person_cannot_be_chosen_by_a_form(house: Office) -> None:
    anne, bjorn = house.person(), house.person()
    anne.sign_in()
    bjorn.sign_in("bjorn")
    his = next(each.capacity for each in house.sessions() if each.person == "bjorn")
    token = anne.token("/kapasitet", "/kapasitet")

    answer = anne.post("/kapasitet", {"_skjema": token, "kapasitet": his or ""})

    assert answer.status_code == 404
    mine = next(each.capacity for each in house.sessions() if each.person == "anne")
    assert mine not in {his, None}


def test_session_of_another_person_cannot_be_ended_by_a_form(house: Office) -> None:
    anne, bjorn = house.person(), house.person()
    anne.sign_in()
    bjorn.sign_in("bjorn")
    his = next(each.id for each in house.sessions() if each.person == "bjorn")
    anne_again = house.person()
    anne_again.sign_in()
    token = anne.token("/okter", "/okter")

    answer = anne.post("/okter", {"_skjema": token, "okt": his})

    assert answer.status_code == 404
    assert bjorn.is_in()


def test_identity_without_its_claim_or_of_another_tenant_is_nobody(small_world: World) -> None:
    tid = "11111111-2222-4333-8444-555555555555"
    other = "22222222-2222-4333-8444-555555555555"
    cases: list[tuple[Manners, ProviderKind, dict[str, object]]] = [
        (ID_PORTEN, ProviderKind.IDPORTEN, {}),
        (ENTRA, ProviderKind.ENTRA, {"tid": tid}),
        (ENTRA, ProviderKind.ENTRA, {"tid": other, "oid": tid}),
        (ID_PORTEN, ProviderKind.IDPORTEN, {"pid": 1010112345}),
    ]
    for manners, kind, claims in cases:
        with office(small_world, manners=manners, kind=kind, claims={"anne": claims}) as made:
            assert made.person().sign_in().status_code == 403
            assert made.refused()[-1] == "sign_in.token_subject"


def test_strangers_cannot_fill_the_audit(house: Office) -> None:
    anne = house.person()
    before = len(house.audit())
    for number in range(20):
        anne.get(f"/oidc/callback?state={number:043}&code=x")

    assert len(house.audit()) == before + 1


def test_made_up_keys_make_us_ask_the_provider_once_a_minute(house: Office) -> None:
    house.person().sign_in()
    house.provider.wrong.stage(W.UNKNOWN_KEY)
    for _ in range(4):
        house.person().sign_in()

    assert [each.path for each in house.provider.journal].count("/jwks") == 2
    house.world.clock.advance(timedelta(minutes=2))
    for _ in range(4):
        house.person().sign_in()
    assert [each.path for each in house.provider.journal].count("/jwks") == 3


def test_new_key_of_the_provider_is_fetched_and_an_old_one_believed_no_more(house: Office) -> None:
    house.person().sign_in()
    house.provider.rotate_keys()
    house.provider.drop_old_keys()

    anne = house.person()
    anne.sign_in()

    assert anne.is_in()


def test_printed_answer_has_no_code() -> None:
    answer = CallbackAnswer(state="s", code="secret", issuer=None, error=None)

    assert "secret" not in repr(answer)
