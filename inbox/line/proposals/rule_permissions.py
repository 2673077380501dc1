"""Who may change policies and rule books: the active policy decides, or two recovery rules.

The recovery rules are built in, and apply only while the active policy cannot be read.
"""

from dataclasses import replace
from functools import cache
from typing import Final

from sqlmodel import Session

from inbox.access.facts.registry import FACTS
from inbox.access.files.active import ActivePolicies
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Duty, Effect, PolicyRule
from inbox.access.question import Capacity, OfInstallation, OfProposal, RequestFacts
from inbox.domain import ProposalState
from inbox.errors import Conflict, NotFound
from inbox.line import Line
from inbox.line.authorize import Authorized, authorize
from inbox.line.proposals.policy_or_rule_book import POLICY_RULES, VersionedRules
from inbox.line.settle import lock_row
from inbox.store import Transaction
from inbox.tables import Installation, Proposal


def authorize_edit(
    line: Line,
    tx: Transaction,
    capacity: Capacity,
    rules: VersionedRules,
    given: RequestFacts | None = None,
) -> Authorized:
    """Authorize the editing of these rules. Raises as `authorize.authorize`."""
    _lock_installation(tx)
    _check_own_rules(capacity, rules)
    line = _with_recovery_policy(line, tx, rules)
    return authorize(line, tx, capacity, rules.edit, OfInstallation(), given or RequestFacts())


def authorize_approval(
    line: Line,
    tx: Transaction,
    capacity: Capacity,
    rules: VersionedRules,
    proposal_id: str,
) -> Authorized:
    """Authorize the approval of a proposal.

    The policy decides, after clear errors for a closed, expired or own proposal.
    """
    _lock_installation(tx)
    _check_own_rules(capacity, rules)
    lock_row(tx, Proposal, proposal_id)
    proposal = tx.get(Proposal, proposal_id)
    if proposal is None or (proposal.kind, proposal.subject_id) != (
        rules.proposal_kind,
        rules.subject,
    ):
        raise NotFound
    if proposal.state is not ProposalState.OPEN:
        raise Conflict("proposal.closed", "it has been approved, taken back or has lapsed already")
    if proposal.expires_at <= tx.now:
        raise Conflict("proposal.lapsed", "it waited too long: propose it anew")
    if proposal.proposer == capacity.person:
        raise Conflict("proposal.own", "another person than the one who proposed it approves it")
    line = _with_recovery_policy(line, tx, rules)
    subject = OfProposal(proposal_id=proposal_id)
    return authorize(line, tx, capacity, rules.approve, subject, RequestFacts())


def _lock_installation(session: Session) -> None:
    """One change at a time: another person who would change any rules waits here."""
    session.get(Installation, 1, populate_existing=True, with_for_update=True)


def _check_own_rules(capacity: Capacity, rules: VersionedRules) -> None:
    """Routing rules are their organisation's: no fact knows whose they are before a proposal."""
    if rules.subject not in {POLICY_RULES.subject, capacity.organisation}:
        raise NotFound


class _RecoveryPolicies(ActivePolicies):
    """Stands in for a policy that cannot be had: it lets two people put another in its place."""

    def current(self, session: Session) -> Policy:
        """The same two rules always."""
        del session
        return _recovery_policy()


_PERSON_CONDITION: Final = "own_organisation and active_capacity and active_person and strong_auth"


@cache
def _recovery_policy() -> Policy:
    rules = (
        PolicyRule(
            id="R01",
            actions="policy_edit",
            roles="policy_editor",
            when=_PERSON_CONDITION,
            effect=Effect.ALLOW,
        ),
        PolicyRule(
            id="R02",
            actions="policy_approve",
            roles="security_reviewer",
            when=f"{_PERSON_CONDITION} and proposed_by_other",
            duties=frozenset({Duty.LOG}),
            effect=Effect.ALLOW,
        ),
    )
    return Policy(rules, facts=FACTS.keys(), digest="recovery")


def _with_recovery_policy(line: Line, session: Session, rules: VersionedRules) -> Line:
    """Where no policy can be had, as after an upgrade that knows other facts: nothing but this."""
    if rules.kind == POLICY_RULES.kind and not line.policies.current(session).rules:
        return replace(line, policies=_RecoveryPolicies())
    return line
