"""The queue *Til godkjenning*: open proposals that the capacity could approve, and its own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from inbox.access.facts.lookup import request_fact_values
from inbox.access.lists.proposals import ListedProposal, ProposalRow, open_proposals
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, RequestFacts
from inbox.domain import OrgNumber, PersonId
from inbox.errors import IntegrityError
from inbox.keys import WrappedDataKey
from inbox.line import Line
from inbox.line.desk.deadlines import age_in_working_days
from inbox.line.desk.queue_row import sender_name
from inbox.line.desk.short_reference import short_reference_of
from inbox.line.people_lists import listing_snapshot
from inbox.line.proposals.message_proposals import ACTION_OF_PROPOSAL, ProposalKind
from inbox.line.proposals.quarantine_release import QUARANTINE_RELEASE, release_facts_of_code
from inbox.store import Transaction

_KNOWING: Final = (Action.ROUTE, Action.LIST)
_ACTIONS: Final = frozenset({*_KNOWING, *ACTION_OF_PROPOSAL.values()})


class ApprovalRole(StrEnum):
    """What the viewer is to a proposal."""

    APPROVER = "approver"
    """Could approve it now, after a strong sign-in."""
    PROPOSER = "proposer"
    """Made it, and may take it back."""


@dataclass(frozen=True, kw_only=True)
class ApprovalRow:
    """An open proposal, for somebody who could approve it or made it."""

    id: str
    reference: str
    """Of what it is about."""
    kind: ProposalKind
    subject_id: str
    is_arrival: bool
    proposer: PersonId
    proposer_name: str
    created_at: datetime
    age: int
    expires_at: datetime
    sender: OrgNumber | None
    sender_name: str | None
    viewer: ApprovalRole


@dataclass(frozen=True, kw_only=True)
class ApprovalPage:
    """All open proposals that concern this capacity, oldest first."""

    made_at: datetime
    rows: tuple[ApprovalRow, ...] = field(default=())


def approval_page(line: Line, capacity: Capacity) -> ApprovalPage:
    """The open proposals of messages and arrivals that this capacity could approve, or made.

    Codes and reasons are shown one by one (`message_proposals.show_proposal`), which is audited.
    """
    with listing_snapshot(line) as (tx, policy):
        rows = approval_rows(line, tx, policy, capacity)
        return ApprovalPage(made_at=tx.now, rows=tuple(rows))


def approval_row(line: Line, capacity: Capacity, proposal_id: str) -> ApprovalRow | None:
    """One of them; None if it does not concern this capacity, or is not open."""
    return next(
        (each for each in approval_page(line, capacity).rows if each.id == proposal_id), None
    )


def approval_rows(
    line: Line, tx: Transaction, policy: Policy, capacity: Capacity
) -> Sequence[ApprovalRow]:
    """The same in the caller's transaction, by one statement."""
    found = open_proposals(tx, policy, tx.now, capacity=capacity, actions=_ACTIONS)
    rows = []
    for proposal in found:
        viewer = _viewer(line, policy, capacity, proposal)
        if viewer is not None:
            rows.append(_row(proposal.row, viewer, tx.now))
    return rows


def _viewer(
    line: Line, policy: Policy, capacity: Capacity, proposal: ListedProposal
) -> ApprovalRole | None:
    kind = ProposalKind(proposal.row.kind)
    if _is_allowed(line, policy, capacity, ACTION_OF_PROPOSAL[kind], proposal):
        return ApprovalRole.APPROVER
    is_own = proposal.row.proposer == capacity.person
    if is_own and any(_is_allowed(line, policy, capacity, each, proposal) for each in _KNOWING):
        return ApprovalRole.PROPOSER
    return None


def _is_allowed(
    line: Line, policy: Policy, capacity: Capacity, action: Action, proposal: ListedProposal
) -> bool:
    """Whether the capacity could do it, once signed in strongly: that is asked for when it acts."""
    given = RequestFacts()
    if proposal.row.kind == QUARANTINE_RELEASE and action is Action.QUARANTINE_RELEASE:
        given = release_facts_of_code(policy, proposal.row.code, _waivers(line, proposal.row))
    facts: Mapping[str, bool] = {
        **proposal.facts,
        **request_fact_values(capacity, given),
        "strong_auth": True,
    }
    return policy.decide(capacity.role, facts, action).allowed


def _waivers(line: Line, row: ProposalRow) -> Sequence[str]:
    if row.kek_id is None or row.wrapped is None:
        return ()
    try:
        key = line.keyring.unwrap(WrappedDataKey(kek_id=row.kek_id, wrapped=row.wrapped))
        payload = key.unseal(
            row.sealed_payload, table="proposal", column="sealed_payload", row=row.id
        )
    except IntegrityError:
        return ()
    return str(json.loads(payload)["code"]).split()


def _row(row: ProposalRow, viewer: ApprovalRole, now: datetime) -> ApprovalRow:
    sender = None if row.sender is None else OrgNumber(row.sender)
    return ApprovalRow(
        id=row.id,
        reference=short_reference_of(row.subject_id),
        kind=ProposalKind(row.kind),
        subject_id=row.subject_id,
        is_arrival=row.arrival_id is not None,
        proposer=row.proposer,
        proposer_name=row.proposer_name,
        created_at=row.created_at,
        age=age_in_working_days(row.created_at, now),
        expires_at=row.expires_at,
        sender=sender,
        sender_name=sender_name(row.verdict, sender),
        viewer=viewer,
    )
