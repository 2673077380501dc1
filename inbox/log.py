"""The operational log: JSON lines with a closed list of events and fields. It is not the audit.

No field can hold free text: ids of ours, codes, states and numbers only. So no title, name or
content can get into it, whatever happens.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

_LOGGER: Final = logging.getLogger("inbox")


class LogEvent(StrEnum):
    """Every event that can be logged."""

    STARTED = "started"
    STOPPED = "stopped"
    STEP = "step"
    POSTPONED = "postponed"
    COLLECTED = "collected"
    FAILED = "failed"
    RECOVERED = "recovered"
    """What failed again and again works."""
    CONDITION_BEGAN = "condition_began"
    """Something is wrong from now on, or was found to be; see `inbox.health`."""
    CONDITION_CHANGED = "condition_changed"
    """It is still wrong, for another reason than before."""
    CONDITION_ENDED = "condition_ended"
    CLOCK_BACKWARDS = "clock_backwards"
    CHECKPOINT = "checkpoint"
    STANDSTILL = "standstill"
    """The database is older than what was signed of it: only mail is taken in."""
    CLEANED = "cleaned"
    LISTS = "lists"
    """Revocation lists that are news."""
    STATE_CHECKED = "state_checked"
    """Every row that decides was compared with the audit; the count is of those that differ."""
    REQUEST = "request"
    CUT = "cut"
    """Connections that were ended because of a client that was too slow, or one of too many."""


class LogField(StrEnum):
    """Every field that an event can have."""

    ROW = "row"
    STATION = "station"
    CODE = "code"
    COUNT = "count"
    SECONDS = "seconds"
    CHANNEL = "channel"
    ERROR = "error"
    """The type of an exception, never its text."""
    ROUTE = "route"
    """The template of a path, never the path."""
    STATUS = "status"
    """Of an HTTP answer: ours, or that of a neighbour."""
    SUBJECT = "subject"
    """What a condition is about: a part of the program, a neighbour or a unit; never a message."""
    SEVERITY = "severity"
    REQUEST_ID = "request_id"
    """A random id of one request, which an error's page shows, so that people can say which."""


_ERRORS: Final = frozenset(
    {
        LogEvent.FAILED,
        LogEvent.STANDSTILL,
        LogEvent.CONDITION_BEGAN,
        LogEvent.CONDITION_CHANGED,
    }
)


class _OnePerSecond(logging.Filter):
    """Of what other libraries log, lets one line a second through for each logger and level.

    So nobody from outside can fill a disk with, say, requests that are no HTTP.
    """

    def __init__(self) -> None:
        super().__init__()
        self._latest: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == _LOGGER.name:
            return True
        cause = (record.name, record.levelno)
        if record.created - self._latest.get(cause, 0) < 1:
            return False
        self._latest[cause] = record.created
        return True


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON; a record that is not ours gives its logger and level only."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "level": record.levelname.lower(),
        }
        if record.name == _LOGGER.name:
            fields = getattr(record, "inbox_fields", {})
            line |= {"event": record.getMessage(), **fields}
        else:
            line["logger"] = record.name
        return json.dumps(line)


def to_stderr() -> None:
    """Write the log to standard error from now on.

    Other loggers only from WARNING, without their text.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    handler.addFilter(_OnePerSecond())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    _LOGGER.setLevel(logging.INFO)


def emit(event: LogEvent, fields: dict[LogField, str | int | float | None]) -> None:
    """Log one event with its fields; what is wrong is an error, the rest is information."""
    level = logging.ERROR if event in _ERRORS else logging.INFO
    shown = {field.value: value for field, value in fields.items() if value is not None}
    _LOGGER.log(level, event.value, extra={"inbox_fields": shown})
