"""A change of the directory: proposed by one, approved by another as it was shown."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import select

from inbox.directory import proposal
from inbox.directory.format.toml_file import read_directory
from inbox.directory.people import enrol_first_people, is_code_valid, issue_code
from inbox.directory.proposal import Credentials, SubmissionResult
from inbox.domain import OrgNumber, ProposalState
from inbox.errors import Conflict, InboxError, NotFound, NotPermitted
from inbox.line import Line
from inbox.tables import CapacityRow, Proposal, Unit, WrappedKey
from tests.directory.installation import OURS, read
from tests.rows import audited
from tests.worlds import Clock, _policies

WIDER = """
[[unit]]
id='bv'
name='Barneverntjenesten'
[[person]]
id='kari'
name='Kari Hemmelig'
[[capacity]]
person='kari'
unit='bv'
role='leader'
"""
NARROWER = "[[conflict]]\nperson='bjorn'\nsender='910077473'\n"


class Two:
    """Anne, who may propose, and bjorn, who may approve, as `inbox init` enrols them."""

    def __init__(self, line: Line) -> None:
        self.line = line
        with line.store.transaction() as tx:
            codes = enrol_first_people(
                tx,
                organisation=OrgNumber(OURS),
                people={"anne": "Anne A", "bjorn": "Bjorn B"},
                desk=("desk", "Dokumentsenteret"),
                digest=_policies()[1].digest,
            )
        self.anne, self.bjorn = (Credentials(person=p, code=codes[p]) for p in ("anne", "bjorn"))

    def bring(self, text: str = WIDER) -> SubmissionResult:
        return proposal.submit(self.line, self.anne, read(text))

    def approve(
        self, result: SubmissionResult, *, by: Credentials | None = None
    ) -> SubmissionResult:
        assert result.proposal_id is not None
        return proposal.approve(
            self.line, by or self.bjorn, result.proposal_id, acknowledged=result.digest
        )

    def state(self, proposal_id: str | None) -> ProposalState:
        with self.line.store.reading() as tx:
            return tx.get_one(Proposal, proposal_id).state

    def units(self) -> set[str]:
        with self.line.store.reading() as tx:
            return set(tx.exec(select(Unit.id)))

    def entries(self) -> list[bytes]:
        with self.line.store.reading() as tx:
            return audited(tx)


def test_directory_change_that_widens_access_waits_for_another_person(line: Line) -> None:
    two = Two(line)

    proposed = two.bring()
    before = two.units()
    done = two.approve(proposed)

    assert before == {"desk"}
    assert two.units() == {"desk", "bv"}
    assert done.changes == proposed.changes
    assert two.state(proposed.proposal_id) is ProposalState.APPROVED


def test_directory_change_that_only_narrows_access_needs_one_person(line: Line) -> None:
    two = Two(line)

    result = two.bring(NARROWER)

    assert result.proposal_id is None
    assert len(result.changes) == 1


def test_submitting_the_same_directory_again_changes_and_audits_nothing(small_line: Line) -> None:
    two = Two(small_line)
    two.approve(two.bring())
    before = two.entries()

    again = proposal.submit_with_approver(small_line, two.anne, two.bjorn, read(WIDER))
    alone = two.bring()

    assert (again.changes, alone.changes, alone.proposal_id) == ((), (), None)
    assert two.entries() == before


def test_directory_change_cannot_be_approved_by_its_proposer(small_line: Line) -> None:
    two = Two(small_line)
    with small_line.store.transaction() as tx:
        tx.add(
            CapacityRow(
                id="r", person="anne", unit="desk", role="security_reviewer", active_from=tx.now
            )
        )

    with pytest.raises(NotPermitted):
        two.approve(two.bring(), by=two.anne)
    with pytest.raises(NotPermitted):
        proposal.submit_with_approver(small_line, two.anne, two.anne, read(WIDER))

    assert two.units() == {"desk"}


def test_directory_change_is_denied_without_the_right_to_propose_or_approve(
    small_line: Line,
) -> None:
    two = Two(small_line)
    proposed = two.approve(two.bring())
    with small_line.store.transaction() as tx:
        kari = Credentials(person="kari", code=issue_code(tx, "kari"))
    del proposed
    more = read("[[clearance]]\nperson='kari'\nshielding='13'\n")

    attempts: tuple[Callable[[], object], ...] = (
        lambda: proposal.submit(small_line, kari, more),
        lambda: proposal.submit_with_approver(small_line, two.anne, kari, more),
        lambda: proposal.preview(small_line, kari, _opened(two, more)),
    )
    for attempt in attempts:
        with pytest.raises(NotPermitted):
            attempt()


def _opened(two: Two, more: object) -> str:
    result = proposal.submit(two.line, two.anne, more)  # type: ignore[arg-type]
    assert result.proposal_id is not None
    return result.proposal_id


def test_directory_change_with_a_wrong_personal_code_is_a_conflict(small_line: Line) -> None:
    two = Two(small_line)
    proposed = two.bring()
    wrong = Credentials(person="bjorn", code=two.anne.code)

    with pytest.raises(Conflict, match=r"code\.wrong"):
        two.approve(proposed, by=wrong)
    with pytest.raises(Conflict, match=r"code\.wrong"):
        proposal.submit(small_line, Credentials(person="anne", code="x"), read(NARROWER))
    assert two.anne.code not in repr(two.anne)


def test_directory_approval_requires_the_digest_that_was_shown(small_line: Line) -> None:
    two = Two(small_line)
    proposed = two.bring()
    assert proposed.proposal_id is not None

    for digest in ("", "0" * 64):
        with pytest.raises(Conflict, match=r"directory\.not_acknowledged"):
            proposal.approve(small_line, two.bjorn, proposed.proposal_id, acknowledged=digest)

    shown = proposal.preview(small_line, two.bjorn, proposed.proposal_id)
    assert (shown.digest, shown.changes) == (proposed.digest, proposed.changes)
    assert two.units() == {"desk"}


def test_directory_approval_is_a_conflict_when_the_directory_changed_meanwhile(
    small_line: Line,
) -> None:
    two = Two(small_line)
    proposed = two.bring(WIDER + NARROWER)
    two.bring(NARROWER)

    with pytest.raises(Conflict, match=r"directory\.changed"):
        two.approve(proposed)

    assert two.units() == {"desk"}
    two.approve(two.bring(WIDER + NARROWER))
    assert two.units() == {"desk", "bv"}


def test_directory_proposal_cannot_be_approved_twice_or_after_expiry(small_line: Line) -> None:
    two = Two(small_line)
    clock = small_line.store.clock
    assert isinstance(clock, Clock)
    proposed = two.bring()
    two.approve(proposed)
    late = two.bring("[[clearance]]\nperson='kari'\nshielding='13'\n")
    clock.advance(timedelta(days=15))

    for result in (proposed, late):
        with pytest.raises(NotPermitted):
            two.approve(result)


def test_new_directory_proposal_replaces_ones_own_and_conflicts_with_anothers(
    small_line: Line,
) -> None:
    two = Two(small_line)
    first, second = two.bring(), two.bring(WIDER + NARROWER)

    assert two.state(first.proposal_id) is ProposalState.LAPSED
    with pytest.raises(Conflict, match=r"proposal\.open"):
        proposal.submit(small_line, two.bjorn, read(WIDER))
    with pytest.raises(InboxError):
        two.approve(first)
    two.approve(second)
    assert two.units() == {"desk", "bv"}


def test_directory_proposal_is_sealed_and_its_key_destroyed_after_approval(
    small_line: Line,
) -> None:
    two = Two(small_line)
    text = WIDER + (
        "[[reference]]\ncounterparty='910077473'\nreference='2026/000999-1'\nunit='bv'\n"
    )
    proposed = two.bring(text)
    owner = f"proposal:{proposed.proposal_id}"
    with small_line.store.reading() as tx:
        sealed = tx.get_one(Proposal, proposed.proposal_id).sealed_payload
        assert tx.get_one(WrappedKey, owner).wrapped is not None
    two.approve(proposed)

    with small_line.store.reading() as tx:
        assert tx.get_one(WrappedKey, owner).wrapped is None
    assert b"Hemmelig" not in sealed
    assert not [leaf for leaf in two.entries() if b"Hemmelig" in leaf or b"000999" in leaf]


def test_key_of_a_lapsed_directory_proposal_is_destroyed(small_line: Line) -> None:
    two = Two(small_line)
    clock = small_line.store.clock
    assert isinstance(clock, Clock)
    taken_back, late = two.bring(), two.bring(WIDER + NARROWER)
    clock.advance(small_line.terms.proposal_life)
    standing = proposal.submit(small_line, two.bjorn, read(WIDER))

    assert [two.state(each.proposal_id) for each in (taken_back, late, standing)] == [
        ProposalState.LAPSED,
        ProposalState.LAPSED,
        ProposalState.OPEN,
    ]
    with small_line.store.reading() as tx:
        kept = [
            tx.get_one(WrappedKey, f"proposal:{each.proposal_id}").wrapped is not None
            for each in (taken_back, late, standing)
        ]
    assert kept == [False, False, True]


def test_directory_proposal_of_another_kind_or_unknown_id_is_not_found(small_line: Line) -> None:
    two = Two(small_line)
    proposed = two.bring()
    with small_line.store.transaction() as tx:
        tx.get_one(Proposal, proposed.proposal_id).kind = "policy"

    for proposal_id in (str(proposed.proposal_id), "0" * 32):
        with pytest.raises(NotFound):
            proposal.preview(small_line, two.bjorn, proposal_id)
        with pytest.raises(NotFound):
            proposal.approve(small_line, two.bjorn, proposal_id, acknowledged=proposed.digest)


def test_existing_directory_of_another_organisation_cannot_be_changed(small_line: Line) -> None:
    two = Two(small_line)
    theirs = b"organisation='910077473'\n[[unit]]\nid='x'\nname='X'\n"
    first = proposal.submit(small_line, two.anne, read_directory(theirs))

    assert first.changes
    with pytest.raises(NotPermitted):
        proposal.submit(small_line, two.anne, read_directory(theirs.replace(b"'X'", b"'Y'")))


def test_new_personal_code_requires_a_proposer_and_another_approver(small_line: Line) -> None:
    two = Two(small_line)
    two.approve(two.bring())
    code = proposal.issue_code_with_approver(small_line, two.anne, two.bjorn, "kari")
    kari = Credentials(person="kari", code=code)

    for by, with_ in ((two.anne, kari), (kari, two.bjorn), (two.anne, two.anne)):
        with pytest.raises(NotPermitted):
            proposal.issue_code_with_approver(small_line, by, with_, "bjorn")
    with small_line.store.reading() as tx:
        assert is_code_valid(tx, "kari", code)
        assert is_code_valid(tx, "bjorn", two.bjorn.code)


def test_approved_directory_change_audits_each_added_row_and_the_rule(small_line: Line) -> None:
    two = Two(small_line)
    two.approve(two.bring())

    leaves = b"\n".join(two.entries())

    for event in (b"unit:added", b"person:added", b"capacity:added", b"directory:imported"):
        assert leaves.count(b'"event":"' + event) == 1
    assert b'"rule":"A43"' in leaves
