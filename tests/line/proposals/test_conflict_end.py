"""A conflict of interest ends by two others: a leader proposes it, a security reviewer approves."""

import json
from collections.abc import Iterator

import pytest
from sqlmodel import col, select

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.domain import PersonId, ProposalState, new_id
from inbox.errors import Conflict, Invalid, NotFound, NotPermitted
from inbox.line.moves import unit
from inbox.line.moves.conflicts import ConflictAbout, declare_conflict
from inbox.line.proposals import message_proposals
from inbox.line.proposals.conflict_end import (
    approve_end,
    decline_end,
    propose_end,
    show_end,
    staff_conflicts,
    take_back_end,
)
from inbox.tables import ConflictOfInterest, Proposal
from inbox.tables.periods import is_active_on
from tests.access.town import strongly
from tests.line.school import School, school_on

WHY = "Søsteren er flyttet, og er ikke part i saken lenger"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def hall(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[School]:
    with school_on(request, tmp_path_factory.mktemp("hall")) as made:
        yield made


def olga(hall: School) -> Capacity:
    """The leader of the unit above."""
    return hall.world.person("olga", Role.LEADER, "oppvekst", strong=False)


def declared(hall: School, person: str = "nina") -> tuple[str, str]:
    """A message that this person has a conflict with, and the id of the conflict."""
    message_id = hall.message()
    declare_conflict(hall.line, hall.handler(person), message_id, about=ConflictAbout.MESSAGE)
    with hall.line.store.reading() as tx:
        row = tx.exec(
            select(ConflictOfInterest).where(
                col(ConflictOfInterest.person) == person,
                col(ConflictOfInterest.message_id) == message_id,
            )
        ).one()
        return message_id, row.id


def stands(hall: School, conflict_id: str) -> bool:
    with hall.line.store.reading() as tx:
        return is_active_on(tx.get_one(ConflictOfInterest, conflict_id), tx.now)


def state(hall: School, proposal: str) -> ProposalState:
    with hall.line.store.reading() as tx:
        return tx.get_one(Proposal, proposal).state


def test_conflict_ends_when_a_reviewer_approves_what_a_leader_proposed(hall: School) -> None:
    message_id, conflict = declared(hall)
    with pytest.raises(NotPermitted):
        unit.assign(hall.line, hall.kari(), message_id, to=PersonId("nina"))

    proposal = propose_end(hall.line, hall.kari(), conflict, reason=WHY)

    assert stands(hall, conflict)
    assert hall.tasks(conflict) == {("end_conflict", "security_reviewer", None)}
    approve_end(hall.line, hall.siv(), proposal)
    assert not stands(hall, conflict)
    assert hall.tasks(conflict) == set()
    assert state(hall, proposal) is ProposalState.APPROVED
    unit.assign(hall.line, hall.kari(), message_id, to=PersonId("nina"))


def test_end_of_a_conflict_is_in_the_audit_without_a_name_or_the_reason(hall: School) -> None:
    _, conflict = declared(hall)
    proposal = propose_end(hall.line, hall.kari(), conflict, reason=WHY)
    approve_end(hall.line, hall.siv(), proposal)

    (opened,) = hall.leaves("proposal:opened", proposal)
    (ended,) = hall.leaves("conflict:ended", conflict)

    assert (opened["rule"], opened["duties"], opened["by"]) == ("A53", "reason", "end_conflict")
    assert set(opened["committed"]) == {"payload", "reason"}
    assert (ended["rule"], ended["who"]) == ("A54", hall.siv().id)
    with hall.line.store.reading() as tx:
        assert WHY.encode() not in tx.get_one(Proposal, proposal).sealed_payload
    assert not [w for w in ("nina", "Søsteren") if w in json.dumps([opened, ended])]


def test_leader_above_proposes_as_the_leader_of_the_unit(hall: School) -> None:
    _, conflict = declared(hall)

    proposal = propose_end(hall.line, olga(hall), conflict, reason=WHY)

    assert show_end(hall.line, hall.siv(), proposal).proposer == "olga"


def test_nobody_else_proposes_it_and_no_conflict_is_the_same_answer(hall: School) -> None:
    _, conflict = declared(hall)
    paul = hall.world.person("paul", Role.LEADER, "ppt", strong=False)

    for other in (paul, hall.handler("ola"), hall.handler(), hall.siv(), hall.anne()):
        for about in (conflict, new_id()):
            with pytest.raises(NotFound):
                propose_end(hall.line, other, about, reason=WHY)
    with pytest.raises(NotFound):
        propose_end(hall.line, hall.kari(), new_id(), reason=WHY)


def test_leader_proposes_nothing_about_their_own(hall: School) -> None:
    _, own = declared(hall, "lars")

    with pytest.raises(NotFound):
        propose_end(hall.line, hall.lars(), own, reason=WHY)
    proposal = propose_end(hall.line, hall.kari(), own, reason=WHY)
    with pytest.raises(NotFound):
        approve_end(hall.line, hall.siv("lars"), proposal)
    with pytest.raises(NotFound):
        show_end(hall.line, hall.siv("lars"), proposal)
    assert stands(hall, own)


def test_leader_does_not_approve_and_reviewer_does_not_approve_their_own(hall: School) -> None:
    _, conflict = declared(hall)
    proposal = propose_end(hall.line, hall.lars(), conflict, reason=WHY)

    with pytest.raises(NotPermitted):
        approve_end(hall.line, strongly(hall.kari()), proposal)
    with pytest.raises(NotFound):
        approve_end(hall.line, hall.siv("lars"), proposal)

    assert stands(hall, conflict)


def test_approval_takes_a_strong_sign_in(hall: School) -> None:
    _, conflict = declared(hall)
    proposal = propose_end(hall.line, hall.kari(), conflict, reason=WHY)
    weak = hall.world.person("siv", Role.SECURITY_REVIEWER, "desk", strong=False)

    with pytest.raises(NotFound):
        approve_end(hall.line, weak, proposal)


def test_declined_proposal_leaves_the_conflict_and_says_why_to_its_leader(hall: School) -> None:
    _, conflict = declared(hall)
    proposal = propose_end(hall.line, hall.kari(), conflict, reason=WHY)

    decline_end(hall.line, hall.siv(), proposal, reason="Hun er fortsatt verge")

    assert stands(hall, conflict)
    assert hall.tasks(conflict) == set()
    shown = show_end(hall.line, hall.kari(), proposal)
    assert (shown.reason, shown.declined_because) == (WHY, "Hun er fortsatt verge")
    assert (shown.person, shown.about) == ("nina", ConflictAbout.MESSAGE)
    assert not [word for word in (WHY, "verge") if word in repr(shown)]
    with pytest.raises(NotFound):
        approve_end(hall.line, hall.siv(), proposal)
    with pytest.raises(Conflict, match=r"proposal\.not_open"):
        take_back_end(hall.line, hall.kari(), proposal)


def test_end_that_was_taken_back_can_be_proposed_again(hall: School) -> None:
    _, conflict = declared(hall)
    proposal = propose_end(hall.line, hall.kari(), conflict, reason=WHY)
    with pytest.raises(Conflict, match=r"proposal\.of_another"):
        take_back_end(hall.line, hall.lars(), proposal)
    with pytest.raises(Conflict, match=r"proposal\.open"):
        propose_end(hall.line, hall.lars(), conflict, reason=WHY)

    take_back_end(hall.line, hall.kari(), proposal)

    assert hall.tasks(conflict) == set()
    with pytest.raises(NotFound):
        approve_end(hall.line, hall.siv(), proposal)
    again = propose_end(hall.line, hall.lars(), conflict, reason=WHY)
    assert state(hall, again) is ProposalState.OPEN


def test_conflict_that_has_ended_is_not_proposed_again(hall: School) -> None:
    _, conflict = declared(hall)
    approve_end(hall.line, hall.siv(), propose_end(hall.line, hall.kari(), conflict, reason=WHY))

    with pytest.raises(Conflict, match=r"conflict\.over"):
        propose_end(hall.line, hall.kari(), conflict, reason=WHY)


def test_proposal_that_waited_too_long_is_not_approved(hall: School) -> None:
    _, conflict = declared(hall)
    proposal = propose_end(hall.line, hall.kari(), conflict, reason=WHY)
    hall.later(days=15)

    with pytest.raises(NotFound):
        approve_end(hall.line, hall.siv(), proposal)


@pytest.mark.parametrize("reason", ["", " \n"])
def test_a_reason_is_required(hall: School, reason: str) -> None:
    _, conflict = declared(hall)
    proposal = propose_end(hall.line, hall.kari(), conflict, reason=WHY)

    with pytest.raises(Invalid, match=r"reason\.missing"):
        propose_end(hall.line, hall.lars(), conflict, reason=reason)
    with pytest.raises(Invalid, match=r"reason\.missing"):
        decline_end(hall.line, hall.siv(), proposal, reason=reason)


def test_leader_sees_which_conflicts_the_staff_has_and_not_with_whom(hall: School) -> None:
    message_id, conflict = declared(hall)
    _, own = declared(hall, "lars")

    seen = staff_conflicts(hall.line, hall.kari())
    of_lars = staff_conflicts(hall.line, hall.lars())
    above = staff_conflicts(hall.line, olga(hall))

    assert [(each.id, each.person, each.about) for each in seen] == [
        (own, "lars", ConflictAbout.MESSAGE),
        (conflict, "nina", ConflictAbout.MESSAGE),
    ]
    assert [each.id for each in of_lars] == [conflict]
    assert above == seen
    assert message_id not in repr(seen)
    assert len(hall.leaves("conflict:listed", "skole")) == 2
    paul = hall.world.person("paul", Role.LEADER, "ppt", strong=False)
    assert staff_conflicts(hall.line, paul) == []
    for other in (hall.handler(), hall.siv()):
        with pytest.raises(NotFound):
            staff_conflicts(hall.line, other)


def test_proposals_about_messages_know_nothing_of_it(hall: School) -> None:
    _, conflict = declared(hall)
    proposal = propose_end(hall.line, hall.kari(), conflict, reason=WHY)

    with pytest.raises(NotFound):
        message_proposals.approve(hall.line, hall.siv(), proposal)
    with pytest.raises(NotFound):
        show_end(hall.line, hall.siv(), new_id())
