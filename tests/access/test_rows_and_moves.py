"""The rows of a policy and the table of moves name the same states, for every move of people."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from inbox.access.facts.registry import FACTS, STATES_OF_FACT
from inbox.access.files.bdd import FALSE, TRUE, Bdd, BddAlgebra
from inbox.access.files.folder import load_policy
from inbox.access.policy.conditions import read_condition
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Effect, Role
from inbox.domain import MOVES, READABLE_STATES, MessageState
from tests.access.town import POLICIES

_M = MessageState
_FOLDERS: Final = (POLICIES, *sorted((POLICIES / "examples").iterdir()))
_WITHOUT_UNIT: Final = {_M.RECEIVED, _M.OPENED, _M.QUARANTINED, _M.UNROUTED, _M.PLACING}
_STATES: Final[Mapping[str, tuple[MessageState, ...]]] = {
    **STATES_OF_FACT,
    **dict.fromkeys(("by_hand", "uncollected"), (_M.OFFERED,)),
    "own_recent_move": (_M.PLACING, _M.RELEASED),
    "late_word": (_M.ROUTED, _M.RELEASED, _M.OFFERED, _M.RETURNED),
    **{
        name: tuple(state for state in _M if state not in _WITHOUT_UNIT)
        for name in ("in_unit", "leads", "assigned", "covers", "has_grant", "has_breakglass")
    },
}
"""The states in which each fact about a message can hold."""
_PLACED_BY_STATION: Final = {_M.PLACING}
_BESIDE: Final[Mapping[Action, set[MessageState]]] = {Action.RELEASE: {_M.UNROUTED}}
"""`place_and_release` asks for both rights, and moves an unrouted message by `place`."""
_EXPECTED: Final[Mapping[Action, set[MessageState]]] = {
    **{
        action: {state for state in _M if state in MOVES[_M][action.value]}
        for action in (
            *(Action.HAND_BACK, Action.WITHDRAW, Action.UNDO, Action.DUPLICATE, Action.RECHECK),
            *(Action.QUARANTINE_RELEASE, Action.REFUSE, Action.REGISTER, Action.RELEASE),
        )
    },
    Action.PLACE: {s for s in _M if s in MOVES[_M]["place"]} - _PLACED_BY_STATION,
    Action.OPEN: set(READABLE_STATES),
}
"""From where people move a message by an action; for `open`, where they can read it."""


def states_of(policy: Policy, action: Action) -> set[MessageState]:
    """The states in which a row about this action can match for some person."""
    algebra = BddAlgebra(FACTS)
    found = set()
    for rule in policy.rules:
        people = any(rule.applies_to(action, role) for role in Role if role is not Role.CASE_SYSTEM)
        if rule.effect is not Effect.ALLOW or not people:
            continue
        condition = read_condition(rule.when, FACTS)
        for state in MessageState:

            def of(name: str, state: MessageState = state) -> Bdd:
                if name in STATES_OF_FACT:
                    return TRUE if state in _STATES[name] else FALSE
                if name in _STATES and state not in _STATES[name]:
                    return FALSE
                return algebra.variable(name)

            if algebra.compile_condition(condition, of) != FALSE:
                found.add(state)
    return found


@pytest.mark.parametrize("folder", _FOLDERS, ids=lambda folder: folder.name)
@pytest.mark.parametrize("action", _EXPECTED)
def test_rows_about_a_move_name_the_states_that_it_moves_from(folder: Path, action: Action) -> None:
    states = states_of(load_policy(folder), action)

    assert states - _BESIDE.get(action, set()) == _EXPECTED[action]


def test_every_move_of_people_is_compared() -> None:
    by_machines = {"open", "route", "offer", "word", "answer", "erase"}
    assert {action.value for action in _EXPECTED} - {"open"} == MOVES[_M].keys() - by_machines
