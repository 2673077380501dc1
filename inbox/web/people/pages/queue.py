"""A queue: one line for each message, arrival or proposal, oldest first, narrowed by filters."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from inbox.errors import Invalid, NotFound
from inbox.line.desk.approval_queue import ApprovalRole, ApprovalRow, approval_page
from inbox.line.desk.arrival_queue import ArrivalRow, arrival_page
from inbox.line.desk.placings import PlacedMessage, active_units
from inbox.line.desk.queue_filters import Queue, QueueFilters, read_filters
from inbox.line.desk.queues import DeskSide, QueueFacets, QueuePage, desk_side, queue_page
from inbox.line.desk.saved_views import remove_view, save_view
from inbox.web.people import formats, shapes, words
from inbox.web.people.forms import read_form
from inbox.web.people.pages.context import capacity_of, is_in_unit, line_of, side_for
from inbox.web.people.pages.done import done_of, done_with, told_row
from inbox.web.people.pages.place_in_queue import PlaceInQueue, address
from inbox.web.people.pages.shown_rows import sender_of, shown_row
from inbox.web.people.rendering import page_texts, render
from inbox.web.people.sign_in.visitors import Acting
from inbox.web.people.texts import PageTexts
from inbox.web.people.visitor import Visitor

router = APIRouter()
COLUMNS: Final[Mapping[Queue, tuple[str, ...]]] = {
    Queue.DISTRIBUTE: ("orgnr", "received", "age", "due", "channel", "process", "mostly", "status"),
    Queue.QUARANTINE: ("received", "age", "due", "state", "status"),
    Queue.WITHOUT_RECEIPT: ("orgnr", "received", "age", "channel", "unit", "state", "status"),
    Queue.WAITING: ("received", "age", "due", "channel", "unit", "rule", "state", "status"),
    Queue.RETURNED: ("received", "age", "due", "channel", "unit", "rule", "status"),
    Queue.ON_HOLD: ("received", "age", "due", "channel", "unit", "state", "status"),
    Queue.DONE: ("orgnr", "received", "channel", "unit", "rule", "state", "status"),
}
_AFTER: Final = "etter"
_ROWS: Final = 20
"""So that a page is at most 15 kB: pages are not compressed."""


@router.get("/ko/{queue}")
def queue_of_messages(request: Request, visitor: Acting, queue: str) -> Response:
    """One page of a queue."""
    place = _place(request, visitor, queue)
    page = _PAGES.get(place.queue, _message_queue)
    return page(request, visitor, place)


@router.get("/ko/{queue}/velg")
def choose_several(request: Request, visitor: Acting, queue: str) -> Response:
    """The same queue with a checkbox in each row, and one action for all that are chosen."""
    return _message_queue(request, visitor, _place(request, visitor, queue), several=True)


@router.post("/ko/{queue}/lagre")
def save(request: Request, visitor: Acting, queue: str) -> Response:
    """Save the queue as it is narrowed now among the person's own views."""
    read_form(request, visitor)
    place = _place(request, visitor, queue)
    save_view(line_of(request), capacity_of(visitor), place.queue, place.filters)
    return RedirectResponse(place.address, status_code=303)


@router.post("/visning/{view_id}/fjern")
def remove(request: Request, visitor: Acting, view_id: str) -> Response:
    """Remove one of the person's own views."""
    form = read_form(request, visitor)
    remove_view(line_of(request), capacity_of(visitor), view_id)
    return RedirectResponse(form.return_address, status_code=303)


def _place(request: Request, visitor: Visitor, queue: str) -> PlaceInQueue:
    """The queue and filters of an address; what nobody was given is not here.

    The people of a unit have lists of their own, and of the queues that of proposals alone.
    """
    try:
        place = PlaceInQueue(queue=Queue(queue), filters=read_filters(request.query_params))
    except (ValueError, Invalid):
        raise NotFound from None
    if is_in_unit(visitor) and place.queue is not Queue.APPROVE:
        raise NotFound
    return place


def _message_queue(
    request: Request, visitor: Visitor, place: PlaceInQueue, *, several: bool = False
) -> Response:
    line, capacity, texts = line_of(request), capacity_of(visitor), page_texts(request)
    after = request.query_params.get(_AFTER)
    found = queue_page(
        line,
        capacity,
        place.queue,
        place.filters,
        after=after,
        at_most=_ROWS,
        tell_of=told_row(request, visitor),
    )
    rows = [shown_row(texts, row, place, visitor.person) for row in found.rows]
    return render(
        request,
        "several.html" if several else "queue.html",
        **_around(request, visitor, place, found),
        rows=rows,
        columns=COLUMNS[place.queue],
        groups=_filter_groups(texts, place, found),
        units=_unit_choices(request, visitor) if several else (),
        placing=() if several else [_placing(texts, place, each) for each in found.placings],
        next_page=_next_address(place, found.cursor),
    )


def _arrivals(request: Request, visitor: Visitor, place: PlaceInQueue) -> Response:
    line, texts = line_of(request), page_texts(request)
    found = arrival_page(line, capacity_of(visitor), after=request.query_params.get(_AFTER))
    return render(
        request,
        "arrivals.html",
        **_around(request, visitor, place),
        rows=[arrival_line(texts, row) for row in found.rows],
        next_page=_next_address(place, found.cursor),
    )


def _approvals(request: Request, visitor: Visitor, place: PlaceInQueue) -> Response:
    found = approval_page(line_of(request), capacity_of(visitor))
    texts = page_texts(request)
    groups = {
        role: [_approval(texts, row) for row in found.rows if row.viewer is role]
        for role in ApprovalRole
    }
    return render(request, "approvals.html", **_around(request, visitor, place), groups=groups)


