"""The commands on a page of the documentation, and whether the program says what the page says."""

import re
from collections.abc import Iterator


def shown(text: str) -> Iterator[tuple[str, str]]:
    """Every command of the page with the output that the page gives it."""
    for block in re.findall(r"^```text\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


def fits(expected: str, got: str) -> bool:
    """Whether it is that; … stands for anything within a line, and alone for lines."""
    left, may_skip = _lines(got), False
    for line in _lines(expected):
        if line == "…":
            may_skip = True
            continue
        pattern = re.compile(re.escape(line).replace("…", ".*"))
        while may_skip and left and not pattern.fullmatch(left[0]):
            del left[0]
        if not left or not pattern.fullmatch(left.pop(0)):
            return False
        may_skip = False
    return may_skip or not left


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]
