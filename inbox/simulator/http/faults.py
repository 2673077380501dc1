"""Faults by script: what goes wrong at which call, in a closed vocabulary of sentences."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class On(StrEnum):
    """The calls a fault can be tied to."""

    FIND = "find"
    PEEK = "peek"
    POP = "pop"
    DELETE = "delete"
    CREATE = "create"
    SEND = "send"
    CAPABILITIES = "capabilities"
    STATUSES = "statuses"
    CONVERSATIONS = "conversations"
    HEALTH = "health"
    CALL = "call"
    """Any call at all."""


class Does(StrEnum):
    """What goes wrong."""

    LOSE_ANSWER = "lose answer"
    """Done as asked, and the connection is cut before the first byte of the answer."""
    RESET = "reset"
    """The connection is reset before anything is done."""
    ANSWER = "answer"
    """`status` with an error body, before anything is done."""
    ANSWER_EMPTY = "answer empty"
    """`status` without a body, before anything is done."""
    ANSWER_HTML = "answer html"
    """`status` with a page, as a proxy or a log-in wall gives it, before anything is done."""
    ANSWER_GARBAGE = "answer garbage"
    """`status` with a body that is announced as JSON and is not, before anything is done."""
    REPLACE = "replace"
    """Done as asked, but the answer that comes is `status` with a page."""
    SLOW = "slow"
    """Each kilobyte of the answer's body takes `after`."""
    END_EARLY = "end early"
    """The body ends cleanly after `after_bytes`."""
    CUT = "cut"
    """The connection is cut after `after_bytes` of the body."""
    LOSE_LOCK = "lose lock"
    """The lock runs out while the answer is on its way."""
    REDELIVER = "redeliver"
    """The transport delivers the message again, `after` the call."""
    EXPIRE = "expire"
    """The message expires just before the call is carried out."""
    CRASH = "crash"
    """Carried out, then the server restarts without its last `writes`; the answer is lost."""
    GO_MISSING = "go missing"
    """Another consumer has taken and deleted it just before the call is carried out."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One line of the script. Without `nth` every such call is hit; `message_id` narrows it.

    `nth` counts the calls that match `on` and `message_id` from when the fault was added; an id
    matches only calls that have one in their path.
    """

    on: On
    does: Does
    nth: int | None = None
    message_id: str | None = None
    status: int = 200
    after: timedelta = timedelta()
    after_bytes: int = 0
    writes: int = 0


class Script:
    """The faults still to come; the caller holds the lock."""

    def __init__(self) -> None:
        self._faults: list[tuple[Fault, list[int]]] = []

    def add(self, fault: Fault) -> None:
        """One more fault, counted from now."""
        self._faults.append((fault, [0]))

    def clear(self) -> None:
        """From now on nothing goes wrong."""
        self._faults.clear()

    def strike(self, on: On | None, message_id: str | None) -> list[Fault]:
        """The faults that hit this call; counts it."""
        struck = []
        for fault, seen in self._faults:
            if fault.on not in (On.CALL, on) or fault.message_id not in (None, message_id):
                continue
            seen[0] += 1
            if fault.nth in (None, seen[0]):
                struck.append(fault)
        return struck


ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "s": 1, "ms": 0.001}
_CALL = rf"(?P<nth>every|{'|'.join(ORDINALS)}|\d+(?:st|nd|rd|th)) (?P<on>{'|'.join(On)})"
_TIME = r"(?P<time>an?|[\d.]+) ?(?P<unit>second|minute|hour|day|s|ms)s?"
_STATUS = r"(?P<status>\d{3})"
SENTENCES: tuple[tuple[str, Does], ...] = (
    (rf"lose the answer to the {_CALL}", Does.LOSE_ANSWER),
    (rf"(?:reset|refuse) the {_CALL}", Does.RESET),
    (rf"answer {_STATUS} to the {_CALL}", Does.ANSWER),
    (rf"answer empty {_STATUS} to the {_CALL}", Does.ANSWER_EMPTY),
    (rf"answer html {_STATUS} to the {_CALL}", Does.ANSWER_HTML),
    (rf"answer garbage to the {_CALL}", Does.ANSWER_GARBAGE),
    (rf"do the {_CALL} but answer {_STATUS}", Does.REPLACE),
    (rf"slow the {_CALL} by {_TIME}", Does.SLOW),
    (rf"end the {_CALL} after (?P<bytes>\d+) bytes", Does.END_EARLY),
    (rf"cut the {_CALL} after (?P<bytes>\d+) bytes", Does.CUT),
    (rf"lose the lock during the {_CALL}", Does.LOSE_LOCK),
    (rf"redeliver {_TIME} after the {_CALL}", Does.REDELIVER),
    (rf"expire the message at the {_CALL}", Does.EXPIRE),
    (rf"lose the message at the {_CALL}", Does.GO_MISSING),
    (rf"crash after the {_CALL} and lose (?P<writes>\d+) writes?", Does.CRASH),
)
"""Each may end in ` of <message id>`; `every` stands without `the`."""


def fault_of(sentence: str) -> Fault:
    """The fault that a sentence names, as "lose the answer to the third DELETE".

    Raises:
        ValueError: no sentence of the vocabulary; the text lists it.
    """
    text = re.sub(r"\bevery\b", "the every", " ".join(sentence.split()), flags=re.IGNORECASE)
    for pattern, does in SENTENCES:
        found = re.fullmatch(pattern + r"(?: of (?P<message_id>\S+))?", text, re.IGNORECASE)
        if found is not None:
            return _fault(found.groupdict(), does)
    known = "\n".join(re.sub(r"\(\?P<(\w+)>.*?\)+", r"<\1>", pattern) for pattern, _ in SENTENCES)
    raise ValueError(f"not a fault: {sentence!r}; known are\n{known}")


def _fault(words: dict[str, str | None], does: Does) -> Fault:
    time, unit = words.get("time"), words.get("unit")
    return Fault(
        on=On((words["on"] or "").lower()),
        does=does,
        nth=_count((words["nth"] or "").lower()),
        message_id=words.get("message_id"),
        status=int(words.get("status") or 200),
        after=_span(time.lower(), unit.lower()) if time and unit else timedelta(),
        after_bytes=int(words.get("bytes") or 0),
        writes=int(words.get("writes") or 0),
    )


def _count(nth: str) -> int | None:
    if nth == "every":
        return None
    return ORDINALS.index(nth) + 1 if nth in ORDINALS else int(nth.rstrip("stndrh"))


def _span(time: str, unit: str) -> timedelta:
    return timedelta(seconds=(1 if time in ("a", "an") else float(time)) * SECONDS[unit])


def faults_of(script: Iterable[Fault | str]) -> list[Fault]:
    """Faults given as objects or as sentences."""
    return [each if isinstance(each, Fault) else fault_of(each) for each in script]
