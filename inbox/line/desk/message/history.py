"""The history of a message: states and times, of a closed list of events.

For those who distribute: who opened it, who wrote notes or had access given, and who worked on it
are not in the list, and names are those of archivists alone: what a unit did, the unit did. The
people of the unit see, by name, who took or assigned it, and when they read it themselves.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from inbox.domain import MessageState
from inbox.line.proposals.message_proposals import ProposalKind

_MOVED: Final = frozenset({"message", "delivery", "receipt", "proposal"})
"""Whose states are shown."""
_BESIDE: Final = frozenset(
    {"message:held", "message:hold_ended", "proposal:opened", "receipt:failure_accepted"}
)
"""Events beside the changes of a state."""
_IN_UNIT: Final = frozenset({"message:taken", "message:assigned"})
_OWN: Final = frozenset({"message:read"})
"""What the people of the unit see beside these: of all of them, and of themselves."""
_SAID_ALREADY: Final = frozenset(
    {
        # By the message, which is registered, returned or withdrawn in the same transaction.
        *("delivery:registered", "delivery:refused", "delivery:withdrawn", "delivery:superseded"),
        # By the receipt: that the sender has it, or that it was accepted that it has not.
        "message:answered",
        # A step inside the house.
        "receipt:created",
    }
)
"""What happens together with another event, which has the line."""


@dataclass(frozen=True, kw_only=True)
class HistoryLine:
    """One change of a message that those who distribute may know of."""

    at: datetime
    event: str
    """`message:routed`, `delivery:collected`, … (of a closed list)."""
    by: str | None
    """The station or the move; of a proposal its kind, whatever happened to it."""
    was: str | None
    became: str | None
    code: str | None
    rule: str | None
    """The rule of access that the move was permitted by."""
    person_name: str | None
    """Who did it; None where no name is shown."""


def history_of(
    leaves: Iterable[bytes], names: Mapping[str, str], *, viewer: str | None = None
) -> tuple[HistoryLine, ...]:
    """The lines that these entries make, in their order; names by capacity.

    `viewer` is the capacity of somebody in the message's unit, who sees more.
    """
    entries = [json.loads(leaf) for leaf in leaves]
    kinds = {each["subject"]: each["by"] for each in entries if each["event"] == "proposal:opened"}
    lines = (
        _line(entry, names, kinds.get(entry["subject"], entry.get("by")))
        for entry in entries
        if _is_listed(entry, viewer)
    )
    return tuple(line for line in lines if not _is_said_already(line))


def verified_at(leaves: Iterable[bytes]) -> datetime | None:
    """When the checks of the message were passed last."""
    moments = [
        _moment(entry)
        for entry in map(json.loads, leaves)
        if entry["event"] == f"message:{MessageState.OPENED.lower()}"
    ]
    return max(moments, default=None)


def _is_listed(entry: Mapping[str, Any], viewer: str | None) -> bool:
    event = str(entry["event"])
    if event in _IN_UNIT:
        return viewer is not None
    if event in _OWN:
        return viewer is not None and entry["who"] == viewer
    moved = event.partition(":")[0] in _MOVED and entry.get("became") is not None
    return moved or event in _BESIDE


def _is_said_already(line: HistoryLine) -> bool:
    """Whether another line says the same; a receipt is chosen by what its message has become."""
    if line.event == "proposal:approved":
        return line.by != ProposalKind.DISMISS
    return line.event in _SAID_ALREADY or (line.event == "receipt:chosen" and line.by is None)


def _line(entry: Mapping[str, Any], names: Mapping[str, str], by: str | None) -> HistoryLine:
    return HistoryLine(
        at=_moment(entry),
        event=entry["event"],
        by=by,
        was=entry.get("was"),
        became=entry.get("became"),
        code=entry.get("code"),
        rule=entry.get("rule"),
        person_name=names.get(entry["who"]),
    )


def _moment(entry: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(entry["at"])
