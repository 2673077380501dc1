"""Webhooks as the code does them: one attempt, unsigned, errors forgotten, order not promised."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from inbox.simulator.gateway.statuses import Conversation, Status
from inbox.simulator.http.wire import Refusal
from inbox.simulator.packages.envelopes import text_at, wire_time

FIELDS = ("name", "pushEndpoint", "resource", "event", "filter")


@dataclass(kw_only=True)
class WebhookSubscription:
    """One subscriber."""

    number: int
    fields: dict[str, str]

    def show(self) -> Mapping[str, object]:
        """As the API gives it."""
        return {"id": self.number, **self.fields}

    def wants(self, event: Mapping[str, object]) -> bool:
        """Whether the filter lets it through: comma lists, letter case ignored."""
        for part in filter(None, self.fields.get("filter", "").split("&")):
            name, _, wanted = part.partition("=")
            if str(event.get(name, "")).lower() not in wanted.lower().split(","):
                return False
        return True


class Subscriptions:
    """Who gets webhooks; the caller holds the lock. Posting happens on a thread of its own."""

    def __init__(self) -> None:
        self._all: dict[int, WebhookSubscription] = {}
        self._made = 0
        self._poster: ThreadPoolExecutor | None = None

    def add(self, body: object) -> WebhookSubscription:
        """A new subscriber, who gets a ping; the same name and endpoint again are 400."""
        fields = {name: text_at(body, name) for name in FIELDS if text_at(body, name)}
        same = {
            each.fields["name"] + " " + each.fields["pushEndpoint"] for each in self._all.values()
        }
        if not fields.get("name") or not fields.get("pushEndpoint"):
            name = "org.springframework.web.bind.MethodArgumentNotValidException"
            raise Refusal(400, name, "Validation failed")
        if fields["name"] + " " + fields["pushEndpoint"] in same:
            raise Refusal(400, "SubscriptionWithSameNameAndPushEndpointAlreadyExists", "exists")
        self._made += 1
        subscription = WebhookSubscription(number=self._made, fields=fields)
        self._all[subscription.number] = subscription
        self._ping(subscription)
        return subscription

    def find(self, number: str) -> WebhookSubscription:
        """One subscriber, or 404."""
        found = self._all.get(int(number)) if number.isdecimal() else None
        if found is None:
            raise Refusal(404, "SubscriptionNotFoundException", f"no subscription {number}")
        return found

    def change(self, number: str, body: object) -> WebhookSubscription:
        """Change the given fields only, and ping."""
        subscription = self.find(number)
        subscription.fields |= {name: text_at(body, name) for name in FIELDS if text_at(body, name)}
        self._ping(subscription)
        return subscription

    def remove(self, number: str) -> None:
        """It gets no more webhooks."""
        del self._all[self.find(number).number]

    def all(self) -> list[WebhookSubscription]:
        """Every subscriber."""
        return list(self._all.values())

    def tell(self, conversation: Conversation, status: Status) -> None:
        """Tell every subscriber of this status, once."""
        event: dict[str, object] = {
            "createdTs": wire_time(status.at),
            "resource": "messages",
            "event": "status",
            "messageId": conversation.message_id,
            "conversationId": conversation.conversation_id,
            "direction": conversation.direction,
            "serviceIdentifier": conversation.service,
            "status": status.name,
        }
        for subscription in self._all.values():
            if subscription.wants(event):
                self._post(subscription, event)

    def _ping(self, subscription: WebhookSubscription) -> None:
        self._post(subscription, {"createdTs": wire_time(datetime.now(UTC)), "event": "ping"})

    def _post(self, subscription: WebhookSubscription, event: Mapping[str, object]) -> None:
        if self._poster is None:
            self._poster = ThreadPoolExecutor(max_workers=1, thread_name_prefix="webhooks")
        self._poster.submit(_attempt, subscription.fields["pushEndpoint"], event)


def _attempt(endpoint: str, event: Mapping[str, object]) -> None:
    try:
        httpx.post(endpoint, json=event, timeout=10, trust_env=False)
    except httpx.HTTPError:
        return  # one attempt, errors forgotten: as the gateway does
