"""*Min enhet* and *Tildelt meg*: the lists of handlers, and of leaders who share out the work."""

from typing import Final

from fastapi import APIRouter, Request, Response

from inbox.access.policy.vocabulary import Role
from inbox.errors import NotFound
from inbox.line.unit_inbox.lists import (
    Holder,
    ListFilters,
    UnitList,
    UnitSide,
    read_list_filters,
    unit_page,
)
from inbox.web.people import shapes, words
from inbox.web.people.pages.context import capacity_of, is_in_unit, line_of, side_for
from inbox.web.people.pages.done import done_of
from inbox.web.people.pages.place_in_queue import PlaceInList, address
from inbox.web.people.pages.unit.leader import show_leader_page
from inbox.web.people.pages.unit.rows import groups_of
from inbox.web.people.rendering import page_texts, render
from inbox.web.people.sign_in.visitors import Acting
from inbox.web.people.texts import PageTexts
from inbox.web.people.visitor import Visitor

router = APIRouter()
CURSOR_FIELD = "etter"
_NARROWED: Final = ("hos", "late", "ferdig", "alle")
"""With any of these a leader sees the list, as handlers do."""


@router.get("/min-enhet")
def unit_list(request: Request, visitor: Acting) -> Response:
    """What the person may list of the unit's mail."""
    return _show(request, visitor, UnitList.UNIT)


@router.get("/tildelt")
def own_list(request: Request, visitor: Acting) -> Response:
    """What is assigned to the person, covered as a stand-in, or opened by access."""
    return _show(request, visitor, UnitList.OWN)


def _show(request: Request, visitor: Visitor, which: UnitList) -> Response:
    if not is_in_unit(visitor):
        raise NotFound
    if (
        which is UnitList.UNIT
        and capacity_of(visitor).role is Role.LEADER
        and not (request.query_params.keys() & {*_NARROWED})
    ):
        return show_leader_page(request, visitor)
    texts, filters = page_texts(request), read_list_filters(request.query_params)
    after = request.query_params.get(CURSOR_FIELD)
    line, capacity = line_of(request), capacity_of(visitor)
    found = unit_page(line, capacity, which, filters, after=after)
    place = PlaceInList(list=which, filters=filters)
    next_page = ""
    if found.cursor is not None:
        next_page = address(f"/{which}", {**filters.as_query(), CURSOR_FIELD: found.cursor})
    groups = groups_of(texts, found, place, visitor.person)
    return render(
        request,
        "unit_list.html",
        heading=texts.gettext(words.LIST_HEADINGS[which]),
        about=visitor.capacity_name,
        groups=groups,
        count=len(found.rows),
        filters=_filters(texts, which, filters, found.side),
        place=place,
        is_narrowed=bool(filters.as_query()),
        empty=texts.gettext(words.LIST_IS_EMPTY[which]),
        below=texts.gettext(words.LIST_BELOW[which]),
        next_page=next_page,
        done=done_of(request, visitor),
        side=side_for(request, visitor, found.side),
    )


def _filters(
    texts: PageTexts, which: UnitList, chosen: ListFilters, side: UnitSide
) -> list[shapes.FilterGroup]:
    """What the list can be narrowed by."""
    _ = texts.gettext

    def link(name: str, filters: ListFilters, count: int | None = None) -> shapes.FilterLink:
        return shapes.FilterLink(
            name=name,
            address=PlaceInList(list=which, filters=filters).address,
            count=count,
            is_current=filters == chosen,
        )

    number = side.unit if which is UnitList.UNIT else side.own
    states = shapes.FilterGroup(
        name=_("Vis"),
        links=(
            link(_("Alle åpne"), ListFilters(), number.count),
            link(_("Over frist"), ListFilters(late=True), number.late),
            link(_("Journalført"), ListFilters(done=True)),
        ),
    )
    if which is UnitList.OWN:
        return [states]
    holders = shapes.FilterGroup(
        name=_("Hos"),
        links=(
            link(_("Ingen ennå"), ListFilters(holder=Holder.NOBODY), side.nobody.count),
            link(_("Deg"), ListFilters(holder=Holder.OWN)),
        ),
    )
    return [states, holders]
