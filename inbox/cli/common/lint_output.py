"""One layout for what lint finds in policies and in routing rules, in the reader's language."""

from dataclasses import dataclass
from typing import Final

from inbox.cli.common.formats import OutputFormat
from inbox.cli.common.language import for_staff
from inbox.errors import PolicyError
from inbox.language import TextLanguage
from inbox.strict.refusal import refusal_of

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


def show_lint(form: OutputFormat, found: list[LintRow], counted: str, **more: object) -> None:
    """Print the findings and how many there are; `counted` says of what, `more` is for JSON."""
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
    summary = f"{counted}, {wrong} wrong, {len(found) - wrong} notes"
    extra = [f"{name} {text}" for name, text in more.items() if text is not None]
    form.show(value, rows, _COLUMNS, summary, *extra)
