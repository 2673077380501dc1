"""Generates the page of all conditions, for operators.

`python -m inbox.health.conditions_document > docs/conditions.md` makes the committed page anew.
"""

import sys
from collections.abc import Iterator
from typing import Final

from inbox.health.condition import HealthCondition, Level
from inbox.health.words import codes, words_of
from inbox.language import TextLanguage

_ABOUT: Final = """\
# Conditions: what can be wrong

For operators. Made from the code: `python -m inbox.health.conditions_document`.

What is wrong is one table. `inbox doctor`, `inbox watch`, `/health/ready`, the metric
`inbox_condition`, the log (`condition_began`, `condition_changed`, `condition_ended`) and the
status page show its rows, each for as long as it is so. A code that is not here has the words of
the longest beginning that is: `database.password` those of `database`, and says the rest itself.
"…" stands for whom it concerns, or how many.

| code | means | if nothing is done | who | what to do |
|---|---|---|---|---|
"""


def text() -> str:
    """The text of the committed page."""
    return _ABOUT + "".join(_rows())


def _rows() -> Iterator[str]:
    for code in codes():
        any_one = HealthCondition(subject="x:…", code=code, level=Level.WRONG)
        words = words_of(any_one, TextLanguage.EN)
        cells = (f"`{code}`", words.means, words.otherwise, words.who, words.how)
        yield f"| {' | '.join(_cell(cell) for cell in cells)} |\n"


def _cell(said: str) -> str:
    return said.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(text())
