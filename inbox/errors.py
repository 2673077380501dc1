"""Every error of the product on one page: what it means, and who is told what.

`code` is stable, for machines, and may be shown to anybody. `reason` is for our own log: it never
holds a title, a name, a file name, a national id or content.
"""


class InboxError(Exception):
    """What went wrong, as a stable code and a reason for the operator."""

    def __init__(self, code: str, reason: str = "") -> None:
        super().__init__(f"{code}: {reason}" if reason else code)
        self.code = code
        self.reason = reason


class Rejected(InboxError):
    """The other side did wrong, and doing it again would not help: never retried."""


class PackageRejected(Rejected):
    """A check of the package failed: the message is quarantined with the code."""


class NeverAccepted(Rejected):
    """The gateway will never take or give this (its 400s, the 500s that are no outage)."""


class Gone(Rejected):
    """The gateway no longer has it: deleted, expired or taken."""


class Unavailable(InboxError):
    """A neighbour, a disk or a list was away: same state, tried again later, never given up."""


class Waits(Unavailable):
    """It waits for people who have been told already: same state, later, and nobody told anew."""


class Invalid(InboxError):
    """What was asked cannot be understood; the code says what is wrong with it."""


class NotFound(InboxError):
    """Not there, or not yours: the two are one answer."""

    def __init__(self, code: str = "not_found", reason: str = "") -> None:
        super().__init__(code, reason)


class NotPermitted(InboxError):
    """For those who may know that it exists."""


class Conflict(InboxError):
    """Somebody else was first, or the state does not allow it: look again before you repeat it."""


class Raced(Conflict):
    """Two wrote the same at one moment, this one second: nothing was written; repeat it."""


class IllegalMove(Conflict):
    """The move is not in `message.MOVES`."""


class ConfigurationError(InboxError):
    """A setting, a key, a policy or a schema keeps the program from starting."""


class PolicyError(ConfigurationError):
    """Policies or routing rules are not as they must be: file, line, what is allowed."""


class IntegrityError(InboxError):
    """Stored bytes are not what was stored: wrong key, flipped bit, cut file, broken audit."""
