"""The demo's past: the real line over a moved clock, small here and whole in the long run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from inbox.audit.leaf import read_leaf
from inbox.audit.state import verify_state
from inbox.cli.demo.clock import DemoClock
from inbox.cli.demo.display import letter_results
from inbox.cli.demo.past import Past
from inbox.cli.demo.stage import DemoMail, Stage, open_stage
from inbox.domain import MessageState, ProposalState
from inbox.simulator.demo_mail.expectations import Fate
from inbox.simulator.demo_mail.judge import judge
from inbox.simulator.demo_mail.letters import Signers, letter_of
from inbox.simulator.demo_mail.three_weeks import (
    DatedLetter,
    OfficeTime,
    PlannedLetter,
    planned_letters,
)
from inbox.simulator.packages.certificates import TestAuthority
from inbox.tables import AuditEntry, Message, Proposal

Played = tuple[Stage, list[DatedLetter], datetime]
LONG_AGO = timedelta(days=21)


def one_of_each_fate() -> Iterator[PlannedLetter]:
    """The first letter of each fate, and one of each that people hold or propose about."""
    seen: set[object] = set()
    for each in sorted(planned_letters(), key=lambda each: each.place):
        fate = each.plan.expect.fate
        about = {(fate, each.left), (fate, each.held), (fate, each.proposed)} - seen
        seen |= about
        if about:
            yield each


@contextmanager
def played(folder: Path) -> Iterator[Played]:
    """One letter of each kind, come in a few hours of a day three weeks ago."""
    begin = datetime.now(UTC) - LONG_AGO
    office, mail = OfficeTime(begin, begin + timedelta(days=4)), list[DatedLetter]()

    def make(authority: TestAuthority) -> DemoMail:
        signers = Signers(authority)
        for number, planned in enumerate(one_of_each_fate()):
            at = office.moment(number / 60)
            letter = letter_of(planned.plan, signers, {}, at)
            mail.append(DatedLetter(letter=letter, planned=planned, at=at))
        left = frozenset(each.letter.message_id for each in mail if each.planned.left)
        return DemoMail(letters=[each.letter for each in mail], left=left)

    with open_stage(folder / "demo", DemoClock(begin), make) as stage:
        Past(stage, mail, office).play(lambda: None)
        yield stage, mail, begin


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with played(tmp_path_factory.mktemp("past")) as found:
        yield found


def test_each_letter_of_the_past_ended_as_expected(past: Played) -> None:
    stage, mail, _ = past
    judgement = judge(stage.gateway, [*stage.systems.values(), stage.hand], stage.letters)

    ends = letter_results(stage, judgement)

    assert {end.name: end.wrong for end in ends if end.wrong} == {}
    assert {end.fate for end in ends} >= {Fate.OFFERED, Fate.SENT_BACK, Fate.UNANSWERED}
    assert len(ends) == len(mail)


def moments_of(rows: list[Message], *names: Callable[[Message], datetime | None]) -> list[datetime]:
    return [at for row in rows for name in names if (at := name(row)) is not None]


def test_rows_and_audit_of_the_past_have_the_times_of_the_past(past: Played) -> None:
    stage, _, begin = past
    with stage.line.store.reading() as tx:
        messages = list(tx.exec(select(Message)))
        leaves = tx.exec(select(AuditEntry.leaf).order_by(col(AuditEntry.seq))).all()

    found = moments_of(
        messages,
        lambda row: row.received_at,
        lambda row: row.registered_at,
        lambda row: row.answered_at,
    )
    said = [facts.at for leaf in leaves if (facts := read_leaf(leaf)) is not None]
    times = [datetime.fromisoformat(at) for at in said if at]
    end = begin + timedelta(days=4, hours=1)
    assert sum(message.state is MessageState.ANSWERED for message in messages) >= 4
    assert begin <= min(found) <= max(found) < end
    assert times == sorted(times)
    assert begin <= times[0] < times[-1] < end


def test_audit_of_the_past_vouches_for_every_row(past: Played) -> None:
    stage, _, _ = past
    with stage.line.store.reading() as tx:
        report = verify_state(tx, stage.line.keyring.row_key())

    assert report.findings == ()


def test_people_of_the_past_hold_and_propose_what_is_planned(past: Played) -> None:
    stage, mail, _ = past
    with stage.line.store.reading() as tx:
        held = set(tx.exec(select(Message.wire_id).where(col(Message.held_until).is_not(None))))
        proposers = tx.exec(
            select(Proposal.proposer).where(col(Proposal.state) == ProposalState.OPEN)
        ).all()

    assert held == {each.letter.message_id for each in mail if each.planned.held}
    assert len(proposers) == sum(each.planned.proposed is not None for each in mail)
    assert set(proposers) == {"anne", "bjorn"}


def test_clock_of_the_stage_is_the_present_after_the_past(past: Played) -> None:
    stage, _, _ = past

    assert stage.clock.is_present