_PAGES: Final[Mapping[Queue, Callable[[Request, Visitor, PlaceInQueue], Response]]] = {
    Queue.MISSED: _arrivals,
    Queue.APPROVE: _approvals,
}


def _around(
    request: Request, visitor: Visitor, place: PlaceInQueue, found: QueuePage | None = None
) -> dict[str, Any]:
    """What every queue's page has: its name, what it is, and what was done last."""
    texts = page_texts(request)
    known: DeskSide | QueuePage | None = found
    if known is None and not is_in_unit(visitor):
        known = desk_side(line_of(request), capacity_of(visitor))
    here = (place.queue, place.filters)
    views = known.views if known else ()
    saved = next((each for each in views if (each.queue, each.filters) == here), None)
    return {
        "heading": words.queue_name(texts, place.queue),
        "about": texts.gettext(words.QUEUE_CAUSES[place.queue]),
        "empty": texts.gettext(words.QUEUE_IS_EMPTY[place.queue]),
        "place": place,
        "is_narrowed": bool(place.filters.as_query()),
        "saved": saved,
        "done": done_with(request, visitor, found.told) if found else done_of(request, visitor),
        "side": side_for(request, visitor, known),
    }


def _next_address(place: PlaceInQueue, cursor: str | None) -> str:
    query = place.filters.as_query()
    return "" if cursor is None else address(f"/ko/{place.queue}", {**query, _AFTER: cursor})


def _filter_groups(
    texts: PageTexts, place: PlaceInQueue, page: QueuePage
) -> list[shapes.FilterGroup]:
    """The filters; a sender is called what a row on this page says, and stands by its number."""
    _, chosen, facets = texts.gettext, place.filters, page.facets
    names = {row.sender: row.sender_name for row in page.rows if row.sender_name}

    def link(name: str, count: int | None, narrowed: QueueFilters) -> shapes.FilterLink:
        there = replace(place, filters=narrowed).address
        return shapes.FilterLink(
            name=name, address=there, count=count, is_current=narrowed == chosen
        )

    found = [
        (
            _("Frist"),
            [link(_("over frist"), facets.late, replace(chosen, late=True))] if facets.late else [],
            replace(chosen, late=False),
        ),
        (
            _("Gruppe"),
            [link(name, count, replace(chosen, group=name)) for name, count in facets.groups]
            + _beside_groups(texts, facets),
            replace(chosen, group=None),
        ),
        (
            _("Avsender"),
            [
                link(
                    sender_of(texts, names.get(number), number),
                    count,
                    replace(chosen, sender=number),
                )
                for number, count in facets.senders[:6]
            ],
            replace(chosen, sender=None),
        ),
        (
            _("Kanal"),
            [
                link(words.channel_name(name), count, replace(chosen, channel=name))
                for name, count in facets.channels
            ],
            replace(chosen, channel=None),
        ),
        (
            _("Enhet"),
            [
                link(name, count, replace(chosen, unit=unit))
                for unit, name, count in facets.units[:8]
            ],
            replace(chosen, unit=None),
        ),
    ]
    return [
        shapes.FilterGroup(name=name, links=(link(_("alle"), None, without), *links))
        for name, links, without in found
        if links and (len(links) > 1 or without != chosen)
    ]


def _beside_groups(texts: PageTexts, facets: QueueFacets) -> list[shapes.FilterLink]:
    """What is in no group, so that the numbers of the groups add up to something."""
    if not facets.in_no_group or not facets.groups:
        return []
    name = texts.gettext("i ingen gruppe")
    return [shapes.FilterLink(name=name, address="", count=facets.in_no_group)]


def _unit_choices(request: Request, visitor: Visitor) -> list[shapes.Choice]:
    found = active_units(line_of(request), capacity_of(visitor))
    return [shapes.Choice(value=unit.id, name=unit.name) for unit in found]


def _placing(texts: PageTexts, place: PlaceInQueue, each: PlacedMessage) -> shapes.Todo:
    sender = each.sender_name or (formats.orgnr(each.sender) if each.sender else "")
    said = texts.gettext("%(ref)s fra %(sender)s fordeles om et øyeblikk til %(unit)s") % {
        "ref": each.reference,
        "sender": sender,
        "unit": each.unit_name or "",
    }
    by = texts.gettext("av %(name)s") % {"name": each.by_name or ""}
    return shapes.Todo(what=said, address=place.within(f"/melding/{each.id}"), when=by)


def arrival_line(texts: PageTexts, row: ArrivalRow) -> dict[str, Any]:
    """An arrival as its queue and its page show it."""
    return {
        "address": f"/forsendelse/{row.id}",
        "ref": row.reference,
        "sender": sender_of(texts, row.sender_name, row.sender),
        "announced_at": row.announced_at,
        "age": row.age,
        "expires_at": row.expires_at,
        "channel": words.channel_name(row.channel),
        "wire_id": row.wire_id,
        "cause": missed_cause(texts, row.code),
    }


def missed_cause(texts: PageTexts, code: str | None) -> str:
    """Why an arrival did not come, as a sentence; the code where it has none."""
    said = words.MISSED_CODES.get(code or "")
    return texts.gettext(said) if said else (code or "")


def _approval(texts: PageTexts, row: ApprovalRow) -> shapes.Todo:
    said = f"{texts.gettext(words.PROPOSALS[row.kind])}: {row.reference}"
    proposed = texts.gettext("%(name)s foreslår. Fra %(sender)s. Gjelder til %(day)s.") % {
        "name": row.proposer_name,
        "sender": sender_of(texts, row.sender_name, row.sender),
        "day": formats.full_day(row.expires_at, texts.language),
    }
    when = formats.short_moment(row.created_at, texts.language)
    return shapes.Todo(what=said, address=f"/forslag/{row.id}", when=when, more=proposed)
