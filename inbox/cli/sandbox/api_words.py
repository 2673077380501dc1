"""Says in words what each call of the vendor's was: right, wrong, or too early.

It remembers of every delivery what was fetched and said, as a vendor's own journal should.
"""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from inbox.cli.sandbox.api_calls import API, ApiCall, members_of
from inbox.cli.sandbox.key_words import about_key
from inbox.cli.sandbox.refused_body_words import about_refused_body
from inbox.cli.sandbox.screen import Remark, note, right, wrong

_ID: Final = re.compile(r"[0-9a-f]{32}")
_OK: Final = 200
_KEPT: Final = 202
_UNAUTHENTICATED, _NOT_FOUND, _METHOD, _CONFLICT = 401, 404, 405, 409
_REFUSED_BODIES: Final = (400, 413, 415, 422)
_INTERNAL: Final = 500
WORDS: Final = ("accepted", "registered", "refused")
_PARTS: Final = ("package", "documents", *WORDS)


@dataclass(kw_only=True)
class DeliveryNotes:
    """What the vendor has done about one delivery so far."""

    bytes_fetched: bool = False
    accepted: bool = False
    final: str | None = None
    """The final word, with its reference or code."""


class ApiWords:
    """Words about each call; may be shared by threads.

    `name_of_id` says what an id is that names no delivery; `is_made_up`, whether it is one of an
    event that should have been refused.
    """

    def __init__(
        self,
        *,
        key: str,
        secret_text: str,
        name_of_id: Callable[[str], str | None],
        is_made_up: Callable[[str], bool],
    ) -> None:
        self._key = key
        self._secret_text = secret_text
        self._name_of_id = name_of_id
        self._is_made_up = is_made_up
        self._about_failure: Mapping[int, Callable[[ApiCall], Remark]] = {
            _UNAUTHENTICATED: self._about_key,
            _NOT_FOUND: self._about_missing,
            _METHOD: _about_method,
            _CONFLICT: self._about_conflict,
            **dict.fromkeys(_REFUSED_BODIES, lambda call: wrong(about_refused_body(call))),
        }
        self._lock = threading.Lock()
        self._notes: dict[str, DeliveryNotes] = {}
        self.done: set[str] = set()
        """What the vendor has shown to be able to, for the summary at the end."""

    def remarks(self, call: ApiCall) -> list[Remark]:
        """What to say about a call."""
        with self._lock:
            return [*self._about_status(call), *_about_transfer(call)]

    def _about_status(self, call: ApiCall) -> Sequence[Remark]:
        if call.status in (_OK, _KEPT):
            return self._about_success(call)
        if call.status in self._about_failure:
            return [self._about_failure[call.status](call)]
        if call.status >= _INTERNAL or call.status == 0:
            return [note("it failed on our side. Repeat the same call later; nothing is lost")]
        return [note(f"answered {call.status}")]

    # What went well

    def _about_success(self, call: ApiCall) -> Sequence[Remark]:
        if not call.parts:
            return [self._about_list(call)]
        notes = self._notes.setdefault(call.parts[0], DeliveryNotes())
        if len(call.parts) == 1:
            self.done.add("collected")
            return [right("collected. Keep `message_id` as your key against duplicates")]
        if call.parts[1] in WORDS:
            return self._about_word(call, notes, call.parts[1])
        notes.bytes_fetched = True
        self.done.add("fetched")
        what = "the package" if call.parts[1] == "package" else "a document"
        return [right(f"{what}, {call.sent} bytes. Check them against Repr-Digest")]

    def _about_list(self, call: ApiCall) -> Remark:
        listed = call.answered("deliveries")
        count = len(listed) if isinstance(listed, list) else 0
        self.done.add("asked")
        if count == 0:
            return right("signed in. Nothing waits for you: Enter puts a letter")
        ids = f"{count} waiting. Take `delivery_id` of each, and collect it"
        more = " `next` leads to more." if call.answered("next") else ""
        return right(f"{ids}.{more}")

    def _about_word(self, call: ApiCall, notes: DeliveryNotes, word: str) -> Sequence[Remark]:
        said = call.answered("said")
        if said == "repeated":
            return [right("the same word again, the same answer: it counted already")]
        if said == "kept":
            return [note("too late, and kept: a person in the archive settles it")]
        remarks = list(_about_order(notes, word))
        self.done.add(word)
        if word == "accepted":
            notes.accepted = True
            return [*remarks, right("accepted: you have the bytes. No kvittering follows yet")]
        notes.final = _final_word(call, word)
        if word == "registered":
            text = f"{notes.final}. Final; the sender gets the kvittering now"
        else:
            text = f"{notes.final}. Final; people in the archive decide, the sender hears nothing"
        return [*remarks, right(text)]

    # What did not

    def _about_key(self, call: ApiCall) -> Remark:
        return wrong(about_key(call, key=self._key, secret_text=self._secret_text))

    def _about_missing(self, call: ApiCall) -> Remark:
        if not call.path.startswith(API) or (call.path.endswith("/") and call.path != API):
            return wrong(_about_path(call.path))
        delivery_id = call.parts[0]
        notes = self._notes.get(delivery_id)
        if notes is not None and notes.final is not None:
            return note(f"it has its final word ({notes.final}): stop here, all is well")
        if self._is_made_up(delivery_id):
            return wrong(
                "this delivery stood in an event of ours that was not genuine: your receiver"
                " believed it. Check signature and time before you act"
            )
        return wrong(self._about_unknown(call, delivery_id, known=notes is not None))

    def _about_unknown(self, call: ApiCall, delivery_id: str, *, known: bool) -> str:
        """What an id is that belongs to no open delivery."""
        named = self._name_of_id(delivery_id)
        if named is not None:
            return f"that is {named}. The address takes `delivery_id`"
        if _ID.fullmatch(delivery_id) is None:
            return _about_shape(delivery_id)
        part = call.parts[1:]
        if part and (known or part[0] not in _PARTS):
            return (
                f"a delivery has no `{'/'.join(part)}`: there are `package`,"
                f" `documents/1` and so on, and the words {', '.join(WORDS)}"
            )
        return "no delivery of yours has this id. `delivery_id` is in the event and in the list"

    def _about_conflict(self, call: ApiCall) -> Remark:
        if call.answered("code") != "word.conflict":
            return wrong("something else stands in the way. Look again; do not repeat unchanged")
        standing = self._notes.get(call.parts[0], DeliveryNotes()).final or "another word"
        return wrong(
            f"two final words for one delivery: {standing} stands, and a person was informed. Keep"
            " `message_id` with the reference that it got, and repeat that one: events come twice"
        )


