"""Pages, counts, facets and search: all of it through the filter, and nothing of what is hidden."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import event
from sqlmodel import Session, select

from inbox.access import Action, Capacity, Policy, Role
from inbox.access.lists.cursor import Cursor, read_cursor
from inbox.access.lists.pages import (
    MAX_PAGE_ROWS,
    ListedMessage,
    count_facets,
    count_messages,
    fetch_page,
    permitted_message_ids,
)
from inbox.access.lists.recheck import Recheck
from inbox.access.lists.search import MessageSearch
from inbox.domain import GrantKind, HoldCause, MessageId, MessageState, OrgNumber, Service, UnitId
from inbox.errors import Invalid
from inbox.tables import Message
from tests.access.town import HAVNES, NOW, Town, strongly

EVERY_ROW = Recheck(1)


def pages(
    session: Session,
    policy: Policy,
    capacity: Capacity,
    action: Action = Action.LIST,
    query: MessageSearch | None = None,
    at_most: int = 2,
) -> list[list[ListedMessage]]:
    """Every page to the end."""
    read: list[list[ListedMessage]] = []
    cursor: str | None = None
    while not read or cursor is not None:
        one = fetch_page(
            session,
            policy,
            NOW,
            capacity=capacity,
            action=action,
            recheck=EVERY_ROW,
            query=query or MessageSearch(),
            after=cursor,
            at_most=at_most,
        )
        read.append(list(one.rows))
        cursor = one.cursor
    return read


def ids(read: list[list[ListedMessage]]) -> list[str]:
    return [row.id for rows in read for row in rows]


def mail(town: Town, number: int, unit: str | None = "bv", minutes: int = 0) -> list[Message]:
    """So many messages, two of each time, the newest last."""
    made = []
    for place in range(number):
        message = town.message(MessageState.ROUTED, unit=unit)
        message.received_at = NOW - timedelta(minutes=minutes + (number - place) // 2)
        message.sealed_metadata, message.sealed_archive = b"metadata", b"titles"
        made.append(town.add(message))
    return made


def newest_first(messages: list[Message]) -> list[str]:
    ordered = sorted(messages, key=lambda each: (each.received_at, each.id), reverse=True)
    return [each.id for each in ordered]


def test_pages_show_every_message_once_newest_first_on_each_database(
    town_on_each_database: Town, the_policy: Policy
) -> None:
    town = town_on_each_database
    leader = town.capacity("lise", Role.LEADER, "bv")
    kari = town.capacity("kari", Role.HANDLER, "bv")
    ours = mail(town, 5)
    mail(town, 3, unit="ppt")
    for message in ours[:3]:
        town.assign(message, "kari")
        town.grant(message, "kari", "lise")

    assert ids(pages(town.session, the_policy, leader)) == newest_first(ours)
    assert [len(rows) for rows in pages(town.session, the_policy, leader)] == [2, 2, 1]
    assert ids(pages(town.session, the_policy, kari, at_most=1)) == newest_first(ours[:3])


def test_page_that_is_exactly_full_has_no_next_cursor(town: Town, the_policy: Policy) -> None:
    leader = town.capacity("lise", Role.LEADER, "bv")
    mail(town, 4)

    assert [len(rows) for rows in pages(town.session, the_policy, leader)] == [2, 2]


def test_page_shows_a_hold_until_the_hold_expires(
    town_on_each_database: Town, the_policy: Policy
) -> None:
    town = town_on_each_database
    leader, never, over, lasts = town.capacity("lise", Role.LEADER, "bv"), *mail(town, 3)
    until = NOW + timedelta(microseconds=1)
    for message, its in ((over, NOW), (lasts, until)):
        message.held_for, message.held_until = HoldCause.UNIT_ASKED, its
        town.add(message)

    (rows,) = pages(town.session, the_policy, leader, at_most=3)

    assert {row.id: (row.held_for, row.held_until) for row in rows} == {
        never.id: (None, None),
        over.id: (None, None),
        lasts.id: (HoldCause.UNIT_ASKED, until),
    }


def test_new_mail_does_not_shift_the_next_page(town: Town, the_policy: Policy) -> None:
    leader, old = town.capacity("lise", Role.LEADER, "bv"), mail(town, 4, minutes=60)
    read = partial(
        fetch_page,
        town.session,
        the_policy,
        NOW,
        capacity=leader,
        action=Action.LIST,
        recheck=EVERY_ROW,
        at_most=2,
    )
    first = read()
    mail(town, 3)
    assert first.cursor is not None

    second = read(after=first.cursor)

    assert [row.id for row in (*first.rows, *second.rows)] == newest_first(old)


def test_page_shows_only_the_sealed_columns_of_the_action(town: Town, the_policy: Policy) -> None:
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    lise = town.capacity("lise", Role.LEADER, "bv")
    mail(town, 1)

    listed = pages(town.session, the_policy, lise)[0][0]
    routed = pages(town.session, the_policy, ada, Action.ROUTE)[0][0]
    placed = pages(town.session, the_policy, ada, Action.PLACE)[0][0]

    assert (listed.sealed_metadata, listed.sealed_archive) == (b"metadata", b"titles")
    assert (routed.sealed_metadata, routed.sealed_archive) == (b"metadata", None)
    assert (placed.sealed_metadata, placed.sealed_archive) == (None, None)
    assert (listed.state, listed.service, listed.received_at) == (
        MessageState.ROUTED,
        Service.DPO,
        NOW,
    )


def answers(town: Town, policy: Policy, capacity: Capacity) -> tuple[list[object], list[str]]:
    """All that can be asked of a list, and the statements that it takes."""
    statements: list[str] = []

    def note(*told: object) -> None:
        statements.append(f"{told[2]} {told[3]}")

    town.session.flush()
    event.listen(town.session.get_bind(), "before_cursor_execute", note)
    told: list[object] = [pages(town.session, policy, capacity)]
    for query in (
        MessageSearch(),
        MessageSearch(states=(MessageState.ROUTED,)),
        MessageSearch(unit=UnitId("ppt")),
    ):
        asked = {"capacity": capacity, "action": Action.LIST, "recheck": EVERY_ROW, "query": query}
        told.append(count_messages(town.session, policy, NOW, **asked))  # type: ignore[arg-type] # as named
        told.append(count_facets(town.session, policy, NOW, **asked))  # type: ignore[arg-type] # as named
        told.append(ids(pages(town.session, policy, capacity, query=query)))
    event.remove(town.session.get_bind(), "before_cursor_execute", note)
    return told, statements


def test_hidden_mail_changes_no_answer_or_statement_of_a_list(
    town: Town, the_policy: Policy
) -> None:
    kari = town.capacity("kari", Role.HANDLER, "bv")
    town.person("ola")
    for message in mail(town, 3):
        town.assign(message, "kari")

    before = answers(town, the_policy, kari)
    for message in mail(town, 6):
        town.assign(message, "ola")
    mail(town, 4, unit="ppt")
    town.message(MessageState.QUARANTINED, unit=None)
    after = answers(town, the_policy, kari)

    assert before == after
    assert before[0][1] == 3


def test_count_and_facets_count_the_listed_messages(town: Town, the_policy: Policy) -> None:
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    mail(town, 3)
    shielded = mail(town, 2, unit="ppt")[0]
    shielded.shielding = "13"
    town.add(shielded)
    town.message(MessageState.UNROUTED, unit=None)
    town.message(organisation=HAVNES)

    found = count_facets(
        town.session, the_policy, NOW, capacity=ada, action=Action.ROUTE, recheck=EVERY_ROW
    )
    number = count_messages(
        town.session, the_policy, NOW, capacity=ada, action=Action.ROUTE, recheck=EVERY_ROW
    )

    assert number == 6
    assert found.states == {MessageState.ROUTED: 5, MessageState.UNROUTED: 1}
    assert found.units == {"bv": 3, "ppt": 2, None: 1}
    assert found.shieldings == {None: 5, "13": 1}


def test_message_shown_by_two_rules_is_listed_and_counted_once(
    town: Town, the_policy: Policy
) -> None:
    kari = town.capacity("kari", Role.HANDLER, "bv")
    for message in mail(town, 2):
        town.assign(message, "kari")
        town.grant(message, "kari", "kari")
    asked = {"capacity": kari, "action": Action.LIST, "recheck": EVERY_ROW}

    assert ids(pages(town.session, the_policy, kari)) == newest_first(mail_of(town))
    assert count_messages(town.session, the_policy, NOW, **asked) == 2  # type: ignore[arg-type] # as named
    found = count_facets(town.session, the_policy, NOW, **asked)  # type: ignore[arg-type] # as named
    assert found.units == {"bv": 2}


def test_messages_shown_by_different_rules_are_listed_and_counted_together(
    town: Town, the_policy: Policy
) -> None:
    kari = town.capacity("kari", Role.HANDLER, "bv")
    for person in ("ola", "lise"):
        town.person(person)
    mine, covered, granted, _ = (town.message(unit=unit) for unit in ("bv", "bv", "ppt", "bv"))
    town.assign(mine, "kari")
    town.assign(covered, "ola")
    town.delegation("bv", "ola", "kari", "lise")
    town.grant(granted, "kari", "lise")
    asked = {"capacity": kari, "action": Action.LIST, "recheck": EVERY_ROW}

    assert {*ids(pages(town.session, the_policy, kari))} == {mine.id, covered.id, granted.id}
    assert count_messages(town.session, the_policy, NOW, **asked) == 3  # type: ignore[arg-type] # as named
    found = count_facets(town.session, the_policy, NOW, **asked)  # type: ignore[arg-type] # as named
    assert found.units == {"bv": 2, "ppt": 1}
    seen = town.session.execute(permitted_message_ids(the_policy, kari, NOW, Action.LIST)).scalars()
    assert {*seen} == {mine.id, covered.id, granted.id}


def mail_of(town: Town) -> list[Message]:
    return list(town.session.exec(select(Message)))


QUERIES = [
    MessageSearch(states=(MessageState.RETURNED,)),
    MessageSearch(states=(MessageState.RETURNED, MessageState.OFFERED, MessageState.RETURNED)),
    MessageSearch(unit=UnitId("bv"), sender=OrgNumber("915933149")),
    MessageSearch(service=Service.DPF),
    MessageSearch(shielding="13"),
    MessageSearch(received_from=NOW + timedelta(hours=1)),
    MessageSearch(received_from=NOW + timedelta(hours=1), received_before=NOW + timedelta(hours=3)),
    MessageSearch(message_id=MessageId("7" * 32)),
    MessageSearch(wire_id="sought"),
    MessageSearch(documents_hash="h"),
    MessageSearch(reference_hash="case"),
]


@pytest.mark.parametrize("query", QUERIES, ids=repr)
def test_search_finds_matching_messages_within_the_list_only(
    town: Town, the_policy: Policy, query: MessageSearch
) -> None:
    lise = town.capacity("lise", Role.LEADER, "bv")
    for unit in ("bv", "ppt"):
        message = town.message(
            MessageState.RETURNED, unit=unit, message_id="7" * 32 if unit == "bv" else None
        )
        message.sender, message.service, message.shielding = "915933149", Service.DPF, "13"
        message.received_at, message.documents_hash = NOW + timedelta(hours=2), "h"
        message.wire_id = "sought"
        message.shares_wire_id = unit == "ppt"
        town.reference(town.add(message), "case")
    town.reference(town.message(), "another case")

    found = pages(town.session, the_policy, lise, query=query)

    assert ids(found) == ["7" * 32]
    at = NOW + timedelta(hours=2)
    assert ids(pages(town.session, the_policy, lise, query=MessageSearch(received_from=at))) == [
        "7" * 32
    ]
    before = pages(town.session, the_policy, lise, query=MessageSearch(received_before=at))
    assert "7" * 32 not in ids(before)
    nothing = MessageSearch(unit=UnitId("bv"), sender=OrgNumber("910075918"))
    assert ids(pages(town.session, the_policy, lise, query=nothing)) == []


def test_page_count_and_facets_are_empty_when_no_rule_allows(
    town: Town, the_policy: Policy
) -> None:
    rune = town.capacity("rune", Role.OPERATOR, "arkiv")
    mail(town, 2)

    for action in (Action.LIST, Action.OPERATE):
        assert ids(pages(town.session, the_policy, rune, action)) == []
        assert ids(pages(town.session, Policy.deny_all("d"), rune, action)) == []
        asked = {"capacity": rune, "action": action, "recheck": EVERY_ROW}
        assert count_messages(town.session, the_policy, NOW, **asked) == 0  # type: ignore[arg-type] # as named
        assert not count_facets(town.session, the_policy, NOW, **asked).states  # type: ignore[arg-type] # as named


def test_emergency_grant_is_listed_only_after_a_strong_sign_in(
    town: Town, the_policy: Policy
) -> None:
    kari, message = town.capacity("kari", Role.HANDLER, "bv"), town.message()
    town.grant(message, "kari", "kari", GrantKind.BREAKGLASS)

    assert ids(pages(town.session, the_policy, kari)) == []
    assert ids(pages(town.session, the_policy, strongly(kari))) == [message.id]


def test_substitute_lists_messages_assigned_to_the_absent_colleague(
    town: Town, the_policy: Policy
) -> None:
    kari, message = town.capacity("kari", Role.HANDLER, "bv"), town.message()
    town.person("ola")
    town.assign(message, "ola")
    assert ids(pages(town.session, the_policy, kari)) == []

    town.delegation("bv", "ola", "kari", "ola")

    assert ids(pages(town.session, the_policy, kari)) == [message.id]


@pytest.mark.parametrize("at_most", [0, -1, MAX_PAGE_ROWS + 1])
def test_page_length_outside_the_limits_is_refused(
    town: Town, the_policy: Policy, at_most: int
) -> None:
    with pytest.raises(Invalid):
        pages(town.session, the_policy, town.capacity("k", Role.HANDLER, "bv"), at_most=at_most)


def test_page_has_50_rows_by_default_and_at_most_500(town: Town, the_policy: Policy) -> None:
    kari = town.capacity("k", Role.LEADER, "bv")
    mail(town, 51)
    asked = {"capacity": kari, "action": Action.LIST, "recheck": Recheck(0)}

    found = fetch_page(town.session, the_policy, NOW, **asked)  # type: ignore[arg-type] # as named
    assert len(found.rows) == 50
    assert found.cursor is not None
    whole = fetch_page(town.session, the_policy, NOW, **asked, at_most=500)  # type: ignore[arg-type] # as named
    assert (len(whole.rows), whole.cursor) == (51, None)
    with pytest.raises(Invalid):
        fetch_page(town.session, the_policy, NOW, **asked, at_most=501)  # type: ignore[arg-type] # as named


def test_cursor_is_read_back_and_any_other_text_is_refused() -> None:
    place = Cursor(at=NOW + timedelta(microseconds=7), id="ab12" * 8)
    text = place.as_text()

    assert read_cursor(text) == place
    for other in ("", "x", text[:-1], text + "A", text + "=", "å" * 9, "A" * 81, text.lower()):
        with pytest.raises(Invalid):
            read_cursor(other)
