"""What stands around every page: the queues at the side with their numbers, and what was done."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from inbox.web.people.texts import to_translate


@dataclass(frozen=True, kw_only=True)
class SideLink:
    """One line at the side."""

    address: str
    name: str
    """In bokmål if it is the product's word, and shown in the visitor's language."""
    count: int | None = None
    is_late: bool = False
    """Whether some of it is past its deadline."""
    is_current: bool = False
    key: str = ""
    """The access key, if it has one."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """The side: queues, saved views by the names that people gave them, and the rest."""

    queues: tuple[SideLink, ...] = ()
    saved: tuple[SideLink, ...] = ()
    others: tuple[SideLink, ...] = ()


class DoneTone(StrEnum):
    """How what was done ended."""

    DONE = "done"
    PARTLY = "note"
    REFUSED = "wrong"


@dataclass(frozen=True, kw_only=True)
class Done:
    """What the last action of this person did, in a sentence that is said already."""

    text: str
    """Whole, in the visitor's language; it stands first in the title of the page, too."""
    short: str = ""
    """For the title, if the sentence is too long for it."""
    tone: DoneTone = DoneTone.DONE
    undo: str = ""
    """The address that takes it back; empty if it cannot be, or not any more."""
    hidden: dict[str, str] = field(default_factory=dict)
    """What the undo's form carries beside its token."""


QUEUES: Final = (
    ("til-fordeling", to_translate("Til fordeling")),
    ("ikke-mottatt", to_translate("Ikke mottatt")),
    ("karantene", to_translate("Karantene")),
    ("til-godkjenning", to_translate("Til godkjenning")),
    ("uten-kvittering", to_translate("Uten kvittering")),
    ("venter-pa-fagsystem", to_translate("Venter på fagsystem")),
    ("avvist-av-fagsystem", to_translate("Avvist av fagsystem")),
    ("pa-vent", to_translate("På vent")),
    ("ferdig", to_translate("Ferdig")),
)
"""The queues of an archivist: what stands in the address, and what the queue is called."""
UNIT_LISTS: Final = (
    ("min-enhet", to_translate("Min enhet")),
    ("tildelt", to_translate("Tildelt meg")),
    ("ko/til-godkjenning", to_translate("Til godkjenning")),
)
"""What a handler or a leader has at the side: the address, and what it is called."""
_OF_HANDLERS, _OF_LEADERS = "tildelt", "ko/til-godkjenning"
_OTHERS: Final = (
    ("/telefon", to_translate("På telefonen"), ""),
    ("/okter", to_translate("Øktene mine"), ""),
    ("/hjelp", to_translate("Hjelp og taster"), "0"),
)


def side_of(
    counts: dict[str, int] | None = None,
    *,
    late: frozenset[str] = frozenset(),
    current: str = "",
    saved: tuple[SideLink, ...] = (),
) -> Side:
    """The side of somebody who distributes; without numbers where nobody has counted.

    `current` is the path of the page, `late` names queues with something past its deadline.
    """
    numbers = counts or {}
    queues = tuple(
        SideLink(
            address=f"/ko/{queue}",
            name=name,
            count=numbers.get(queue),
            is_late=queue in late,
            is_current=current == f"/ko/{queue}",
        )
        for queue, name in QUEUES
    )
    return Side(queues=(_home(current), *queues), saved=saved, others=_others(current, _OTHERS))


def side_in_unit(
    counts: dict[str, int] | None = None,
    *,
    late: frozenset[str] = frozenset(),
    current: str = "",
    leads: bool,
) -> Side:
    """The side of a handler, or of somebody who leads the unit; as `side_of`."""
    numbers = counts or {}
    links = tuple(
        SideLink(
            address=f"/{each}",
            name=name,
            count=numbers.get(each),
            is_late=each in late,
            is_current=current == f"/{each}",
        )
        for each, name in UNIT_LISTS
        if each != (_OF_HANDLERS if leads else _OF_LEADERS)
    )
    others = tuple(each for each in _OTHERS if each[0] != "/telefon")
    return Side(queues=(_home(current), *links), others=_others(current, others))


def _home(current: str) -> SideLink:
    return SideLink(address="/", name=to_translate("Oversikt"), is_current=current == "/")


def _others(current: str, links: tuple[tuple[str, str, str], ...]) -> tuple[SideLink, ...]:
    return tuple(
        SideLink(address=address, name=name, key=key, is_current=current == address)
        for address, name, key in links
    )
