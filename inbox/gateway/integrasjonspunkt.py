"""The client for an integrasjonspunkt (eFormidling 2, REST), as a `Gateway`.

Its locks have no owner and last five minutes, so a lock here is advice: what counts is the claim in
our own tables, and that the line stores before it lets `confirm` delete.
"""

import json
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from urllib.parse import quote

import httpx

from inbox.domain import RESPONSE_PROCESS, OrgNumber, Service, WireId
from inbox.errors import Gone, Unavailable
from inbox.gateway import (
    FORGOTTEN,
    ConfirmResult,
    IncomingPackage,
    Notice,
    ReceiptRoute,
    SendStatus,
    SetupFault,
)
from inbox.gateway.envelope_peek import EnvelopeHeader, read_envelope_header
from inbox.gateway.http import (
    DEFAULT_BOUNDS,
    Bounds,
    Connection,
    Transfer,
    check_protected,
    client_for,
)
from inbox.gateway.responses import (
    ALREADY_EXISTS,
    IDENTIFIER_NOT_FOUND,
    MESSAGE_NOT_FOUND,
    NO_CONTENT,
    NOT_LOCKED,
    OK,
    GatewayResponse,
    accepts_receipts,
    check_receipt_accepted,
    json_array,
    json_at,
    json_text,
    outage_error,
    package_error,
    send_status,
)
from inbox.gateway.statuses import (
    IncomingConversation,
    ended_undelivered,
    incoming_conversation,
    newest_receivers,
    status_names,
    taken_since,
)

__all__ = ["Bounds", "Integrasjonspunkt", "Subscription", "check_protected", "client_for"]

_IN = "/api/messages/in"
_OUT = "/api/messages/out"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """Which mail we take: to this organisation, by this service, in this process."""

    organisation: OrgNumber
    service: Service
    process: str

    @property
    def filters(self) -> dict[str, str]:
        """Query parameters of peek. A misspelt name would lock anything, an empty value nothing."""
        return {
            "process": self.process,
            "serviceIdentifier": self.service.value,
            "receiverIdentifier": self.organisation,
        }

    def covers(self, header: EnvelopeHeader) -> bool:
        """Whether the message matches this subscription: some gateway versions do not filter."""
        return bool(
            header.wire_id
            and header.process == self.process
            and header.receiver == self.organisation
        )


def _now() -> datetime:
    return datetime.now(UTC)


