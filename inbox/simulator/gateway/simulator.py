"""A stand-in for an integrasjonspunkt, as strict and awkward as it is, with faults by script."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from inbox.simulator.gateway import incoming, lookups, outgoing
from inbox.simulator.gateway.outbox import OtherEnd
from inbox.simulator.gateway.queue import Damage, Package
from inbox.simulator.gateway.state import Capabilities, Setup, State
from inbox.simulator.http.asgi import DeskApp, Seen, operation_of
from inbox.simulator.http.faults import Does, Fault, Script, faults_of
from inbox.simulator.http.wire import (
    Call,
    Refusal,
    SimulatedResponse,
    refusal_answer,
    unauthorised_answer,
)
from inbox.simulator.packages import envelopes
from inbox.simulator.packages.envelopes import RESPONSE, TAUSHETSBELAGT, Envelope

__all__ = ["Damage", "Fault", "GatewaySimulator", "OtherEnd", "Seen"]

Endpoint = Callable[[State, Call], SimulatedResponse]
ROUTES: Mapping[str, Mapping[str, Endpoint]] = {
    "/api/messages/in": {"GET": incoming.find},
    "/api/messages/in/peek": {"GET": incoming.peek},
    "/api/messages/in/pop/{messageId}": {"GET": incoming.pop},
    "/api/messages/in/{messageId}": {"DELETE": incoming.delete},
    "/api/messages/out": {"GET": outgoing.show_all, "POST": outgoing.create},
    "/api/messages/out/{messageId}": {
        "GET": outgoing.show,
        "POST": outgoing.send,
        "DELETE": outgoing.discard,
    },
    "/api/capabilities/{identifier}": {"GET": lookups.capabilities},
    "/api/statuses": {"GET": lookups.statuses},
    "/api/statuses/{messageId}": {"GET": lookups.statuses},
    "/api/conversations": {"GET": lookups.conversations},
    "/api/conversations/messageId/{messageId}": {"GET": lookups.conversation},
    "/api/subscriptions": {"GET": lookups.subscriptions, "POST": lookups.subscriptions},
    "/api/subscriptions/{id}": {
        "GET": lookups.subscription,
        "PUT": lookups.subscription,
        "DELETE": lookups.subscription,
    },
    "/manage/health": {"GET": lookups.health},
    "/manage/health/liveness": {"GET": lookups.health},
    "/manage/health/readiness": {"GET": lookups.health},
    "/manage/info": {"GET": lookups.info},
}
_PATTERNS = [(template, re.compile(re.sub(r"\{\w+\}", "([^/]+)", template))) for template in ROUTES]
OPEN = ("/manage/health", "/manage/info")
DEFAULT_CAPABILITIES: Capabilities = {
    "910077473": {RESPONSE: "DPO", TAUSHETSBELAGT: "DPO"},
    "910075918": {RESPONSE: "DPO", TAUSHETSBELAGT: "DPO"},
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class GatewaySimulator:
    """One integrasjonspunkt, and beside it the senders at the other end.

    `app` is for `server.serve`; everything else here is for tests that stage and judge. All of it
    may be called from any thread. Messages of other processes, other receivers and kvitteringer
    for our own mail may be put into the same queue.
    """

    def __init__(  # noqa: PLR0913 - each setting of a gateway, by name
        self,
        *,
        clock: Callable[[], datetime] = _utc_now,
        lock_time: timedelta = timedelta(minutes=5),
        own_org: str = "910075918",
        capabilities: Capabilities = DEFAULT_CAPABILITIES,
        enabled: Iterable[str] = ("DPO",),
        credentials: tuple[str, str] | None = None,
        trailing_slash: bool = False,
        pace: timedelta = timedelta(milliseconds=200),
        registry_cached_for: timedelta = timedelta(),
        faults: Iterable[Fault | str] = (),
    ) -> None:
        self._setup = Setup(
            own_org=own_org,
            capabilities={org: dict(each) for org, each in capabilities.items()},
            enabled=frozenset(enabled),
            credentials=credentials,
            trailing_slash=trailing_slash,
            registry_cached_for=registry_cached_for,
        )
        self._state = State(self._setup, clock, lock_time=lock_time, pace=pace)
        self._script = Script()
        self._journal: list[Seen] = []
        self.app = DeskApp(self)
        self.stage(*faults)

    # What the transport and the outside world do

    def put(self, envelope: Envelope, package: Package = None, *, service: str = "DPO") -> str:
        """The transport delivers a message; gives its id. An expired one is dropped, as in life."""
        with self._state.look() as inside:
            inside.receive(envelope, package, service)
        return envelopes.message_id_of(envelope)

    def redeliver(self, message_id: str, package: Package = None) -> None:
        """Deliver it again, with other bytes if given; while it waits, only those bytes count."""
        with self._state.look() as inside:
            inside.redeliver(message_id, package or inside.delivered[message_id].package)

    def lose(self, message_id: str) -> None:
        """Another consumer took and deleted it: gone, and the sender has LEVERT."""
        with self._state.look() as inside:
            for waiting in inside.queue.all():
                if waiting.message_id == message_id:
                    inside.delete(waiting)

    def expire(self, message_id: str) -> None:
        """It expires now."""
        with self._state.look() as inside:
            inside.queue.expire(message_id, inside.now)

    def unlock(self, message_id: str) -> None:
        """Its lock runs out now."""
        with self._state.look() as inside:
            inside.queue.unlock(message_id, inside.now)

    def other_end(self, behaves: OtherEnd, *, of: str | None = None) -> None:
        """From now on the receivers of our messages behave like this, or only one of them."""
        with self._state.look() as inside:
            if of is None:
                inside.outbox.other_end = behaves
            else:
                inside.outbox.end_of[of] = behaves

    def registry(self, org_number: str, capabilities: Mapping[str, str] | None) -> None:
        """Change what the registry says of an organisation (process -> service); None: unknown."""
        with self._state.look():
            self._setup.capabilities.pop(org_number, None)
            if capabilities is not None:
                self._setup.capabilities[org_number] = dict(capabilities)

    def cache_registry(self, span: timedelta) -> None:
        """From now on keep what the registry says of an organisation for so long."""
        with self._state.look():
            self._setup.registry_cached_for = span

    def slow_down(self, pace: timedelta) -> None:
        """From now on each step of our messages on their way takes so long."""
        with self._state.look() as inside:
            inside.outbox.pace = pace

    def deliver_late(self, by: timedelta) -> None:
        """From now on the sender hears LEVERT so long after the DELETE; a kvittering passes it."""
        with self._state.look():
            self._setup.delivered_late_by = by

    def crash(self, *, losing: int) -> int:
        """Restart without the last writes that clients caused; returns how many were lost.

        A message is in the queue again and locked, a kvittering unsent or not even created. What
        has reached the senders stays there.
        """
        with self._state.look() as inside:
            return inside.writes.undo(losing)

    def healthy(self, *, up: bool) -> None:
        """What `/manage/health` says from now on."""
        self._setup.healthy = up

    def stage(self, *faults: Fault | str) -> None:
        """Add to the script of faults; each counts its calls from now."""
        with self._state.look():
            for fault in faults_of(faults):
                self._script.add(fault)

    def calm(self) -> None:
        """From now on nothing goes wrong."""
        with self._state.look():
            self._script.clear()

    # What can be seen from outside

    def queue(self) -> list[str]:
        """The ids that wait, locked ones too, in the order they came."""
        with self._state.look() as inside:
            return [waiting.message_id for waiting in inside.queue.all()]

    def locked(self) -> list[str]:
        """The ids under a lock."""
        with self._state.look() as inside:
            return [each.message_id for each in inside.queue.all() if each.locked_until is not None]

    def statuses(self, message_id: str) -> list[str]:
        """The own gateway's statuses of a message, in either direction."""
        with self._state.look() as inside:
            found = inside.ledger.find(message_id)
            return found.names() if found is not None else []

    def sender_statuses(self, message_id: str) -> list[str]:
        """What the sender has heard of its message, in order: OPPRETTET, SENDT, MOTTATT …."""
        with self._state.look() as inside:
            return inside.sender.statuses(message_id)

    def receipts_at_sender(self) -> list[dict[str, object]]:
        """Kvitteringer that arrived: messageId, receiver, relatedToMessageId, receiptType, body."""
        with self._state.look() as inside:
            return inside.sender.receipts()

    @property
    def journal(self) -> list[Seen]:
        """Every request so far, in the order they came in."""
        with self._state.look():
            return list(self._journal)

    # What the socket asks (`asgi.Desk`)

    def now(self) -> datetime:
        """The gateway's own time."""
        return self._state.clock()

    def enter(self, call: Call) -> tuple[Seen, list[Fault]]:
        """Write the journal and find the faults that strike."""
        template, argument = _place(call.path)
        message_id = argument if "{messageId}" in template else None
        with self._state.look() as inside:
            faults = self._script.strike(operation_of(template, call.method), message_id)
            seen = Seen(
                number=len(self._journal),
                method=call.method,
                path=template,
                message_id=message_id,
                query="&".join(f"{name}={value}" for name, value in call.query.items()),
                at=inside.now,
                faults=tuple(fault.does for fault in faults),
            )
            self._journal.append(seen)
        return seen, faults

    def finish(self, seen: Seen) -> None:
        """Complete that line of the journal."""
        with self._state.look():
            self._journal[seen.number] = seen

    def strike(self, fault: Fault, message_id: str | None) -> None:
        """Do to the message what the fault says; a crash needs none."""
        if fault.does is Does.CRASH:
            self.crash(losing=fault.writes)
        if message_id is None:
            return
        if fault.does is Does.LOSE_LOCK:
            self.unlock(message_id)
        elif fault.does is Does.EXPIRE:
            self.expire(message_id)
        elif fault.does is Does.GO_MISSING:
            self.lose(message_id)
        elif fault.does is Does.REDELIVER:
            with self._state.look() as inside:
                inside.again.append((inside.now + fault.after, message_id))

    def answer(self, call: Call) -> SimulatedResponse:
        """Do it, as the real one would."""
        if not self._may_enter(call):
            return unauthorised_answer(call.path, call.at)
        try:
            return self._endpoint(call)
        except Refusal as refusal:
            return refusal_answer(refusal, call.path, call.at)

    def _endpoint(self, call: Call) -> SimulatedResponse:
        path = call.path
        if ".." in path.split("/"):
            name = "org.springframework.security.web.firewall.RequestRejectedException"
            raise Refusal(400, name, "the URL was not normalized")
        if self._setup.trailing_slash and path != "/":
            path = path.rstrip("/")
        template, argument = _place(path)
        methods = ROUTES.get(template)
        if methods is None:
            name = "org.springframework.web.servlet.resource.NoResourceFoundException"
            raise Refusal(404, name, f"No static resource {path.lstrip('/')}.")
        method = "GET" if call.method == "HEAD" else call.method
        if method not in methods:
            name = "org.springframework.web.HttpRequestMethodNotSupportedException"
            raise Refusal(405, name, f"Request method '{call.method}' is not supported")
        return methods[method](self._state, replace(call, argument=argument))

    def _may_enter(self, call: Call) -> bool:
        """Off: all may. On: wrong credentials close even what is open to those without (§11.6)."""
        wanted, given = self._setup.credentials, call.headers.get("authorization")
        if wanted is None:
            return True
        if given is None:
            return call.path in OPEN
        try:
            decoded = base64.b64decode(given.removeprefix("Basic "), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        return decoded == ":".join(wanted)


def _place(path: str) -> tuple[str, str]:
    """The template of a path and what its variable holds; the path itself where none fits."""
    if path in ROUTES:
        return path, ""
    for template, pattern in _PATTERNS:
        found = pattern.fullmatch(path)
        if found is not None:
            return template, found[1]
    return path, ""
