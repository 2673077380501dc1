"""What a case system does with one delivery: fetch, compare, register or refuse, and say so."""

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from inbox.simulator.casesystem.api_client import (
    IN_MEMORY,
    DeliveryDescription,
    ProductApi,
    Trouble,
    check_contents,
)
from inbox.simulator.casesystem.registry import Registry

_WRONG_REFERENCE = "1999/000001-1"


def _never(_told: DeliveryDescription) -> str | None:
    return None


def _none(_delivery_id: str) -> bool:
    return False


def _not_this(_told: DeliveryDescription) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How it behaves; unset, as it should."""

    refuse_if: Callable[[DeliveryDescription], str | None] = _never
    """The code with which it refuses a delivery; None registers it."""
    passes_over: Callable[[str], bool] = _none
    """The deliveries that it never looks at."""
    falls_silent: Callable[[DeliveryDescription], bool] = _not_this
    """Those that it has collected, and never says its final word about."""
    slow_by: timedelta = timedelta()
    """It takes this long between having the bytes and its final word."""
    failing_webhooks: int = 0
    """So many webhooks are answered 500 first."""
    forgotten_webhooks: int = 0
    """So many webhooks are answered 204 first, and forgotten."""
    away: bool = False
    """Webhooks are answered 503, and it asks for nothing."""
    says_twice: bool = False
    """It says every word twice."""
    contradicts: bool = False
    """After its final word it says another that does not go with it."""


@dataclass(frozen=True, kw_only=True)
class SentAcknowledgement:
    """One word of ours, and what the product made of it."""

    delivery_id: str
    message_id: str
    word: str
    status: int
    said: str
    """The product's answer: what it made of the word, or its problem's code."""
    code: str = ""
    """Why it was refused."""


@dataclass(frozen=True, kw_only=True)
class Clerk:
    """Sees to deliveries; `note` hears every word that was said."""

    api: ProductApi
    registry: Registry
    clock: Callable[[], datetime]
    stopping: threading.Event
    note: Callable[[SentAcknowledgement], None]

    def see_to(self, delivery_id: str, behaviour: Behaviour) -> None:
        """Everything about one delivery. Safe to repeat: a package has one entry, ever.

        Raises `Trouble`; what was said by then was said.
        """
        if behaviour.passes_over(delivery_id):
            return
        told = self.api.told(delivery_id)
        with self.api.package(delivery_id) as (kept, sha256):
            if told.sha256 not in ("", sha256):
                raise Trouble("package.other_bytes", again=True)
            check_contents(kept, told)
        self._check_documents(told)
        self._say(told, behaviour, "accepted", {})
        if self.stopping.wait(behaviour.slow_by.total_seconds()):
            raise Trouble("stopped", again=True)
        if behaviour.falls_silent(told):
            return
        code = behaviour.refuse_if(told)
        if code is not None:
            self._say(told, behaviour, "refused", {"code": code, "text": "Avvist av fagsystemet."})
        else:
            at = self.clock()
            entry = self.registry.enter(message_id=told.message_id, sha256=sha256, at=at)
            self._say(told, behaviour, "registered", {"reference": entry.reference})
        if behaviour.contradicts:
            self._contradict(told, refused=code is not None)

    def _check_documents(self, told: DeliveryDescription) -> None:
        """The small ones one by one as well: the same bytes must come that way too."""
        for document in told.documents:
            if document.size <= IN_MEMORY:
                content = self.api.document(told.delivery_id, document.number)
                if hashlib.sha256(content).hexdigest() != document.sha256:
                    raise Trouble("document.other_bytes", again=False)

    def _say(
        self, told: DeliveryDescription, behaviour: Behaviour, word: str, body: Mapping[str, str]
    ) -> None:
        for _ in range(2 if behaviour.says_twice else 1):
            status, said = self.api.say(told.delivery_id, word, body)
            self.note(
                SentAcknowledgement(
                    delivery_id=told.delivery_id,
                    message_id=told.message_id,
                    word=word,
                    status=status,
                    said=said,
                    code=body.get("code", ""),
                )
            )

    def _contradict(self, told: DeliveryDescription, *, refused: bool) -> None:
        if refused:
            self._say(told, Behaviour(), "registered", {"reference": _WRONG_REFERENCE})
        else:
            self._say(told, Behaviour(), "refused", {"code": "changed_mind", "text": ""})
