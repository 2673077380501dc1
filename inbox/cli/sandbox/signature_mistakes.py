"""The mistakes that are made when a webhook's signature is checked, each as it would sign.

A receiver that refuses a genuine event says 401, and not why. So the same event is signed as each
known mistake would compute it; the one that the receiver believes is its mistake. Example: a
receiver parses the JSON and writes it anew with a blank after each comma before it computes. It
refuses what we sign over the bytes, and believes what is signed over the text with blanks.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, kw_only=True)
class SignedCall:
    """An event before it is signed: what a signature can be computed from."""

    event_id: str
    at: int
    body: bytes
    secret: bytes = field(repr=False)
    secret_text: str = field(repr=False)
    """With `whsec_` before it, as vendors get it."""
    key: str = field(repr=False)
    """The key of the API, which is not the secret."""


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One mistake: in words, and the signatures that it makes."""

    text: str
    signatures: Callable[[SignedCall], Iterator[str]]


def _v1(secret: bytes, content: bytes, algorithm: str = "sha256") -> str:
    return "v1," + base64.b64encode(hmac.digest(secret, content, algorithm)).decode()


def _content(call: SignedCall, body: bytes) -> bytes:
    return f"{call.event_id}.{call.at}.".encode() + body


def _formatted_anew(call: SignedCall) -> Iterator[str]:
    value = json.loads(call.body)
    for text in (
        json.dumps(value),
        json.dumps(value, indent=2),
        json.dumps(value, indent=4),
        json.dumps(value, indent="\t"),
        json.dumps(value, sort_keys=True),
        json.dumps(value, sort_keys=True, separators=(",", ":")),
    ):
        yield _v1(call.secret, _content(call, text.encode()))
        yield _v1(call.secret, _content(call, text.encode() + b"\n"))


def _other_content(*contents: Callable[[SignedCall], bytes]) -> Callable[..., Iterator[str]]:
    def signatures(call: SignedCall) -> Iterator[str]:
        for content in contents:
            yield _v1(call.secret, content(call))

    return signatures


def _other_secret(*secrets: Callable[[SignedCall], bytes]) -> Callable[..., Iterator[str]]:
    def signatures(call: SignedCall) -> Iterator[str]:
        for secret in secrets:
            yield _v1(secret(call), _content(call, call.body))

    return signatures


def _other_spelling(call: SignedCall) -> Iterator[str]:
    digest = hmac.digest(call.secret, _content(call, call.body), hashlib.sha256)
    yield digest.hex()
    yield "v1," + digest.hex()
    yield "sha256=" + digest.hex()
    yield base64.b64encode(digest).decode()
    yield "v1=" + base64.b64encode(digest).decode()
    yield "v1," + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _other_hash(call: SignedCall) -> Iterator[str]:
    for algorithm in ("sha512", "sha1"):
        yield _v1(call.secret, _content(call, call.body), algorithm)


MISTAKES: Final = (
    Mistake(
        text="the signature was computed over re-formatted JSON, not over the bytes. Take the body"
        " as it came, before anything parses it",
        signatures=_formatted_anew,
    ),
    Mistake(
        text="the signature was computed over an empty body. The content type is"
        " application/cloudevents+json: tell your framework to give you the bytes of that type too",
        signatures=_other_content(
            lambda call: _content(call, b""),
            lambda call: _content(call, b"{}"),
            lambda call: _content(call, b"[object Object]"),
            lambda call: _content(call, b"undefined"),
            lambda call: _content(call, b"null"),
        ),
    ),
    Mistake(
        text="the secret was used as text. Cut off `whsec_` and decode the rest from base64",
        signatures=_other_secret(
            lambda call: call.secret_text.encode(),
            lambda call: call.secret_text.removeprefix("whsec_").encode(),
        ),
    ),
    Mistake(
        text="the key of the API was used in place of the secret. The secret begins with whsec_",
        signatures=_other_secret(
            lambda call: call.key.encode(),
            lambda call: base64.urlsafe_b64decode(call.key + "=" * (-len(call.key) % 4)),
        ),
    ),
    Mistake(
        text="the signature was computed over the body alone. It is over `id.timestamp.body`, with"
        " the two headers webhook-id and webhook-timestamp",
        signatures=_other_content(
            lambda call: call.body,
            lambda call: f"{call.at}.".encode() + call.body,
            lambda call: f"{call.event_id}.".encode() + call.body,
            lambda call: f"{call.at}.{call.event_id}.".encode() + call.body,
            lambda call: f"{call.event_id}{call.at}".encode() + call.body,
        ),
    ),
    Mistake(
        text="the signature was compared in another spelling. The header is a list with blanks"
        " between, each `v1,` and then base64, not hexadecimal digits",
        signatures=_other_spelling,
    ),
    Mistake(text="another hash was used. It is HMAC-SHA256", signatures=_other_hash),
)
"""The frequent ones first: each costs calls."""
