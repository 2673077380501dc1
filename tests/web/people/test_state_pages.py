"""Every error has a page that says what happened and what to do, and nothing else."""

import json
import logging
import re

import pytest
from fastapi.testclient import TestClient

from inbox.errors import (
    ConcurrentWrite,
    Conflict,
    IllegalMove,
    InboxError,
    IntegrityError,
    Invalid,
    NotFound,
    NotPermitted,
    Unavailable,
)
from inbox.line import Line
from inbox.web.people import state_pages
from inbox.web.people.app import create_people_app
from inbox.web.people.request_rate import RequestRate
from inbox.web.people.site import PeopleSite
from inbox.web.people.state_pages import STATE_PAGES, StateAnswer
from inbox.web.people.visitor import NoCapacity, NotSignedIn
from tests.web.people.conftest import Pages

CANARY = "Kanarifugl"


@pytest.mark.parametrize(
    ("error", "status", "heading"),
    [
        (NotFound(), 404, "Finnes ikke her"),
        (NotPermitted("not_permitted", CANARY), 403, "Dette kan du ikke gjøre"),
        (NoCapacity(), 403, "Du handler ikke i noen rolle nå"),
        (NotSignedIn(), 401, "Du er ikke logget inn"),
        (Conflict("message.state", CANARY), 409, "Noen andre kom først"),
        (ConcurrentWrite("database.taken"), 409, "Noen andre kom først"),
        (IllegalMove("message.move", CANARY), 409, "Noen andre kom først"),
        (Conflict("message.erased"), 410, "Slettet i mellomtiden"),
        (Invalid("note.national_id", CANARY), 422, "Skjemaet kan ikke leses"),
        (Unavailable("policy.not_active"), 503, "Tilgangsreglene er ikke i kraft"),
        (Unavailable("database.unavailable", CANARY), 503, "Databasen svarer ikke"),
        (Unavailable("database.busy"), 503, "Databasen svarer ikke"),
        (Unavailable("vault.full"), 503, "Noe vi trenger, er borte akkurat nå"),
        (Unavailable("standstill"), 503, "Innboksen står stille"),
        (Unavailable("audit.cut", CANARY), 503, "Innboksen står stille"),
        (Unavailable("audit.fork"), 503, "Innboksen står stille"),
        (IntegrityError("database.damaged", CANARY), 500, "Noe gikk galt hos oss"),
        (RuntimeError(CANARY), 500, "Noe gikk galt hos oss"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_error_becomes_its_page_without_a_word_of_its_reason(
    pages: Pages, error: Exception, status: int, heading: str
) -> None:
    @pages.app.get("/feiler")
    def fails() -> None:
        raise error

    answer = pages.get("/feiler")

    assert answer.status_code == status
    assert f"<h1>{heading}</h1>" in answer.text
    assert f"<title>{heading} – " in answer.text
    assert CANARY not in answer.text


def test_every_kind_of_error_of_the_product_has_a_page() -> None:
    def kinds(kind: type[InboxError]) -> set[type[InboxError]]:
        return {kind, *(each for sub in kind.__subclasses__() for each in kinds(sub))}

    answered = [state_pages.page_of(kind("a.code")) for kind in (NotFound, Invalid, Unavailable)]

    assert len(kinds(InboxError)) > 15
    assert [page.status for page in answered] == [404, 422, 503]


def test_absent_address_and_one_that_is_not_mine_are_the_same_bytes(pages: Pages) -> None:
    @pages.app.get("/melding/{message_id}")
    def message(message_id: str) -> None:
        raise NotFound("not_found", f"{message_id} is another unit's")

    def shown(path: str) -> str:
        return re.sub(r'"_skjema" value="[^"]*"', "", pages.get(path).text)

    assert shown("/melding/04361") == shown("/melding/nei") == shown("/ingen/slik/side")


def test_page_of_a_failure_says_the_time_and_an_id_that_the_log_has(
    pages: Pages, caplog: pytest.LogCaptureFixture
) -> None:
    @pages.app.get("/feiler")
    def fails() -> None:
        raise RuntimeError(CANARY)

    with caplog.at_level(logging.INFO, "inbox"):
        text = pages.get("/feiler").text

    shown = re.search(
        r"Tidspunkt: mandag 30\.\xa0november kl\.\xa007\.52\. Nummer: ([0-9a-f]{8})\.", text
    )
    logged = [getattr(each, "inbox_fields", {}) for each in caplog.records]
    assert shown is not None
    assert {"code": "internal", "error": "RuntimeError", "request_id": shown[1]} in logged
    assert CANARY not in json.dumps(logged)


def test_unknown_method_is_a_page_and_not_the_frameworks_answer(pages: Pages) -> None:
    answer = pages.post("/hjelp", {})

    assert answer.status_code == 405
    assert "Det kan ikke gjøres på denne måten" in answer.text


@pytest.mark.parametrize(("name", "times"), [("gap", 0), ("not_signed_in", 0), ("changed", 1)])
def test_page_names_nobody_where_every_session_has_ended(
    pages: Pages, name: str, times: int
) -> None:
    assert pages.get(f"/komponenter/{name}").text.count("Anne Arkivar") == times


def test_every_state_page_can_be_looked_at(pages: Pages) -> None:
    seen = {name: pages.get(f"/komponenter/{name}").status_code for name in STATE_PAGES}

    assert seen == {name: page.status for name, page in STATE_PAGES.items()}
    assert len(seen) == 17


def test_too_many_requests_of_one_session_are_answered_by_a_page(
    line: Line, site: PeopleSite
) -> None:
    now = [0.0]
    app = create_people_app(line, site)
    limited = RequestRate(
        app, site=site, refusal=StateAnswer(app, STATE_PAGES["too_many"]), tick=lambda: now[0]
    )
    client = TestClient(limited, base_url="https://innboks.example.no")
    mine = {"cookie": "__Host-okt=mine"}

    taken = [client.get("/hjelp", headers=mine).status_code for _ in range(301)]
    refused = client.get("/hjelp", headers=mine)
    another = client.get("/hjelp", headers={"cookie": "__Host-okt=another"})
    sheet = client.get("/static/none.css", headers=mine)
    now[0] += 0.2
    later = client.get("/hjelp", headers=mine)

    assert taken == [200] * 300 + [429]
    assert refused.status_code == 429
    assert "For mange forespørsler" in refused.text
    assert refused.headers["retry-after"] == "30"
    assert (another.status_code, sheet.status_code, later.status_code) == (200, 404, 200)
