"""No word of a letter is in any answer, header, redirect or line of the log; nor what others wrote.

What people wrote has a page each: notes stand on the form of notes, a reason with its proposal.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx2 import Response

from tests.web.people.access.canaries import EVERY, NOTE, REASON, Letters, send_letters
from tests.web.people.access.house import EVERYBODY, AccessHouse, access_house
from tests.web.people.access.routes import FORMS, read_table


def _addresses(letters: Letters) -> Iterator[tuple[str, str]]:
    """Every route of the table about each of the letters, reading first."""
    subjects = {
        "{message_id}": (letters.unrouted, letters.own_unit, letters.quarantined),
        "{proposal_id}": (letters.proposal,),
    }
    seen = {}
    for row in read_table():
        name = next((part for part in row.route.split("/") if part.startswith("{")), "")
        for subject in subjects.get(name, ("x",)):
            seen[row.method, row.route, row.route.replace(name, subject) if name else row.route] = 0
    for method, route, address in sorted(seen, key=lambda each: each[0] != "GET"):
        if route != "/logg-ut":
            yield method, address


def _asked(house: AccessHouse, who: str, method: str, address: str) -> Response:
    somebody = house.people[who]
    if method == "GET":
        return somebody.get(address)
    route = "/".join("{message_id}" if len(part) == 32 else part for part in address.split("/"))
    return somebody.post(address, FORMS.get(route, {}))


def test_no_canary_leaves_but_where_it_was_asked_for(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    found = set()
    caplog.set_level(logging.INFO, logger="inbox")
    with access_house(tmp_path) as house:
        letters = send_letters(house)
        capfd.readouterr()
        for who in EVERYBODY:
            for method, address in _addresses(letters):
                answer = _asked(house, who, method, address)
                said = f"{answer.headers}\n{answer.text}"
                found |= {(who, address, each) for each in EVERY if each in said}
                assert answer.headers["referrer-policy"] == "no-referrer"
        printed = capfd.readouterr()
    logged = printed.out + printed.err + "".join(str(vars(each)) for each in caplog.records)

    assert [each for each in EVERY if each in logged] == []
    assert "request" in logged
    assert found == {
        ("archivist", f"/melding/{letters.unrouted}/notat", NOTE),
        ("archivist", f"/forslag/{letters.proposal}", REASON),
    }


def test_refused_text_is_in_no_header_and_no_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="inbox")
    with access_house(tmp_path) as house:
        letters = send_letters(house)
        capfd.readouterr()
        headers = []
        for who in ("archivist", "handler", "expired"):
            for address in (
                f"/melding/{letters.unrouted}/notat",
                f"/melding/{letters.unrouted}/avvisning",
                "/telefon",
                "/finn",
            ):
                typed = dict.fromkeys(("tekst", "merknad", "q", "id", "orgnr"), f"{NOTE} " * 1000)
                answer = house.people[who].post(address, typed)
                headers.append(str(answer.headers))
        printed = capfd.readouterr()

    assert NOTE not in "".join(headers)
    logged = "".join(str(vars(each)) for each in caplog.records)
    assert NOTE not in printed.out + printed.err + logged
