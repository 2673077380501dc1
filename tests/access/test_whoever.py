"""Who can: one statement over all capacities says what a decision says of each, rule by rule."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import event

from inbox.access import Action, Given, OfMessage, Policy, Role, permit
from inbox.access.explaining import EVERYTHING_GIVEN, capacities_of, explain, what_can
from inbox.access.whoever import Able, who_can
from inbox.message import GrantKind, MessageId, MessageState, PersonId
from tests.access.test_listing import PEOPLE, build
from tests.access.town import BEFORE, NOW, Town

ACTIONS = (Action.LIST, Action.OPEN, Action.ROUTE, Action.ASSIGN, Action.BREAKGLASS, Action.PLACE)
TO_OLA = Given(reason_given=True, reference_given=True, period_given=True, target=PersonId("ola"))


def by_deciding(
    town: Town, policy: Policy, action: Action, message_id: MessageId, given: Given
) -> dict[str, str]:
    """The basis of every person's capacity that may, asked one by one."""
    decisions = {
        capacity.id: permit(
            town.session,
            policy,
            NOW,
            capacity=capacity,
            action=action,
            subject=OfMessage(message_id=message_id),
            given=given,
        )
        for person in (*PEOPLE, "ada")
        for capacity in capacities_of(town.session, NOW, PersonId(person))
    }
    return {who: each.rule for who, each in decisions.items() if each.allowed}


def check_world(town: Town, policy: Policy, seed: int, given: Given) -> int:
    chance = random.Random(seed)  # noqa: S311 - a test
    build(town, chance)
    town.capacity("ada", Role.ARCHIVIST, "arkiv")
    message = town.message(MessageState.ROUTED)
    town.assign(message, "kari")
    town.capacity("kari", Role.HANDLER, "bv")
    town.capacity("lise", Role.LEADER, "bv")
    found = 0
    for action in ACTIONS:
        expected = by_deciding(town, policy, action, MessageId(message.id), given)
        able = who_can(
            town.session,
            policy,
            NOW,
            action=action,
            message_id=MessageId(message.id),
            given=given,
        )
        assert {each.capacity: each.rules[0] for each in able} == expected, action
        found += len(able)
    return found


@pytest.mark.parametrize("given", [EVERYTHING_GIVEN, TO_OLA], ids=["to nobody", "to ola"])
@pytest.mark.parametrize("seed", range(2))
def test_who_can_is_everybody_whom_a_decision_allows(
    town: Town, the_policy: Policy, seed: int, given: Given
) -> None:
    assert check_world(town, the_policy, seed, given) > 0


def test_who_can_is_the_same_on_each_database(
    town_on_each_database: Town, the_policy: Policy
) -> None:
    assert check_world(town_on_each_database, the_policy, 5, TO_OLA) > 0


def asked(town: Town, policy: Policy, message_id: str, **options: object) -> tuple[Able, ...]:
    return who_can(
        town.session,
        policy,
        NOW,
        action=Action.OPEN,
        message_id=MessageId(message_id),
        given=EVERYTHING_GIVEN,
        **options,  # type: ignore[arg-type] # `on` alone
    )


def test_who_can_takes_one_statement_and_names_every_rule(town: Town, the_policy: Policy) -> None:
    message = town.message()
    for person in PEOPLE:
        town.capacity(person, Role.HANDLER, "bv")
        town.assign(message, person)
    town.grant(message, "kari", "kari", GrantKind.BREAKGLASS)
    statements: list[str] = []

    def note(*told: object) -> None:
        statements.append(str(told[2]))

    event.listen(town.session.get_bind(), "before_cursor_execute", note)
    able = asked(town, the_policy, message.id)
    event.remove(town.session.get_bind(), "before_cursor_execute", note)

    assert len(statements) == 1
    assert [(each.person, each.rules) for each in able] == [
        ("kari", ("A09", "A21")),
        ("lise", ("A09",)),
        ("ola", ("A09",)),
    ]


