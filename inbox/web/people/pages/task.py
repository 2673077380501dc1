"""A task: what it is about, and closing those that nothing closes by itself."""

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from inbox.line.access.open_access import emergency_access
from inbox.line.backlog.own_tasks import OwnTask
from inbox.line.desk.front_page import task_line
from inbox.line.moves import archive_staff
from inbox.line.task_kinds import TaskKind
from inbox.web.people import formats, shapes, words
from inbox.web.people.forms import read_form
from inbox.web.people.pages.context import capacity_of, line_of, side_for
from inbox.web.people.pages.decision_forms import (
    GivenReason,
    read_reason,
    reason_choices,
    reason_in_words,
)
from inbox.web.people.pages.done import Deed, done_query
from inbox.web.people.pages.place_in_queue import address
from inbox.web.people.rendering import page_texts, render_form
from inbox.web.people.sign_in.visitors import Acting
from inbox.web.people.visitor import Visitor

router = APIRouter()


@router.get("/oppgave/{task_id}")
def task(request: Request, visitor: Acting, task_id: str) -> Response:
    """One task of this capacity."""
    return _show(request, visitor, task_id)


@router.post("/oppgave/{task_id}/lukk")
def close(request: Request, visitor: Acting, task_id: str) -> Response:
    """Close it with a reason."""
    form = read_form(request, visitor)
    reason = read_reason(page_texts(request), form, "close_task")
    if not isinstance(reason, GivenReason):
        request.state.sent_again = form
        return _show(request, visitor, task_id, reason)
    archive_staff.close_by_hand(
        line_of(request), capacity_of(visitor), task_id, reason=reason.as_text()
    )
    said = done_query(visitor, Deed.CLOSED, task_id)
    return RedirectResponse(address("/", said), status_code=303)


def _show(
    request: Request, visitor: Visitor, task_id: str, wrong: shapes.FormProblems | None = None
) -> Response:
    texts = page_texts(request)
    found = task_line(line_of(request), capacity_of(visitor), task_id)
    said = texts.gettext(words.TASKS[TaskKind(found.task.kind)])
    return render_form(
        request,
        "task.html",
        wrong,
        heading=said % {"ref": found.reference or ""},
        line=found,
        closes=found.task.kind in archive_staff.CLOSED_BY_PEOPLE,
        facts=_emergency_facts(request, visitor, found.task),
        reasons=reason_choices(texts, "close_task"),
        side=side_for(request, visitor),
    )


def _emergency_facts(request: Request, visitor: Visitor, task: OwnTask) -> list[shapes.ShownFact]:
    """Of emergency access: who took it, why and until when; the note is for reviewers."""
    if task.kind != TaskKind.EMERGENCY:
        return []
    texts, line = page_texts(request), line_of(request)
    taken = emergency_access(line, capacity_of(visitor), task.subject_id)
    if taken is None:
        return []
    _ = texts.gettext
    sentence, _note = reason_in_words(texts, taken.reason)
    facts = (
        (_("Hvem"), taken.name),
        (_("Hva hastet"), sentence),
        (_("Fra"), formats.moment(taken.since, texts.language)),
        (_("Til"), formats.moment(taken.until, texts.language)),
    )
    return [shapes.ShownFact(label=label, value=value) for label, value in facts if value]
