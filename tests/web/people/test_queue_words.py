"""What rows, filters and lamps are called: names where they are known, and never what is not so."""

import re
from pathlib import Path

from inbox.domain import MessageState
from inbox.web.people.pages.shown_rows import process_name
from tests.line.desk.desk_world import at, mail, verdict_of
from tests.web.people.access.house import access_house
from tests.worlds import SENDER

OTHER = "310000072"
_FILTER = re.compile(r'<a href="[^"]*[?&;]sender=(\d+)"[^>]*>([^<]*?) <span>(\d+)</span>')


def test_sender_filter_has_the_names_of_rows_and_keeps_numbers_in_its_addresses(
    tmp_path: Path,
) -> None:
    with access_house(tmp_path) as house:
        for sender, name in ((SENDER, "Ytterkyst politidistrikt"), (OTHER, None)):
            mail(house.hall, sender=sender, verdict=name and verdict_of(sender, name))

        page = house.people["archivist"].get("/ko/til-fordeling").text

    assert sorted(_FILTER.findall(page)) == sorted(
        [(SENDER, "Ytterkyst politidistrikt", "1"), (OTHER, "310\u00a0000\u00a0072", "1")]
    )


def test_deadline_in_a_row_has_weekday_date_and_hour(tmp_path: Path) -> None:
    with access_house(tmp_path) as house:
        mail(house.hall, received_at=at(house.hall, days=9))

        page = house.people["archivist"].get("/ko/til-fordeling").text

    assert re.search(r"[a-zø]{2}\.\s\d+\.\d+\. \d\d\.\d\d<span", page)


def test_only_what_is_not_done_is_urgent(tmp_path: Path) -> None:
    with access_house(tmp_path) as house:
        anne = house.people["archivist"]
        mail(house.hall, MessageState.REGISTERED, urgent=True)
        done = anne.get("/ko/ferdig").text
        mail(house.hall, urgent=True)
        waiting = anne.get("/ko/til-fordeling").text

    assert "haster" not in done
    assert "haster" in waiting


def test_message_in_quarantine_says_first_why_and_is_not_called_verified(tmp_path: Path) -> None:
    verdict = verdict_of(SENDER, None, code="signer.not_sender")
    with access_house(tmp_path) as house:
        held = {"unit": None, "code": "signer.not_sender", "verdict": verdict}
        message_id = mail(house.hall, MessageState.QUARANTINED, **held)

        page = house.people["archivist"].get(f"/melding/{message_id}").text

    why = re.search(r'<h2 id="fordel">I karantene</h2>\s*<p>([^<]+)</p>', page)
    assert why
    assert page.count(why[1]) == 2
    assert "<b>Ikke verifisert</b>" in page
    assert "<b>Verifisert</b>" not in page
    assert "Kan avsenderen rette det? " in page


def test_known_process_has_its_word_and_an_unknown_process_its_own_name() -> None:
    known = "urn:no:difi:profile:arkivmelding:planByggOgGeodata:ver1.0"

    assert process_name(known) == "plan bygg og geodata"
    assert [process_name(each) for each in ("urn:p", "noe", None)] == ["urn:p", "noe", ""]
