"""A proposal is declined by a person who could approve it, or taken back by its proposer."""

from collections.abc import Iterator

import pytest
from sqlmodel import col, select

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.domain import MessageState, ProposalState
from inbox.errors import Conflict, Invalid, NotFound, NotPermitted
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.tables import Message, Proposal, Task
from tests.line.school import School, school_on

WHY = "Den er vår, se brev fra Kari Nordmann"


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)]
)
def hall(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[School]:
    """One world for all: each test has a message of its own."""
    with school_on(request, tmp_path_factory.mktemp("hall")) as made:
        yield made


def bjorn(hall: School) -> Capacity:
    return hall.world.person("bjorn", Role.ARCHIVIST, "desk")


def refusal(hall: School, by: Capacity | None = None) -> tuple[str, str]:
    """A message that waits to be distributed, and the proposal to refuse it."""
    message_id = hall.message(MessageState.UNROUTED, unit=None)
    proposal = message_proposals.propose(
        hall.line,
        by or hall.anne(),
        ProposalKind.REFUSE,
        message_id,
        code="not_for_us",
        reason="Gjelder nabokommunen",
    )
    return message_id, proposal


def row_of(hall: School, proposal_id: str) -> Proposal:
    with hall.line.store.reading() as tx:
        return tx.get_one(Proposal, proposal_id)


def test_declined_proposal_leaves_the_message_as_it_was_and_says_who_and_why(
    hall: School,
) -> None:
    message_id, proposal = refusal(hall)

    message_proposals.decline(hall.line, bjorn(hall), proposal, reason=WHY)

    row = row_of(hall, proposal)
    assert (row.state, row.approver, row.proposer) == (ProposalState.DECLINED, "bjorn", "anne")
    with hall.line.store.reading() as tx:
        assert tx.get_one(Message, message_id).state is MessageState.UNROUTED
    (leaf,) = hall.leaves("proposal:declined", proposal)
    assert (leaf["by"], leaf["rule"], leaf["duties"]) == ("decline", "A49", "reason")
    assert WHY not in str(leaf)
    assert WHY.encode() not in row.sealed_payload


def test_proposer_reads_why_the_proposal_was_declined(hall: School) -> None:
    _, proposal = refusal(hall)
    message_proposals.decline(hall.line, bjorn(hall), proposal, reason=WHY)

    shown = message_proposals.show_proposal(hall.line, hall.anne(), proposal)

    assert (shown.declined_because, shown.reason) == (WHY, "Gjelder nabokommunen")
    assert WHY not in repr(shown)


def test_declined_proposal_is_not_approved_declined_or_taken_back_and_may_be_made_again(
    hall: School,
) -> None:
    message_id, proposal = refusal(hall)
    message_proposals.decline(hall.line, bjorn(hall), proposal, reason=WHY)

    with pytest.raises(NotPermitted):
        message_proposals.approve(hall.line, bjorn(hall), proposal)
    with pytest.raises(NotPermitted):
        message_proposals.decline(hall.line, bjorn(hall), proposal, reason=WHY)
    with pytest.raises(Conflict, match="not_open"):
        message_proposals.take_back(hall.line, hall.anne(), proposal)
    again = message_proposals.propose(
        hall.line, bjorn(hall), ProposalKind.REFUSE, message_id, code="not_for_us", reason="Nå"
    )

    assert row_of(hall, again).state is ProposalState.OPEN


def test_proposal_is_not_declined_without_a_reason(hall: School) -> None:
    _, proposal = refusal(hall)

    with pytest.raises(Invalid, match=r"reason\.missing"):
        message_proposals.decline(hall.line, bjorn(hall), proposal, reason=" ")


def test_proposal_is_not_declined_by_its_proposer_or_by_who_could_not_approve_it(
    hall: School,
) -> None:
    _, proposal = refusal(hall)
    anne = hall.world.person("anne", Role.ARCHIVIST, "desk")
    weak = hall.world.person("bjorn", Role.ARCHIVIST, "desk", strong=False)

    for by in (anne, weak):
        with pytest.raises(NotPermitted):
            message_proposals.decline(hall.line, by, proposal, reason=WHY)
    for by in (hall.siv(), hall.handler(), hall.kari()):
        with pytest.raises(NotFound):
            message_proposals.decline(hall.line, by, proposal, reason=WHY)

    assert row_of(hall, proposal).state is ProposalState.OPEN


def test_proposer_takes_a_proposal_back_and_nobody_else_does(hall: School) -> None:
    _, proposal = refusal(hall)

    with pytest.raises(Conflict, match="of_another"):
        message_proposals.take_back(hall.line, bjorn(hall), proposal)
    message_proposals.take_back(hall.line, hall.anne(), proposal)

    assert row_of(hall, proposal).state is ProposalState.LAPSED
    (leaf,) = hall.leaves("proposal:lapsed", proposal)
    assert leaf["who"] == hall.anne().id


@pytest.mark.parametrize("ends", ["declined", "taken back"])
def test_task_of_the_reviewers_ends_with_the_proposal_that_it_is_about(
    hall: School, ends: str
) -> None:
    message_id = hall.message(MessageState.QUARANTINED, unit=None)
    code, hall.world.edited = "arkivmelding.grade_unreadable", True
    with hall.line.store.transaction() as tx:
        tx.get_one(Message, message_id).code = code
    proposal = message_proposals.propose(
        hall.line,
        hall.anne(),
        ProposalKind.QUARANTINE_RELEASE,
        message_id,
        code=code,
        reason="Kjent avsender",
    )
    assert ("waiver", "security_reviewer", None) in hall.tasks(message_id)

    if ends == "declined":
        message_proposals.decline(hall.line, hall.siv(), proposal, reason=WHY)
    else:
        message_proposals.take_back(hall.line, hall.anne(), proposal)

    assert not any(kind == "waiver" for kind, *_ in hall.tasks(message_id))
    with hall.line.store.reading() as tx:
        waivers = tx.exec(
            select(Task.closed_at).where(
                col(Task.subject_id) == message_id, col(Task.kind) == "waiver"
            )
        )
        assert all(waivers)


def test_unknown_proposal_is_neither_declined_nor_taken_back(hall: School) -> None:
    with pytest.raises(NotFound):
        message_proposals.decline(hall.line, bjorn(hall), "0" * 32, reason=WHY)
    with pytest.raises(NotFound):
        message_proposals.take_back(hall.line, hall.anne(), "0" * 32)
