"""What this person did last, said on the page that follows, with the way to take it back.

The address of that page says which deed on which row (`gjort=fordelt.<id>.<mac>`), nothing else.
Its MAC is of this session: an address that somebody made up, or sent on, says nothing. Whether it
still stands, and whether it can be undone, is read when the page is made. So the back button, a
second tab or a colleague's eyes on the address never show what is not true.
"""

import hmac
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from fastapi import Request

from inbox.errors import InboxError
from inbox.line.desk.placings import PlacedMessage, placed_message
from inbox.line.desk.short_reference import short_reference_of
from inbox.web.people import formats
from inbox.web.people.forms import mac_of
from inbox.web.people.frame import Done, DoneTone
from inbox.web.people.pages.context import capacity_of, line_of
from inbox.web.people.pages.shown_rows import sender_of
from inbox.web.people.rendering import page_texts
from inbox.web.people.texts import PageTexts, to_translate
from inbox.web.people.visitor import Visitor

DONE_FIELD: Final = "gjort"


class Deed(StrEnum):
    """What can have been done."""

    PLACED = "fordelt"
    RELEASED = "frigitt"
    UNDONE = "angret"
    HELD = "pa-vent"
    HOLD_ENDED = "av-vent"
    NOTED = "notert"
    DUPLICATE = "duplikat"
    RECHECKED = "kontrolleres"
    PROPOSED = "foreslatt"
    APPROVED = "godkjent"
    DECLINED = "avslatt"
    TAKEN_BACK = "tatt-tilbake"
    REFETCHED = "hentes"
    RESENT = "sendes"
    ACCEPTED = "godtatt"
    CLOSED = "lukket"
    TAKEN = "tatt"
    COLLECTED = "hentet"
    REGISTERED = "journalfort"
    HANDED_BACK = "gitt-tilbake"
    ASSIGNED = "tildelt"
    GRANTED = "innsyn"
    EMERGENCY = "nodtilgang"
    CONFLICT_DECLARED = "inhabil"
    ASKED = "spurt"
    ANSWERED = "besvart"
    STAND_IN = "vikar"
    ACCESS_ENDED = "avsluttet"


_SAID: Final[Mapping[Deed, str]] = {
    Deed.PLACED: to_translate("%(ref)s fra %(sender)s er fordelt til %(unit)s."),
    Deed.RELEASED: to_translate("%(ref)s fra %(sender)s er frigitt."),
    Deed.UNDONE: to_translate("%(ref)s fra %(sender)s er tatt tilbake."),
    Deed.HELD: to_translate("%(ref)s fra %(sender)s er satt på vent."),
    Deed.HOLD_ENDED: to_translate("%(ref)s fra %(sender)s er ikke på vent lenger."),
    Deed.NOTED: to_translate("Notatet om %(ref)s er skrevet."),
    Deed.DUPLICATE: to_translate("%(ref)s fra %(sender)s er merket som mottatt før."),
    Deed.RECHECKED: to_translate("%(ref)s fra %(sender)s kontrolleres på nytt."),
    Deed.PROPOSED: to_translate("Forslaget om %(ref)s er sendt. En annen person må godkjenne."),
    Deed.APPROVED: to_translate("Forslaget om %(ref)s er godkjent og utført."),
    Deed.DECLINED: to_translate("Forslaget om %(ref)s er avslått."),
    Deed.TAKEN_BACK: to_translate("Forslaget om %(ref)s er tatt tilbake."),
    Deed.REFETCHED: to_translate("Forsendelsen hentes på nytt."),
    Deed.RESENT: to_translate("Kvitteringen for %(ref)s sendes på nytt."),
    Deed.ACCEPTED: to_translate("Det er godtatt at kvitteringen for %(ref)s ikke kom fram."),
    Deed.CLOSED: to_translate("Oppgaven er lukket."),
    Deed.TAKEN: to_translate("%(ref)s er din nå."),
    Deed.COLLECTED: to_translate("%(ref)s er hentet for journalføring."),
    Deed.REGISTERED: to_translate("%(ref)s er journalført. Kvitteringen sendes."),
    Deed.HANDED_BACK: to_translate("%(ref)s er gitt tilbake til arkivet."),
    Deed.ASSIGNED: to_translate("%(ref)s er tildelt."),
    Deed.GRANTED: to_translate("Det er gitt innsyn i %(ref)s."),
    Deed.EMERGENCY: to_translate("Du har nødtilgang til %(ref)s."),
    Deed.CONFLICT_DECLARED: to_translate("Inhabiliteten er meldt."),
    Deed.ASKED: to_translate("Det er bedt om innsyn i %(ref)s."),
    Deed.ANSWERED: to_translate("Forespørselen om %(ref)s er besvart."),
    Deed.STAND_IN: to_translate("Vikaren er satt inn."),
    Deed.ACCESS_ENDED: to_translate("Tilgangen er avsluttet."),
}
_UNTIL: Final = to_translate("Kan angres til kl. %(time)s.")


