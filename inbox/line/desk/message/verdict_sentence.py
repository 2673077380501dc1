"""The verdict of a package in one plain sentence, and in several for those who want more."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from inbox.language import TextLanguage, read_texts
from inbox.package.explanations import explain_code, sentences_of
from inbox.package.verdict import SignerIs, Verdict

_VERDICT: Final = TypeAdapter(Verdict)
DESK_TEXTS: Final = Path(__file__).parents[1] / "desk_texts.toml"
_KEYS: Final = {
    SignerIs.SENDER: "sender",
    SignerIs.SUPPLIER: "supplier",
    SignerIs.OWN_GATEWAY: "own_gateway",
}


def verdict_sentence(stored: str | None, language: TextLanguage) -> str | None:
    """One sentence; None while nothing has been checked."""
    if stored is None:
        return None
    verdict = _VERDICT.validate_json(stored)
    if verdict.code is not None:
        return explain_code(verdict.code, language)[0]
    texts = read_texts(DESK_TEXTS)
    if verdict.waived:
        what = explain_code(verdict.waived[0], language)[0]
        return texts.text("verdict.waived", language, what=what)
    is_believed = verdict.integrity is True and verdict.chain is True
    is_own = verdict.signer_is is SignerIs.OWN_GATEWAY and verdict.integrity is True
    if verdict.signer_is in _KEYS and (is_believed or is_own):
        return texts.text(f"verdict.{_KEYS[verdict.signer_is]}", language)
    return texts.text("verdict.other", language)


def verdict_details(stored: str | None, language: TextLanguage) -> tuple[str, ...]:
    """What the check found beside that one sentence, and what can be done about it."""
    if stored is None:
        return ()
    verdict = _VERDICT.validate_json(stored)
    found = sentences_of(replace(verdict, code=None), language)
    return found if verdict.code is None else (*_remedies(verdict.code, language), *found)


def _remedies(code: str, language: TextLanguage) -> tuple[str, ...]:
    """The answers of `explain_code`, the first of them with its question."""
    _, *answers = explain_code(code, language)
    if not answers:
        return ()
    asked = read_texts(DESK_TEXTS).text("verdict.remedy", language, answer=answers[0])
    return (asked, *answers[1:])
