"""Forms with a reason, of one kind: choose a sentence, add a note if there is more, and do it.

Each deed has its own reasons (`words.REASONS`). What is kept is the code of the sentence and the
note, sealed; in the audit there is a commitment to it. A note that has a national id in it is not
taken: it would lie among what people read who do not open the message.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from inbox.web.people import shapes, words
from inbox.web.people.forms import Form
from inbox.web.people.texts import PageTexts

REASON_FIELD: Final = "grunn"
NOTE_FIELD: Final = "merknad"
_LONGEST_NOTE: Final = 500
_NATIONAL_ID: Final = re.compile(r"(?<!\d)\d{6}[ -]?\d{5}(?!\d)")


@dataclass(frozen=True, kw_only=True)
class GivenReason:
    """A reason as it is kept: the code of a sentence, and a note."""

    code: str
    note: str

    def as_text(self) -> str:
        """What the move is given."""
        return f"{self.code}: {self.note}" if self.note else self.code


def reason_choices(texts: PageTexts, deed: str) -> list[shapes.Choice]:
    """The sentences that can be chosen as the reason of a deed."""
    return [
        shapes.Choice(value=code, name=texts.gettext(said))
        for code, said in words.REASONS[deed].items()
    ]


def read_reason(
    texts: PageTexts, form: Form, deed: str, *, others: Mapping[str, str] | None = None
) -> GivenReason | shapes.FormProblems:
    """The reason of a form, or what is wrong with it; `others` are errors of other fields."""
    _ = texts.gettext
    code, note = form.one(REASON_FIELD), form.one(NOTE_FIELD)
    wrong = dict(others or {})
    if code not in words.REASONS[deed]:
        wrong[REASON_FIELD] = _("Velg en grunn")
    if len(note) > _LONGEST_NOTE:
        wrong[NOTE_FIELD] = _("Merknaden kan ha høyst %(count)s tegn") % {"count": _LONGEST_NOTE}
    elif _NATIONAL_ID.search(note):
        wrong[NOTE_FIELD] = _("Merknaden kan ikke ha fødselsnummer")
    return form_problems(texts, wrong) if wrong else GivenReason(code=code, note=note)


def form_problems(texts: PageTexts, wrong: Mapping[str, str]) -> shapes.FormProblems:
    """The errors as they stand above a form and at its fields."""
    return shapes.FormProblems(
        heading=texts.gettext("Det er ikke sendt. Rett opp dette:"),
        errors=tuple(shapes.FieldError(field=name, message=said) for name, said in wrong.items()),
    )


def reason_in_words(texts: PageTexts, kept: str) -> tuple[str, str]:
    """The sentence and the note of a reason that was kept; one from a command is all note."""
    code, _, note = kept.partition(": ")
    for reasons in words.REASONS.values():
        if code in reasons:
            return texts.gettext(reasons[code]), note
    return "", kept