class Integrasjonspunkt:
    """One integrasjonspunkt as a `Gateway`; may be shared by threads. The client stays its owner's.

    An authentication error, a garbled answer or an outage is always `Unavailable`: nothing that an
    operator can put right makes us give a message up.
    """

    def __init__(
        self,
        client: httpx.Client,
        *,
        channel: str,
        subscriptions: tuple[Subscription, ...],
        bounds: Bounds = DEFAULT_BOUNDS,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self.channel = channel
        self.misfits = 0
        """How often the gateway gave what we had not asked for, since the start."""
        self._subscriptions = subscriptions
        self._turns = count()
        self._connection = Connection(client, bounds=bounds, now=now)

    def waiting_notices(self, at_most: int) -> Iterator[Notice]:
        """Lock and yield waiting messages, one of each subscription in turn, at most `at_most`.

        Ends when the gateway has nothing more to lock, which does not mean that it is empty. The
        same id may come twice in a round: what was taken meanwhile has been delivered again. A bad
        answer to one subscription does not keep the others waiting: it is raised at the end.
        """
        waiting = deque(self._subscriptions)
        waiting.rotate(-next(self._turns))
        given, latest = 0, dict[Subscription, str]()
        failures = list[Unavailable]()
        while waiting and given < at_most:
            subscription = waiting.popleft()
            answer = self._connection.request("GET", f"{_IN}/peek", params=subscription.filters)
            try:
                notice = self._notice_of(answer, subscription)
            except Unavailable as error:
                failures.append(error)
                continue
            if notice is None:
                continue
            given += 1
            locks = latest.get(subscription) != notice.wire_id
            if locks:
                waiting.append(subscription)
            latest[subscription] = notice.wire_id
            yield notice
        if failures:
            raise failures[0]

    @contextmanager
    def fetch(self, notice: Notice) -> Iterator[IncomingPackage]:
        """See `Gateway.fetch`. Locks the message again when its lock has run out."""
        transfer = self._pop(notice)
        try:
            yield IncomingPackage(chunks=transfer.chunks())
        finally:
            transfer.close()

    def confirm(self, notice: Notice) -> ConfirmResult:
        """DELETE the message: the sender sees LEVERT.

        Only for messages that are stored, or that two people gave up.

        Raises nothing but `Unavailable`: a lost answer, repeated, comes back as GONE. The gateway
        answers with the envelope; a 200 without one is somebody else's, and nothing was deleted.
        """
        path = f"{_IN}/{quote(notice.wire_id, safe='')}"
        answer = self._connection.request("DELETE", path)
        if answer.kind == NOT_LOCKED:
            self._lock_again(notice)
            answer = self._connection.request("DELETE", path)
        if answer.kind == MESSAGE_NOT_FOUND:
            return ConfirmResult.GONE
        if answer.kind == NOT_LOCKED:
            raise Unavailable("gateway.locked_elsewhere", "the lock did not hold")
        if answer.status != OK:
            raise outage_error(answer)
        if read_envelope_header(answer.body).wire_id != notice.wire_id:
            raise Unavailable("gateway.garbled", "it deleted something else")
        return ConfirmResult.DELIVERED

    def receipt_route(self, receiver: OrgNumber) -> ReceiptRoute:
        """See `Gateway.receipt_route`: by anything but DPO the gateway discards it and says LEVERT.

        The obstacle is `receipt.no_capability` or `receipt.not_dpo`.
        """
        path = f"/api/capabilities/{receiver}"
        answer = self._connection.request("GET", path, params={"process": RESPONSE_PROCESS})
        if answer.kind == IDENTIFIER_NOT_FOUND:
            return ReceiptRoute(obstacle="receipt.no_capability")
        found = [
            capability
            for capability in json_array(answer.json_object().get("capabilities"))
            if json_at(capability, "process") == RESPONSE_PROCESS
        ]
        if any(json_at(capability, "serviceIdentifier") != Service.DPO for capability in found):
            return ReceiptRoute(obstacle="receipt.not_dpo")
        if not any(accepts_receipts(capability) for capability in found):
            return ReceiptRoute(obstacle="receipt.no_capability")
        return ReceiptRoute()

    def create_receipt(self, receipt_id: str, body: Mapping[str, object]) -> None:
        """See `Gateway.create_receipt`. The id must be in `body` too, and in lower case.

        What comes back under another id was not created as ours: `Unavailable`.
        """
        answer = self._connection.request("POST", _OUT, content=body)
        if answer.kind == ALREADY_EXISTS:
            return
        check_receipt_accepted(answer)
        if read_envelope_header(answer.body).wire_id != receipt_id:
            raise Unavailable("gateway.garbled", "it created something else")

    def send_receipt(self, receipt_id: str) -> None:
        """See `Gateway.send_receipt`. Raises `NeverAccepted` as `create_receipt` does.

        Raises `Gone` if it is neither there nor sent: somebody discarded it, or (with the code
        `gateway.forgotten`) the gateway has never heard of it.
        """
        answer = self._connection.request("POST", f"{_OUT}/{quote(receipt_id, safe='')}")
        if answer.kind == MESSAGE_NOT_FOUND:
            status = self.receipt_status(receipt_id)
            if status is SendStatus.UNKNOWN:
                raise Gone(FORGOTTEN, "created, and now unknown")
            if status is SendStatus.CREATED:
                raise Gone("gateway.gone", "created, and neither there nor sent")
            return
        check_receipt_accepted(answer)
        answer.check_ok()

    def receipt_status(self, receipt_id: str) -> SendStatus:
        """See `Gateway.receipt_status`, by all statuses that were ever set, in any order."""
        return send_status(status_names(self._connection, receipt_id))

    def undelivered(self, since: datetime) -> Iterator[Mapping[WireId, str]]:
        """See `Gateway.undelivered`."""
        return ended_undelivered(self._connection, since)

    def undelivered_notice(self, wire_id: WireId) -> Notice | None:
        """See `Gateway.undelivered_notice`."""
        return self._notice_if_ours(wire_id, incoming_conversation(self._connection, wire_id))

    def taken(self, since: datetime) -> Iterator[list[WireId]]:
        """See `Gateway.taken`."""
        return taken_since(self._connection, since)

    def taken_notice(self, wire_id: WireId) -> Notice | None:
        """See `Gateway.taken_notice`."""
        found = incoming_conversation(self._connection, wire_id, taken=True)
        return self._notice_if_ours(wire_id, found)

    def _notice_if_ours(self, wire_id: WireId, found: IncomingConversation | None) -> Notice | None:
        """Only if it was for us, by the same three things that peek is filtered by."""
        for each in self._subscriptions if found is not None else ():
            if found is not None and (each.organisation, each.service, each.process) == (
                found.receiver,
                found.service,
                found.process,
            ):
                return Notice(
                    channel=self.channel,
                    service=each.service,
                    organisation=each.organisation,
                    wire_id=wire_id,
                    expires_at=found.expires_at,
                )
        return None

    def waiting_envelope(self, notice: Notice) -> bytes | None:
        """See `Gateway.waiting_envelope`: the list of what waits locks nothing."""
        answer = self._connection.request("GET", _IN, params={"messageId": notice.wire_id})
        for each in json_array(answer.json_object().get("content")):
            envelope = json.dumps(each).encode()
            if read_envelope_header(envelope).wire_id == notice.wire_id:
                return envelope
        return None

    def setup_faults(self) -> tuple[SetupFault, ...]:
        """See `Gateway.setup_faults`: by the registry, and by the newest that came to it."""
        faults = []
        for organisation, process in dict.fromkeys(
            (each.organisation, each.process) for each in self._subscriptions
        ):
            services = {
                each.service.value
                for each in self._subscriptions
                if (each.organisation, each.process) == (organisation, process)
            }
            if not services & self._registered_services(organisation, process):
                reason = f"{organisation}: {process} by {', '.join(sorted(services))}"
                faults.append(SetupFault(code="gateway.not_registered", reason=reason))
        receivers = newest_receivers(self._connection)
        if receivers and not receivers & {each.organisation for each in self._subscriptions}:
            reason = f"for {', '.join(sorted(receivers))}"
            faults.append(SetupFault(code="gateway.another", reason=reason))
        return tuple(faults)

    def _registered_services(self, organisation: OrgNumber, process: str) -> set[str]:
        """By which services mail of this process comes to the organisation, says the registry."""
        path = f"/api/capabilities/{organisation}"
        answer = self._connection.request("GET", path, params={"process": process})
        if answer.kind == IDENTIFIER_NOT_FOUND:
            return set()
        return {
            json_text(json_at(capability, "serviceIdentifier"))
            for capability in json_array(answer.json_object().get("capabilities"))
            if json_at(capability, "process") == process
        }

    def clock_skew(self) -> timedelta | None:
        """See `Gateway.clock_skew`: by its last answer; asks for its health if there was none."""
        if self._connection.skew is None:
            self._connection.request("GET", "/manage/health")
        return self._connection.skew

    def _notice_of(self, answer: GatewayResponse, subscription: Subscription) -> Notice | None:
        """None when there is nothing to lock, or it is not ours: that one is left alone."""
        if answer.status == NO_CONTENT:
            return None
        if answer.status != OK:
            raise outage_error(answer)
        glimpse = read_envelope_header(answer.body)
        if not subscription.covers(glimpse):
            self._count_misfit()
            return None
        return Notice(
            channel=self.channel,
            service=subscription.service,
            organisation=subscription.organisation,
            wire_id=glimpse.wire_id,
            envelope=answer.body,
            expires_at=glimpse.expires_at,
        )

    def _count_misfit(self) -> None:
        self.misfits += 1
        _log.warning("gateway.misfit", extra={"channel": self.channel})

    def _pop(self, notice: Notice) -> Transfer:
        path = f"{_IN}/pop/{quote(notice.wire_id, safe='')}"
        opened = self._connection.open(path)
        if isinstance(opened, GatewayResponse) and opened.kind == NOT_LOCKED:
            self._lock_again(notice)
            opened = self._connection.open(path)
        if isinstance(opened, GatewayResponse):
            raise package_error(opened)
        return opened

    def _lock_again(self, notice: Notice) -> None:
        """Peek by id, under the same filters as ever. `Unavailable` while another's lock stands."""
        for subscription in self._subscriptions:
            if (subscription.organisation, subscription.service) != (
                notice.organisation,
                notice.service,
            ):
                continue
            params = {"messageId": notice.wire_id, **subscription.filters}
            answer = self._connection.request("GET", f"{_IN}/peek", params=params)
            if answer.status == NO_CONTENT:
                continue
            if answer.status != OK:
                raise outage_error(answer)
            glimpse = read_envelope_header(answer.body)
            if glimpse.wire_id != notice.wire_id or not subscription.covers(glimpse):
                self._count_misfit()
                raise Unavailable("gateway.filters_ignored", "peek by id gave something else")
            return
        raise Unavailable("gateway.locked_elsewhere", "locked by another, or just being freed")
