"""What readers and lint of routing rules say, in three languages."""

from pathlib import Path

from inbox.strict.phrases import PhraseBook

ROUTING_PHRASES = PhraseBook(Path(__file__).with_name("rule_file_texts.toml"))
