"""What `inbox message` says to the people who work on a message, in their language."""

from pathlib import Path
from typing import Final

from inbox.cli.common.language import StaffTexts

SAID: Final = StaffTexts(Path(__file__).with_name("message_texts.toml"))
