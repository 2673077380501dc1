"""Plays three weeks in seconds: the real line over a clock that is brought forward to now.

Every step is the product's own: the gateway is polled, stations advance what is due, case systems
call the API, people make moves. Nothing is written past the program. Between the steps the clock of
the line and of all its neighbours moves on, so that every row and every entry of the audit has the
time that it would have had.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import cycle
from typing import Any, Final

from sqlmodel import col, select

from inbox.access.policy.vocabulary import Role
from inbox.app import create_app
from inbox.audit import verify
from inbox.cli.demo.municipality import ARCHIVISTS, DESK, LEADERS
from inbox.cli.demo.people import DemoPeople
from inbox.cli.demo.stage import Stage
from inbox.days import day_of
from inbox.domain import HoldCause, MessageState
from inbox.line import Job, Line
from inbox.line.intake import ask_again, poll_gateway
from inbox.line.moves import holds
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.line.queue import EVERYTHING, claim, due_kinds
from inbox.line.stations import advance
from inbox.simulator.demo_mail.three_weeks import SPAN, DatedLetter, OfficeTime, Proposed
from inbox.simulator.gateway.simulator import OtherEnd
from inbox.simulator.http.server import serve
from inbox.tables import Arrival, Message

BEFORE_NOW: Final = timedelta(minutes=10)
"""The past ends so long ago: time for its last steps."""
_LATER: Final = timedelta(minutes=4)
_LOOKS_ASIDE_AT: Final = 0.9
_HOLD: Final = timedelta(days=7)
_REASONS: Final = {
    Proposed.REFUSE_NOT_OURS: "Saken gjelder en annen kommune, etter det avsenderen sa på telefon.",
    Proposed.REFUSE_SIGNATURE: "Avsenderen er varslet og sender på nytt.",
    Proposed.LET_THROUGH: "Kommunen har bekreftet leverandøren i brev.",
    Proposed.GIVE_UP: "Avsenderen har sendt den på nytt, med en annen id.",
    Proposed.WITHDRAW: "Feil fagsystem: saken er flyttet.",
}
_KINDS: Final = {
    Proposed.REFUSE_NOT_OURS: ProposalKind.REFUSE,
    Proposed.REFUSE_SIGNATURE: ProposalKind.REFUSE,
    Proposed.LET_THROUGH: ProposalKind.QUARANTINE_RELEASE,
    Proposed.GIVE_UP: ProposalKind.ABANDON,
    Proposed.WITHDRAW: ProposalKind.WITHDRAW,
}
_WITHOUT_CODE: Final = frozenset({Proposed.GIVE_UP, Proposed.WITHDRAW})


def begin_of_past(now: datetime) -> datetime:
    """When the demo's three weeks begin."""
    return now - SPAN


def office_time(now: datetime) -> OfficeTime:
    """The office hours of the three weeks until now."""
    return OfficeTime(begin_of_past(now) + timedelta(hours=1), now - BEFORE_NOW)


@dataclass(frozen=True, kw_only=True)
class _Step:
    at: datetime
    do: Callable[[], object]


