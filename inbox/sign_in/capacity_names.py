"""The names of capacities, as pages show them: the role and the unit."""

from pathlib import Path
from typing import Final

from inbox.language import TextLanguage, read_texts

_TEXTS: Final = Path(__file__).with_name("capacity_texts.toml")


def capacity_name(role: str, unit_name: str, language: TextLanguage) -> str:
    """Such as *Fordeler, Dokumentsenteret*."""
    return f"{read_texts(_TEXTS).text(f'capacity.{role}', language)}, {unit_name}"
