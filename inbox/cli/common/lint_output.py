"""One layout for what lint finds in policies and in routing rules, in the reader's language."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inbox.cli.common.formats import OutputFormat
from inbox.cli.common.language import StaffTexts, for_staff
from inbox.errors import PolicyError
from inbox.language import TextLanguage
from inbox.strict.refusal import refusal_of

_SAID: Final = StaffTexts(Path(__file__).with_name("lint_output_texts.toml"))
_COLUMNS: Final = ("finding", "file", "line", "code", "about", "text")


@dataclass(frozen=True, kw_only=True)
class LintRow:
    """One finding: an error that stops the file from loading, or a note."""

    is_error: bool
    file: str | None
    line: int | None
    code: str
    about: str
    """The rule, the invariant or the name that it is about."""
    text: str


def lint_language(form: OutputFormat, language: TextLanguage | None) -> TextLanguage:
    """The language of the findings; JSON has them in English."""
    return TextLanguage.EN if form.as_json else for_staff(language)


def refused_row(error: PolicyError, language: TextLanguage, file: str | None = None) -> LintRow:
    """The finding that a file is refused; `file` where the error does not know it."""
    refusal = refusal_of(error)
    return LintRow(
        is_error=True,
        file=file if refusal is None else refusal.file,
        line=None if refusal is None else refusal.line,
        code=error.code,
        about="",
        text=error.reason if refusal is None else refusal.sentence(language),
    )


def show_lint(
    form: OutputFormat,
    found: list[LintRow],
    language: TextLanguage,
    counted: str,
    number: int = 0,
    **more: object,
) -> None:
    """Print the findings and how many there are, in a number of what is `counted`.

    `more` is for JSON, and stands below.
    """
    rows: list[dict[str, object]] = [
        {
            "finding": "WRONG" if each.is_error else "note",
            "file": each.file,
            "line": each.line,
            "code": each.code,
            "about": each.about,
            "text": each.text,
        }
        for each in found
    ]
    wrong = sum(each.is_error for each in found)
    value = {**more, "wrong": wrong, "findings": rows}
    of_what = _SAID(f"counted.{counted}", language, number=number)
    notes = len(found) - wrong
    summary = _SAID("summary.line", language, of_what=of_what, wrong=wrong, notes=notes)
    worded = [row | {"finding": _SAID(f"finding.{row['finding']}", language)} for row in rows]
    extra = [f"{name} {text}" for name, text in more.items() if text is not None]
    form.show(value, *_SAID.rows(worded, _COLUMNS, language), summary, *extra)
