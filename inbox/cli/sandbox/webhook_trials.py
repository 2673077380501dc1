"""Events to the vendor's address: sent as the product does, then tried as the world would.

The product's own sender makes every call. After a 2xx the same event comes once more, as after a
lost answer; once in other bytes, as a later version may write it; and three that must be refused:
forged, changed on the way, and an hour old. After a refusal the known mistakes are tried.
"""

import base64
import json
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from typing import Final

from inbox.casesystem import DeliveryEvent
from inbox.casesystem.webhook import WebhookRefused, WebhookSender, event_body, sign
from inbox.cli.sandbox.screen import Remark, Screen, note, right, wrong
from inbox.cli.sandbox.signature_mistakes import MISTAKES, SignedCall
from inbox.errors import Unavailable

_REFUSALS: Final = range(400, 500)
_OK: Final = range(200, 300)
_LOOK_SECONDS: Final = 0.2
_OLD: Final = timedelta(hours=1)
_ABOUT_STATUS: Final = {
    401: "the signature was not believed",
    403: "the call was not let in: a proxy, or your check of the signature",
    404: "nothing is at this path. Is it the path of your receiver?",
    405: "the path does not take POST",
    413: "the body was too large for your receiver; it is some hundred bytes",
    415: "the content type was refused. Events come as application/cloudevents+json",
    429: "too many calls. It is sent again later",
}
_ABOUT_CODE: Final = {
    "webhook.unavailable": "no connection, or it broke. Does your receiver run, at this very"
    " address? `localhost` may be ::1 here and 127.0.0.1 there: write the one it listens on",
    "webhook.slow": "no answer within 15 seconds. Answer 2xx first, and do the work afterwards",
    "webhook.unresolved": "the name of the host leads nowhere",
}


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """The vendor's receiver, and what it was given."""

    url: str
    key: str = field(repr=False)
    secret: bytes = field(repr=False)

    @property
    def secret_text(self) -> str:
        """The secret as vendors get it."""
        return "whsec_" + base64.b64encode(self.secret).decode()


class WebhookTrials:
    """What a receiver does with events that are genuine, repeated, forged or old."""

    def __init__(
        self, sender: WebhookSender, receiver: Receiver, clock: Callable[[], datetime]
    ) -> None:
        self._sender = sender
        self._receiver = receiver
        self._clock = clock
        self._lock = threading.Lock()
        self._made_up: set[str] = set()

    def is_made_up(self, delivery_id: str) -> bool:
        """Whether this delivery stood in an event that should have been refused."""
        with self._lock:
            return delivery_id in self._made_up

    def after_belief(self, event: DeliveryEvent) -> list[Remark]:
        """Try what may come after a genuine event that was answered 2xx."""
        return [
            self._repeated(event),
            self._other_bytes(event),
            self._forged(event),
            self._changed(event),
            self._old(event),
        ]

    def after_refusal(self, event: DeliveryEvent, status: int) -> list[Remark]:
        """Say why a genuine event was not answered 2xx, as far as trying can tell."""
        if status in range(300, 400):
            return [wrong(f"{status}: redirects are failures. Give the address that answers")]
        if status not in (400, 401, 403):
            text = _ABOUT_STATUS.get(status, "your receiver failed; its own log says why")
            return [wrong(f"{status}: {text}")]
        call = self._call(self._with_made_up_delivery(event))
        for mistake in MISTAKES:
            for signature in mistake.signatures(call):
                if self._post(call, signature) in _OK:
                    return [wrong(f"{status}: {mistake.text}.")]
        return [
            wrong(f"{status}: {_ABOUT_STATUS.get(status, 'the event was refused')}."),
            note(
                "None of the usual mistakes. Is the secret that of this run, and the clock right?"
                " What does your receiver say of it?"
            ),
        ]

    def _repeated(self, event: DeliveryEvent) -> Remark:
        call = self._call(event)
        status = self._post(call, self._genuine(call))
        if status in _OK:
            return right(f"the same event again, as after a lost answer: {status}")
        return wrong(
            f"the same event again: {_shown(status)}. Events come at least once: answer 2xx to one"
            " that you know by its webhook-id"
        )

    def _other_bytes(self, event: DeliveryEvent) -> Remark:
        """A reminder of the same delivery, as a program that formats JSON otherwise writes it."""
        own = replace(event, id=secrets.token_hex(16))
        told = json.loads(event_body(own))
        other = json.dumps(dict(reversed(told.items())), indent=1).encode() + b"\n"
        call = replace(self._call(own), body=other)
        status = self._post(call, self._genuine(call))
        if status in _OK:
            return right(f"a reminder of it, in other bytes that mean the same: {status}")
        return wrong(
            f"a reminder of it in other bytes, rightly signed: {_shown(status)}. If that is your"
            " check: the signature was computed over re-formatted JSON, not over the bytes"
        )

    def _forged(self, event: DeliveryEvent) -> Remark:
        call = self._call(self._with_made_up_delivery(event))
        forged = sign(secrets.token_bytes(32), call.event_id, self._clock(), call.body)
        return _refused_as_it_should("a forged signature", self._post(call, forged))

    def _changed(self, event: DeliveryEvent) -> Remark:
        call = self._call(event)
        changed = self._call(self._with_made_up_delivery(event))
        posted = replace(changed, event_id=call.event_id)
        status = self._post(posted, self._genuine(call))
        return _refused_as_it_should("a body that was changed after it was signed", status)

    def _old(self, event: DeliveryEvent) -> Remark:
        call = self._call(self._with_made_up_delivery(event), ago=_OLD)
        return _refused_as_it_should(
            "an event of an hour ago", self._post(call, self._genuine(call))
        )

    def _with_made_up_delivery(self, event: DeliveryEvent) -> DeliveryEvent:
        made_up = secrets.token_hex(16)
        with self._lock:
            self._made_up.add(made_up)
        return replace(event, id=secrets.token_hex(16), delivery_id=made_up)

    def _call(self, event: DeliveryEvent, *, ago: timedelta = timedelta()) -> SignedCall:
        return SignedCall(
            event_id=event.id,
            at=int((self._clock() - ago).timestamp()),
            body=event_body(event),
            secret=self._receiver.secret,
            secret_text=self._receiver.secret_text,
            key=self._receiver.key,
        )

    def _genuine(self, call: SignedCall) -> str:
        at = datetime.fromtimestamp(call.at, UTC)
        return sign(self._receiver.secret, call.event_id, at, call.body)

    def _post(self, call: SignedCall, signature: str) -> int | None:
        """The status; None without an answer."""
        at = datetime.fromtimestamp(call.at, UTC)
        try:
            return self._sender.post(self._receiver.url, call.event_id, at, call.body, signature)
        except WebhookRefused as refused:
            return refused.status
        except Unavailable:
            return None


