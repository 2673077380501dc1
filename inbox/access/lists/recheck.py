"""Rechecks our own lists: a sample of the listed rows is decided again by casbin.

The two are made of the same rows. Should they ever differ, a list is not to be believed, and this
process shows none any more.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from inbox.access import permit
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, OfMessage, RequestFacts
from inbox.domain import MessageId
from inbox.errors import Unavailable

LISTING_DIFFERS: Final = "access.listing_differs"
"""The code of lists that have stopped, and of the alarm."""


@dataclass(frozen=True, kw_only=True)
class ListDifference:
    """A message that was in the list of a capacity which may not perform the action on it."""

    message_id: MessageId
    capacity: str
    action: Action
    rule: str
    digest: str


class Recheck:
    """The recheck of one process, shared by its threads.

    Once a difference is found, lists stay disabled.
    """

    def __init__(self, share: float, draw: Callable[[], float] = random.random) -> None:
        """`share` is how much is decided again: 0.01 is one row in a hundred, 1 is every row."""
        if not 0 <= share <= 1:
            raise ValueError("a share is between 0 and 1")
        self.share: Final = share
        self._draw = draw
        self.difference: ListDifference | None = None
        """What the alarm is about: ids and codes only. None: lists may be shown."""

    def check_trusted(self) -> None:
        """Raise `Unavailable` if a list has ever been wrong in this process."""
        if self.difference is not None:
            raise Unavailable(
                LISTING_DIFFERS, "a list and a decision differed: restart once it is mended"
            )

    def check(  # noqa: PLR0913 - a question, and what was listed as its answer
        self,
        session: Session,
        policy: Policy,
        now: datetime,
        *,
        capacity: Capacity,
        action: Action,
        request: RequestFacts,
        listed: Sequence[MessageId],
    ) -> None:
        """Decide a sample of the rows again, in the transaction that listed them."""
        for message_id in listed:
            if self._draw() >= self.share:
                continue
            decision = permit(
                session,
                policy,
                now,
                capacity=capacity,
                action=action,
                subject=OfMessage(message_id=message_id),
                request=request,
            )
            if not decision.allowed:
                self.difference = ListDifference(
                    message_id=message_id,
                    capacity=capacity.id,
                    action=action,
                    rule=decision.rule,
                    digest=decision.digest,
                )
        self.check_trusted()
