"""What is said of proposed rules where there is nothing to compare with, in three languages."""

from pathlib import Path
from typing import Final

from inbox.strict.phrases import PhraseBook

PROPOSAL_PHRASES: Final = PhraseBook(Path(__file__).with_name("proposal_texts.toml"))
