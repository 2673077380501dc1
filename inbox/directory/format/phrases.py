"""What the readers of the directory say, in three languages."""

from pathlib import Path
from typing import Final

from inbox.strict.phrases import PhraseBook

DIRECTORY_PHRASES: Final = PhraseBook(Path(__file__).with_name("directory_file_texts.toml"))
