"""What the sandbox says of each call of a vendor's: in words that name the mistake."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from inbox.cli.sandbox.api_calls import ApiCall
from inbox.cli.sandbox.api_words import ApiWords
from inbox.cli.sandbox.screen import Mark, Remark, note, remark_lines, right, wrong

KEY = "Aanh5PBboW0BlEn96LxlTqb_a43dswACpq_sQNL2r2k"
SECRET = "whsec_s08ixl2lHTLkz3oan3gGHF5TFabNVT3YbGITcrwvjhA="
ONE = "3b9447cb874f4d19b982273e3714debf"
EVENT, MADE_UP = "e" * 32, "f" * 32
PATH = "/api/v1/deliveries"
STATUS = {
    "request.content_type": 415,
    "request.not_json": 400,
    "request.too_large": 413,
    "reference.shape": 422,
    "refusal.code": 422,
}
JSON = ("content-type", "application/json")


@pytest.fixture
def words() -> ApiWords:
    return ApiWords(
        key=KEY,
        secret_text=SECRET,
        name_of_id=lambda text: "the id of an event (`webhook-id`)" if text == EVENT else None,
        is_made_up=lambda text: text == MADE_UP,
    )


def _call(method: str, path: str, status: int, **more: Any) -> ApiCall:
    answer = more.pop("answer", {})
    return ApiCall(
        method=method,
        path=path,
        status=status,
        answer=json.dumps(answer).encode(),
        **more,
    )


def _said(words: ApiWords, call: ApiCall) -> list[tuple[Mark, str]]:
    return [(remark.mark, remark.text) for remark in words.remarks(call)]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "no key was sent"),
        (KEY, "`Bearer ` is missing"),
        ("Basic aW5ib3g6eA==", "as a password (Basic)"),
        ("Token " + KEY, "the scheme is not Bearer"),
        ("Bearer " + SECRET, "wrong key: that is the secret of the webhook"),
        (f"Bearer <{KEY}>", "marks of an example came along"),
        ("Bearer $KEY", "a variable that was not replaced"),
        (f"Bearer  {KEY}", "a blank or the end of a line beside it"),
        ("Bearer " + KEY[:20], "cut short, to 20 of 43"),
        ("Bearer " + KEY.upper(), "capital and small letters"),
        ("Bearer " + "x" * 43, "not the one of this run"),
    ],
)
def test_refused_key_is_explained_and_never_repeated(
    words: ApiWords, header: str | None, expected: str
) -> None:
    headers = () if header is None else (("authorization", header),)

    ((mark, text),) = _said(words, _call("GET", PATH, 401, headers=headers))

    assert (mark, expected in text) == (Mark.WRONG, True), text
    assert KEY[:20] not in text
    assert SECRET[:20] not in text


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/deliveries", f"the path begins with {PATH}"),
        ("GET", "/", f"Everything of yours is under {PATH}"),
        ("GET", f"{PATH}/", "a slash too many"),
        ("GET", f"{PATH}/{{delivery_id}}", "the place of the id was not filled in"),
        ("GET", f"{PATH}/{ONE.upper()}", "without hyphens and in small letters"),
        ("GET", f"{PATH}/17", "not the shape of an id"),
        ("GET", f"{PATH}/{EVENT}", "the id of an event (`webhook-id`). The address takes"),
        ("GET", f"{PATH}/{MADE_UP}", "was not genuine: your receiver believed it"),
        ("GET", f"{PATH}/{ONE}", "no delivery of yours has this id"),
    ],
)
def test_address_that_leads_nowhere_is_explained(
    words: ApiWords, method: str, path: str, expected: str
) -> None:
    ((mark, text),) = _said(words, _call(method, path, 404))

    assert (mark, expected in text) == (Mark.WRONG, True), text


@pytest.mark.parametrize(
    ("method", "end", "expected"),
    [
        ("GET", "/accepted", "GET where it takes POST"),
        ("POST", "/package", "POST where it takes GET"),
        ("HEAD", "", "there is no HEAD"),
    ],
)
def test_wrong_method_is_explained(words: ApiWords, method: str, end: str, expected: str) -> None:
    ((mark, text),) = _said(words, _call(method, f"{PATH}/{ONE}{end}", 405))

    assert (mark, expected in text) == (Mark.WRONG, True), text


@pytest.mark.parametrize(
    ("word", "body", "headers", "code", "expected"),
    [
        (
            "registered",
            b'{"reference": "1"}',
            (("content-type", "application/x-www-form-urlencoded"),),
            "request.content_type",
            "`curl -d` says that by itself. Send",
        ),
        ("registered", b'{"reference": "1"}', (), "request.content_type", "type is none."),
        ("registered", b"{'reference': 1}", (JSON,), "request.not_json", "double quotes"),
        ("registered", b"{reference: 1}", (JSON,), "request.not_json", "quotes are missing"),
        ("registered", b"reference=1", (JSON,), "request.not_json", "a form, no JSON"),
        ("registered", b'{"reference": "null"}', (JSON,), "reference.shape", "number other"),
        ("refused", b'{"code": "A B"}', (JSON,), "refusal.code", "a-z 0-9"),
        ("refused", b"x" * 9, (JSON,), "request.too_large", "64 KiB"),
    ],
)
def test_refused_body_is_explained(
    words: ApiWords,
    word: str,
    body: bytes,
    headers: tuple[tuple[str, str], ...],
    code: str,
    expected: str,
) -> None:
    path, status = f"{PATH}/{ONE}/{word}", STATUS[code]

    ((mark, text),) = _said(
        words, _call("POST", path, status, body=body, headers=headers, answer={"code": code})
    )

    assert (mark, expected in text) == (Mark.WRONG, True), text


def test_misspelt_field_is_named_beside_the_ones_that_there_are(words: ApiWords) -> None:
    answer = {
        "code": "request.invalid",
        "errors": [
            {"where": "body", "field": "reference", "rule": "missing"},
            {"where": "body", "rule": "extra_forbidden"},
        ],
    }
    body = b'{"referanse": "2026/1-1"}'

    ((_, text),) = _said(
        words, _call("POST", f"{PATH}/{ONE}/registered", 422, body=body, answer=answer)
    )

    assert "`referanse` is no field of *registered*, which takes `reference`" in text
    assert "`reference` is missing" in text


def test_words_before_anything_was_fetched_are_remarked(words: ApiWords) -> None:
    done = {"said": "done"}
    early = _said(words, _call("POST", f"{PATH}/{ONE}/accepted", 200, answer=done))
    words.remarks(_call("GET", f"{PATH}/{ONE}", 200))
    words.remarks(_call("GET", f"{PATH}/{ONE}/package", 200, sent=10))
    body = b'{"reference": "2026/1-1"}'

    late = _said(words, _call("POST", f"{PATH}/{ONE}/registered", 200, answer=done, body=body))

    assert early[0][0] is Mark.WRONG
    assert "accepted before anything was fetched" in early[0][1]
    assert [mark for mark, _ in late] == [Mark.RIGHT]
    assert late[0][1].startswith("registered with 2026/1-1. Final")


def test_second_reference_for_one_delivery_is_explained_as_missing_idempotency(
    words: ApiWords,
) -> None:
    path, done = f"{PATH}/{ONE}/registered", {"said": "done"}
    words.remarks(_call("POST", path, 200, answer=done, body=b'{"reference": "2026/1-1"}'))

    ((mark, text),) = _said(
        words,
        _call("POST", path, 409, answer={"code": "word.conflict"}, body=b'{"reference": "2"}'),
    )

    assert mark is Mark.WRONG
    assert "registered with 2026/1-1 stands" in text
    assert "Keep `message_id` with the reference" in text


def test_unknown_word_of_a_delivery_is_named_in_the_remark(words: ApiWords) -> None:
    ((mark, text),) = _said(words, _call("POST", f"{PATH}/{ONE}/registrert", 404))

    assert mark is Mark.WRONG
    assert text.startswith("a delivery has no `registrert`")
    assert text.endswith("the words accepted, registered, refused")


def test_repeated_word_and_a_delivery_that_ended_count_as_no_mistake(words: ApiWords) -> None:
    path, body = f"{PATH}/{ONE}/registered", b'{"reference": "2026/1-1"}'
    words.remarks(_call("POST", path, 200, answer={"said": "done"}, body=body))

    again = _said(words, _call("POST", path, 200, answer={"said": "repeated"}, body=body))
    after = _said(words, _call("GET", f"{PATH}/{ONE}", 404))

    assert [mark for mark, _ in (*again, *after)] == [Mark.RIGHT, Mark.NOTE]


def test_range_and_a_cut_transfer_are_remarked(words: ApiWords) -> None:
    call = _call("GET", f"{PATH}/{ONE}/package", 200, headers=(("range", "bytes=0-1"),), cut=True)

    texts = [text for _, text in _said(words, call)]

    assert any("no ranges" in text for text in texts)
    assert any("begin the transfer again" in text for text in texts)


@pytest.mark.parametrize("make", [right, wrong, note])
def test_remark_fits_eighty_columns_and_cannot_steer_the_terminal(
    make: Callable[[str], Remark],
) -> None:
    lines = remark_lines(make("\x1b[2J" + "a long word and another " * 20))

    assert max(map(len, lines)) < 80
    assert len(lines) > 3
    assert "\x1b" not in "".join(lines)
