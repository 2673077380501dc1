"""An office with something in every queue, and the address of every page of an archivist.

Letters come a minute apart, and time stands still while pages are looked at, so that what they say
can be compared with files.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page
from sqlmodel import col, select

from inbox.access.policy.vocabulary import Role
from inbox.days import day_of
from inbox.domain import HoldCause
from inbox.line.desk.queue_filters import NO_FILTERS, Queue
from inbox.line.desk.saved_views import save_view
from inbox.line.moves import archive_staff, holds
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.line.task_kinds import TaskKind
from inbox.simulator.casesystem.simulator import Behaviour
from inbox.simulator.gateway.simulator import OtherEnd
from inbox.tables import Task
from tests.web.people.chromium import View, opened_page
from tests.web.people.journeys.archivist import Archivist, new_context
from tests.web.people.journeys.office import Office, open_office

OTHER = "910076787"
UNROUTED = 24
"""More than a page of a queue shows."""


@dataclass(kw_only=True)
class BusyOffice:
    """An office, its pages by name, and a person signed in there."""

    office: Office
    pages: Mapping[str, str]
    cookies: list[object] | None = None

    @contextmanager
    def opened(self, browser: Browser, view: View, *, script: bool = False) -> Iterator[Page]:
        """A browser in which Anne is signed in, strongly."""
        if self.cookies is None:
            self.cookies = _sign_in(browser, self.office)
        with opened_page(browser, view, script=script) as page:
            page.context.add_cookies(self.cookies)  # type: ignore[arg-type]
            yield page

    @contextmanager
    def a_second_later(self) -> Iterator[None]:
        """A form is sent a second after it was made; then it is the time of all the pages again."""
        clock, now = self.office.world.clock, self.office.world.clock.now
        self.office.look()
        try:
            yield
        finally:
            clock.now = now


def _sign_in(browser: Browser, office: Office) -> list[object]:
    context = new_context(browser)
    anne = Archivist(office, context.new_page())
    anne.sign_in("anne", "Fordeler, Dokumentsenteret")
    anne.goto("/logg-inn/sterk?til=/")
    anne.page.get_by_role("button", name="Anne Arkivar").click()
    anne.page.get_by_role("heading", name="Oversikt").wait_for()
    found: list[object] = list(context.cookies())
    context.close()
    return found


@contextmanager
def open_busy_office(folder: Path, *, unrouted: int = UNROUTED) -> Iterator[BusyOffice]:
    """The office, filled by its line and its people."""
    with open_office(folder) as office:
        yield BusyOffice(office=office, pages=_fill(office, unrouted))


def _fill(office: Office, unrouted: int) -> Mapping[str, str]:
    line = office.world.line
    anne = office.world.person("anne", Role.ARCHIVIST, "desk")
    bjorn = office.world.person("bjorn", Role.ARCHIVIST, "desk")
    failed = _without_receipt(office)
    office.make_history("Melding om barnevern")
    returned = _returned(office)
    (waiting,) = _ids(office, ["Melding om barnevern"])
    office.let_pass(minutes=11)
    (routed,) = _ids(office, ["Om en elev"])
    (quarantined, proposed_quarantined) = _ids(
        office, ["Noe annet"] * 2, parcel={"signer": office.world.authority.issue(OTHER)}
    )
    arrivals = _missed(office, 2)
    first, second, to_refuse, held = _ids(office, ["Noe annet"] * 4, sender=OTHER)
    wire_ids = office.arrive(count=unrouted)
    # Its tasks come after those of the others, in an order that is the same each time.
    half_a_minute = timedelta(seconds=30)
    office.world.clock.advance(half_a_minute)
    office.world.gateway.redeliver(wire_ids[-1], office.world.package("Noe annet"))
    office.run_worker()
    copies = _ids(office, ["Noe annet"] * 2, same_content=True)
    office.world.clock.advance(-half_a_minute)
    many = [each.id for each in office.world.messages() if each.wire_id in set(wire_ids[:-1])]
    tomorrow = day_of(office.world.clock.now + timedelta(days=3))
    holds.hold(line, anne, held, cause=HoldCause.SENDER_ASKED, last_day=tomorrow)
    propose = message_proposals.propose
    refusal = propose(
        line, bjorn, ProposalKind.REFUSE, to_refuse, code="not_for_us", reason="asked_sender: Sagt"
    )
    code = next(each.code for each in office.world.messages() if each.id == proposed_quarantined)
    own = propose(
        line,
        anne,
        ProposalKind.QUARANTINE_RELEASE,
        proposed_quarantined,
        code=code or "",
        reason="known_supplier",
    )
    # Of two proposals of one instant either could come first.
    office.world.clock.advance(timedelta(seconds=1))
    propose(line, bjorn, ProposalKind.ABANDON, arrivals[1], reason="sent_again")
    version = next(each.version for each in office.world.messages() if each.id == many[0])
    archive_staff.place(line, anne, many[0], unit="ppt", expected_version=version)
    save_view(line, anne, Queue.DISTRIBUTE, replace(NO_FILTERS, late=True))
    queue = "?ko=til-fordeling"
    pages = {
        "front": "/",
        **{f"queue_{each.replace('-', '_')}": f"/ko/{each}" for each in Queue},
        "queue_of_one_sender": f"/ko/til-fordeling?sender={OTHER}",
        "queue_choosing_several": f"/ko/til-fordeling/velg?sender={OTHER}",
        "message_without_suggestion": f"/melding/{first}{queue}",
        "message_with_suggestion": f"/melding/{many[1]}{queue}",
        "message_placing": f"/melding/{many[0]}{queue}",
        "message_routed": f"/melding/{routed}",
        "message_quarantined": f"/melding/{quarantined}?ko=karantene",
        "message_returned": f"/melding/{returned}?ko=avvist-av-fagsystem",
        "message_waiting": f"/melding/{waiting}?ko=venter-pa-fagsystem",
        "message_held": f"/melding/{held}?ko=pa-vent",
        "message_without_receipt": f"/melding/{failed}?ko=uten-kvittering",
        "form_hold": f"/melding/{second}/vent{queue}",
        "form_end_hold": f"/melding/{held}/av-vent?ko=pa-vent",
        "form_note": f"/melding/{second}/notat{queue}",
        "form_duplicate": f"/melding/{copies[1]}/duplikat",
        "form_refusal": f"/melding/{second}/avvisning{queue}",
        "form_release": f"/melding/{quarantined}/frigivelse?ko=karantene",
        "form_recheck": f"/melding/{quarantined}/kontroll?ko=karantene",
        "form_receipt": f"/melding/{failed}/kvittering?ko=uten-kvittering",
        "form_withdrawal": f"/melding/{waiting}/tilbake?ko=venter-pa-fagsystem",
        "proposal_to_decide": f"/forslag/{refusal}",
        "proposal_of_ones_own": f"/forslag/{own}",
        "arrival": f"/forsendelse/{arrivals[0]}",
        "arrival_to_give_up": f"/forsendelse/{arrivals[1]}",
        "telephone": "/telefon",
        "sessions": "/okter",
        "capacity": "/kapasitet",
        "sign_in": "/logg-inn",
        "help": "/hjelp",
        "not_here": "/melding/0",
    }
    return {**pages, **_task(office)}


def _ids(office: Office, titles: list[str], **more: Any) -> list[str]:
    """Letters that came a minute apart; the ids of the messages that they became."""
    wire_ids = []
    for title in titles:
        wire_ids.append(office.send(title, **more))
        office.run_worker()
        office.world.clock.advance(timedelta(minutes=1))
    return [office.world.message(each).id for each in wire_ids]


def _without_receipt(office: Office) -> str:
    (found,) = _ids(office, ["Melding om barnevern"])
    office.world.gateway.other_end(OtherEnd.FAILS)
    office.let_pass(minutes=11)
    office.register_all()
    office.world.settle()
    office.world.gateway.other_end(OtherEnd.TAKES)
    return found


def _returned(office: Office) -> str:
    for system in office.systems:
        system.behave(Behaviour(refuse_if=lambda _told: "not_ours"))
    (found,) = _ids(office, ["Sakkyndig vurdering"])
    office.let_pass(minutes=11)
    office.register_all()
    for system in office.systems:
        system.behave(Behaviour())
    return found


def _missed(office: Office, count: int) -> list[str]:
    wire_ids = [office.send() for _ in range(count)]
    office.world.collect()
    for each in wire_ids:
        office.world.gateway.lose(each)
    office.run_worker()
    office.world.clock.advance(timedelta(minutes=1))
    return [office.world.arrival(each).id for each in wire_ids]


def _task(office: Office) -> Mapping[str, str]:
    """The page of a task that people close."""
    with office.world.line.store.reading() as tx:
        found = tx.exec(
            select(Task.id).where(
                col(Task.closed_at).is_(None), col(Task.kind) == TaskKind.OTHER_BYTES.value
            )
        ).one()
    return {"task": f"/oppgave/{found}"}
