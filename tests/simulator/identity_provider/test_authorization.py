"""The authorization endpoint: what it refuses and how, and when it asks whom to be."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from inbox.simulator.identity_provider.browser import NoSuchChoice, press, read_form
from inbox.simulator.identity_provider.provider import IdentityProvider
from tests.simulator.conftest import Clock
from tests.simulator.identity_provider.relying_party import RelyingParty, answer_of


def _changed(url: str, changes: dict[str, str | None]) -> str:
    """The same authorization URL with some parameters changed; None: left out."""
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query)), **changes}
    given = {name: value for name, value in query.items() if value is not None}
    return parts._replace(query=urlencode(given)).geturl()


def _is_asked(http: httpx.Client, url: str) -> bool:
    """Whether the page of people comes; otherwise it is a code, at once."""
    answer = http.get(url)
    return answer.status_code == 200 or "code" not in answer_of(answer.headers["location"])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid secrets"}, "invalid_scope"),
        ({"state": None}, "invalid_request"),
        ({"nonce": None}, "invalid_request"),
        ({"nonce": ""}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "an hour"}, "invalid_request"),
        ({"request": "a.b.c"}, "request_not_supported"),
        ({"request_uri": "http://127.0.0.1/r"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"claims": "not JSON"}, "invalid_request"),
        ({"claims": '{"id_token": {"acr": {"values": "high"}}}'}, "invalid_request"),
        (
            {"claims": '{"id_token": {"acr": {"essential": true, "value": "9"}}}'},
            "access_denied",
        ),
    ],
)
def test_wrong_parameter_is_refused_by_its_error_and_goes_back_to_the_client(
    relying_party: RelyingParty, changes: dict[str, str | None], error: str
) -> None:
    started = relying_party.start()

    answer = relying_party.http.get(_changed(started.url, changes))

    assert answer.status_code == 303
    told = answer_of(answer.headers["location"])
    assert told["error"] == error
    assert told["iss"] == relying_party.issuer
    assert told.get("state") == (None if "state" in changes else started.state)


def test_repeated_parameter_is_refused(relying_party: RelyingParty) -> None:
    answer = relying_party.http.get(relying_party.start().url + "&nonce=another")

    assert answer_of(answer.headers["location"])["error"] == "invalid_request"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "unknown"},
        {"client_id": None},
        {"redirect_uri": "http://127.0.0.1:9/oidc/callback/"},
        {"redirect_uri": "http://127.0.0.1:9/oidc/callback?next=1"},
        {"redirect_uri": "http://127.0.0.1:99/oidc/callback"},
        {"redirect_uri": "https://attacker.example/"},
        {"redirect_uri": None},
    ],
)
def test_unknown_client_or_address_gets_a_page_and_no_redirect(
    relying_party: RelyingParty, changes: dict[str, str | None]
) -> None:
    answer = relying_party.http.get(_changed(relying_party.start().url, changes))

    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "Innloggingen kan ikke fortsette" in answer.text


def test_second_client_id_or_redirect_uri_gets_a_page(relying_party: RelyingParty) -> None:
    url = relying_party.start().url

    answers = [
        relying_party.http.get(url + more)
        for more in ("&client_id=other", "&redirect_uri=https://attacker.example/")
    ]

    assert [answer.status_code for answer in answers] == [400, 400]


def test_authorization_request_may_be_posted_as_a_form(relying_party: RelyingParty) -> None:
    started = relying_party.start()
    parts = urlsplit(started.url)

    page = relying_party.http.post(
        parts._replace(query="").geturl(), data=dict(parse_qsl(parts.query))
    )

    assert answer_of(press(relying_party.http, page, "person", "kari"))["state"] == started.state


def test_second_sign_in_of_a_browser_answers_without_asking(relying_party: RelyingParty) -> None:
    first = relying_party.claims(relying_party.sign_in())
    silent = relying_party.start(prompt="none")

    token = relying_party.redeem(silent, relying_party.choose(silent, "nobody"))

    second = relying_party.claims(token)
    assert (second["sub"], second["sid"]) == (first["sub"], first["sid"])
    assert second["nonce"] == silent.nonce


@pytest.mark.parametrize("prompt", ["login", "select_account"])
def test_prompt_asks_again_although_there_is_a_session(
    relying_party: RelyingParty, prompt: str
) -> None:
    relying_party.sign_in()

    assert not _is_asked(relying_party.http, relying_party.start().url)
    assert _is_asked(relying_party.http, relying_party.start(prompt=prompt).url)


def test_max_age_asks_again_once_the_sign_in_is_older(
    relying_party: RelyingParty, clock: Clock
) -> None:
    relying_party.sign_in()
    clock.passes(seconds=900)
    young = _is_asked(relying_party.http, relying_party.start(max_age="900").url)
    clock.passes(seconds=1)
    old = _is_asked(relying_party.http, relying_party.start(max_age="900").url)

    token = relying_party.sign_in(max_age="900")

    assert (young, old) == (False, True)
    assert relying_party.claims(token)["auth_time"] == int(clock.now.timestamp())


def test_stronger_level_asks_again_and_keeps_the_session_id(relying_party: RelyingParty) -> None:
    weak = relying_party.claims(relying_party.sign_in())
    refused = relying_party.start(acr_values="high", prompt="none")
    error = answer_of(relying_party.choose(refused))["error"]

    strong = relying_party.claims(relying_party.sign_in(acr_values="high"))

    assert error == "login_required"
    assert (weak["acr"], strong["acr"]) == ("substantial", "high")
    assert weak["sid"] == strong["sid"]


def test_step_up_lets_another_person_be_chosen_in_a_session_of_their_own(
    relying_party: RelyingParty,
) -> None:
    weak = relying_party.claims(relying_party.sign_in("kari"))

    strong = relying_party.claims(relying_party.sign_in("ola", acr_values="high"))

    assert strong["sub"] == "ola"
    assert strong["sid"] != weak["sid"]


def test_person_below_the_wanted_level_is_signed_in_at_their_own(
    relying_party: RelyingParty,
) -> None:
    claims = relying_party.claims(relying_party.sign_in("per", acr_values="high"))

    assert claims["acr"] == "substantial"


def test_essential_level_that_a_person_cannot_reach_is_access_denied(
    relying_party: RelyingParty,
) -> None:
    started = relying_party.start(claims='{"id_token":{"acr":{"essential":true,"value":"high"}}}')

    assert answer_of(relying_party.choose(started, "per"))["error"] == "access_denied"


def test_unknown_levels_do_not_count(relying_party: RelyingParty) -> None:
    claims = relying_party.claims(relying_party.sign_in(acr_values="platinum high substantial"))

    assert claims["acr"] == "high"


def test_login_hint_puts_that_person_first(relying_party: RelyingParty) -> None:
    pages = [
        relying_party.http.get(relying_party.start(login_hint=hint).url)
        for hint in ("ola@kommune.example", "per", "nobody")
    ]

    assert [read_form(page.text).buttons[0][1] for page in pages] == ["ola", "per", "kari"]


def test_session_that_ran_out_asks_again(relying_party: RelyingParty, clock: Clock) -> None:
    relying_party.sign_in()

    clock.passes(hours=10)

    assert _is_asked(relying_party.http, relying_party.start().url)


def test_disabled_person_gets_login_required_and_cannot_be_chosen(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    token = relying_party.sign_in("kari")
    open_page = relying_party.http.get(relying_party.start(prompt="login").url)
    provider.disable("kari")
    silent = relying_party.start(prompt="none")

    errors = [
        answer_of(relying_party.choose(silent))["error"],
        answer_of(press(relying_party.http, open_page, "person", "kari"))["error"],
    ]

    assert errors == ["login_required", "access_denied"]
    with pytest.raises(NoSuchChoice):
        relying_party.sign_in("kari")
    bearer = {"authorization": f"Bearer {token['access_token']}"}
    userinfo = relying_party.http.get(relying_party.discovery["userinfo_endpoint"], headers=bearer)
    assert userinfo.status_code == 401
    assert provider.sent_logouts == []


def test_enabled_person_is_back_in_the_same_session(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    relying_party.sign_in("kari")
    provider.disable("kari")

    provider.enable("kari")

    assert "code" in answer_of(relying_party.choose(relying_party.start(prompt="none")))


def _post_choice(http: httpx.Client, page: httpx.Response, **headers: str) -> httpx.Response:
    form = read_form(page.text)
    address = str(page.url.copy_with(path=form.action, query=None))
    return http.post(address, data={**form.hidden, "person": "kari"}, headers=headers)


def test_choice_of_a_person_counts_once(relying_party: RelyingParty) -> None:
    page = relying_party.http.get(relying_party.start().url)

    statuses = [_post_choice(relying_party.http, page).status_code for _ in range(2)]

    assert statuses == [303, 400]


def test_choice_is_refused_from_another_browser_and_another_origin(
    relying_party: RelyingParty,
) -> None:
    page = relying_party.http.get(relying_party.start().url)
    cookies = dict(relying_party.http.cookies)
    relying_party.http.cookies.clear()

    without_cookie = _post_choice(relying_party.http, page)
    relying_party.http.cookies.update(cookies)
    foreign = _post_choice(relying_party.http, page, origin="http://127.0.0.1:9")

    assert (without_cookie.status_code, foreign.status_code) == (400, 400)
    assert _post_choice(relying_party.http, page).status_code == 303


def test_choice_is_refused_after_ten_minutes_and_for_unknown_people(
    relying_party: RelyingParty, clock: Clock
) -> None:
    page = relying_party.http.get(relying_party.start().url)
    form = read_form(page.text)
    address = str(page.url.copy_with(path=form.action, query=None))
    unknown = relying_party.http.post(address, data={**form.hidden, "person": "nobody"})
    late_page = relying_party.http.get(relying_party.start().url)
    clock.passes(minutes=10)

    late = _post_choice(relying_party.http, late_page)

    assert (unknown.status_code, late.status_code) == (400, 400)


def test_session_cookie_changes_at_every_choice(relying_party: RelyingParty) -> None:
    seen = []
    for _ in range(2):
        relying_party.sign_in(prompt="login")
        seen += [v for name, v in relying_party.http.cookies.items() if name.endswith("_session")]

    assert len(set(seen)) == 2


def test_cookies_are_named_by_the_port_and_closed_to_scripts(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    page = relying_party.http.get(relying_party.start().url)

    port = urlsplit(provider.issuer).port
    cookie = page.headers["set-cookie"]
    assert cookie.startswith(f"identity_provider_{port}_browser=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_journal_shows_each_request_and_its_prompt(
    relying_party: RelyingParty, provider: IdentityProvider
) -> None:
    relying_party.choose(relying_party.start(prompt="none"))

    seen = provider.journal[-1]

    assert (seen.path, seen.query["prompt"], seen.status) == ("/authorize", "none", 303)
