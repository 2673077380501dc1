"""What operators are told: ready or not and why, and how many; never which."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from lxml import etree, html
from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import Session

from inbox import audit
from inbox.access.files.active import activate_policy
from inbox.access.lists.recheck import LISTING_DIFFERS, ListDifference
from inbox.access.policy.vocabulary import Action, Role
from inbox.app import create_operator_app
from inbox.directory import import_agreed
from inbox.directory.format.toml_file import read_directory
from inbox.domain import ArrivalState, DeliveryState, MessageId, MessageState, ReceiptState
from inbox.keys import Keyring, create_keys
from inbox.line import Line
from inbox.line.moves import archive_staff
from inbox.line.pulses import WORKER, record_pulse
from inbox.store import SteadyClock, Store
from inbox.tables import Message
from inbox.web.operator_totals import totals_of
from tests import municipality
from tests.web.conftest import CANARY, Api
from tests.worlds import SENDER, World

ALL_WELL = {
    "database": "ok",
    "vault": "ok",
    "keys": "ok",
    "audit": "ok",
    "policies": "ok",
    "routing": "ok",
    "trust": "ok",
    "lists": "ok",
    "work": "ok",
    "gateway:eformidling": "ok",
}


def _needs(line: Line) -> tuple[int, Mapping[str, str]]:
    with TestClient(create_operator_app(line), raise_server_exceptions=False) as client:
        answer = client.get("/health/ready")
    assert answer.json()["ready"] is (answer.status_code == 200)
    return answer.status_code, answer.json()["needs"]


def _samples(line: Line) -> dict[tuple[str, str], float]:
    """Every sample of a scrape by its name and the values of its labels."""
    with TestClient(create_operator_app(line)) as client:
        answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, " ".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


# Health


def test_liveness_answers_even_when_the_vault_is_missing(
    operator: TestClient, small_world: World
) -> None:
    (small_world.folder / "vault").rename(small_world.folder / "elsewhere")

    assert operator.get("/health/live").json() == {"live": True}


def test_readiness_requires_an_answer_from_the_gateway(small_world: World) -> None:
    before = _needs(small_world.line)
    small_world.collect()

    assert before == (503, {**ALL_WELL, "gateway:eformidling": "gateway.silent"})
    assert _needs(small_world.line) == (200, ALL_WELL)


def test_readiness_fails_when_a_gateway_is_silent_too_long(small_world: World) -> None:
    small_world.collect()
    small_world.clock.advance(timedelta(minutes=16))
    record_pulse(small_world.line, "gateway:eformidling", "gateway.unavailable")

    status, needs = _needs(small_world.line)

    assert status == 503
    assert needs == {**ALL_WELL, "gateway:eformidling": "gateway.unavailable"}


def test_readiness_fails_when_the_vault_is_missing(small_world: World) -> None:
    small_world.collect()
    (small_world.folder / "vault").rename(small_world.folder / "elsewhere")

    assert _needs(small_world.line) == (503, {**ALL_WELL, "vault": "vault.io"})


def test_readiness_fails_when_the_vault_has_too_little_space(small_world: World) -> None:
    small_world.collect()
    line = replace(
        small_world.line,
        terms=replace(small_world.line.terms, min_free_bytes=1_000_000_000_000_000),
    )

    assert _needs(line) == (503, {**ALL_WELL, "vault": "vault.full"})


def test_readiness_check_leaves_nothing_in_the_vault(small_world: World) -> None:
    _needs(small_world.line)

    assert list(small_world.line.vault.names()) == []
    assert small_world.line.vault.remove_partial_objects(datetime.max.replace(tzinfo=UTC)) == 0


def test_readiness_fails_with_keys_of_another_database(small_world: World) -> None:
    small_world.collect()
    create_keys(small_world.folder / "others", small_world.clock.now)
    line = replace(small_world.line, keyring=Keyring.load(small_world.folder / "others"))

    assert _needs(line) == (503, {**ALL_WELL, "keys": "keys.not_these"})


def test_readiness_fails_when_the_active_policy_is_unavailable(small_world: World) -> None:
    small_world.collect()
    with small_world.line.store.transaction() as tx:
        activate_policy(tx, "0" * 64, None)

    assert _needs(small_world.line) == (503, {**ALL_WELL, "policies": "policy.nobody"})
    assert _samples(small_world.line)["inbox_condition", "policy.nobody unready policies"] == 1


def test_recheck_difference_makes_readiness_and_lists_fail_without_naming_the_message(
    api: Api,
) -> None:
    delivery = api.offered()
    line = api.world.line
    assert ("inbox_condition", f"{LISTING_DIFFERS} unready lists") not in _samples(line)

    line.recheck.difference = ListDifference(
        message_id=MessageId(delivery.message_id),
        capacity="c",
        action=Action.LIST,
        rule="A08",
        digest="d",
    )

    assert _needs(line) == (503, {**ALL_WELL, "lists": LISTING_DIFFERS})
    assert _samples(line)["inbox_condition", f"{LISTING_DIFFERS} unready lists"] == 1
    with TestClient(create_operator_app(line)) as client:
        page = client.get("/").text
    assert LISTING_DIFFERS in page
    assert delivery.message_id not in page
    answer = api.client.get(api.path, headers=api.headers())
    assert (answer.status_code, answer.json()["code"]) == (503, LISTING_DIFFERS)
    assert api.client.get(f"{api.path}/{delivery.id}", headers=api.headers()).status_code == 200


def test_readiness_fails_with_a_database_of_another_version(small_world: World) -> None:
    small_world.collect()
    with small_world.line.store.transaction() as tx:
        tx.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    assert _needs(small_world.line) == (503, {**ALL_WELL, "database": "database.version"})


def test_readiness_reports_each_need_whose_tables_are_missing(small_world: World) -> None:
    small_world.edited = True
    with small_world.line.store.transaction() as tx:
        for table in ("installation", "active_policy", "pulse"):
            tx.connection().exec_driver_sql(f"ALTER TABLE {table} RENAME TO {table}_gone")

    status, needs = _needs(small_world.line)

    assert status == 503
    away = dict.fromkeys(
        ("keys", "policies", "routing", "work", "gateway:eformidling"), "database.unavailable"
    )
    assert needs == {**ALL_WELL, **away}


# Totals


def _arrive(world: World, public_title: str) -> Message:
    wire_id = world.send(public_title)
    world.collect()
    world.work()
    return world.message(wire_id)


def test_totals_count_states_ages_and_tasks_on_each_database(world: World) -> None:
    _arrive(world, "Melding om barnevern")
    world.clock.advance(timedelta(hours=3))
    for title in ("Melding om barnevern", "Ingen regel", "Om en elev"):
        _arrive(world, title)
    world.clock.advance(timedelta(minutes=1))

    totals = totals_of(world.line)

    there = {state: count.number for state, count in totals.messages.items() if count.number}
    assert there == {"OFFERED": 2, "UNROUTED": 1, "ROUTED": 1}
    assert totals.messages["OFFERED"].oldest == timedelta(hours=3, minutes=1)
    assert totals.messages["ROUTED"].oldest == timedelta(minutes=1)
    assert totals.arrivals["CONFIRMED"].number == 4
    assert totals.arrivals["CONFIRMED"].oldest is None
    assert totals.deliveries["OPEN"].number == 2
    assert {kind: count.number for kind, count in totals.tasks.items()} == {
        "distribute": 1,
        "release": 1,
    }
    assert totals.outbox_pending.number == 2
    assert totals.legacy_sha1 == 4
    assert [(one.channel, one.ago) for one in totals.contacts] == [
        ("eformidling", timedelta(minutes=1))
    ]
    world.clock.advance(timedelta(hours=23))
    assert totals_of(world.line).legacy_sha1 == 3


def test_totals_omit_tasks_that_a_person_has_completed(small_world: World) -> None:
    message = _arrive(small_world, "Ingen regel")
    anne = small_world.person("anne", Role.ARCHIVIST, "desk")
    archive_staff.place(
        small_world.line, anne, message.id, unit="skole", expected_version=message.version
    )

    assert set(totals_of(small_world.line).tasks) == {"release"}


def test_metrics_include_every_state_even_when_empty(small_world: World) -> None:
    samples = _samples(small_world.line)

    for name, states in (
        ("inbox_messages", MessageState),
        ("inbox_arrivals", ArrivalState),
        ("inbox_deliveries", DeliveryState),
        ("inbox_receipts", ReceiptState),
    ):
        assert {labels for one, labels in samples if one == name} == set(states)
        assert {samples[name, state] for state in states} == {0}


def test_metrics_report_totals_and_ages_per_state(api: Api) -> None:
    delivery = api.offered()
    word = {"reference": "2026/1-1"}
    api.client.post(f"{api.path}/{delivery.id}/registered", json=word, headers=api.headers())
    api.world.clock.advance(timedelta(seconds=90))

    samples = _samples(api.world.line)

    assert samples["inbox_messages", "REGISTERED"] == 1
    assert samples["inbox_messages_oldest_seconds", "REGISTERED"] == 90
    assert samples["inbox_messages_oldest_seconds", "ANSWERED"] == 0
    assert samples["inbox_receipts", "CHOSEN"] == 1
    assert samples["inbox_deliveries", "REGISTERED"] == 1
    assert samples["inbox_outbox", "PENDING"] == 1
    assert samples["inbox_gateway_contact_seconds", "eformidling"] == 90
    assert samples["inbox_legacy_sha1_day", ""] == 1
    assert [labels for name, labels in samples if name == "inbox_policy_info"] == [
        totals_of(api.world.line).policy
    ]
    assert not any("gateway" in labels for name, labels in samples if name == "inbox_condition")


def test_metrics_report_a_gateway_that_never_answered_as_a_fault(small_world: World) -> None:
    samples = _samples(small_world.line)

    silent = "gateway.silent unready gateway:eformidling"
    assert samples["inbox_condition", silent] == 1
    assert ("inbox_gateway_contact_seconds", "eformidling") not in samples


def test_metrics_report_how_far_the_clock_ran_backwards(small_world: World) -> None:
    times = [datetime(2026, 11, 24, 12, tzinfo=UTC), datetime(2026, 11, 24, 11, tzinfo=UTC)]

    def clock(session: Session) -> datetime:
        del session
        return times.pop(0) if len(times) > 1 else times[0]

    store = Store(small_world.line.store.engine, seal=audit.seal, clock=SteadyClock(clock))
    with store.reading():
        pass

    samples = _samples(replace(small_world.line, store=store))

    assert samples["inbox_clock_backward_seconds", ""] == pytest.approx(3600, abs=30)


def test_operator_pages_name_no_message_person_unit_or_sender(api: Api) -> None:
    delivery = api.offered()
    message = api.world.messages()[0]
    secret = (CANARY, delivery.id, message.id, message.wire_id, SENDER, "Barnevern", "barnevern")
    words = ("Sakarkiv", "Ola Saksbehandler", message.digest)

    with TestClient(create_operator_app(api.world.line)) as client:
        texts = [client.get(path).text for path in ("/", "/metrics", "/health/ready")]

    assert "OFFERED" in texts[1]
    assert [word for word in secret + words for text in texts if word in text] == []


# The page


def _text(element: etree._Element) -> str:
    """What it says, cell by cell."""
    return " ".join(" ".join(str(each) for each in element.itertext()).split())


def _put_in_order(world: World) -> None:
    """The people that are missing come, and a worker has just worked."""
    directory = read_directory(municipality.DIRECTORY + municipality.PEOPLE_THAT_ARE_MISSING)
    with world.line.store.transaction() as tx:
        import_agreed(world.line, tx, directory, approved_by="anne+bjorn")
    record_pulse(world.line, WORKER, None)


def test_status_page_shows_the_totals_in_norwegian(api: Api) -> None:
    api.offered()
    api.message("Ingen regel")
    api.world.clock.advance(timedelta(hours=2))
    api.world.collect()
    api.world.work()
    _put_in_order(api.world)

    with TestClient(create_operator_app(api.world.line)) as client:
        page = html.document_fromstring(client.get("/").content)

    rows = [_text(row) for row in page.iterfind(".//tr") if row.get("class") is None]
    assert "tilbudt fagsystemet 1 2 t" in rows
    assert "venter på fordeling 1 2 t" in rows
    assert "Fordele 1 2 t" in rows
    assert "20.11.2026 kl. 11.00" in _text(page)
    assert "Alt" not in (page.findtext(".//title") or "")
    assert (page.findtext(".//title") or "").startswith("Post venter")
    assert "1 oppgave venter på mennesker, den eldste i 2 t." in _text(page)
    assert "Arkivet: Fordel den til en enhet." in _text(page)


def test_status_page_reports_a_missing_vault_in_title_and_text(small_world: World) -> None:
    (small_world.folder / "vault").rename(small_world.folder / "elsewhere")

    with TestClient(create_operator_app(small_world.line)) as client:
        answer = client.get("/")

    page = html.document_fromstring(answer.content)
    assert answer.status_code == 200
    assert (page.findtext(".//title") or "").startswith("Noe er galt")
    assert "Ingenting kan lagres i lageret. Ingenting hentes" in _text(page)
    assert "Drift: Monter disken" in _text(page)
    assert "vault.io" in _text(page)


def test_status_page_says_all_is_well_only_where_nothing_waits(api: Api) -> None:
    api.world.collect()
    _put_in_order(api.world)

    with TestClient(create_operator_app(api.world.line)) as client:
        page = html.document_fromstring(client.get("/").content)

    assert (page.findtext(".//title") or "").startswith("Alt virker")
    assert "Tjenesten virker. Ingenting venter på mennesker." in _text(page)


def test_status_page_breaks_no_word_and_follows_the_dark_scheme(operator: TestClient) -> None:
    style = html.document_fromstring(operator.get("/").content).findtext(".//style") or ""

    assert "prefers-color-scheme: dark" in style
    assert [each for each in ("anywhere", "break-all", "break-word") if each in style] == []


def test_status_page_meets_basic_accessibility_rules(api: Api) -> None:
    api.message("Ingen regel")

    with TestClient(create_operator_app(api.world.line)) as client:
        page = html.document_fromstring(client.get("/").content)

    tables = page.findall(".//table")
    assert page.get("lang") == "nb"
    assert len(page.findall(".//h1")) == len(page.findall(".//main")) == 1
    assert len(tables) == 8
    assert all((table.findtext("caption") or "").strip() for table in tables)
    assert all(cell.get("scope") for cell in page.iterfind(".//th"))
    labels = {section.get("aria-labelledby") for section in page.iterfind(".//section")}
    assert labels == {heading.get("id") for heading in page.iterfind(".//h2")}


def test_status_page_contains_only_a_hashed_style_and_no_script_or_link(
    operator: TestClient,
) -> None:
    answer = operator.get("/")

    page = html.document_fromstring(answer.content)
    style = page.findtext(".//style") or ""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert "font-family" in style
    assert answer.headers["content-security-policy"].endswith(f"style-src 'sha256-{digest}'")
    assert not page.xpath("//script | //@style | //@onclick | //link | //img | //form")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/api/v1/deliveries", "/health"])
def test_operator_listener_answers_404_for_other_paths(operator: TestClient, path: str) -> None:
    answer = operator.get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_metrics_answer_503_when_the_database_is_unavailable(small_world: World) -> None:
    small_world.edited = True
    with small_world.line.store.transaction() as tx:
        tx.execute(sa.text("ALTER TABLE message RENAME TO gone"))

    with TestClient(create_operator_app(small_world.line)) as client:
        answer = client.get("/metrics")

    assert (answer.status_code, answer.json()["code"]) == (503, "database.unavailable")
