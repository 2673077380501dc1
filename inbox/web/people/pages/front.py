"""The front page: what waits, what is late, what is wrong, and what this person can do about it."""

from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request, Response

from inbox.access.policy.vocabulary import Role
from inbox.health.condition import HealthCondition, Level
from inbox.health.visible import visible_conditions
from inbox.health.words import words_of
from inbox.line.desk.front_page import FIGURES, FrontPage, TaskLine, front_page
from inbox.line.desk.queue_filters import Queue
from inbox.line.desk.queues import DeskSide, QueueCount
from inbox.line.task_kinds import TaskKind
from inbox.line.unit_inbox.lists import (
    Holder,
    ListFilters,
    UnitList,
    UnitSide,
    unit_front_page,
)
from inbox.web.people import formats, shapes, words
from inbox.web.people.pages.context import capacity_of, is_in_unit, line_of, side_for
from inbox.web.people.pages.done import done_of
from inbox.web.people.pages.place_in_queue import PlaceInList, PlaceInQueue
from inbox.web.people.pages.shown_rows import shown_row
from inbox.web.people.pages.unit.rows import shown_titled_row
from inbox.web.people.rendering import page_texts, render
from inbox.web.people.sign_in.visitors import Acting
from inbox.web.people.texts import PageTexts
from inbox.web.people.visitor import Visitor

router = APIRouter()
_ACKNOWLEDGED: Final = frozenset({TaskKind.EMERGENCY, TaskKind.GRANTED})
"""What somebody has only to take note of: the task itself is opened, not the message."""


@router.get("/")
def front(request: Request, visitor: Acting) -> Response:
    """What a person sees first."""
    if is_in_unit(visitor):
        return _front_in_unit(request, visitor)
    line, texts = line_of(request), page_texts(request)
    found = front_page(line, capacity_of(visitor))
    late = PlaceInQueue(queue=Queue.DISTRIBUTE)
    return render(
        request,
        "front.html",
        figures=[_figure(texts, queue, found.figures[queue]) for queue in FIGURES],
        tasks=[_todo(texts, task) for task in found.tasks],
        task_count=_task_count(found),
        late=[shown_row(texts, row, late, visitor.person) for row in found.late],
        wrong=[_wrong(texts, each) for each in visible_conditions(line, capacity_of(visitor))],
        done=done_of(request, visitor),
        side=side_for(request, visitor, DeskSide(counts=found.figures, views=found.views)),
    )


def _front_in_unit(request: Request, visitor: Visitor) -> Response:
    """The same for a handler or a leader: their lists, what is late, their tasks."""
    line, capacity, texts = line_of(request), capacity_of(visitor), page_texts(request)
    found = unit_front_page(line, capacity)
    late = PlaceInList(list=UnitList.UNIT, filters=ListFilters(late=True))
    rows = tuple(shown_titled_row(texts, row, late, visitor.person) for row in found.late)
    return render(
        request,
        "unit_front.html",
        figures=_unit_figures(texts, found.side, leads=capacity.role is Role.LEADER),
        tasks=[_todo(texts, task) for task in found.tasks],
        task_count=f"{len(found.tasks)}{'+' if found.more_tasks else ''}",
        groups=[shapes.RowGroup(heading="", rows=rows)] if rows else [],
        late_count=len(rows),
        wrong=[_wrong(texts, each) for each in visible_conditions(line, capacity)],
        done=done_of(request, visitor),
        side=side_for(request, visitor, found.side),
    )


def _unit_figures(texts: PageTexts, side: UnitSide, *, leads: bool) -> list[shapes.Figure]:
    """How much is the person's, how much is nobody's, and how much there is; leaders have none."""
    _ = texts.gettext
    nobody = ListFilters(holder=Holder.NOBODY)
    named = (
        (side.own, _("Hos deg"), PlaceInList(list=UnitList.OWN)),
        (side.nobody, _("Ikke tildelt"), PlaceInList(list=UnitList.UNIT, filters=nobody)),
        (side.unit, _("Åpne i enheten"), PlaceInList(list=UnitList.UNIT)),
    )
    return [
        shapes.Figure(
            count=number.count,
            name=name,
            address=place.address,
            cause=texts.ngettext("%(count)s over frist", "%(count)s over frist", number.late)
            % {"count": number.late}
            if number.late
            else "",
            is_late=bool(number.late),
        )
        for number, name, place in (named[1:] if leads else named)
    ]


def _figure(texts: PageTexts, queue: Queue, count: QueueCount) -> shapes.Figure:
    cause = ""
    if count.oldest_age == 0:
        cause = texts.gettext("eldste fra i dag")
    elif count.oldest_age is not None:
        cause = texts.ngettext(
            "eldste %(count)s virkedag", "eldste %(count)s virkedager", count.oldest_age
        ) % {"count": count.oldest_age}
    return shapes.Figure(
        count=count.count,
        name=texts.gettext(words.FIGURES[queue]),
        address=PlaceInQueue(queue=queue).address,
        cause=cause,
        is_late=bool(count.late),
    )


def _task_count(found: FrontPage) -> str:
    return f"{len(found.tasks)}+" if found.more_tasks else str(len(found.tasks))


def _todo(texts: PageTexts, line: TaskLine) -> shapes.Todo:
    told = texts.gettext(words.TASKS[TaskKind(line.task.kind)])
    where = f"/oppgave/{line.task.id}"
    if TaskKind(line.task.kind) in _ACKNOWLEDGED:
        pass
    elif line.message_id is not None:
        where = f"/melding/{line.message_id}"
        if line.task.kind == TaskKind.ACCESS_ASKED:
            where += "/foresporsler"
    elif line.arrival_id is not None:
        where = f"/forsendelse/{line.arrival_id}"
    return shapes.Todo(
        what=told % {"ref": line.reference or ""},
        address=where,
        when=_since(texts, line.task.opened_at),
    )


def _since(texts: PageTexts, at: datetime | None) -> str:
    if at is None:
        return ""
    return texts.gettext("siden %(at)s") % {"at": formats.short_moment(at, texts.language)}


def _wrong(texts: PageTexts, condition: HealthCondition) -> shapes.Todo:
    said = words_of(condition, texts.language)
    return shapes.Todo(
        what=said.means,
        when=_since(texts, condition.since),
        more=f"{said.otherwise} {said.who}: {said.how}",
        is_late=condition.level in {Level.UNREADY, Level.WRONG},
        is_soon=condition.level is Level.WARNING,
    )
