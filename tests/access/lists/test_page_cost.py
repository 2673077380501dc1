"""What a page costs: not more where there is more that it does not show."""

import sqlite3
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from inbox.access import Action, Capacity, Policy, Role
from inbox.access.lists.filters import permit_branches
from inbox.access.lists.pages import fetch_page, permitted_message_ids
from inbox.access.lists.recheck import Recheck
from inbox.domain import MessageState
from inbox.tables import Unit
from tests.access.town import BEFORE, NOW, Town

MANY = 40


def steps(session: Session, policy: Policy, capacity: Capacity) -> int:
    """How much SQLite does for the first page, in steps of its machine: the same on any machine."""
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += 1
        return 0

    def ask() -> int:
        found = fetch_page(
            session,
            policy,
            NOW,
            capacity=capacity,
            action=Action.LIST,
            recheck=Recheck(0),
            at_most=5,
        )
        return len(found.rows)

    session.flush()
    driver = session.connection().connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.set_progress_handler(count, 1)
    shown = ask()
    driver.set_progress_handler(None, 1)
    assert shown
    return taken


def more_of_others(town: Town) -> None:
    """Mail of the unit that others have."""
    for _ in range(MANY):
        town.assign(town.message(MessageState.ROUTED, unit="bv"), "ola")


def more_elsewhere(town: Town) -> None:
    """Mail of another unit."""
    for _ in range(MANY):
        town.message(MessageState.ROUTED, unit="ppt")


def a_past(town: Town) -> None:
    """What the handler had, and gave back."""
    for _ in range(MANY):
        town.assign(town.message(MessageState.ROUTED, unit="bv"), "kari", until=BEFORE)


def access_that_is_over(town: Town) -> None:
    """What a leader gave to the handler once."""
    for _ in range(MANY):
        message = town.message(MessageState.ROUTED, unit="ppt")
        town.grant(message, "kari", "lise").active_until = NOW


@pytest.mark.parametrize(
    ("more", "times"),
    [(more_of_others, 1.1), (more_elsewhere, 1.1), (a_past, 1.5), (access_that_is_over, 1.5)],
)
def test_page_cost_of_a_handler_hardly_grows_with_messages_not_shown(
    town: Town, the_policy: Policy, more: Callable[[Town], None], times: float
) -> None:
    kari = town.capacity("kari", Role.HANDLER, "bv")
    for _ in range(5):
        town.assign(town.message(MessageState.ROUTED, unit="bv"), "kari")
    before = steps(town.session, the_policy, kari)

    more(town)

    assert steps(town.session, the_policy, kari) <= times * before


@pytest.mark.parametrize("role", [Role.HANDLER, Role.LEADER])
def test_cost_of_a_full_page_hardly_grows_with_more_messages(
    town: Town, the_policy: Policy, role: Role
) -> None:
    lise = town.capacity("lise", role, "bv")
    town.session.get_one(Unit, "bv").shares_unassigned = True
    for number in range(10):
        town.message(MessageState.ROUTED, unit="bv").received_at = NOW - timedelta(hours=number)
    before = steps(town.session, the_policy, lise)

    for number in range(MANY):
        town.message(MessageState.ROUTED, unit="bv").received_at = NOW - timedelta(days=number)

    assert steps(town.session, the_policy, lise) <= 1.2 * before


def test_filters_leave_out_ways_that_the_request_rules_out(the_policy: Policy) -> None:
    def ways(action: Action, role: Role, *, strong: bool) -> list[str]:
        return [
            str(each) for each in permit_branches(the_policy, action, role, {"strong_auth": strong})
        ]

    assert len(ways(Action.LIST, Role.LEADER, strong=True)) == 3
    assert len(ways(Action.LIST, Role.LEADER, strong=False)) == 1
    assert ways(Action.BREAKGLASS, Role.LEADER, strong=False) == ["false"]
    assert ways(Action.OPEN, Role.OPERATOR, strong=True) == ["false"]


def test_list_statement_hides_columns_from_indexes_on_sqlite_only(
    town: Town, the_policy: Policy
) -> None:
    """PostgreSQL has counted: told so, it would take a value for rare and read a whole unit."""
    lise = town.capacity("lise", Role.LEADER, "bv")
    listed = permitted_message_ids(the_policy, lise, NOW, Action.LIST)

    for_sqlite, for_postgresql = (
        str(listed.compile(dialect=each.dialect())) for each in (sqlite, postgresql)
    )

    assert "+message.organisation" in for_sqlite
    assert "message.organisation = " in for_postgresql
    assert "+message" not in for_postgresql
