"""Refused keys: in the audit by number, answered at a pace, and no key stands anywhere."""

import json
from datetime import timedelta

from sqlmodel import col, select

from inbox.tables import AuditEntry, CaseSystem
from inbox.web.refused_keys import RefusalPace, RefusedKeys
from tests.web.conftest import Api, Still
from tests.worlds import World


def entries(world: World) -> list[tuple[str, str]]:
    with world.line.store.reading() as tx:
        leaves = tx.exec(select(AuditEntry.leaf).order_by(col(AuditEntry.seq))).all()
    read = [json.loads(leaf) for leaf in leaves]
    return [
        (leaf["subject"], leaf["code"])
        for leaf in read
        if leaf["event"] == "case_system:key_refused"
    ]


def ask(api: Api, key: str) -> int:
    return api.client.get(api.path, headers={"authorization": f"Bearer {key}"}).status_code


def test_refused_key_is_in_the_audit_once_a_minute_and_never_itself(api: Api) -> None:
    assert [ask(api, "guessed-key") for _ in range(3)] == [401, 401, 401]

    assert entries(api.world) == [("unknown", "more.0")]
    with api.world.line.store.reading() as tx:
        assert all(b"guessed-key" not in leaf for leaf in tx.exec(select(AuditEntry.leaf)))


def test_key_of_a_closed_case_system_is_in_the_audit_under_its_id(api: Api) -> None:
    with api.world.line.store.transaction() as tx:
        tx.get_one(CaseSystem, "sak").active_until = tx.now

    assert ask(api, api.world.keys["sak"][0]) == 401

    assert entries(api.world) == [("sak", "more.0")]


def test_request_without_a_key_leaves_no_entry(api: Api) -> None:
    assert api.client.get(api.path).status_code == 401

    assert entries(api.world) == []


def test_refused_keys_of_a_minute_are_counted_in_the_next_audit_entry(api: Api) -> None:
    refused, store = RefusedKeys(), api.world.line.store

    with store.reading() as tx:
        for seconds in (0, 1, 1, 59):
            tx.now += timedelta(seconds=seconds)
            refused.note(tx, "guessed-key")

    assert entries(api.world) == [("unknown", "more.0"), ("unknown", "more.2")]


def test_refused_keys_are_in_the_audit_again_when_a_wrong_clock_is_right(api: Api) -> None:
    refused, store = RefusedKeys(), api.world.line.store

    with store.reading() as tx:
        right = tx.now
        tx.now = right + timedelta(days=400)
        refused.note(tx, "guessed-key")
        tx.now = right
        refused.note(tx, "guessed-key")

    assert entries(api.world) == [("unknown", "more.0")] * 2


def test_refused_answers_wait_one_after_the_other_and_none_for_long() -> None:
    times = iter([10.0, 10.0, 10.05, *([10.1] * 50), 99.0])
    pace = RefusalPace(lambda: next(times))

    delays = [round(pace.next_delay(), 3) for _ in range(54)]

    assert delays[:3] == [0.1, 0.2, 0.25]
    assert max(delays) == 3.0
    assert delays[-1] == 0.1


def test_valid_key_is_served_at_once_while_refused_ones_wait(still: Still) -> None:
    waits = [ask(still.api, "guessed-key") for _ in range(2)]

    assert waits == [401, 401]
    assert still.api.client.get(still.api.path, headers=still.api.headers()).status_code == 200
