"""Forms: from where, of which session, for which action, and when."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.web.people.conftest import Pages
from tests.web.people.stand_in import ANNE

HERE = "/komponenter"
TYPED = "Ringte mandag & fikk «svar» <snart>"


def _fields(pages: Pages, **more: str) -> dict[str, str]:
    token = pages.get(HERE).text.partition(f'action="{HERE}"')[2]
    token = token.partition('name="_skjema" value="')[2].partition('"')[0]
    return {"_skjema": token, "_tilbake": HERE, **more}


def test_form_is_taken_after_it_could_be_read(pages: Pages) -> None:
    fields = _fields(pages, notat=TYPED)
    pages.clock.advance(timedelta(milliseconds=700))

    answer = pages.post(HERE, fields)

    assert answer.status_code == 200
    assert "Det gikk for fort" not in answer.text.partition("<main")[0]


def test_form_sent_too_fast_comes_again_with_a_line_and_what_was_typed(pages: Pages) -> None:
    fields = _fields(pages, notat=TYPED, til="8.12.", grunn="unreadable")
    pages.clock.advance(timedelta(milliseconds=699))

    answer = pages.post(HERE, fields)

    assert "<title>Det gikk for fort. Trykk en gang til. " in answer.text
    assert "Ringte mandag &amp; fikk «svar» &lt;snart&gt;</textarea>" in answer.text
    assert 'name="til" value="8.12."' in answer.text
    assert 'value="unreadable" checked' in answer.text
    pages.clock.advance(timedelta(seconds=1))
    again = answer.text.partition(f'action="{HERE}"')[2].partition('"_skjema" value="')[2]
    assert pages.post(HERE, {**fields, "_skjema": again.partition('"')[0]}).status_code == 200


def test_form_kept_over_lunch_comes_again_with_what_was_typed(pages: Pages) -> None:
    fields = _fields(pages, notat=TYPED)
    pages.clock.advance(timedelta(minutes=30, seconds=1))

    answer = pages.post(HERE, fields)

    assert "Siden var åpen for lenge, så ingenting er gjort." in answer.text
    assert "Ringte mandag &amp; fikk «svar» &lt;snart&gt;</textarea>" in answer.text


def test_form_is_taken_within_half_an_hour(pages: Pages) -> None:
    fields = _fields(pages)
    pages.clock.advance(timedelta(minutes=30))

    assert "for lenge" not in pages.post(HERE, fields).text.partition("<main")[0]


@pytest.mark.parametrize(
    "visitor",
    [replace(ANNE, session="s2"), replace(ANNE, csrf_key=b"b" * 32)],
    ids=["session", "key"],
)
def test_token_is_worthless_in_another_session(pages: Pages, visitor: object) -> None:
    fields = _fields(pages)
    pages.clock.advance(timedelta(seconds=5))
    pages.signed_in.visitor = visitor  # type: ignore[assignment]

    answer = pages.post(HERE, fields)

    assert answer.status_code == 403
    assert "Skjemaet kom ikke herfra" in answer.text


@pytest.mark.parametrize("change", ["0", "", "zz.", ".", "æ.ø", "1.2.3"])
def test_token_that_was_changed_is_refused(pages: Pages, change: str) -> None:
    fields = _fields(pages)
    pages.clock.advance(timedelta(seconds=5))
    token = f"{change}{fields['_skjema']}" if change == "0" else change

    assert pages.post(HERE, {**fields, "_skjema": token}).status_code == 403


def test_token_of_one_action_is_worthless_for_another(pages: Pages) -> None:
    fields = _fields(pages, sprak="nn")
    pages.clock.advance(timedelta(seconds=5))

    assert pages.post("/sprak", fields).status_code == 403


def test_time_in_a_token_cannot_be_made_older(pages: Pages) -> None:
    fields = _fields(pages)
    made, _, mac = fields["_skjema"].partition(".")
    earlier = f"{int(made, 16) - 5000:x}.{mac}"

    assert pages.post(HERE, {**fields, "_skjema": earlier}).status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 303),
        ({"sec-fetch-site": "same-origin", "origin": "https://elsewhere.example"}, 303),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "none"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "https://innboks.example.no"}, 403),
        ({"origin": "https://innboks.example.no"}, 303),
        ({"origin": "https://innboks.example.no.evil.example"}, 403),
        ({"origin": "http://innboks.example.no"}, 403),
        ({"origin": "null"}, 403),
        ({"host": "elsewhere.example", "origin": "https://elsewhere.example"}, 403),
        ({}, 403),
    ],
)
def test_form_must_come_from_a_page_of_ours(
    pages: Pages, headers: dict[str, str], status: int
) -> None:
    pages.signed_in.visitor = None
    fields = {"sprak": "nn", "_tilbake": "/hjelp"}

    answer = pages.client.post("/sprak", data=fields, headers=headers, follow_redirects=False)

    assert answer.status_code == status


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_no_other_method_than_get_and_post_is_answered(pages: Pages, method: str) -> None:
    assert pages.client.request(method, "/hjelp").status_code == 405


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "application/json"),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
        (b"sprak=%ff", "application/x-www-form-urlencoded"),
        (b"sprak=\xc3\xa6", "application/x-www-form-urlencoded"),
        (b"sprak=nn&sprak=en", "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=" % n for n in range(501)), "application/x-www-form-urlencoded"),
    ],
)
def test_body_must_be_one_plain_form(pages: Pages, body: bytes, kind: str) -> None:
    pages.signed_in.visitor = None
    headers = {"sec-fetch-site": "same-origin", "content-type": kind}

    assert pages.client.post("/sprak", content=body, headers=headers).status_code == 422


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/a\nb",
        "\t//x",
        "",
        "javascript:x",
    ],
)
def test_form_never_sends_back_to_another_host(pages: Pages, address: str) -> None:
    pages.signed_in.visitor = None

    answer = pages.post("/sprak", {"sprak": "nn", "_tilbake": address})

    assert answer.headers["location"] == "/"


def test_chosen_language_is_kept_and_the_same_page_comes_in_it(pages: Pages) -> None:
    fields = {"_skjema": pages.token("/hjelp"), "_tilbake": "/hjelp?a=1", "sprak": "nn"}

    answer = pages.post("/sprak", fields)

    assert answer.headers["location"] == "/hjelp?a=1"
    assert "__Host-sprak=nn" in answer.headers["set-cookie"]
    assert '<html lang="nn"' in pages.get("/hjelp").text


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("nn-NO,nb;q=0.8", "nn"), ("en-US", "nb"), ("en,nn;q=0.5", "nn"), ("no", "nb"), ("", "nb")],
)
def test_stranger_gets_the_norwegian_language_of_the_browser(
    pages: Pages, accepted: str, language: str
) -> None:
    pages.signed_in.visitor = None

    text = pages.get("/hjelp", **{"accept-language": accepted}).text

    assert f'<html lang="{language}"' in text
