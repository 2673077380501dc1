"""Versioned rules that two people can change: the policy, or an organisation's rule book."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from sqlmodel import Session

from inbox.access.files import versions
from inbox.access.files.active import POLICY_KIND
from inbox.access.files.folder import PolicyDraft, read_draft, read_policy_version
from inbox.access.files.switch_off import with_row_off
from inbox.access.files.versions import FilesByName, FilesOfVersion, files_of
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action
from inbox.access.review import one_person as policy_one_person
from inbox.access.review.diff import compare_policies
from inbox.access.review.difference_sentences import difference_sentences
from inbox.errors import PolicyError
from inbox.language import TextLanguage
from inbox.line.active_rule_books import (
    read_rule_book_version,
    rule_book_kind,
    rule_file_of,
)
from inbox.line.proposals.proposal_phrases import PROPOSAL_PHRASES
from inbox.routing import one_person as routing_one_person
from inbox.routing.diff import RoutingDiff, diff_rule_books
from inbox.routing.diff_text import acknowledgement_digest, render_diff
from inbox.routing.rule_book import RuleBook
from inbox.routing.sentences import RoutingSentences
from inbox.store import Transaction
from inbox.strict.phrases import Phrase
from inbox.tables import PolicyVersion


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What one version changes about another."""

    text: str
    """In the words of the files, the same for everybody."""
    in_words: Callable[[TextLanguage], str]
    """As sentences in one language, made from the same two versions."""


@dataclass(frozen=True, kw_only=True)
class VersionedRules:
    """One kind of versioned rules: the policy, or one organisation's rule book."""

    proposal_kind: str
    """The kind of its proposals; its events and codes begin with the same word."""
    subject: str
    """What its proposals are about: an organisation, or the policy of the installation."""
    kind: str
    """Under which name the database names its active version."""
    edit: Action
    approve: Action
    read: Callable[[FilesOfVersion], Policy | RuleBook]
    """Raises `PolicyError`."""
    describe_difference: Callable[[FilesOfVersion, FilesOfVersion], Difference]
    """What the second change about the first. Raises `PolicyError`: one is unreadable."""
    why_two_people: Callable[[FilesOfVersion, FilesOfVersion], tuple[Phrase, ...]]
    """Why putting the second in place of the first needs two people; empty: one suffices.

    Raises `PolicyError`: one is unreadable."""
    switch_off: Callable[[FilesByName, str], FilesByName]
    """The same files with one row or rule switched off.

    Raises `NotFound`, `Conflict` and `PolicyError`: it does not exist, or it cannot be."""


def _draft(version: FilesOfVersion) -> PolicyDraft:
    return read_draft(version.files, version.digest_rule)


def _policy_difference(old: FilesOfVersion, new: FilesOfVersion) -> Difference:
    """As `inbox policy diff` says it: `Comparison.digest` of its text is the same digest."""
    before, after = _draft(old), _draft(new)
    found = compare_policies(before, after)
    return Difference(
        text=_text(found.lines),
        in_words=lambda language: _text(difference_sentences(found, before, after, language)),
    )


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _why_two_for_policies(old: FilesOfVersion, new: FilesOfVersion) -> tuple[Phrase, ...]:
    return policy_one_person.why_two_people(_draft(old), _draft(new))


def _rule_book_diff(old: FilesOfVersion, new: FilesOfVersion) -> RoutingDiff:
    return diff_rule_books(read_rule_book_version(old), read_rule_book_version(new))


def _rule_book_difference(old: FilesOfVersion, new: FilesOfVersion) -> Difference:
    """As `inbox route diff` says it, under the same digest."""
    found = _rule_book_diff(old, new)
    return Difference(
        text=render_diff(found),
        in_words=lambda language: render_diff(found, RoutingSentences(language=language)),
    )


