"""The sign-in once in Firefox, where it is installed."""

from pathlib import Path

import pytest

from tests.web.people.journeys.firefox import find_firefox, started_firefox
from tests.web.people.journeys.office import NAMES, open_office


@pytest.mark.long
def test_person_signs_in_and_chooses_a_capacity_in_firefox(tmp_path: Path) -> None:
    find_firefox()
    (tmp_path / "office").mkdir()
    with open_office(tmp_path / "office") as office, started_firefox(tmp_path) as firefox:
        firefox.open(office.address)
        firefox.click("a", "Logg inn")
        firefox.click("button", NAMES["anne"])
        firefox.click("button", "Fordeler, Dokumentsenteret")
        firefox.wait_for("Oversikt")
        firefox.open(f"{office.address}/ko/til-fordeling")
        firefox.wait_for("Til fordeling")

        assert "__Host-okt" in {each["name"] for each in firefox.cookies}
