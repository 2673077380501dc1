"""Every page of a handler and a leader, with something on it: axe finds nothing, none too wide."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page

from inbox.access.policy.vocabulary import Role
from inbox.domain import PersonId, UnitId
from inbox.line.access import grants
from inbox.line.access.requests import ask_access
from inbox.line.moves import content, unit
from tests.web.people.chromium import View, opened_page, violations_on, widths_of
from tests.web.people.journeys.archivist import Archivist, new_context
from tests.web.people.journeys.office import Office, open_office

REASON = "works_together: De arbeider sammen"
VIEWS = [
    View(width=width, language=language, colours=colours)
    for width in (320, 1280)
    for colours in ("dark", "light")
    for language in ("nb", "nn", "en")
]
FORMS = ("ikke-var", "registrer", "inhabil", "nodtilgang", "notat", "vent")
CAPACITIES = {"ola": "Saksbehandler, Skole", "kari": "Leder, Skole"}


@dataclass(kw_only=True)
class UnitOffice:
    """An office with mail of the school in every place, and who is signed in there."""

    office: Office
    pages: Mapping[str, Mapping[str, str]]
    """By person and name, the address."""
    cookies: Mapping[str, list[object]]

    def faults(self, browser: Browser, person: str, names: list[str], view: View) -> dict[str, str]:
        """What is wrong with these pages of a person, by name."""
        found = {}
        with opened_page(browser, view, script=True) as page:
            page.context.add_cookies(self.cookies[person])  # type: ignore[arg-type]
            for name in names:
                answer = page.goto(self.office.address + self.pages[person][name])
                assert answer is not None
                assert answer.status == 200, name
                found[name] = _seen_on(page)
        return {name: faults for name, faults in found.items() if faults}


def _seen_on(page: Page) -> str:
    width, window = widths_of(page)
    too_wide = [("too wide", f"{width} > {window}")] if width > window else []
    return str([*violations_on(page), *too_wide] or "")


@pytest.fixture(scope="module")
def there(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnitOffice]:
    """The school with mail that is free, taken, covered, shared, offered and registered."""
    with open_office(tmp_path_factory.mktemp("unit"), is_read=True) as office:
        pages = _fill(office)
        cookies = {person: _sign_in(browser, office, person) for person in CAPACITIES}
        yield UnitOffice(office=office, pages=pages, cookies=cookies)


def _fill(office: Office) -> Mapping[str, Mapping[str, str]]:
    line, wire_ids = office.world.line, office.arrive("Elev", count=7)
    ids = {each.wire_id: each.id for each in office.world.messages()}
    free, own, covered, given, offered, collected, done = (ids[each] for each in wire_ids)
    kari = office.world.person("kari", Role.LEADER, "skole")
    ola = office.world.person("ola", Role.HANDLER, "skole")
    berit = PersonId("berit")
    for each in (own, offered, collected, done):
        unit.take(line, ola, each)
    for each in (covered, given):
        unit.assign(line, kari, each, to=berit)
    grants.grant(line, kari, given, to=ola.person or berit, duration=_DAYS, reason=REASON)
    for each in (offered, collected, done):
        unit.release(line, ola, each, expected_version=_version(office, each))
    office.let_pass(minutes=11)
    for each in (collected, done):
        content.collect_by_hand(line, ola, each)
    unit.register(line, ola, done, reference="2026/17-3", expected_version=_version(office, done))
    until = office.world.clock.now + _DAYS
    grants.delegate(
        line,
        kari,
        unit=UnitId("skole"),
        absent=berit,
        substitute=PersonId("ola"),
        until=until,
    )
    ask_access(line, ola, free, reason="asked_to_advise: Helsesiden")
    office.run_worker()
    handler = {
        "front": "/",
        "unit": "/min-enhet",
        "unit_late": "/min-enhet?late=1",
        "own": "/tildelt",
        "registered": "/tildelt?ferdig=1",
        "free": f"/melding/{free}?liste=min-enhet",
        "assigned": f"/melding/{own}?liste=tildelt",
        "covered": f"/melding/{covered}",
        "given": f"/melding/{given}",
        "offered": f"/melding/{offered}",
        "collected": f"/melding/{collected}",
        "done": f"/melding/{done}",
        "asking": f"/melding/{free}/be-om-innsyn",
        **{f"form_{form}": f"/melding/{own}/{form}" for form in FORMS},
    }
    leader = {
        "front": "/",
        "unit": "/min-enhet",
        "unit_all": "/min-enhet?alle=1",
        "approvals": "/ko/til-godkjenning",
        "give_all": "/min-enhet/gi-alle/ola",
        "stand_in": "/min-enhet/vikar",
        "access": "/min-enhet/tilgang",
        "requests": f"/melding/{free}/foresporsler",
        "free": f"/melding/{free}",
        "assigned": f"/melding/{own}",
        **{f"form_{form}": f"/melding/{own}/{form}" for form in ("tildel", "innsyn", "avvisning")},
    }
    return {"ola": handler, "kari": leader}


_DAYS = timedelta(days=3)


def _version(office: Office, message_id: str) -> int:
    return next(each.version for each in office.world.messages() if each.id == message_id)


def _sign_in(browser: Browser, office: Office, person: str) -> list[object]:
    context = new_context(browser)
    somebody = Archivist(office, context.new_page())
    somebody.sign_in(person, CAPACITIES[person])
    found: list[object] = list(context.cookies())
    context.close()
    return found


@pytest.mark.parametrize("person", CAPACITIES)
def test_each_page_of_a_unit_has_no_violation_in_one_of_the_views(
    browser: Browser, there: UnitOffice, person: str
) -> None:
    names = [*there.pages[person]]
    assert len(names) >= 12
    found: dict[str, str] = {}
    for number, view in enumerate((VIEWS[0], VIEWS[9])):
        found |= there.faults(browser, person, names[number::2], view)

    assert found == {}


@pytest.mark.long
@pytest.mark.parametrize("view", VIEWS, ids=lambda v: f"{v.language}-{v.colours}-{v.width}")
def test_pages_of_a_unit_have_no_violation_in_any_language_colour_and_width(
    browser: Browser, there: UnitOffice, view: View
) -> None:
    for person in CAPACITIES:
        assert there.faults(browser, person, [*there.pages[person]], view) == {}
