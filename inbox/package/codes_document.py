"""Generates the page of all codes, for archive staff and senders.

`python -m inbox.package.codes_document > docs/codes.md` makes the committed page anew.
"""

import sys
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from inbox.language import TextLanguage
from inbox.package.codes.quarantine_code import QuarantineCode, Remedy, Text
from inbox.package.codes.registry import CODES
from inbox.package.explanations import NOTE_TEXTS

_ABOUT: Final = """\
# Codes: why a message waits in quarantine

For archive staff and senders. Made from the code: `python -m inbox.package.codes_document`.

A message that fails a check is kept, with a code and a task for an archivist. Nobody sees what is
in it, not even those who decide about it. The sender hears nothing until two persons refuse it.
A message that two have let through is checked again, without the codes that they named.

## What may be done

| | bokmål | nynorsk | English |
|---|---|---|---|
"""
_NOTES: Final = """
## Notes

What a verdict says beside its code. Nothing is refused for it.

| note | bokmål | nynorsk | English |
|---|---|---|---|
"""
_AREAS: Final = {
    "arrival": "Arrival",
    "container": "Container",
    "manifest": "Manifest",
    "signature": "Signature",
    "trust": "Certificate",
    "revocation-unknown": "Revocation",
    "signer": "Signer",
    "envelope": "Envelope",
    "arkivmelding": "arkivmelding.xml",
    "documents": "Documents",
}


def text() -> str:
    """The text of the committed page."""
    return "".join(_lines())


def _lines() -> Iterator[str]:
    yield _ABOUT
    for mend in Remedy:
        yield _row(f"mend: {_remedy_word(mend)}", mend.value)
    for code in _one_of_each():
        yield _row(f"waivable: {_waivable_word(code)}", code.permitted_actions)
    for area, codes in groupby(CODES, key=lambda code: code.partition(".")[0]):
        yield f"\n## {_AREAS[area]}\n\n"
        yield "| code | bokmål | nynorsk | English | mend | waivable |\n|---|---|---|---|---|---|\n"
        for name in codes:
            code = CODES[name]
            yield _row(f"`{name}`", code.text, _remedy_word(code.remedy), _waivable_word(code))
    yield _NOTES
    for note, said in NOTE_TEXTS.items():
        yield _row(f"`{note}`", said)


def _one_of_each() -> tuple[QuarantineCode, ...]:
    by_action = {code.permitted_actions.en: code for code in CODES.values()}
    return tuple(by_action.values())


def _row(first: str, said: Text, *more: str) -> str:
    cells = (first, *(said.in_(language) for language in TextLanguage), *more)
    return f"| {' | '.join(cells)} |\n"


def _remedy_word(mend: Remedy) -> str:
    return mend.name.lower()


def _waivable_word(code: QuarantineCode) -> str:
    if not code.waivable:
        return "never"
    return "by two, one a security reviewer" if code.needs_reviewer else "by two"


if __name__ == "__main__":
    sys.stdout.write(text())
