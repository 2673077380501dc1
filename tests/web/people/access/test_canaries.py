"""Words of a letter are where its unit reads it, and in no other answer, header, redirect or log.

What people wrote has a page each: notes stand on the form of notes, a reason with its proposal.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx2 import Response

from tests.web.people.access.canaries import (
    CASE,
    CONTENT,
    DOCUMENT,
    EVERY,
    IN_THE_TITLE,
    NOTE,
    OF_THE_LETTER,
    REASON,
    TITLE,
    Letters,
    send_letters,
)
from tests.web.people.access.house import EVERYBODY, AccessHouse, access_house
from tests.web.people.access.routes import FORMS, read_table


def _addresses(letters: Letters) -> Iterator[tuple[str, str]]:
    """Every route of the table about each of the letters, reading first."""
    subjects = {
        "{message_id}": (
            *(letters.unrouted, letters.own_unit, letters.assigned, letters.quarantined),
        ),
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
    found: set[tuple[str, str, str]] = set()
    in_headers = set()
    caplog.set_level(logging.INFO, logger="inbox")
    with access_house(tmp_path) as house:
        letters = send_letters(house)
        capfd.readouterr()
        for who in EVERYBODY:
            for method, address in _addresses(letters):
                answer = _asked(house, who, method, address)
                found |= {(who, address, each) for each in EVERY if each in answer.text}
                in_headers |= {
                    (who, address, each) for each in EVERY if each in str(answer.headers)
                }
                assert answer.headers["referrer-policy"] == "no-referrer"
        printed = capfd.readouterr()
    logged = printed.out + printed.err + "".join(str(vars(each)) for each in caplog.records)

    assert [each for each in EVERY if each in logged] == []
    assert "request" in logged
    by_people = {
        ("archivist", f"/melding/{letters.unrouted}/notat", NOTE),
        ("archivist", f"/forslag/{letters.proposal}", REASON),
    }
    assert found - by_people == {each for each in found if _is_for_unit(letters, *each)}
    assert by_people <= found
    page = f"/melding/{letters.assigned}"
    assert {(who, page, TITLE) for who in ("handler", "leader")} <= found
    assert {("handler", page, CASE), ("handler", f"{page}/dokument/1", CONTENT)} <= found
    assert in_headers == {("handler", f"{page}/dokument/1", DOCUMENT)}


def _is_for_unit(letters: Letters, who: str, address: str, canary: str) -> bool:
    """Whether somebody of the school may see it there: titles, and what is in what they have."""
    is_about_theirs = letters.own_unit in address or letters.assigned in address
    if canary in IN_THE_TITLE and who in {"handler", "leader"}:
        return is_about_theirs or address in {"/", "/min-enhet", "/tildelt"}
    return who == "handler" and canary in OF_THE_LETTER and is_about_theirs


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
