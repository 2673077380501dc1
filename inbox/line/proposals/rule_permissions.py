"""Who may change policies and rule books: the active policy decides, or two recovery rules.

The recovery rules are built in, and apply only while the active policy cannot be read.
"""

from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Final

from sqlmodel import Session

from inbox.access.facts.registry import FACTS
from inbox.access.files.active import ActivePolicies
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Duty, Effect, Rule
from inbox.access.question import Capacity, Given, OfInstallation, OfProposal
from inbox.domain import ProposalState
from inbox.errors import Conflict, NotFound
from inbox.line import Line
from inbox.line.authorize import Turn, ask
from inbox.line.proposals.versioned_rules import POLICY, Rules
from inbox.line.settle import lock
from inbox.tables import Installation, Proposal


def turn_to_edit(
    line: Line,
    session: Session,
    now: datetime,
    capacity: Capacity,
    rules: Rules,
    given: Given | None = None,
) -> Turn:
    """Authorize the editing of these rules. Raises as `asking.ask`."""
    _hold(session)
    _check_theirs(capacity, rules)
    line = _able_to_change(line, session, rules)
    return ask(line, session, now, capacity, rules.edit, OfInstallation(), given or Given())


def turn_to_approve(
    line: Line,
    session: Session,
    now: datetime,
    capacity: Capacity,
    rules: Rules,
    proposal_id: str,
) -> Turn:
    """Authorize the approval of a proposal.

    The policy decides, after clear errors for a closed, expired or own proposal.
    """
    _hold(session)
    _check_theirs(capacity, rules)
    lock(session, Proposal, proposal_id)
    proposal = session.get(Proposal, proposal_id)
    if proposal is None or (proposal.kind, proposal.subject_id) != (rules.proposal, rules.subject):
        raise NotFound
    if proposal.state is not ProposalState.OPEN:
        raise Conflict("proposal.closed", "it has been approved, taken back or has lapsed already")
    if proposal.expires_at <= now:
        raise Conflict("proposal.lapsed", "it waited too long: propose it anew")
    if proposal.proposer == capacity.person:
        raise Conflict("proposal.own", "another person than the one who proposed it approves it")
    line = _able_to_change(line, session, rules)
    subject = OfProposal(proposal_id=proposal_id)
    return ask(line, session, now, capacity, rules.approve, subject, Given())


def _hold(session: Session) -> None:
    """One change at a time: whoever else would change any rules waits here."""
    session.get(Installation, 1, populate_existing=True, with_for_update=True)


def _check_theirs(capacity: Capacity, rules: Rules) -> None:
    """Routing rules are their organisation's: no fact knows whose they are before a proposal."""
    if rules.subject not in {POLICY.subject, capacity.organisation}:
        raise NotFound


class _OnlyChanges(ActivePolicies):
    """Stands in for a policy that cannot be had: it lets two people put another in its place."""

    def current(self, session: Session) -> Policy:
        """The same two rules always."""
        del session
        return _changes()


_PERSON: Final = "own_organisation and active_capacity and active_person and strong_auth"


@cache
def _changes() -> Policy:
    rules = (
        Rule(
            id="R01", acts="policy_edit", roles="policy_editor", when=_PERSON, effect=Effect.ALLOW
        ),
        Rule(
            id="R02",
            acts="policy_approve",
            roles="security_reviewer",
            when=f"{_PERSON} and proposed_by_other",
            duties=frozenset({Duty.LOG}),
            effect=Effect.ALLOW,
        ),
    )
    return Policy(rules, facts=FACTS.keys(), digest="recovery")


def _able_to_change(line: Line, session: Session, rules: Rules) -> Line:
    """Where no policy can be had, as after an upgrade that knows other facts: nothing but this."""
    if rules.kind == POLICY.kind and not line.policies.current(session).rules:
        return replace(line, policies=_OnlyChanges())
    return line
