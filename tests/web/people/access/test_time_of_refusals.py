"""How long a refusal takes does not tell what is not there from what is not theirs.

Measured as by somebody who guesses: of pairs of answers, how often the one about something hidden
took longer (the area under the curve, AUC: 0.5 is a guess).
"""

import random
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import pytest

from inbox.domain import MessageState, new_id
from tests.line.desk.desk_world import mail
from tests.web.people.access.house import AccessHouse, access_house

PAIRS = 2_000
A_GUESS = 0.05
"""How far from a guess it may be."""


def auc(first: Sequence[float], second: Sequence[float]) -> float:
    """How often a value of the second is greater than one of the first, of all pairs."""
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    greater = sum(rank for rank, (_, which) in enumerate(ranked, start=1) if which)
    count = len(second)
    return (greater - count * (count + 1) / 2) / (len(first) * count)


def test_auc_tells_what_differs_from_what_does_not() -> None:
    chance = random.Random(1)  # noqa: S311 - drawn by seed, not secret
    alike = [[chance.random() for _ in range(2_000)] for _ in range(2)]
    assert abs(auc(*alike) - 0.5) < A_GUESS
    assert auc(alike[0], [each + 0.2 for each in alike[1]]) > 0.6


def _hidden(house: AccessHouse) -> list[str]:
    """In another unit, with a shielding of its own, and in conflict."""
    shielded = mail(house.hall, MessageState.ROUTED, shielding="hemmelig")
    in_conflict = mail(house.hall, MessageState.ROUTED)
    house.hall.conflict("nina", in_conflict)
    return [mail(house.hall, MessageState.ROUTED, unit="bv"), shielded, in_conflict]


@pytest.mark.long
@pytest.mark.parametrize("page", ["", "/dokument/1", "/nodtilgang"])
def test_refusal_takes_as_long_for_what_is_hidden_as_for_what_is_not_there(
    tmp_path: Path, page: str
) -> None:
    with access_house(tmp_path) as house:
        nina, hidden = house.people["handler"], _hidden(house)
        chance = random.Random(2)  # noqa: S311 - drawn by seed, not secret
        took: dict[bool, list[float]] = {False: [], True: []}
        for number in range(PAIRS + 50):
            asked = [(False, new_id()), (True, hidden[number % len(hidden)])]
            chance.shuffle(asked)
            for is_there, message_id in asked:
                begun = perf_counter()
                answer = nina.get(f"/melding/{message_id}{page}")
                spent = perf_counter() - begun
                assert answer.status_code == 404
                if number >= 50:
                    took[is_there].append(spent)

    assert len(took[True]) == PAIRS
    assert abs(auc(took[False], took[True]) - 0.5) <= A_GUESS
