"""*Min enhet* of a leader: work is shared out, one or many; stand-ins; and what access there is.

Nobody who gets something is chosen here but colleagues of the unit, and each message is decided for
itself: of one that cannot be given the page says so, and no more.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from inbox.access.policy.vocabulary import Role
from inbox.days import day_of, end_of_day, start_of_day
from inbox.domain import PersonId, UnitId
from inbox.errors import Conflict, InboxError, Invalid, NotFound, NotPermitted
from inbox.line.access import grants
from inbox.line.access.open_access import AccessKind, OpenAccess, open_access_in_unit
from inbox.line.desk.short_reference import short_reference_of
from inbox.line.moves import unit
from inbox.line.unit_inbox.leader_page import (
    Colleague,
    LeaderPage,
    StandIn,
    leader_page,
    names_of_colleagues,
    work_of,
)
from inbox.line.unit_inbox.lists import Holder, ListFilters, UnitList
from inbox.web.people import formats, shapes
from inbox.web.people.forms import Form, read_form
from inbox.web.people.pages.context import capacity_of, line_of, side_for
from inbox.web.people.pages.decision_forms import form_problems
from inbox.web.people.pages.desk_forms import read_day
from inbox.web.people.pages.done import Deed, done_of, done_query
from inbox.web.people.pages.place_in_queue import PlaceInList, address
from inbox.web.people.pages.unit.rows import shown_titled_row
from inbox.web.people.rendering import page_texts, render, render_form
from inbox.web.people.sign_in.visitors import Acting
from inbox.web.people.texts import PageTexts, to_translate
from inbox.web.people.visitor import Visitor

router = APIRouter()
_HOME: Final = "/min-enhet"
_ACCESS_KINDS: Final = {
    AccessKind.ASSIGNMENT: to_translate("tildelt"),
    AccessKind.GRANT: to_translate("innsyn"),
    AccessKind.EMERGENCY: to_translate("nødtilgang"),
    AccessKind.DELEGATION: to_translate("vikar"),
}


def show_leader_page(request: Request, visitor: Visitor) -> Response:
    """The page of the unit that the person leads."""
    texts = page_texts(request)
    found = leader_page(line_of(request), capacity_of(visitor))
    filters = ListFilters(holder=Holder.NOBODY)
    place = PlaceInList(list=UnitList.UNIT, filters=filters)
    rows = tuple(shown_titled_row(texts, each, place, visitor.person) for each in found.unassigned)
    return render(
        request,
        "leader.html",
        about=visitor.capacity_name,
        groups=[shapes.RowGroup(heading="", rows=rows)] if rows else [],
        unassigned_count=found.side.nobody.count,
        unassigned_address=place.address,
        people=[shapes.Choice(value=each.person, name=each.name) for each in found.colleagues],
        colleagues=[_shown_colleague(texts, found, each) for each in found.colleagues],
        open_count=sum(each.open for each in found.colleagues),
        stand_ins=[_stand_in(texts, each) for each in found.stand_ins],
        done=done_of(request, visitor),
        side=side_for(request, visitor, found.side),
    )


@router.post("/min-enhet/tildel")
def assign_several(request: Request, visitor: Acting) -> Response:
    """Assign all that were chosen to one colleague; each is decided for itself, and listed."""
    form = read_form(request, visitor, at_speed=True)
    _check_leads(visitor)
    chosen, to = form.several("melding"), form.one("til")
    if not chosen or not to:
        return RedirectResponse(form.return_address, status_code=303)
    outcomes = [_assign(request, visitor, each, PersonId(to)) for each in chosen]
    done = sum(each.holds for each in outcomes)
    said = page_texts(request).gettext("%(done)s av %(all)s er tildelt")
    return render(
        request,
        "several_done.html",
        heading=said % {"done": done, "all": len(outcomes)},
        outcomes=outcomes,
        place=PlaceInList(list=UnitList.UNIT),
        side=side_for(request, visitor),
    )


@router.get("/min-enhet/gi-alle/{person}")
def give_all(request: Request, visitor: Acting, person: str) -> Response:
    """All open work of one colleague, to be given to another: all of it, or some."""
    line, capacity, texts = line_of(request), capacity_of(visitor), page_texts(request)
    found = work_of(line, capacity, person)
    place = PlaceInList(list=UnitList.UNIT)
    rows = tuple(shown_titled_row(texts, each, place, visitor.person) for each in found.rows)
    return render(
        request,
        "give_all.html",
        heading=texts.gettext("Gi alle til: det som er hos %(name)s") % {"name": found.name},
        groups=[shapes.RowGroup(heading="", rows=rows)] if rows else [],
        chosen=[each.pick for each in rows],
        people=[shapes.Choice(value=each, name=name) for each, name in found.others.items()],
        side=side_for(request, visitor, found.side),
    )


@router.get("/min-enhet/vikar")
def stand_in(request: Request, visitor: Acting) -> Response:
    """Let one colleague stand in for another."""
    return _show_stand_in(request, visitor, None)


@router.post("/min-enhet/vikar")
def appoint_stand_in(request: Request, visitor: Acting) -> Response:
    """Do it; or the form again, with what is wrong."""
    form, capacity = read_form(request, visitor), capacity_of(visitor)
    _check_leads(visitor)
    assert capacity.unit is not None
    wrong = _delegate(request, visitor, form)
    if wrong is not None:
        request.state.sent_again = form
        return _show_stand_in(request, visitor, wrong)
    said = done_query(visitor, Deed.STAND_IN, capacity.unit)
    return RedirectResponse(address(_HOME, said), status_code=303)


@router.get("/min-enhet/tilgang")
def access(request: Request, visitor: Acting) -> Response:
    """All access in force to the unit's messages, to be ended one by one; looking is audited."""
    line, capacity, texts = line_of(request), capacity_of(visitor), page_texts(request)
    _check_leads(visitor)
    there = open_access_in_unit(line, capacity)
    names = names_of_colleagues(line, capacity)
    return render(
        request,
        "unit_access.html",
        items=[_access_line(texts, each, names) for each in there],
        done=done_of(request, visitor),
    )


