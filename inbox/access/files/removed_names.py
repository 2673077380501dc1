"""Refuses a name that rules could use before, and says what to write instead."""

import re
from typing import Final

from inbox.access.files.phrases import POLICY_PHRASES
from inbox.access.policy.names import Vocabulary
from inbox.strict.lines import SourceLine
from inbox.strict.phrases import Phrase

_NAME: Final = re.compile(r"[a-z][a-z_]*")


def check_not_removed(line: SourceLine, text: str, vocabulary: Vocabulary) -> None:
    """Check that a text of this line uses no name that was removed. Raises `PolicyError`."""
    for name in _NAME.findall(text):
        if name in vocabulary.removed:
            raise line.refuse("removed", name, advice_on(name, vocabulary))


def advice_on(name: str, vocabulary: Vocabulary) -> Phrase:
    """What to write instead of a name that was removed."""
    removed = vocabulary.removed[name]
    instead = Phrase(texts=removed.instead, values={})
    return POLICY_PHRASES("removed_name", instead=instead, version=removed.until)
