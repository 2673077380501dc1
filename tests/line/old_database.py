"""Makes a world's database an older one: a checkpoint outside speaks of entries that it lacks."""

from pathlib import Path

from sqlmodel import Session, SQLModel, col, select

from inbox import audit
from inbox.access.question import Capacity
from inbox.audit.checkpoint import file_entry, sign
from inbox.line.case_systems import capacity_of
from inbox.tables import CaseSystem, Delivery, Message, Outbox, Receipt
from tests.worlds import House, World


def checkpoint_file(house: House) -> Path:
    """The file outside."""
    return house.folder / "checkpoints.txt"


def sign_more_than_is_there(house: House, more: int = 5) -> str:
    """Sign, outside, so many entries more than the database has; the text of the file."""
    with house.line.store.reading() as session:
        size, _ = audit.head(session)
    note = sign("test", size + more, bytes(32), house.line.keyring.signer())
    with checkpoint_file(house).open("a") as file:
        file.write(file_entry(note))
    return checkpoint_file(house).read_text()


def case_system_capacity(house: House, system: str) -> Capacity:
    """A case system in its capacity."""
    with house.line.store.reading() as session:
        return capacity_of(session.get_one(CaseSystem, system))


def states(world: World) -> dict[str, list[tuple[str, str, int]]]:
    """Id, state and version of every row that could be worked on, but arrivals."""
    with world.line.store.reading() as session:
        return {
            kind.__name__: _rows(session, kind) for kind in (Message, Delivery, Receipt, Outbox)
        }


def _rows(session: Session, kind: type[SQLModel]) -> list[tuple[str, str, int]]:
    query = select(kind).order_by(col(kind.id))  # type: ignore[attr-defined] # each has one
    return [(row.id, row.state, getattr(row, "version", 0)) for row in session.exec(query)]  # type: ignore[attr-defined] # as above
