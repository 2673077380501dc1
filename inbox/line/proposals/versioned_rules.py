"""Versioned rules that two people can change: the policy, or an organisation's rule book."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session

from inbox.access.files import versions
from inbox.access.files.active import KIND
from inbox.access.files.folder import read_draft, read_policy
from inbox.access.files.versions import Files, unpacked
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action
from inbox.access.review.diff import compare as compare_policies
from inbox.errors import PolicyError
from inbox.line.active_rule_books import kind_of, read_book
from inbox.routing.diff import diff
from inbox.routing.diff_text import acknowledgement, printed
from inbox.routing.rule_book import RuleBook
from inbox.tables import PolicyVersion


@dataclass(frozen=True, kw_only=True)
class Rules:
    """One kind of versioned rules: the policy, or one organisation's rule book."""

    proposal: str
    """The kind of its proposals; its events and codes begin with the same word."""
    subject: str
    """What its proposals are about: an organisation, or the policy of the installation."""
    kind: str
    """Under which name the database names its active version."""
    edit: Action
    approve: Action
    read: Callable[[Files], Policy | RuleBook]
    """Raises `PolicyError`."""
    difference: Callable[[Files, Files], str]
    """What the second change about the first, in words. Raises `PolicyError`: one is unreadable."""


def _of_policies(old: Files, new: Files) -> str:
    """As `inbox policy diff` prints it: `Compared.digest` of this is its digest."""
    found = compare_policies(read_draft(old), read_draft(new))
    return "".join(f"{line}\n" for line in found.lines)


def _of_books(old: Files, new: Files) -> str:
    """As `inbox route diff` prints it, under the same digest."""
    return printed(diff(read_book(old), read_book(new)))


POLICY: Final = Rules(
    proposal="policy",
    subject="policy",
    kind=KIND,
    edit=Action.POLICY_EDIT,
    approve=Action.POLICY_APPROVE,
    read=read_policy,
    difference=_of_policies,
)


def routing_of(organisation: str) -> Rules:
    """The rule book of an organisation, as versioned rules."""
    return Rules(
        proposal="route",
        subject=organisation,
        kind=kind_of(organisation),
        edit=Action.ROUTE_EDIT,
        approve=Action.ROUTE_APPROVE,
        read=read_book,
        difference=_of_books,
    )


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A comparison of proposed files with the version that was active at that moment."""

    becomes: str
    """The digest of the new ones."""
    active: str | None
    """The id of the version that they were compared with."""
    text: str
    """What changes, in words: whoever approves it acknowledges these very words."""

    @property
    def digest(self) -> str:
        """The digest of the text of the difference."""
        return acknowledgement(self.text)


def compare(session: Session, rules: Rules, files: Files, *, becomes: str) -> Compared:
    """Compare the files, whose digest is given, with the active version."""
    active = versions.named(session, rules.kind)
    return Compared(
        becomes=becomes,
        active=None if active is None else active.id,
        text=_difference(rules, active, files, becomes),
    )


def _difference(rules: Rules, active: PolicyVersion | None, files: Files, becomes: str) -> str:
    """Where nothing is active that this program can read, all of it is new."""
    if active is not None:
        with suppress(PolicyError):
            return rules.difference(unpacked(active.files), files)
    lines = ["from nothing that can be read", f"to   {becomes}"]
    for name, raw in sorted(files.items()):
        lines += [f"==> {name} <==", *raw.decode().splitlines()]
    return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, kw_only=True)
class First:
    """The first version of a set of rules, read and checked."""

    rules: Rules
    files: Files
    digest: str

    def begin(self, session: Session, now: datetime, *, proposer: str, approver: str) -> None:
        """Make it the active version.

        A new installation names both its proposer and its approver.
        """
        versions.begin(
            session,
            now,
            kind=self.rules.kind,
            digest=self.digest,
            files=self.files,
            proposed_by=proposer,
            approved_by=approver,
        )


def first(rules: Rules, files: Files) -> First:
    """Read the version that a new installation starts with. Raises `PolicyError`."""
    return First(rules=rules, files=files, digest=rules.read(files).digest)
