"""Prints a condition on a terminal: what is wrong, and under it what follows and what to do."""

from typing import Final

from inbox.cli.common.output import print_hanging
from inbox.health.condition import HealthCondition
from inbox.health.report import lines_of

WORDS_BEGIN: Final = 30
"""The column where the words begin, beside level and subject; they go on below it."""
_ADVICE_GOES_ON: Final = 11


def print_condition(condition: HealthCondition, *, before: str = "") -> None:
    """The lines of the condition; `before` is what stands before the first, as a time does."""
    first, *advice = lines_of(condition)
    print_hanging(f"{before}{first}", indent=len(before) + WORDS_BEGIN)
    for line in advice:
        print_hanging(f"{' ' * len(before)}{line}", indent=len(before) + _ADVICE_GOES_ON)
