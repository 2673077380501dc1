"""What the readers of a policy's files say, in three languages."""

from pathlib import Path
from typing import Final

from inbox.strict.phrases import PhraseBook

POLICY_PHRASES: Final = PhraseBook(Path(__file__).with_name("policy_file_texts.toml"))
