"""Opens the transaction in which a command reads about the access of others."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from inbox.access.files.active import ActivePolicies
from inbox.audit.gap import checkpoint_text
from inbox.audit.standstill import Standstill
from inbox.cli.common.context import keyring_of, store_of
from inbox.cli.common.sign_in import choose_capacity, read_code
from inbox.config import Settings
from inbox.domain import OrgNumber
from inbox.errors import NotFound, NotPermitted, Unavailable
from inbox.language import TextLanguage
from inbox.line.access.access_reader import READ_ACCESS, AccessReader


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The caller: the personal code, and the chosen capacity if one was given."""

    person: str
    code: str = field(repr=False)
    chosen: str | None

    @classmethod
    def with_typed_code(
        cls, person: str, chosen: str | None, language: TextLanguage | None, *, from_stdin: bool
    ) -> "Caller":
        """Read the code now, without echo or from standard input."""
        code = read_code(person, language, from_stdin=from_stdin)
        return cls(person=person, code=code, chosen=chosen)


@contextmanager
def open_access_reader(settings: Settings, who: Caller) -> Iterator[AccessReader]:
    """Open such a transaction; its audit entries are committed at the end.

    Nothing is committed if the request was refused.

    Raises `Conflict` for a wrong code, `Invalid` where a capacity is to be chosen, `Unavailable`.
    """
    policies, store = ActivePolicies(), store_of(settings)
    keyring, standstill = keyring_of(settings, store), Standstill()
    signed = checkpoint_text(settings.checkpoints)
    with store.transaction() as tx:
        standstill.compare(tx, keyring, [signed])
        standstill.check()
        capacity = choose_capacity(tx, who.person, who.code, who.chosen)
        policy = policies.current(tx)
        if not policy.rules:
            raise Unavailable("policy.not_active", "nobody may do anything until it is")
        yield AccessReader(tx=tx, policy=policy, capacity=capacity)


def check_may_read_access(
    settings: Settings, who: Caller, event: str, of: OrgNumber | None = None
) -> OrgNumber:
    """Check that the caller may read about access in the organisation; returns the organisation.

    It takes no right to change anything, and the right to change something is not enough. That it
    was asked is in the audit when this returns: before anything is read. Without `of` it is the
    organisation of who asks.

    Raises as `open_access_reader`, and `NotPermitted`.
    """
    with open_access_reader(settings, who) as it:
        own = it.capacity.organisation
        if of not in {None, own}:
            raise NotPermitted("not_permitted", "it is another organisation's")
        try:
            it.check_allowed(event, READ_ACCESS, about=own)
        except NotFound:
            raise NotPermitted(
                "not_permitted", "it takes a capacity that may access_read"
            ) from None
    return own
