"""Every error of the product on one page: what it means, and who is informed.

`code` is stable, for machines, and may be shown to anybody. `reason` is for our own log: it never
holds a title, a name, a file name, a national id or content.
"""


class InboxError(Exception):
    """The base of all our errors: a stable code, and a reason for the operator."""

    def __init__(self, code: str, reason: str = "") -> None:
        super().__init__(f"{code}: {reason}" if reason else code)
        self.code = code
        self.reason = reason


class Rejected(InboxError):
    """The other side made a mistake that a repetition would not mend: never retried."""


class PackageRejected(Rejected):
    """A check of the package failed: the message is quarantined with the code."""


class NeverAccepted(Rejected):
    """The gateway will never accept or deliver this (its 400s, and the 500s that are no outage)."""


class Gone(Rejected):
    """The gateway no longer has the message: deleted, expired or fetched by somebody else."""


class Unavailable(InboxError):
    """A neighbour, a disk or a list is unavailable: same state, retried later, never given up.

    `status` is that of the HTTP answer, where a neighbour gave one.
    """

    def __init__(self, code: str, reason: str = "", *, status: int | None = None) -> None:
        super().__init__(code, reason)
        self.status = status


class WaitingForPeople(Unavailable):
    """It waits for people who already have a task: same state, tried later, and no new task."""


class NotDue(WaitingForPeople):
    """It was claimed too early, by a clock that ran ahead: same state, until its time."""


class Invalid(InboxError):
    """The request is invalid; the code says what is wrong with it."""


class NotFound(InboxError):
    """It does not exist, or the caller may not know that it does: the two are one answer."""

    def __init__(self, code: str = "not_found", reason: str = "") -> None:
        super().__init__(code, reason)


class NotPermitted(InboxError):
    """The caller may know that it exists, but may not do this."""


class Conflict(InboxError):
    """Somebody else was first, or the state does not allow it: read again before you repeat it."""


class ConcurrentWrite(Conflict):
    """Two transactions wrote the same; this one was second and wrote nothing: repeat it."""


class IllegalMove(Conflict):
    """The move is not in `message.MOVES`."""


class ConfigurationError(InboxError):
    """A setting, a key, a policy or a schema keeps the program from starting."""


class NotThereYet(ConfigurationError):
    """What a setting names is not there: perhaps its disk comes later, so it may be tried again."""


class PolicyError(ConfigurationError):
    """A policy or rule book is invalid; the reason names the file, the line and what is allowed."""


class RowsDiffer(PolicyError):
    """A policy file has another number of rows than it states: a row was lost, or added."""

    def __init__(self, error: InboxError, *, file: str, stated: int, found: int) -> None:
        super().__init__(error.code, error.reason)
        self.file = file
        self.stated = stated
        self.found = found


class IntegrityError(InboxError):
    """Stored bytes differ from what was stored: wrong key, flipped bit, cut file, broken audit."""
