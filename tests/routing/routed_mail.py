"""Mail that has been routed, as rows: many at once, without the line that would have brought it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from inbox import audit
from inbox.access import Policy
from inbox.access.files.folder import load_policy
from inbox.access.question import Capacity
from inbox.domain import (
    ARKIVMELDING_DOCUMENT_TYPE,
    CONFIDENTIAL_PROCESS,
    MessageState,
    Service,
    new_id,
)
from inbox.keys import DataKey, Keyring, create_keys
from inbox.line.routing_simulation import GroupCounts, SimulationRequest, simulate
from inbox.migrations import shipped_folder
from inbox.routing.rule_book import RuleBook
from inbox.store import Store, Transaction, create_engine
from inbox.tables import AuditHead, Message, WrappedKey
from tests.access.town import BERGVIK, NOW, Town
from tests.routing.rule_books import STRANGER, the_book
from tests.worlds import closing_engine, sharing_statements


@cache
def the_policy() -> Policy:
    """The shipped one, read once."""
    return load_policy(shipped_folder("policies"))


@dataclass(frozen=True, kw_only=True)
class Post:
    """Puts mail into a database, in one transaction."""

    keyring: Keyring
    session: Transaction

    def receive(
        self,
        count: int,
        *,
        title: str | None = None,
        sender: str = STRANGER,
        unit: str | None = None,
        rule: str | None = None,
        organisation: str = BERGVIK,
        at: datetime = NOW,
        references: tuple[str, ...] = (),
        state: MessageState = MessageState.ROUTED,
        registered_at: datetime | None = None,
    ) -> list[str]:
        """So many messages of one kind, which went this way; their ids."""
        key, wrapped = self.keyring.new_data_key()
        made = []
        for _ in range(count):
            message_id = new_id()
            made.append(message_id)
            self.session.add(
                WrappedKey(
                    id=message_id,
                    kek_id=wrapped.kek_id,
                    wrapped=wrapped.wrapped,
                    created_at=NOW,
                )
            )
            self.session.add(
                Message(
                    id=message_id,
                    state=state,
                    organisation=organisation,
                    channel="eformidling",
                    service=Service.DPO,
                    wire_id=message_id,
                    digest="d",
                    size=1,
                    received_at=at,
                    sender=sender,
                    sealed_metadata=_sealed(key, message_id, sender, title, references),
                    unit=unit,
                    rule=rule,
                    registered_at=registered_at,
                )
            )
        self.session.flush()
        self.session.expunge_all()
        return made


@dataclass(frozen=True, kw_only=True)
class Mailroom(Post):
    """A town that has mail."""

    town: Town

    def simulate(
        self,
        capacity: Capacity,
        book: RuleBook | None = None,
        policy: Policy | None = None,
        days: int = 30,
    ) -> GroupCounts:
        """What the simulation tells this capacity."""
        question = SimulationRequest(
            capacity=capacity, book=book or the_book(), since=NOW - timedelta(days=days)
        )
        return simulate(self.keyring, self.session, policy or the_policy(), question)


def _sealed(
    key: DataKey, message_id: str, sender: str, title: str | None, references: tuple[str, ...]
) -> bytes:
    part = {
        "process": CONFIDENTIAL_PROCESS,
        "document_type": ARKIVMELDING_DOCUMENT_TYPE,
        "conversation_id": None,
        "references": list(references),
        "signer": sender,
        "on_behalf_of": None,
        "administrative_unit": None,
        "access_restriction": None,
        "screening_authority": None,
        "public_title": title,
    }
    return key.seal(
        json.dumps(part).encode(), table="message", column="sealed_metadata", row=message_id
    )


@contextmanager
def mailroom(url: str, folder: Path) -> Iterator[Mailroom]:
    """An open transaction on a database with the schema and nothing in it."""
    create_keys(folder / "keys", NOW)
    engine = sharing_statements(create_engine(url))
    keyring = Keyring.load(folder / "keys")
    store = Store(engine, seal=audit.seal, clock=lambda session: NOW, row_key=keyring.row_key)
    with closing_engine(engine), store.transaction() as tx:
        tx.add(AuditHead(id=1, size=0, frontier=b""))
        yield Mailroom(keyring=keyring, session=tx, town=Town(tx))
