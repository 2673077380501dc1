"""Keeps the pages of the demo open until a signal ends it, with a new letter every half minute."""

import time
from collections.abc import Iterator
from typing import Final

from inbox.cli.demo.end_signals import EndSignals
from inbox.cli.demo.stage import Stage
from inbox.simulator.demo_mail.letters import Letter

NEW_LETTER_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.5


def stay(stage: Stage, signals: EndSignals, new: Iterator[Letter]) -> bool:
    """Stay until a signal; False if the product's process ended before one came."""
    signals.expect()
    due = time.monotonic() + NEW_LETTER_SECONDS
    while not signals.wait(_LOOK_SECONDS):
        if stage.product is None or stage.product.poll() is not None:
            return signals.wait(_LOOK_SECONDS)
        if time.monotonic() >= due:
            due += NEW_LETTER_SECONDS
            letter = next(new, None)
            if letter is not None:
                stage.gateway.put(letter.envelope, letter.package, service=letter.service)
    return True
