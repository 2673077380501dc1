"""Run by the tests as a process of its own, in little memory, so that what it needs is seen.

`trial HOSTILE GENUINE SEED` makes and reads so many packages; `large FOLDER` one of a gigabyte.
"""

import json
import sys
from pathlib import Path

from tests.hostile.trial import Report, hold_memory, try_genuine, try_hostile, try_large


def _reports(what: str, *words: str) -> dict[str, Report]:
    if what == "large":
        return {what: try_large(Path(words[0]))}
    hostile, genuine, seed = map(int, words)
    return {"hostile": try_hostile(hostile, seed), "genuine": try_genuine(genuine, seed)}


if __name__ == "__main__":
    hold_memory()
    told = {name: report.values() for name, report in _reports(*sys.argv[1:]).items()}
    sys.stdout.write(json.dumps(told))
