"""The steps by which policies and rule books are changed on the command line; the same for both."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlmodel import col, select

from inbox.access.files import versions
from inbox.access.files.versions import FilesByName, unpack_files
from inbox.access.question import Capacity
from inbox.cli.common.language import InLanguage, StaffTexts, for_staff
from inbox.cli.common.output import EXIT_FAILED, print_json, print_line
from inbox.cli.common.sign_in import CodeFromStdin, SignedIn, read_code, sign_in
from inbox.domain import ProposalState
from inbox.errors import Conflict, NotFound
from inbox.language import TextLanguage
from inbox.line import Line
from inbox.line.proposals import one_person, rule_versions
from inbox.line.proposals.policy_or_rule_book import Comparison, VersionedRules
from inbox.line.proposals.version_steps import ProposedVersion
from inbox.store import Store, Transaction
from inbox.tables import ActivePolicy, PolicyVersion, Proposal

RulesForCapacity = Callable[[Capacity], VersionedRules]
"""Which rules a person of that capacity changes."""

Actor = Annotated[str, typer.Option("--by", metavar="ID", help="Your own id.")]
ProposalId = Annotated[
    str, typer.Argument(metavar="PROPOSAL", help="The id of the proposal; see `history`.")
]
Digest = Annotated[
    str, typer.Argument(metavar="DIGEST", help="The digest of the approved version; see `history`.")
]
Acknowledge = Annotated[
    str | None,
    typer.Option(
        metavar="DIGEST",
        help="The digest printed below the difference. Without this option the difference is"
        " printed and nothing is approved.",
    ),
]
AtOnce = Annotated[bool, typer.Option("--activate", help="Also activate it in the same step.")]
_SAID: Final = StaffTexts(Path(__file__).with_name("rule_change_texts.toml"))
_TIME_FORMAT: Final = "%Y-%m-%d %H:%M"


def propose(
    who: SignedIn,
    rules_of: RulesForCapacity,
    files_of: Callable[[VersionedRules], FilesByName],
    language: TextLanguage | None,
    *,
    as_json: bool,
) -> None:
    """Propose the files, and print the difference."""

    def move(line: Line, capacity: Capacity) -> ProposedVersion:
        rules = rules_of(capacity)
        return rule_versions.propose(line, capacity, rules, files_of(rules))

    made = who.perform(move)
    compared = made.compared
    if as_json:
        print_json(
            {
                "proposal": made.proposal_id,
                "digest": compared.new_digest,
                "difference": compared.text,
                "acknowledge": compared.digest,
            }
        )
        return
    _print_difference(compared, language)
    print_line(_SAID("proposed.done", language, proposal=made.proposal_id))


def add_approval_commands(
    changes: typer.Typer, rules_of: RulesForCapacity, *, approve_help: str, activate_help: str
) -> None:
    """Add the two commands that are the same for both: `approve` and `activate`."""

    @changes.command(help=approve_help)
    def approve(  # noqa: PLR0913, PLR0917 - the options of the command
        ctx: typer.Context,
        proposal: ProposalId,
        by: Actor,
        acknowledge: Acknowledge = None,
        at_once: AtOnce = False,
        code_from_stdin: CodeFromStdin = False,
        language: InLanguage = None,
    ) -> None:
        who = sign_in(ctx, by, read_code(by, language, from_stdin=code_from_stdin))
        _approve(who, rules_of, proposal, acknowledge, language, at_once=at_once)

    @changes.command(help=activate_help)
    def activate(
        ctx: typer.Context,
        digest: Digest,
        by: Actor,
        code_from_stdin: CodeFromStdin = False,
        language: InLanguage = None,
    ) -> None:
        who = sign_in(ctx, by, read_code(by, language, from_stdin=code_from_stdin))
        who.perform(
            lambda line, capacity: rule_versions.activate(
                line, capacity, rules_of(capacity), digest
            )
        )
        print_line(_SAID("approved.active", language, digest=digest))


def _approve(
    who: SignedIn,
    rules_of: RulesForCapacity,
    proposal_id: str,
    acknowledge: str | None,
    language: TextLanguage | None,
    *,
    at_once: bool,
) -> None:
    """Approve it, or print what it changes and end with 1 if that is not acknowledged yet."""
    if acknowledge is None:
        compared = who.perform(
            lambda line, capacity: rule_versions.review(
                line, capacity, rules_of(capacity), proposal_id
            )
        )
        _print_difference(compared, language)
        print_line(_SAID("approved.nothing_yet", language))
        raise typer.Exit(EXIT_FAILED)
    step = rule_versions.approve_and_activate if at_once else rule_versions.approve
    digest = who.perform(
        lambda line, capacity: step(
            line, capacity, rules_of(capacity), proposal_id, acknowledge=acknowledge
        )
    )
    step_done = "active" if at_once else "not_active_yet"
    print_line(_SAID(f"approved.{step_done}", language, digest=digest))


def roll_back(
    who: SignedIn, rules_of: RulesForCapacity, reason: str, language: TextLanguage | None
) -> None:
    """Roll back to the version that was active before, or propose it and end with 1.

    It is proposed where it would gain anything: then nothing is rolled back yet.
    """
    made = who.perform(
        lambda line, capacity: one_person.roll_back(
            line, capacity, rules_of(capacity), reason=reason
        )
    )
    if made.proposed is None:
        print_line(_SAID("rolled_back.done", language, digest=made.digest))
        return
    why = [each.text(for_staff(language)) for each in made.why]
    needs = [_SAID("rolled_back.needs_two", language, why=each) for each in why]
    _print_difference(made.proposed.compared, language, *needs)
    print_line(_SAID("proposed.done", language, proposal=made.proposed.proposal_id))
    print_line(_SAID("rolled_back.nothing_yet", language))
    raise typer.Exit(EXIT_FAILED)


def switch_off(
    who: SignedIn,
    rules_of: RulesForCapacity,
    name: str,
    reason: str,
    language: TextLanguage | None,
) -> None:
    """Switch off a row or a rule, and print what that changes."""

    def move(line: Line, capacity: Capacity) -> Comparison:
        return one_person.switch_off(line, capacity, rules_of(capacity), name, reason=reason)

    compared = who.perform(move)
    print_line(compared.in_words(for_staff(language)))
    print_line(_SAID("switched_off.done", language, name=name, digest=compared.new_digest))


def _print_difference(compared: Comparison, language: TextLanguage | None, *reasons: str) -> None:
    """The difference as sentences, perhaps why it needs two, and the digest to acknowledge.

    The digest is over the words of the files, so it is the same in every language.
    """
    for text in (compared.in_words(for_staff(language)), *reasons):
        print_line(text)
    print_line(f"acknowledge: {compared.digest}")


def print_history(store: Store, kind: str, language: TextLanguage | None, *, as_json: bool) -> None:
    """Print every version of one kind, the newest first: people, times and digests."""
    with store.reading() as tx:
        told = list(_history_rows(tx, kind, TextLanguage.EN if as_json else language))
    if as_json:
        print_json(told)
        return
    for version in told:
        state = _SAID(f"state.{version['state']}", language)
        print_line(f"{state}: {version['digest']}")
        for name in ("proposal", "proposed", "approved", "activated", "rolled_back", "difference"):
            if version[name] is not None:
                print_line(f"  {_SAID(f'history.{name}', language):<12}{version[name]}")


def print_version(store: Store, kind: str, name: str, *, as_json: bool) -> None:
    """Print all files of a version as they were proposed, by its digest or its id.

    Versions from before every file was in the digest may share one: those are named by their ids.
    """
    with store.reading() as tx:
        found = [each for each in versions.history(tx, kind) if name in {each.digest, each.id}]
    if not found:
        raise NotFound("policy.no_version", "no version has this digest: see `history`")
    if len({each.files for each in found}) > 1:
        ids = ", ".join(each.id for each in found)
        raise Conflict("policy.shared_digest", f"several have it; name one by its id: {ids}")
    files = unpack_files(found[0].files)
    if as_json:
        print_json({file: raw.decode() for file, raw in files.items()})
        return
    for file, raw in files.items():
        print_line(f"==> {file} <==")
        print_line(raw.decode())


def _history_rows(
    tx: Transaction, kind: str, language: TextLanguage | None
) -> Iterator[dict[str, str | None]]:
    active = tx.exec(
        select(ActivePolicy.version).where(col(ActivePolicy.kind) == kind)
    ).one_or_none()
    for each in versions.history(tx, kind):
        yield {
            "state": _state(tx, each, active),
            "digest": each.digest,
            "digest_rule": str(each.digest_rule),
            "proposal": each.id,
            "proposed": _time_and_person(each.proposed_at, each.proposed_by, language),
            "approved": _time_and_person(each.approved_at, each.approved_by, language),
            "activated": _time_and_person(each.activated_at, each.activated_by, language),
            "rolled_back": _time_and_person(each.rolled_back_at, None, language),
            "difference": each.diff_digest,
        }


def _state(tx: Transaction, version: PolicyVersion, active: str | None) -> str:
    if version.id == active:
        return "active"
    if version.rolled_back_at is not None:
        return "rolled back"
    if version.activated_at is not None:
        return "replaced"
    if version.approved_at is not None:
        lapsed = version.approved_at + rule_versions.APPROVAL_LIFE <= tx.now
        return "lapsed" if lapsed else "approved, not active"
    proposal = tx.get_one(Proposal, version.id)
    is_open = proposal.state is ProposalState.OPEN and proposal.expires_at > tx.now
    return "proposed" if is_open else "lapsed"


def _time_and_person(
    at: datetime | None, by: str | None, language: TextLanguage | None
) -> str | None:
    if at is None:
        return None
    written = f"{at.strftime(_TIME_FORMAT)} UTC"
    return written if by is None else _SAID("history.by", language, at=written, person=by)
