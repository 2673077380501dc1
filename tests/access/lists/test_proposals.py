"""Open proposals are listed, each with the facts that a question about it looks up."""

from datetime import timedelta

from sqlmodel import Session

from inbox.access import Action, Capacity, OfArrival, OfMessage, Policy, Role
from inbox.access.facts.lookup import look_up_facts, request_fact_values
from inbox.access.lists.proposals import open_proposals
from inbox.access.question import RequestFacts
from inbox.domain import ArrivalId, MessageId, ProposalState
from inbox.tables import Proposal, WrappedKey
from tests.access.town import AFTER, BEFORE, HAVNES, NOW, Town

EVERYTHING = frozenset(Action)


def of(town: Town, capacity: Capacity, actions: frozenset[Action], policy: Policy) -> list[str]:
    found = open_proposals(town.session, policy, NOW, capacity=capacity, actions=actions)
    return [each.row.id for each in found]


def test_listed_proposal_has_the_facts_that_are_looked_up_of_it(
    town: Town, session: Session, the_policy: Policy
) -> None:
    people = [town.capacity(name, Role.ARCHIVIST, "arkiv") for name in ("ada", "bo")]
    message, kept_from, arrival = town.message(), town.message(unit=None), town.arrival()
    town.conflict("ada", message_id=kept_from.id)
    subjects: dict[str, OfMessage | OfArrival] = {}
    for name in ("ada", "bo"):
        for about in (message, kept_from):
            proposal = town.proposal(about.id, name).id
            subjects[proposal] = OfMessage(message_id=MessageId(about.id), proposal_id=proposal)
        proposal = town.proposal(arrival.id, name).id
        subjects[proposal] = OfArrival(arrival_id=ArrivalId(arrival.id), proposal_id=proposal)

    for capacity in people:
        found = open_proposals(session, the_policy, NOW, capacity=capacity, actions=EVERYTHING)

        assert {each.row.id for each in found} == subjects.keys()
        for each in found:
            subject, names = subjects[each.row.id], each.facts.keys()
            asked = look_up_facts(session, NOW, capacity, subject, RequestFacts(), names)
            assert asked is not None
            of_request = request_fact_values(capacity, RequestFacts())
            given = {name: held for name, held in of_request.items() if name in names}
            assert {**each.facts, **given} == asked, subject


def test_proposal_is_open_until_its_very_instant_and_of_ones_own_organisation(
    town: Town, the_policy: Policy
) -> None:
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    message, arrival = town.message(), town.arrival()
    open_ones = [
        town.proposal(message.id, "ada", expires_at=NOW + timedelta(microseconds=1)),
        town.proposal(arrival.id, "ada"),
    ]
    town.proposal(message.id, "ada", expires_at=NOW)
    town.proposal(message.id, "ada").state = ProposalState.DECLINED
    town.proposal(town.message(organisation=HAVNES, unit="x").id, "ada")
    town.proposal(town.arrival(organisation=HAVNES).id, "ada")
    town.proposal("policy", "ada", kind="policy")
    open_ones[0].created_at = BEFORE - timedelta(days=1)
    town.session.flush()

    assert of(town, ada, EVERYTHING, the_policy) == [each.id for each in open_ones]


def test_proposal_is_listed_with_what_it_is_about_and_its_own_key(
    town: Town, session: Session, the_policy: Policy
) -> None:
    ada = town.capacity("ada", Role.ARCHIVIST, "arkiv")
    message, arrival = town.message(), town.arrival()
    town.add(WrappedKey(id=message.id, kek_id="k", wrapped=b"w", created_at=NOW))
    first, second = town.proposal(message.id, "ada"), town.proposal(arrival.id, "ada")
    first.created_at = BEFORE - timedelta(days=1)
    town.session.flush()

    found = open_proposals(session, the_policy, NOW, capacity=ada, actions=EVERYTHING)
    rows = [each.row for each in found]

    assert [(row.id, row.message_id, row.arrival_id, row.state, row.kek_id) for row in rows] == [
        (first.id, message.id, None, message.state, "k"),
        (second.id, None, arrival.id, None, None),
    ]
    assert {row.proposer_name for row in rows} == {"N. N."}


def test_five_hundred_proposals_are_listed_at_most(town: Town, the_policy: Policy) -> None:
    ada, message = town.capacity("ada", Role.ARCHIVIST, "arkiv"), town.message()
    town.session.add_all(
        Proposal(
            id=f"{number:032x}",
            kind="refuse",
            subject_id=message.id,
            state=ProposalState.OPEN,
            proposer="ada",
            sealed_payload=b"",
            created_at=BEFORE,
            expires_at=AFTER,
        )
        for number in range(501)
    )
    town.session.flush()

    listed = of(town, ada, frozenset(), the_policy)

    assert [int(each, 16) for each in listed] == list(range(500))
