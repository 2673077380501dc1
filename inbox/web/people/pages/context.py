"""What every page of staff needs: the line, the capacity, the side with its numbers."""

from collections.abc import Mapping
from typing import Protocol

from fastapi import Request

from inbox.access.policy.vocabulary import Action, Role
from inbox.access.question import Capacity
from inbox.line import Line
from inbox.line.desk.queue_filters import Queue
from inbox.line.desk.queues import QueueCount, desk_side
from inbox.line.desk.saved_views import SavedView
from inbox.line.people_lists import showing_action
from inbox.line.unit_inbox.lists import UnitSide, unit_side
from inbox.web.people.frame import Side, SideLink, side_in_unit, side_of
from inbox.web.people.pages.place_in_queue import PlaceInQueue
from inbox.web.people.rendering import page_texts
from inbox.web.people.visitor import Visitor
from inbox.web.people.words import view_name


class KnownSide(Protocol):
    """What the side shows: counts of queues, and what the person has saved."""

    @property
    def counts(self) -> Mapping[Queue, QueueCount]:
        """Of all queues that are counted."""

    @property
    def views(self) -> tuple[SavedView, ...]:
        """The person's own."""


def line_of(request: Request) -> Line:
    """The line that the app was created with."""
    line = request.app.state.line
    assert isinstance(line, Line)
    return line


def capacity_of(visitor: Visitor) -> Capacity:
    """The capacity that the person acts in; `Acting` has seen to it that there is one."""
    assert visitor.capacity is not None
    return visitor.capacity


def is_in_unit(visitor: Visitor) -> bool:
    """Whether the person sees mail with titles, as handlers and leaders do."""
    return showing_action(capacity_of(visitor).role) is Action.LIST


def side_for(request: Request, visitor: Visitor, known: KnownSide | UnitSide | None = None) -> Side:
    """The side of a page, with the numbers of all queues as this capacity may see them.

    What the page has read already is not read again.
    """
    if is_in_unit(visitor):
        return _side_in_unit(request, visitor, known if isinstance(known, UnitSide) else None)
    assert not isinstance(known, UnitSide)
    side = desk_side(line_of(request), capacity_of(visitor)) if known is None else known
    return side_of(
        {queue.value: each.count for queue, each in side.counts.items()},
        late=frozenset(queue.value for queue, each in side.counts.items() if each.late),
        current=request.url.path,
        saved=tuple(_saved_link(request, view) for view in side.views),
    )


def _side_in_unit(request: Request, visitor: Visitor, known: UnitSide | None) -> Side:
    capacity = capacity_of(visitor)
    side = unit_side(line_of(request), capacity) if known is None else known
    counts = {"min-enhet": side.unit, "tildelt": side.own}
    return side_in_unit(
        {name: each.count for name, each in counts.items()}
        | {"ko/til-godkjenning": side.approvals},
        late=frozenset(name for name, each in counts.items() if each.late),
        current=request.url.path,
        leads=capacity.role is Role.LEADER,
    )


def _saved_link(request: Request, view: SavedView) -> SideLink:
    there = PlaceInQueue(queue=view.queue, filters=view.filters).address
    here = f"{request.url.path}?{request.url.query}"
    return SideLink(
        address=there, name=view_name(page_texts(request), view), is_current=there == here
    )
