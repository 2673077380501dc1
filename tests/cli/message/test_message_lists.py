"""A person's own list on the command line: proved, narrowed, titles on request."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from inbox.access.policy.vocabulary import Role
from inbox.config import AccessSettings
from inbox.domain import MessageState, Service
from inbox.keys import Keyring
from inbox.tables import AuditEntry, CapacityRow, Message, Task, Unit, WrappedKey
from inbox.wiring import build_line_before_rules, build_store
from tests.cli.database_edits import settings_of
from tests.cli.installation import OURS, Answer, Installed

AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
TITLE = "Bekymring for Kanarifugl"
HOSTILE = "\x9b31m\x07\n\u202e"
"""What a terminal would act on, and XML allows some of."""
ROUTE = ("--action", "route")


def _message(number: int, organisation: str = OURS) -> Message:
    return Message(
        id=f"message-{number}",
        state=MessageState.ROUTED if number % 2 else MessageState.UNROUTED,
        unit="skole" if number % 2 else None,
        organisation=organisation,
        channel="eformidling",
        service=Service.DPO,
        wire_id=f"wire-{number}",
        digest="d" * 64,
        size=10,
        received_at=AT + timedelta(minutes=number),
        sender="910077473",
    )


@pytest.fixture
def filled(installed: Installed) -> Iterator[Installed]:
    """Four messages, the odd ones with the school that anne leads, one of another organisation."""
    settings = settings_of(installed)
    store, keyring = build_store(settings), Keyring.load(settings.keys)
    with store.transaction() as tx:
        tx.add(Unit(id="skole", organisation=OURS, name="Skole", active_from=AT))
        tx.flush()
        tx.add(
            CapacityRow(
                id="leads", person="anne", unit="skole", role=Role.LEADER.value, active_from=AT
            )
        )
        for number in range(4):
            tx.add(_with_title(tx, keyring, _message(number)))
        tx.add(_message(4, organisation="910077473"))
    yield installed
    store.engine.dispose()


def _with_title(session: Session, keyring: Keyring, message: Message) -> Message:
    key, wrapped = keyring.new_data_key()
    text = json.dumps(
        {"registry_entries": [{"title": TITLE + HOSTILE}], "case_file": {"title": TITLE}}
    )
    message.sealed_archive = key.seal(
        text.encode(), table="message", column="sealed_archive", row=message.id
    )
    session.add(
        WrappedKey(id=message.id, kek_id=wrapped.kek_id, wrapped=wrapped.wrapped, created_at=AT)
    )
    return message


def listed(filled: Installed, *words: str, by: str = "anne") -> Answer:
    asked = ("message", "list", "--by", by, *words, "--code-from-stdin")
    return filled.ask(*asked, stdin=f"{filled.codes[by]}\n")


def ids(answer: Answer) -> list[str]:
    assert answer.code == 0, answer.err
    value: Any = answer.value
    return [row["id"] for row in value["messages"]]


def test_message_list_shows_only_messages_allowed_in_the_chosen_capacity(filled: Installed) -> None:
    leading = listed(filled, "--as", "leader@skole", "--json")
    distributing = listed(filled, "--as", "archivist@dokumentsenteret", *ROUTE, "--json")

    assert "Kanarifugl" not in leading.out + distributing.out
    assert ids(leading) == ["message-3", "message-1"]
    assert ids(distributing) == ["message-3", "message-2", "message-1", "message-0"]
    assert ids(listed(filled, "--as", "archivist@dokumentsenteret", "--json")) == []


def test_message_list_can_be_filtered_and_continued_by_cursor(filled: Installed) -> None:
    archivist = ("--as", "archivist@dokumentsenteret", *ROUTE, "--json")

    first: Any = listed(filled, *archivist, "--limit", "3").value
    rest = listed(filled, *archivist, "--limit", "3", "--after", first["next"])

    assert len(first["messages"]) == 3
    assert ids(rest) == ["message-0"]
    narrow = ("--state", "ROUTED", "--unit", "skole")
    assert ids(listed(filled, *archivist, *narrow)) == ["message-3", "message-1"]


def test_message_list_counts_equal_the_listed_messages_of_the_capacity(filled: Installed) -> None:
    archivist = ("--as", "archivist@dokumentsenteret", *ROUTE, "--json")

    counted: Any = listed(filled, *archivist, "--counts").value
    narrow: Any = listed(filled, *archivist, "--counts", "--unit", "skole").value
    hidden: Any = listed(filled, "--as", "archivist@dokumentsenteret", "--json", "--counts").value

    shown: Any = listed(filled, *archivist).value
    states = Counter(row["state"] for row in shown["messages"])
    found = {row["value"]: row["messages"] for row in counted["counts"] if row["by"] == "state"}
    assert (counted["messages"], narrow["messages"], hidden["messages"]) == (4, 2, 0)
    assert found == states
    assert TITLE not in listed(filled, "--as", "leader@skole", "--counts").out
    refused = listed(filled, "--as", "leader@skole", "--counts", "--titles")
    assert (refused.code, refused.err[:22]) == (2, "inbox: message.counts:")


def test_message_list_titles_are_shown_on_request_with_control_characters_replaced(
    filled: Installed,
) -> None:
    leader = ("--as", "leader@skole")

    assert TITLE not in listed(filled, *leader).out
    for flags in (["--titles"], ["--titles", "--json"]):
        out = listed(filled, *leader, *flags).out
        assert out.count(TITLE) == 4
        assert not [sign for sign in out if not sign.isprintable() and sign != "\n"]
        assert out.count("\ufffd") == 2 * len("\x9b\x07\n\u202e")


def test_message_list_titles_with_action_route_exits_2(filled: Installed) -> None:
    archivist = ("--as", "archivist@dokumentsenteret", *ROUTE)

    asked = listed(filled, *archivist, "--titles")

    assert (asked.code, asked.out) == (2, "")
    assert "message.titles" in asked.err


def test_message_list_with_a_wrong_personal_code_is_refused(filled: Installed) -> None:
    wrong = filled.ask("message", "list", "--by", "anne", "--code-from-stdin", stdin="nonsense\n")
    others = filled.ask(
        *("message", "list", "--by", "anne", "--code-from-stdin"), stdin=filled.codes["bjorn"]
    )

    assert [(each.code, each.out) for each in (wrong, others)] == [(1, ""), (1, "")]
    assert "code.wrong" in wrong.err


def test_message_list_with_ambiguous_or_foreign_capacity_exits_2(filled: Installed) -> None:
    for words in ((), ("--as", "operator@skole")):
        told = listed(filled, *words)

        assert (told.code, told.out) == (2, "")
        assert "capacity.choose" in told.err


def test_message_list_personal_options_without_by_exit_2(filled: Installed) -> None:
    for words in (ROUTE, ("--unit", "skole"), ("--after", "x"), ("--titles",), ("--as", "a@b")):
        told = filled.ask("message", "list", *words)

        assert (told.code, told.out) == (2, "")
        assert "message.by" in told.err


def test_list_with_bad_cursor_or_limit_exits_2(filled: Installed) -> None:
    for words, code in ((("--after", "x"), "list.cursor"), (("--limit", "501"), "list.at_most")):
        told = listed(filled, "--as", "leader@skole", *words)

        assert told.code == 2
        assert code in told.err


def test_recheck_share_of_lists_follows_the_access_setting(installed: Installed) -> None:
    settings = settings_of(installed)
    more = settings.model_copy(update={"access": AccessSettings(recheck=0.5)})
    lines = [build_line_before_rules(each) for each in (settings, more)]

    assert [line.recheck.share for line in lines] == [0.01, 0.5]
    for line in lines:
        line.store.engine.dispose()


def test_message_list_without_duties_writes_no_audit_entry_or_task(filled: Installed) -> None:
    def left() -> tuple[int, int]:
        store = build_store(settings_of(filled))
        with store.reading() as tx:
            entries = tx.exec(select(col(AuditEntry.seq))).all()
            found = (len(entries), len(tx.exec(select(Task.id)).all()))
        store.engine.dispose()
        return found

    before = left()
    assert ids(listed(filled, "--as", "leader@skole", "--json")) != []

    assert left() == before