def done_query(visitor: Visitor, deed: Deed, row_id: str) -> dict[str, str]:
    """The parameter that says what was done on the page that follows."""
    return {DONE_FIELD: f"{deed}.{row_id}.{_mac(visitor, deed, row_id)}"}


def told_row(request: Request, visitor: Visitor) -> str | None:
    """The id of the row that the address says something was done with; None if it says nothing."""
    told = _told(request, visitor)
    return told[1] if told else None


def _told(request: Request, visitor: Visitor) -> tuple[Deed, str] | None:
    name, _, rest = request.query_params.get(DONE_FIELD, "").partition(".")
    row_id, _, mac = rest.partition(".")
    if not hmac.compare_digest(mac.encode(), _mac(visitor, name, row_id).encode()):
        return None
    return Deed(name), row_id


def _mac(visitor: Visitor, deed: str, row_id: str) -> str:
    return mac_of(visitor, "done", deed, row_id)


def done_of(request: Request, visitor: Visitor) -> Done | None:
    """What was done, if the address says so and the person may still know of the row."""
    row_id = told_row(request, visitor)
    if row_id is None:
        return None
    try:
        found = placed_message(line_of(request), capacity_of(visitor), row_id)
    except InboxError:
        return None
    return done_with(request, visitor, found)


def done_with(request: Request, visitor: Visitor, found: PlacedMessage | None) -> Done | None:
    """The same for a page that has read how the row stands."""
    told = _told(request, visitor)
    return _said(request, *told, found) if told else None


def _said(request: Request, deed: Deed, row_id: str, found: PlacedMessage | None) -> Done | None:
    texts = page_texts(request)
    _ = texts.gettext
    if found is None:
        return _said_of_what_is_not_seen(texts, deed, row_id)
    sender = sender_of(texts, found.sender_name, found.sender)
    if deed is Deed.PLACED and found.unit_name is None:
        deed = Deed.UNDONE
    named = {"ref": found.reference, "sender": sender, "unit": found.unit_name or ""}
    said = _(_SAID[deed]) % named
    if found.undo_until is None or deed not in {Deed.PLACED, Deed.RELEASED}:
        return Done(text=said, tone=DoneTone.DONE)
    until = _(_UNTIL) % {"time": formats.clock(found.undo_until, texts.language)}
    return Done(
        text=f"{said} {until}",
        short=said,
        undo=f"/melding/{row_id}/angre",
        hidden={"versjon": str(found.version)},
    )


def _said_of_what_is_not_seen(texts: PageTexts, deed: Deed, row_id: str) -> Done | None:
    """Of an arrival, or of what this person no longer sees: its reference, which its id has."""
    if "%(" not in _SAID[deed]:
        return Done(text=texts.gettext(_SAID[deed]))
    if re.fullmatch("[0-9a-f]{32}", row_id) is None or "%(sender)s" in _SAID[deed]:
        return None
    return Done(text=texts.gettext(_SAID[deed]) % {"ref": short_reference_of(row_id)})
