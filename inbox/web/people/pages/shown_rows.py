"""The rows of queues as the components show them."""

import re
from typing import Final

from inbox.domain import MessageState, OrgNumber, PersonId
from inbox.line.desk.queues import QueueRow
from inbox.package.codes.quarantine_code import QuarantineCode
from inbox.package.codes.registry import CODES
from inbox.web.people import formats, shapes, words
from inbox.web.people.pages.place_in_queue import PlaceInQueue
from inbox.web.people.texts import PageTexts

_PROCESS: Final = re.compile(r"urn:no:difi:profile:(?:\w+:)+?(\w+):ver\d[\d.]*")
_HUMP: Final = re.compile(r"(?<=[a-zæøå])(?=[A-ZÆØÅ])")
"""Between the words of *planByggOgGeodata*."""


def shown_row(
    texts: PageTexts, row: QueueRow, place: PlaceInQueue, viewer: PersonId
) -> shapes.ShownRow:
    """One line of a queue."""
    mostly = row.mostly_to
    return shapes.ShownRow(
        address=place.within(f"/melding/{row.id}"),
        ref=row.reference,
        sender=sender_of(texts, row.sender_name, row.sender),
        orgnr=row.sender or OrgNumber(""),
        received_at=row.received_at,
        age=row.age,
        due_at=row.deadline,
        is_late=row.late,
        channel=words.channel_name(row.channel),
        process=process_name(row.process),
        unit=row.unit_name or "",
        rule=row.because or row.rule or "",
        state=state_of(texts, row),
        mostly=mostly.unit_name if mostly else "",
        mostly_count=mostly.count if mostly else 0,
        mostly_of=mostly.of if mostly else 0,
        marks=tuple(marks_of(texts, row, viewer)),
        pick=f"{row.id}.{row.version}",
    )


def state_of(texts: PageTexts, row: QueueRow) -> str:
    """The state in words; of what is in quarantine, what the check found."""
    found = _found_by_check(row)
    if found is not None:
        return found.text.in_(texts.language)
    return texts.gettext(words.STATES[row.state])


def _found_by_check(row: QueueRow) -> QuarantineCode | None:
    return CODES.get(row.code or "") if row.state is MessageState.QUARANTINED else None


def sender_of(texts: PageTexts, name: str | None, number: OrgNumber | None) -> str:
    """The sender's name, or the number where the name is not known."""
    return name or (formats.orgnr(number) if number else texts.gettext("ukjent avsender"))


def process_name(process: str | None) -> str:
    """The part of a process's name that people know it by: *taushetsbelagt*; any other as it is."""
    known = _PROCESS.fullmatch(process or "")
    if known is None:
        return process or ""
    return _HUMP.sub(" ", known[1]).lower()


def marks_of(texts: PageTexts, row: QueueRow, viewer: PersonId) -> list[shapes.RowMark]:
    """What stands at the end of a row, the most pressing first."""
    _ = texts.gettext
    found = []
    if row.urgent and row.stage is not None:
        found.append(shapes.RowMark(text=_("haster"), tone=shapes.Tone.WARN))
    held_for = _found_by_check(row)
    if held_for is not None:
        said = _("kan frigis av to") if held_for.waivable else _("kan ikke frigis")
        found.append(shapes.RowMark(text=said))
    if row.damaged:
        found.append(shapes.RowMark(text=_("skadet"), tone=shapes.Tone.BAD))
    if row.code == "unit.handed_back":
        found.append(shapes.RowMark(text=_("gitt tilbake"), tone=shapes.Tone.WARN))
    if row.held_until is not None:
        day = formats.short_day(row.held_until, texts.language)
        found.append(shapes.RowMark(text=_("på vent til %(day)s") % {"day": day}))
    found += [
        shapes.RowMark(text=_("%(name)s ser på den") % {"name": each.name})
        for each in row.in_hand
        if each.person != viewer
    ]
    return found
