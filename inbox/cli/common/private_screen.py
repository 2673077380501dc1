"""Shows a personal code to one person alone: on a screen of its own, which is gone after Enter."""

import sys
from pathlib import Path
from typing import Final

from inbox.cli.common.language import StaffTexts
from inbox.cli.common.output import print_line
from inbox.language import TextLanguage

_SAID: Final = StaffTexts(Path(__file__).with_name("sign_in_texts.toml"))
_OWN_SCREEN: Final = "\x1b[?1049h\x1b[2J\x1b[H"
_SCREEN_BEFORE: Final = "\x1b[2J\x1b[H\x1b[?1049l"
"""The alternate screen of a terminal: what stands on it never reaches the scroll-back."""


def is_private_screen() -> bool:
    """Whether a person sits at a terminal, so that a code can be shown and wiped away."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def show_privately(person: str, code: str, language: TextLanguage | None) -> None:
    """Show a code until Enter; before it nobody else need look away, and after it is gone.

    Raises `KeyboardInterrupt` and `EOFError` as `input` does; the code is wiped away all the same.
    """
    _wait(_SAID("screen.next", language, person=person))
    sys.stdout.write(_OWN_SCREEN)
    try:
        print_line(f"{_SAID('screen.code', language, person=person)}\n\n  {code}\n")
        _wait(_SAID("screen.wipe", language))
    finally:
        sys.stdout.write(_SCREEN_BEFORE)
        sys.stdout.flush()


def _wait(text: str) -> None:
    sys.stdout.write(f"{text} ")
    sys.stdout.flush()
    input()
