"""An integrasjonspunkt that looks, before it does what it is asked, whether that may be done."""

import json
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.wire import Call, SimulatedResponse
from inbox.simulator.packages import envelopes

_OUT = "/api/messages/out"
_OK = 200


class Violation(StrEnum):
    """What must never be seen."""

    EARLY_DELETE = "deleted at the gateway before it was durable here"
    UNTRUE = "told the sender OK before the archive had it"
    LOST = "gone from the gateway, and not here"
    STILL_WAITS = "still waits at the gateway"
    NOT_REGISTERED = "not in the archive"
    REGISTERED_TWICE = "more than once in the archive"
    UNANSWERED = "its sender has no kvittering"
    ANSWERED_TWICE = "its sender has more than one kvittering"
    OTHER_ANSWER = "its sender has another answer than expected"
    LEFT_BEHIND = "a kvittering was made at the gateway and never sent"
    TOLD_TWICE = "a delivery was told of under two ids, and not as a reminder"
    NEVER_TOLD = "a case system never heard of its delivery"
    OTHER_END = "ended otherwise than when nothing is killed"
    AUDIT = "the audit does not hold"


class GatewayMonitor(GatewaySimulator):
    """Asks `may_delete` and `may_say_ok` at the moment of each call; keeps what was wrong."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.wrong: list[tuple[Violation, str]] = []
        self.may_delete: Callable[[str], bool] = lambda wire_id: True
        self.may_say_ok: Callable[[str], bool] = lambda wire_id: True
        self.deleted: list[str] = []
        self.unsent: dict[str, str] = {}
        """The messages of kvitteringer that were made and not let go."""
        self._said: dict[str, tuple[str, str]] = {}

    def answer(self, call: Call) -> SimulatedResponse:
        """Look first, then do it."""
        self._look(call)
        answer = super().answer(call)
        before, _, argument = call.path.rpartition("/")
        if answer.status == _OK and (call.method, call.path) == ("POST", _OUT):
            made = answer.message_id or ""
            self.unsent[made] = self._said[made][0]
        elif answer.status == _OK and (call.method, before) == ("POST", _OUT):
            self.unsent.pop(argument, None)
        return answer

    def _look(self, call: Call) -> None:
        before, _, argument = call.path.rpartition("/")
        if (call.method, before) == ("DELETE", "/api/messages/in"):
            if not self.may_delete(argument):
                self.wrong.append((Violation.EARLY_DELETE, argument))
            self.deleted.append(argument)
        elif (call.method, call.path) == ("POST", _OUT):
            self._remember(json.loads(call.body))
        elif (call.method, before) == ("POST", _OUT):
            related, kind = self._said.get(argument, ("", ""))
            if kind == "OK" and not self.may_say_ok(related):
                self.wrong.append((Violation.UNTRUE, related))

    def _remember(self, envelope: envelopes.Envelope) -> None:
        body = envelopes.look(envelope, envelopes.type_of(envelope))
        self._said[envelopes.message_id_of(envelope)] = (
            envelopes.text_at(body, "relatedToMessageId"),
            envelopes.text_at(body, "receiptType"),
        )