def test_whom_a_rule_denies_is_not_among_them(town: Town, the_policy: Policy) -> None:
    message = town.message()
    for person in ("kari", "ola"):
        town.capacity(person, Role.HANDLER, "bv")
        town.assign(message, person)
    town.conflict("ola", message_id=message.id)

    assert [each.person for each in asked(town, the_policy, message.id)] == ["kari"]


def test_who_can_on_a_day_counts_the_periods_of_that_day(town: Town, the_policy: Policy) -> None:
    message = town.message()
    town.capacity("kari", Role.HANDLER, "bv")
    town.assign(message, "kari", until=NOW)

    assert asked(town, the_policy, message.id) == ()
    day = NOW - timedelta(days=1)
    assert [each.person for each in asked(town, the_policy, message.id, on=day)] == ["kari"]
    assert asked(town, the_policy, message.id, on=BEFORE - timedelta(days=1)) == ()


def test_nobody_can_do_to_a_message_what_is_done_to_something_else(
    town: Town, the_policy: Policy
) -> None:
    town.capacity("rune", Role.OPERATOR, "arkiv")

    able = who_can(
        town.session,
        the_policy,
        NOW,
        action=Action.OPERATE,
        message_id=MessageId(town.message().id),
        given=EVERYTHING_GIVEN,
    )

    assert able == ()


def test_an_explanation_tells_every_fact_and_what_every_rule_lacks(
    town: Town, the_policy: Policy
) -> None:
    kari, message = town.capacity("kari", Role.HANDLER, "bv"), town.message()
    subject = OfMessage(message_id=MessageId(message.id))

    told = explain(
        town.session, the_policy, NOW, capacity=kari, action=Action.OPEN, subject=subject
    )

    assert told.decision == permit(
        town.session,
        the_policy,
        NOW,
        capacity=kari,
        action=Action.OPEN,
        subject=subject,
        given=EVERYTHING_GIVEN,
    )
    assert told.facts.keys() == the_policy.asks(Action.OPEN, Role.HANDLER)
    assert (told.facts["in_unit"], told.facts["assigned"]) == (True, False)
    rules = {each.rule.id: each for each in told.rules}
    assert rules["A09"].lacks == ("assigned",)
    assert rules["D01"].lacks == ("not own_organisation",)
    assert not any(each.matched for each in told.rules)
    town.assign(message, "kari")
    after = explain(
        town.session, the_policy, NOW, capacity=kari, action=Action.OPEN, subject=subject
    )
    assert {each.rule.id for each in after.rules if each.matched} == set(after.decision.matching)
    assert after.decision.rule == "A09"


def test_of_nothing_no_fact_holds_and_no_rule_is_the_basis(town: Town, the_policy: Policy) -> None:
    told = explain(
        town.session,
        the_policy,
        NOW,
        capacity=town.capacity("kari", Role.HANDLER, "bv"),
        action=Action.OPEN,
        subject=OfMessage(message_id=MessageId("not there")),
    )

    assert not any(told.facts.values())
    assert (told.decision.allowed, told.decision.rule) == (False, "none")


def test_what_somebody_can_is_counted_and_named_only_to_those_who_may_list(
    town: Town, the_policy: Policy
) -> None:
    town.capacity("kari", Role.HANDLER, "bv")
    lise = town.capacity("lise", Role.LEADER, "bv")
    reviewer = town.capacity("rolf", Role.SECURITY_REVIEWER, "arkiv")
    town.capacity("rune", Role.OPERATOR, "arkiv")
    messages = [town.message() for _ in range(3)]
    for message in messages[:2]:
        town.assign(message, "kari")

    def reach(person: str, asker: object) -> dict[Action, tuple[int, int, bool]]:
        reached = what_can(
            town.session,
            the_policy,
            NOW,
            person=PersonId(person),
            asker=asker,  # type: ignore[arg-type] # a capacity
        )
        return {
            each.action: (each.messages, len(each.shown), each.installation) for each in reached
        }

    assert reach("kari", reviewer)[Action.OPEN] == (2, 0, False)
    assert reach("kari", lise)[Action.OPEN] == (2, 2, False)
    assert Action.PLACE not in reach("kari", reviewer)
    assert reach("rune", reviewer)[Action.OPERATE] == (0, 0, True)
