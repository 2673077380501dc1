"""A condition as lines for a terminal, and as JSON: the same of `doctor`, `watch` and `ready`."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from inbox.health.condition import HealthCondition
from inbox.health.words import words_of
from inbox.language import TextLanguage

_INDENT: Final = " " * 9


def lines_of(condition: HealthCondition) -> Iterator[str]:
    """What is wrong, what happens if nothing is done, what to do, and who."""
    words = words_of(condition, TextLanguage.EN)
    facts = [condition.code]
    if condition.status is not None:
        facts.append(f"status {condition.status}")
    if condition.reason:
        facts.append(" ".join(condition.reason.split()))
    if condition.since is not None:
        facts.append(f"since {_shown(condition.since)}")
    yield f"{condition.level.value:<8} {condition.subject:<20} {words.means} ({'; '.join(facts)})"
    yield f"{_INDENT}otherwise: {words.otherwise}"
    yield f"{_INDENT}do: {words.how} ({words.who})"


def json_of(condition: HealthCondition) -> dict[str, object]:
    """For machines, in English: `level`, `subject`, `code`, `since`, words; numbers where known."""
    words = words_of(condition, TextLanguage.EN)
    optional = {"count": condition.count, "status": condition.status, "reason": condition.reason}
    return {
        "level": condition.level.value,
        "subject": condition.subject,
        "code": condition.code,
        "since": None if condition.since is None else condition.since.isoformat(),
        "means": words.means,
        "otherwise": words.otherwise,
        "do": words.how,
        "who": words.who,
        **{name: value for name, value in optional.items() if value not in (None, "")},
    }


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
