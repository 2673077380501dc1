"""Says of a key that was refused what is wrong with it, without repeating it."""

import base64
import binascii
from typing import Final

from inbox.cli.sandbox.api_calls import ApiCall

_WRITE: Final = "Write `Authorization: Bearer KEY` with the key from above"
_MARKS: Final = "<>\"'`{}$"


def about_key(call: ApiCall, *, key: str, secret_text: str) -> str:
    """What is wrong with the header `Authorization` of a call that was answered 401."""
    given = call.header("authorization")
    if len(given) != 1:
        return f"no key was sent. {_WRITE}" if not given else f"several keys were sent. {_WRITE}"
    scheme, _, sent = given[0].partition(" ")
    if scheme.lower() == "basic":
        return f"the key was sent as a password (Basic). {_WRITE}"
    if scheme in (key, secret_text) or not sent:
        return f"`Bearer ` is missing before the key. {_WRITE}"
    if scheme.lower() != "bearer":
        return f"the scheme is not Bearer. {_WRITE}"
    return f"wrong key: {_about_sent(sent, key=key, secret_text=secret_text)}"


def _about_sent(sent: str, *, key: str, secret_text: str) -> str:
    """The first that fits."""
    cut = key.startswith(sent) or key.endswith(sent)
    reasons = (
        (
            sent in (secret_text, secret_text.removeprefix("whsec_")),
            "that is the secret of the webhook. The key is the other one",
        ),
        (sent.strip() == key, "there is a blank or the end of a line beside it"),
        (
            any(mark in sent for mark in _MARKS),
            "marks of an example came along, or a variable that was not replaced",
        ),
        (cut, f"it was cut short, to {len(sent)} of {len(key)} characters"),
        (sent.lower() == key.lower(), "capital and small letters are not the same"),
        (_decoded(sent) == key, "it was encoded in base64. Send it as it is"),
        (True, "it is not the one of this run. Each start of the sandbox makes another"),
    )
    return next(text for fits, text in reasons if fits)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
