"""Says of a body that was refused what is wrong with it, in the vendor's own field names."""

from collections.abc import Mapping
from typing import Final

from inbox.cli.sandbox.api_calls import ApiCall, members_of

_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "accepted": (),
    "registered": ("reference",),
    "refused": ("code", "text"),
}
_ABOUT_CODE: Final[Mapping[str, str]] = {
    "request.too_large": "the body is too large: 64 KiB at most",
    "reference.shape": "the reference was refused. One line of at most 200 characters, with a"
    " number other than zero, such as 2026/001234-1: a blank, a mark or `null` is not one",
    "refusal.code": "the code was refused: a-z 0-9 . _ - only, at most 60",
    "refusal.text": "the text was refused: at most 2000 characters",
}
_ABOUT_RULE: Final[Mapping[str, str]] = {
    "missing": "is missing",
    "string_type": "must be a text",
    "string_too_short": "is empty",
    "string_too_long": "is too long",
    "string_pattern_mismatch": "has other signs than a-z 0-9 . _ -, or too many",
}
_LONGEST: Final = 30


def about_refused_body(call: ApiCall) -> str:
    """What is wrong with the body of a word, or with a query."""
    code = str(call.answered("code"))
    if code == "request.content_type":
        return _about_content_type(call)
    if code == "request.not_json":
        return _about_text(call.body)
    if code in _ABOUT_CODE:
        return _ABOUT_CODE[code]
    return f"{call.status} {code}: {_about_fields(call)}"


def _about_content_type(call: ApiCall) -> str:
    given = ", ".join(call.header("content-type")) or "none"
    curl = ""
    if given == "application/x-www-form-urlencoded":
        curl = " `curl -d` says that by itself."
    return (
        f"the content type is {given}.{curl} Send `Content-Type: application/json`; with curl,"
        " -H 'Content-Type: application/json'"
    )


def _about_text(body: bytes) -> str:
    text = body.lstrip()
    if text.startswith((b"'", b"{'")):
        return "the body is no JSON: JSON has double quotes, and a shell may have eaten them"
    if b"=" in text and not text.startswith(b"{"):
        return 'the body is a form, no JSON: write {"reference": "2026/001234-1"}'
    if text.startswith(b"{") and b'"' not in text:
        return "the body is no JSON: the double quotes are missing; a shell may have eaten them"
    return "the body is no JSON in UTF-8, or has a key twice, or NaN"


def _about_fields(call: ApiCall) -> str:
    if call.method == "GET":
        return "`limit` is 1 to 100, and `after` a `delivery_id`; or follow `next`"
    word = call.parts[1] if len(call.parts) > 1 else ""
    wanted = _FIELDS.get(word, ())
    strange = [f"`{name[:_LONGEST]}`" for name in members_of(call.body) if name not in wanted]
    takes = ", ".join(f"`{name}`" for name in wanted) or "no field at all"
    parts = (
        [f"{', '.join(strange)} is no field of *{word}*, which takes {takes}"] if strange else []
    )
    errors = call.answered("errors")
    for error in errors if isinstance(errors, list) else []:
        rule, name = str(error.get("rule")), error.get("field")
        if name is not None:
            parts.append(f"`{name}` {_ABOUT_RULE.get(rule, f'breaks the rule {rule}')}")
    return "; ".join(parts) or f"the body of *{word}* is one JSON object with {takes}"