class Past:
    """The three weeks of a stage whose clock stands at their beginning."""

    def __init__(self, stage: Stage, mail: Sequence[DatedLetter], office: OfficeTime) -> None:
        self._stage = stage
        self._line = stage.line
        self._mail = mail
        self._office = office
        self._people = DemoPeople(stage)
        self._day = day_of(stage.clock.now())

    def play(self, seen: Callable[[], None]) -> None:
        """Play it to the present; `seen` is called after each step."""
        for letter in self._mail:
            if letter.letter.expect.code == "receipt.failed":
                self._stage.gateway.other_end(OtherEnd.FAILS, of=letter.letter.plan.sender)
        with serve(create_app(self._line)) as api:
            self._stage.connect_case_systems(api)
            for step in sorted(self._steps(), key=lambda each: each.at):
                self._stage.clock.move_to(step.at)
                step.do()
                seen()
            self._round()
            seen()
        self._let_receipts_through()
        self._stage.clock.return_to_present()

    def _steps(self) -> Iterator[_Step]:
        for letter in self._mail:
            yield _Step(at=letter.at, do=partial(self._deliver, letter))
        for at in self._office.rounds():
            yield _Step(at=at, do=self._round)
        yield _Step(at=self._office.moment(_LOOKS_ASIDE_AT), do=self._hold_some)
        yield _Step(at=self._office.moment(1.0), do=self._propose_some)

    def _deliver(self, dated: DatedLetter) -> None:
        """The gateway has a letter, and the product takes it as far as it goes by itself."""
        letter = dated.letter
        self._stage.gateway.put(letter.envelope, letter.package, service=letter.service)
        for gateway in self._line.gateways.values():
            poll_gateway(self._line, gateway)
        work_off(self._line)

    def _round(self) -> None:
        """People come by, then their case systems; once a day lists and the audit are signed."""
        self._begin_day()
        while self._people.work():
            work_off(self._line)
        self._stage.clock.pass_by(_LATER)
        for system in self._stage.systems.values():
            system.catch_up()
        work_off(self._line)
        self._stage.clock.pass_by(_LATER / 4)
        ask_again(self._line)
        work_off(self._line)

    def _begin_day(self) -> None:
        today = day_of(self._stage.clock.now())
        if today == self._day:
            return
        self._day = today
        self._stage.renew_revocation_list()
        sign_audit(self._stage)

    def _hold_some(self) -> None:
        causes = cycle(HoldCause)
        for dated in self._mail:
            message = self._message_of(dated) if dated.planned.held else None
            if message is None:
                continue
            by = self._archivist(0)
            if message.state is MessageState.RETURNED and message.unit is not None:
                by = self._people.capacity_of(LEADERS[message.unit], Role.LEADER, message.unit)
            last_day = day_of(self._stage.clock.now() + _HOLD)
            holds.hold(self._line, by, message.id, cause=next(causes), last_day=last_day)

    def _archivist(self, number: int) -> Any:
        return self._people.capacity_of(list(ARCHIVISTS)[number], Role.ARCHIVIST, DESK)

    def _propose_some(self) -> None:
        """Each archivist proposes half of each kind, so that both have something to approve."""
        turn = cycle(range(len(ARCHIVISTS)))
        for dated in self._mail:
            proposed = dated.planned.proposed
            subject = self._subject_of(dated, proposed)
            if proposed is None or subject is None:
                continue
            message_proposals.propose(
                self._line,
                self._archivist(next(turn)),
                _KINDS[proposed],
                subject,
                code="" if proposed in _WITHOUT_CODE else proposed.value,
                reason=_REASONS[proposed],
            )

    def _subject_of(self, dated: DatedLetter, proposed: Proposed | None) -> str | None:
        if proposed is Proposed.GIVE_UP:
            wire_id = dated.letter.message_id
            with self._line.store.reading() as tx:
                return tx.exec(select(Arrival.id).where(col(Arrival.wire_id) == wire_id)).first()
        message = self._message_of(dated)
        return None if message is None else message.id

    def _message_of(self, dated: DatedLetter) -> Message | None:
        wire_id = dated.letter.message_id
        with self._line.store.reading() as tx:
            return tx.exec(select(Message).where(col(Message.wire_id) == wire_id)).first()

    def _let_receipts_through(self) -> None:
        """Who sends a kvittering again from now on succeeds."""
        for letter in self._mail:
            self._stage.gateway.other_end(OtherEnd.TAKES, of=letter.letter.plan.sender)


def work_off(line: Line) -> None:
    """Advance everything that is due, from step to step, until nothing is."""
    while True:
        with line.store.reading() as tx:
            due = due_kinds(tx, EVERYTHING)
        if not due:
            return
        for kind in due:
            job: Job[Any] | None = claim(line, kind)
            while job is not None:
                job = advance(line, job)


def sign_audit(stage: Stage) -> None:
    """Sign the tree of the audit, and keep the checkpoint outside."""
    with stage.line.store.transaction() as tx:
        note = verify.new_checkpoint(tx, stage.line.keyring)
    if note is not None:
        verify.append_to_checkpoint_file(stage.settings.checkpoints, note)
