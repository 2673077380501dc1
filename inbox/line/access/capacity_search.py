"""In which of their capacities somebody acts: the one that was chosen, or the first that may."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from inbox.access.question import Capacity
from inbox.errors import Invalid, NotFound, NotPermitted
from inbox.line import Line

T = TypeVar("T")
_SEPARATOR: Final = "@"


def chosen_capacity(capacities: Sequence[Capacity], chosen: str | None) -> Capacity:
    """The capacity that `chosen` names as `role` or `role@unit`; of a single one nothing need.

    Raises `Invalid` (`capacity.choose`) where it names none of them, or more than one.
    """
    found = [c for c in capacities if chosen in {None, c.role.value, _label(c)}]
    if len(found) != 1:
        names = ", ".join(sorted(map(_label, capacities))) or "none"
        raise Invalid("capacity.choose", f"say --as, one of: {names}")
    return found[0]


def _label(capacity: Capacity) -> str:
    return f"{capacity.role.value}{_SEPARATOR}{capacity.unit}"


def perform_in_first(
    line: Line, capacities: Sequence[Capacity], move: Callable[[Line, Capacity], T]
) -> T:
    """Perform the move in the first capacity that is permitted to; each is authorized by itself.

    Raises what the move raises; where no capacity may, the refusal that says most, or
    `NotPermitted`, which tells nobody whether there is something to know.
    """
    refused: NotFound | None = None
    for capacity in capacities:
        try:
            return move(line, capacity)
        except NotFound as error:
            if refused is None or refused.code == NotFound().code:
                refused = error
    if refused is not None and refused.code != NotFound().code:
        raise refused
    raise NotPermitted(
        "not_permitted", "it is not there, or nothing that you stand for today may do it"
    )