def _shown(status: int | None) -> str:
    return "no answer" if status is None else str(status)


def _refused_as_it_should(what: str, status: int | None) -> Remark:
    if status is None:
        return note(f"{what}: no answer")
    if status in _REFUSALS:
        return right(f"{what}: refused with {status}")
    if status in _OK:
        return wrong(
            f"{what} was answered {status}: anybody could send you events. Check signature and time"
            " before you answer"
        )
    return wrong(f"{what}: {status}. Refuse it with 401, not by an error")


class WatchedSender:
    """The product's sender of events, with words about each call; trials follow in a thread."""

    def __init__(self, sender: WebhookSender, trials: WebhookTrials, screen: Screen) -> None:
        self._sender = sender
        self._trials = trials
        self._screen = screen
        self._believed: SimpleQueue[DeliveryEvent] = SimpleQueue()
        self._stop = threading.Event()
        self._last_failure: Sequence[Remark] = ()
        self._alike = 0

    def send(self, url: str, secret: bytes, event: DeliveryEvent, now: datetime) -> None:
        """Send once, as the product does. Raises `Unavailable` unless the answer was a 2xx."""
        try:
            self._sender.send(url, secret, event, now)
        except Unavailable as error:
            self._show_failure(event, error)
            raise
        self._last_failure = ()
        self._screen.show(
            f"event of delivery {event.delivery_id} -> 2xx",
            [right("the signature was believed: the receiver answered 2xx")],
        )
        self._believed.put(event)

    def run(self) -> None:
        """Make the trials, until `stop`."""
        while not self._stop.is_set():
            try:
                event = self._believed.get(timeout=_LOOK_SECONDS)
            except Empty:
                continue
            remarks: Sequence[Remark] = self._trials.after_belief(event)
            heard = note("so it heard of this delivery three times, and shall act once")
            self._screen.show("trials of your receiver", [*remarks, heard])

    def stop(self) -> None:
        """Make `run` return."""
        self._stop.set()

    def _show_failure(self, event: DeliveryEvent, error: Unavailable) -> None:
        """What went wrong, where it is another thing than at the last try; that it is not, once."""
        if isinstance(error, WebhookRefused):
            status, remarks = str(error.status), self._trials.after_refusal(event, error.status)
        else:
            status, remarks = "no answer", [wrong(_ABOUT_CODE.get(error.code, error.code))]
        self._alike = self._alike + 1 if remarks == self._last_failure else 0
        self._last_failure = remarks
        if self._alike == 1:
            remarks = [note("as before. It is sent again and again; this is said once")]
        if self._alike <= 1:
            self._screen.show(f"event of delivery {event.delivery_id} -> {status}", remarks)