def _about_order(notes: DeliveryNotes, word: str) -> Sequence[Remark]:
    """Words that come before what they speak of."""
    if not notes.bytes_fetched:
        text = f"{word} before anything was fetched, neither package nor document."
        if word == "accepted":
            return [wrong(f"{text} The word says that you have the bytes")]
        if word == "registered":
            return [wrong(f"{text} What is in your archive?")]
    if word == "registered" and not notes.accepted:
        return [note("without *accepted* before it: allowed, but then nobody knew you had it")]
    return []


def _final_word(call: ApiCall, word: str) -> str:
    given: Mapping[str, object] = members_of(call.body)
    return f"{word} with {given.get('reference') or given.get('code') or '?'}"


def _about_path(path: str) -> str:
    if path.rstrip("/") == API or path.startswith(API):
        return f"a slash too many at the end: {path.rstrip('/')}"
    if "deliver" in path:
        return f"the path begins with {API}"
    return f"nothing is at this path. Everything of yours is under {API}"


def _about_shape(delivery_id: str) -> str:
    if "{" in delivery_id or "<" in delivery_id:
        return "the place of the id was not filled in"
    if _ID.fullmatch(delivery_id.replace("-", "").lower()) is not None:
        return "an id of ours is 32 of 0-9 a-f, without hyphens and in small letters: take it as is"
    return "that has not the shape of an id: it is 32 of 0-9 a-f. Take `delivery_id` as it is"


def _about_method(call: ApiCall) -> Remark:
    if call.method == "HEAD":
        return wrong("there is no HEAD here. GET gives Content-Length and Repr-Digest")
    wanted = "POST" if call.parts[1:2] and call.parts[1] in WORDS else "GET"
    return wrong(f"{call.method} where it takes {wanted}")


def _about_transfer(call: ApiCall) -> Sequence[Remark]:
    """Remarks that go with any answer."""
    remarks = []
    if call.header("range"):
        remarks.append(note("there are no ranges: what was sent is the whole"))
    if call.cut and call.status == _OK:
        remarks.append(wrong("you went away before it was whole: begin the transfer again"))
    return remarks
