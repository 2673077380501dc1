"""The steps by which policies and rule books are changed on the command line; the same for both."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Final

import typer
from sqlmodel import Session, col, select

from inbox.access.files import versions
from inbox.access.files.versions import Files, unpacked
from inbox.access.question import Capacity
from inbox.cli.common.output import WRONG, say, say_json
from inbox.cli.common.sign_in import CodeFromStdin, SignedIn, one_code, sign_in
from inbox.domain import ProposalState
from inbox.errors import NotFound
from inbox.line import Line
from inbox.line.proposals import rule_versions
from inbox.line.proposals.versioned_rules import Rules
from inbox.store import Store
from inbox.tables import ActivePolicy, PolicyVersion, Proposal

RulesOf = Callable[[Capacity], Rules]
"""Which rules a person of that capacity changes."""

Actor = Annotated[str, typer.Option("--by", metavar="ID", help="Who does it: your own id.")]
ProposalId = Annotated[str, typer.Argument(metavar="PROPOSAL", help="Its id: see `history`.")]
Digest = Annotated[str, typer.Argument(metavar="DIGEST", help="What was approved: see `history`.")]
Acknowledge = Annotated[
    str | None,
    typer.Option(
        metavar="DIGEST",
        help="The digest that stands under the printed difference. Without it the difference is"
        " printed, and nothing is approved.",
    ),
]
AtOnce = Annotated[
    bool, typer.Option("--activate", help="And make it the active one in the same step.")
]
_WRITTEN: Final = "%Y-%m-%d %H:%M"


def propose(
    who: SignedIn, rules_of: RulesOf, files_of: Callable[[Rules], Files], json: bool
) -> None:
    """Propose the files, and print the difference."""

    def move(line: Line, capacity: Capacity) -> rule_versions.Proposed:
        rules = rules_of(capacity)
        return rule_versions.propose(line, capacity, rules, files_of(rules))

    made = who.do(move)
    compared = made.compared
    if json:
        say_json(
            {
                "proposal": made.proposal_id,
                "digest": compared.becomes,
                "difference": compared.text,
                "acknowledge": compared.digest,
            }
        )
        return
    say(compared.text)
    say(f"acknowledge: {compared.digest}")
    say(f"proposed {made.proposal_id}; another person approves it")


def add_approval(
    changes: typer.Typer, rules_of: RulesOf, *, approve_help: str, activate_help: str
) -> None:
    """Add the two commands that are the same for both: `approve` and `activate`."""

    @changes.command(help=approve_help)
    def approve(
        ctx: typer.Context,
        proposal: ProposalId,
        by: Actor,
        acknowledge: Acknowledge = None,
        at_once: AtOnce = False,
        code_from_stdin: CodeFromStdin = False,
    ) -> None:
        who = sign_in(ctx, by, one_code(by, from_stdin=code_from_stdin))
        _approve(who, rules_of, proposal, acknowledge, at_once=at_once)

    @changes.command(help=activate_help)
    def activate(
        ctx: typer.Context, digest: Digest, by: Actor, code_from_stdin: CodeFromStdin = False
    ) -> None:
        who = sign_in(ctx, by, one_code(by, from_stdin=code_from_stdin))
        who.do(
            lambda line, capacity: rule_versions.activate(
                line, capacity, rules_of(capacity), digest
            )
        )
        say(f"active: {digest}")


def _approve(
    who: SignedIn, rules_of: RulesOf, proposal_id: str, acknowledge: str | None, *, at_once: bool
) -> None:
    """Approve it, or print what it changes and end with 1 if that is not acknowledged yet."""
    if acknowledge is None:
        compared = who.do(
            lambda line, capacity: rule_versions.review(
                line, capacity, rules_of(capacity), proposal_id
            )
        )
        say(compared.text)
        say(f"acknowledge: {compared.digest}")
        say("nothing is approved yet: repeat it with --acknowledge and this digest")
        raise typer.Exit(WRONG)
    step = rule_versions.approve_and_activate if at_once else rule_versions.approve
    digest = who.do(
        lambda line, capacity: step(
            line, capacity, rules_of(capacity), proposal_id, acknowledge=acknowledge
        )
    )
    say(f"{'active' if at_once else 'approved, not active yet'}: {digest}")


def roll_back(who: SignedIn, rules_of: RulesOf, reason: str) -> None:
    """Roll back to the version that was active before."""
    digest = who.do(
        lambda line, capacity: rule_versions.roll_back(
            line, capacity, rules_of(capacity), reason=reason
        )
    )
    say(f"active again: {digest}")


def say_history(store: Store, kind: str, *, as_json: bool) -> None:
    """Print every version of one kind, the newest first: people, times and digests."""
    with store.reading() as (session, now):
        told = list(_told(session, now, kind))
    if as_json:
        say_json(told)
        return
    for version in told:
        say(f"{version['state']}: {version['digest']}")
        for name in ("proposal", "proposed", "approved", "activated", "rolled_back", "difference"):
            if version[name] is not None:
                say(f"  {name.replace('_', ' '):<12}{version[name]}")


def say_version(store: Store, kind: str, digest: str, *, as_json: bool) -> None:
    """Print all files of a version as they were proposed."""
    with store.reading() as (session, _):
        found = [each for each in versions.history(session, kind) if each.digest == digest]
    if not found:
        raise NotFound("policy.no_version", "no version has this digest: see `history`")
    files = unpacked(found[0].files)
    if as_json:
        say_json({name: raw.decode() for name, raw in files.items()})
        return
    for name, raw in files.items():
        say(f"==> {name} <==")
        say(raw.decode())


def _told(session: Session, now: datetime, kind: str) -> Iterator[dict[str, str | None]]:
    active = session.exec(
        select(ActivePolicy.version).where(col(ActivePolicy.kind) == kind)
    ).one_or_none()
    for each in versions.history(session, kind):
        yield {
            "state": _state(session, now, each, active),
            "digest": each.digest,
            "proposal": each.id,
            "proposed": _when(each.proposed_at, each.proposed_by),
            "approved": _when(each.approved_at, each.approved_by),
            "activated": _when(each.activated_at, each.activated_by),
            "rolled_back": _when(each.rolled_back_at, None),
            "difference": each.diff_digest,
        }


def _state(session: Session, now: datetime, version: PolicyVersion, active: str | None) -> str:
    if version.id == active:
        return "active"
    if version.rolled_back_at is not None:
        return "rolled back"
    if version.activated_at is not None:
        return "replaced"
    if version.approved_at is not None:
        lapsed = version.approved_at + rule_versions.APPROVAL_LIFE <= now
        return "lapsed" if lapsed else "approved, not active"
    proposal = session.get_one(Proposal, version.id)
    is_open = proposal.state is ProposalState.OPEN and proposal.expires_at > now
    return "proposed" if is_open else "lapsed"


def _when(at: datetime | None, by: str | None) -> str | None:
    if at is None:
        return None
    written = f"{at.strftime(_WRITTEN)} UTC"
    return written if by is None else f"{written} by {by}"