def _why_two_for_rule_books(old: FilesOfVersion, new: FilesOfVersion) -> tuple[Phrase, ...]:
    return routing_one_person.why_two_people(_rule_book_diff(old, new))


def _with_rule_off(files: FilesByName, rule_id: str) -> FilesByName:
    name, book = rule_file_of(files), read_rule_book_version(FilesOfVersion(files=files))
    return {**files, name: routing_one_person.with_rule_off(book, files[name], rule_id)}


POLICY_RULES: Final = VersionedRules(
    proposal_kind="policy",
    subject="policy",
    kind=POLICY_KIND,
    edit=Action.POLICY_EDIT,
    approve=Action.POLICY_APPROVE,
    read=read_policy_version,
    describe_difference=_policy_difference,
    why_two_people=_why_two_for_policies,
    switch_off=with_row_off,
)


def routing_rules_of(organisation: str) -> VersionedRules:
    """The rule book of an organisation, as versioned rules."""
    return VersionedRules(
        proposal_kind="route",
        subject=organisation,
        kind=rule_book_kind(organisation),
        edit=Action.ROUTE_EDIT,
        approve=Action.ROUTE_APPROVE,
        read=read_rule_book_version,
        describe_difference=_rule_book_difference,
        why_two_people=_why_two_for_rule_books,
        switch_off=_with_rule_off,
    )


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A comparison of proposed files with the version that was active at that moment."""

    new_digest: str
    """The digest of the new ones."""
    active: str | None
    """The id of the version that they were compared with."""
    difference: Difference = field(repr=False)
    """What changes."""

    @property
    def text(self) -> str:
        """What changes, in the words of the files: the digest is over these very words."""
        return self.difference.text

    def in_words(self, language: TextLanguage) -> str:
        """The same as sentences, for the person who proposes it and the one who approves it."""
        return self.difference.in_words(language)

    @property
    def digest(self) -> str:
        """The digest of the text of the difference."""
        return acknowledgement_digest(self.text)


def compare(
    session: Session, rules: VersionedRules, files: FilesOfVersion, *, new_digest: str
) -> Comparison:
    """Compare the files, whose digest is given, with the active version."""
    active = versions.active_version(session, rules.kind)
    return Comparison(
        new_digest=new_digest,
        active=None if active is None else active.id,
        difference=_difference_from_active(rules, active, files, new_digest),
    )


def _difference_from_active(
    rules: VersionedRules, active: PolicyVersion | None, files: FilesOfVersion, new_digest: str
) -> Difference:
    """Where nothing is active that this program can read, all of it is new."""
    if active is not None:
        with suppress(PolicyError):
            return rules.describe_difference(files_of(active), files)
    written: list[str] = []
    for name, raw in sorted(files.files.items()):
        written += [f"==> {name} <==", *raw.decode().splitlines()]

    def in_words(language: TextLanguage) -> str:
        head = [
            PROPOSAL_PHRASES("difference.from_nothing").text(language),
            PROPOSAL_PHRASES("difference.to", digest=new_digest).text(language),
        ]
        return _text([*head, *written])

    return Difference(text=in_words(TextLanguage.EN), in_words=in_words)


@dataclass(frozen=True, kw_only=True)
class FirstVersion:
    """The first version of a set of rules, read and checked."""

    rules: VersionedRules
    files: FilesByName
    digest: str

    def activate(self, tx: Transaction, *, proposer: str, approver: str) -> None:
        """Make it the active version.

        A new installation names both its proposer and its approver.
        """
        versions.keep_first_version(
            tx,
            kind=self.rules.kind,
            digest=self.digest,
            files=self.files,
            proposed_by=proposer,
            approved_by=approver,
        )


def read_first_version(rules: VersionedRules, files: FilesByName) -> FirstVersion:
    """Read the version that a new installation starts with. Raises `PolicyError`."""
    read = rules.read(FilesOfVersion(files=files))
    return FirstVersion(rules=rules, files=files, digest=read.digest)
