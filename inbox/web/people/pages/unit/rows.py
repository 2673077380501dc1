"""The rows of a unit's lists as the components show them."""

from inbox.access.lists.queue_search import Whose
from inbox.domain import MessageState, PersonId
from inbox.line.unit_inbox.holdings import Holding, Holdings
from inbox.line.unit_inbox.lists import UnitList, UnitPage, UnitRow
from inbox.web.people import formats, shapes
from inbox.web.people.pages.place_in_queue import PlaceInList
from inbox.web.people.pages.shown_rows import marks_of, sender_of
from inbox.web.people.texts import PageTexts


def groups_of(
    texts: PageTexts, found: UnitPage, place: PlaceInList, viewer: PersonId
) -> list[shapes.RowGroup]:
    """The rows, in *Tildelt meg* under headings: one's own, as a stand-in for whom, by whom."""
    grouped: dict[str, list[shapes.ShownTitledRow]] = {}
    for each in found.rows:
        heading = "" if found.list is UnitList.UNIT else _group(texts, each.holdings)
        grouped.setdefault(heading, []).append(shown_titled_row(texts, each, place, viewer))
    return [
        shapes.RowGroup(heading=heading, rows=tuple(rows))
        for heading, rows in sorted(grouped.items(), key=lambda pair: pair[0] != "")
    ]


def _group(texts: PageTexts, holdings: Holdings) -> str:
    _ = texts.gettext
    first = holdings.own[0] if holdings.own else None
    if first is None or first.whose is Whose.OWN:
        return ""
    return {
        Whose.COVERED: _("Som vikar for %(name)s, til %(day)s"),
        Whose.GRANTED: _("Innsyn fra %(name)s, til %(day)s"),
        Whose.EMERGENCY: _("Nødtilgang, til %(day)s"),
    }[first.whose] % {"name": first.name, "day": _until(texts, first)}


def _until(texts: PageTexts, holding: Holding) -> str:
    if holding.until is None:
        return ""
    return formats.short_moment(holding.until, texts.language)


def shown_titled_row(
    texts: PageTexts, each: UnitRow, place: PlaceInList, viewer: PersonId
) -> shapes.ShownTitledRow:
    """One line of a list."""
    row = each.row
    marks = tuple(marks_of(texts, row, viewer))
    if each.is_read:
        marks = (*marks, shapes.RowMark(text=texts.gettext("lest")))
    return shapes.ShownTitledRow(
        address=place.within(f"/melding/{row.id}"),
        ref=row.reference,
        title=each.title or each.case_title or texts.gettext("uten tittel"),
        sender=sender_of(texts, row.sender_name, row.sender),
        age=row.age,
        due_at=row.deadline,
        is_late=row.late,
        holder=_holder(texts, each.holdings, viewer),
        next=_next(texts, each),
        marks=marks,
        pick=row.id,
    )


def _holder(texts: PageTexts, holdings: Holdings, viewer: PersonId) -> str:
    held = holdings.assigned_to
    if held is None:
        return texts.gettext("ingen")
    return texts.gettext("deg") if held.person == viewer else held.name


def _next(texts: PageTexts, each: UnitRow) -> str:
    """What is to be done with it next, in a word."""
    _, state, delivery = texts.gettext, each.row.state, each.holdings.delivery
    if state in {MessageState.REGISTERED, MessageState.ANSWERED}:
        return _("journalført")
    if each.holdings.whose is Whose.COVERED and not each.is_read:
        return _("les, med grunn")
    if state is MessageState.OFFERED and delivery is not None and delivery.by_hand:
        return _("hent, journalfør")
    if state in {MessageState.RELEASED, MessageState.OFFERED}:
        return _("venter på fagsystemet")
    return _("frigi") if each.is_read else _("les")
