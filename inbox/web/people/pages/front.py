"""The front page: what waits, what is late, what is wrong, and what this person can do about it."""

from datetime import datetime

from fastapi import APIRouter, Request, Response

from inbox.health.condition import HealthCondition, Level
from inbox.health.visible import visible_conditions
from inbox.health.words import words_of
from inbox.line.desk.front_page import FIGURES, FrontPage, TaskLine, front_page
from inbox.line.desk.queue_filters import Queue
from inbox.line.desk.queues import DeskSide, QueueCount
from inbox.line.task_kinds import TaskKind
from inbox.web.people import formats, shapes, words
from inbox.web.people.pages.context import capacity_of, line_of, side_for
from inbox.web.people.pages.done import done_of
from inbox.web.people.pages.place_in_queue import PlaceInQueue
from inbox.web.people.pages.shown_rows import shown_row
from inbox.web.people.rendering import page_texts, render
from inbox.web.people.sign_in.visitors import Acting
from inbox.web.people.texts import PageTexts

router = APIRouter()


@router.get("/")
def front(request: Request, visitor: Acting) -> Response:
    """What a person sees first."""
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
    if line.message_id is not None:
        where = f"/melding/{line.message_id}"
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
