"""A list that shows what a decision denies is noticed, and no list is shown after it."""

import pytest

from inbox.access import Action, Capacity, Policy, Role
from inbox.access.facts.registry import FACTS
from inbox.access.lists.pages import ListedPage, count_facets, count_messages, fetch_page
from inbox.access.lists.recheck import LISTING_DIFFERS, ListDifference, Recheck
from inbox.access.policy.conditions import read_condition
from inbox.errors import Unavailable
from tests.access.town import NOW, Town, allow

WHEN = "in_unit and assigned"


def a_policy(*, faulty: bool) -> Policy:
    """Casbin decides as the rule says; where it is faulty, a list forgets half of it."""
    policy = Policy([allow("A01", "list", "handler", WHEN)], facts=FACTS, digest="d")
    if faulty:
        policy.conditions[WHEN] = read_condition("in_unit", FACTS)  # type: ignore[index] # the fault
    return policy


def ask(town: Town, policy: Policy, capacity: Capacity, recheck: Recheck) -> ListedPage:
    return fetch_page(
        town.session, policy, NOW, capacity=capacity, action=Action.LIST, recheck=recheck
    )


def test_recheck_difference_stops_every_list_of_the_process(town: Town) -> None:
    kari, message = town.capacity("kari", Role.HANDLER, "bv"), town.message()
    recheck = Recheck(1)

    with pytest.raises(Unavailable) as stopped:
        ask(town, a_policy(faulty=True), kari, recheck)

    assert stopped.value.code == LISTING_DIFFERS == "access.listing_differs"
    assert message.id not in str(stopped.value)
    assert recheck.difference == ListDifference(
        message_id=message.id,  # type: ignore[arg-type] # as the row has it
        capacity=kari.id,
        action=Action.LIST,
        rule="none",
        digest="d",
    )
    sound = a_policy(faulty=False)
    with pytest.raises(Unavailable):
        ask(town, sound, kari, recheck)
    for counting in (count_messages, count_facets):
        with pytest.raises(Unavailable):
            counting(town.session, sound, NOW, capacity=kari, action=Action.LIST, recheck=recheck)


def test_list_without_a_recheck_difference_is_shown(town: Town) -> None:
    kari, message = town.capacity("kari", Role.HANDLER, "bv"), town.message()
    town.message()
    town.assign(message, "kari")
    recheck = Recheck(1)

    shown = ask(town, a_policy(faulty=False), kari, recheck)

    assert [row.id for row in shown.rows] == [message.id]
    assert recheck.difference is None


def test_recheck_decides_a_drawn_share_of_the_rows_again(town: Town) -> None:
    kari = town.capacity("kari", Role.HANDLER, "bv")
    for _ in range(4):
        town.message()
    drawn: list[float] = []

    def draw(value: float) -> float:
        drawn.append(value)
        return value

    assert len(ask(town, a_policy(faulty=True), kari, Recheck(0.01, lambda: draw(0.5))).rows) == 4
    assert len(drawn) == 4
    with pytest.raises(Unavailable):
        ask(town, a_policy(faulty=True), kari, Recheck(0.01, lambda: draw(0.009)))
    assert len(ask(town, a_policy(faulty=True), kari, Recheck(0, lambda: draw(0.0))).rows) == 4


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_recheck_share_must_be_between_0_and_1(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        Recheck(share)