@router.post("/min-enhet/tilgang/{access_id}/avslutt")
def end_access(request: Request, visitor: Acting, access_id: str) -> Response:
    """End an assignment, a grant, emergency access or a standing in now."""
    form = read_form(request, visitor)
    del form
    grants.end_access(line_of(request), capacity_of(visitor), access_id)
    said = done_query(visitor, Deed.ACCESS_ENDED, access_id)
    return RedirectResponse(address(f"{_HOME}/tilgang", said), status_code=303)


def _check_leads(visitor: Visitor) -> None:
    if capacity_of(visitor).role is not Role.LEADER:
        raise NotFound


def _assign(request: Request, visitor: Visitor, message_id: str, to: PersonId) -> shapes.ShownCheck:
    """Assign one of several; says in a sentence what became of it."""
    _ = page_texts(request).gettext
    try:
        named = {"ref": short_reference_of(message_id)}
        unit.assign(line_of(request), capacity_of(visitor), message_id, to=to)
    except (NotFound, ValueError):
        return shapes.ShownCheck(holds=False, text=_("En av dem finnes ikke her."), stops=True)
    except InboxError:
        said = _("%(ref)s kan ikke gis til den du valgte.") % named
        return shapes.ShownCheck(holds=False, text=said, stops=True)
    return shapes.ShownCheck(holds=True, text=_("%(ref)s er tildelt.") % named)


def _show_stand_in(
    request: Request, visitor: Visitor, wrong: shapes.FormProblems | None
) -> Response:
    _check_leads(visitor)
    people = names_of_colleagues(line_of(request), capacity_of(visitor))
    return render_form(
        request,
        "stand_in_form.html",
        wrong,
        people=[shapes.Choice(value=each, name=name) for each, name in people.items()],
        side=side_for(request, visitor),
    )


def _delegate(request: Request, visitor: Visitor, form: Form) -> shapes.FormProblems | None:
    """Appoint the stand-in; what is wrong, if anything is."""
    texts, line, capacity = page_texts(request), line_of(request), capacity_of(visitor)
    _ = texts.gettext
    with line.store.reading() as tx:
        today = day_of(tx.now)
    absent, substitute = form.one("borte"), form.one("vikar")
    first, last = read_day(form.one("fra"), today), read_day(form.one("slutt"), today)
    wrong: dict[str, str] = {}
    if not absent:
        wrong["borte"] = _("Velg hvem som er borte")
    if not substitute or substitute == absent:
        wrong["vikar"] = _("Velg en annen som vikarierer")
    if first is None or first < today:
        wrong["fra"] = _("Skriv en dag fra i dag av, som 7.12.2026")
    if last is None or (first is not None and last < first):
        wrong["slutt"] = _("Skriv en dag, som 7.12.2026")
    if wrong or first is None or last is None:
        return form_problems(texts, wrong)
    assert capacity.unit is not None
    try:
        grants.delegate(
            line,
            capacity,
            unit=UnitId(capacity.unit),
            absent=PersonId(absent),
            substitute=PersonId(substitute),
            since=start_of_day(first),
            until=end_of_day(last),
        )
    except Invalid:
        days = line.terms.delegation_longest.days
        said = _("Velg en dag fram i tid, høyst %(days)s dager") % {"days": days}
        return form_problems(texts, {"slutt": said})
    except Conflict as error:
        if error.code != "access.stands":
            raise
        return form_problems(texts, {"vikar": _("Den personen vikarierer alt")})
    except NotPermitted:
        return form_problems(texts, {"vikar": _("Den personen kan ikke vikariere her")})
    return None


def _shown_colleague(texts: PageTexts, found: LeaderPage, each: Colleague) -> shapes.ShownColleague:
    now = found.made_at
    covering = next(
        (
            one
            for one in found.stand_ins
            if one.absent == each.person and one.since <= now < one.until
        ),
        None,
    )
    return shapes.ShownColleague(
        name=each.name,
        open=each.open,
        late=each.late,
        oldest=formats.short_day(day_of(each.oldest_at), texts.language) if each.oldest_at else "",
        cleared=", ".join(each.clearances),
        stand_in=covering.substitute_name if covering else "",
        give_all=f"{_HOME}/gi-alle/{each.person}" if each.open else "",
    )


def _stand_in(texts: PageTexts, each: StandIn) -> shapes.ShownFact:
    named = {"name": each.substitute_name, "absent": each.absent_name}
    return shapes.ShownFact(
        label=texts.gettext("%(name)s for %(absent)s") % named,
        value=texts.gettext("%(since)s til %(until)s")
        % {"since": _short(texts, each.since), "until": _short(texts, each.until)},
    )


def _short(texts: PageTexts, at: datetime) -> str:
    return formats.short_moment(at, texts.language)


def _access_line(
    texts: PageTexts, each: OpenAccess, names: Mapping[PersonId, str]
) -> shapes.ShownAccess:
    return shapes.ShownAccess(
        id=each.id,
        kind=texts.gettext(_ACCESS_KINDS[each.kind]),
        person=names.get(PersonId(each.person), texts.gettext("en i en annen enhet")),
        reference=short_reference_of(each.message_id) if each.message_id else "",
        address=f"/melding/{each.message_id}" if each.message_id else "",
        since=_short(texts, each.since),
        until=_short(texts, each.until) if each.until else texts.gettext("ingen slutt"),
    )
