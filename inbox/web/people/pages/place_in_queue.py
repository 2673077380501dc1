"""Where a person stands: the queue or list that a page was reached from, narrowed by filters.

It is in the address of every page that was reached from a queue, so that *next* means the next of
the view that the person came from, and that the back button and a second tab are never wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from inbox.errors import Invalid
from inbox.line.desk.queue_filters import Queue, QueueFilters, read_filters
from inbox.line.unit_inbox.lists import ListFilters, UnitList, read_list_filters
from inbox.web.people.forms import Form

QUEUE_FIELD = "ko"
LIST_FIELD = "liste"


@dataclass(frozen=True, kw_only=True)
class PlaceInQueue:
    """A queue and its filters."""

    queue: Queue
    filters: QueueFilters = field(default_factory=QueueFilters)

    @property
    def address(self) -> str:
        """The address of the queue itself."""
        return address(f"/ko/{self.queue}", self.filters.as_query())

    def within(self, path: str, **more: str) -> str:
        """A page that is reached from this queue."""
        return address(path, {QUEUE_FIELD: self.queue.value, **self.filters.as_query(), **more})


@dataclass(frozen=True, kw_only=True)
class PlaceInList:
    """A list of a unit, and its filters."""

    list: UnitList
    filters: ListFilters = field(default_factory=ListFilters)

    @property
    def address(self) -> str:
        """The address of the list itself."""
        return address(f"/{self.list}", self.filters.as_query())

    def within(self, path: str, **more: str) -> str:
        """A page that is reached from this list."""
        return address(path, {LIST_FIELD: self.list.value, **self.filters.as_query(), **more})


Place = PlaceInQueue | PlaceInList


def address(path: str, query: Mapping[str, str]) -> str:
    """The path with its parameters, if there are any."""
    return f"{path}?{urlencode(query)}" if query else path


def page_within(place: Place | None, path: str, **more: str) -> str:
    """A page in the queue that it was reached from, if it was from one."""
    return place.within(path, **more) if place else address(path, more)


def place_of(query: Mapping[str, str]) -> Place | None:
    """The place that the parameters of an address name; None if they name none that there is."""
    try:
        if LIST_FIELD in query:
            which = UnitList(query[LIST_FIELD])
            return PlaceInList(list=which, filters=read_list_filters(query))
        queue = Queue(query.get(QUEUE_FIELD, ""))
        return PlaceInQueue(queue=queue, filters=read_filters(query))
    except (ValueError, Invalid):
        return None


def place_of_form(form: Form) -> Place | None:
    """The place of the page that a form was on."""
    return place_of(dict(parse_qsl(form.return_address.partition("?")[2])))
