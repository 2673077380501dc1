"""A hundred and twenty letters of three weeks: seventy are done with, fifty wait for people.

Some senders have a history: nearly all of their mail went to one unit. Others wrote now and then,
or to units that register by hand, and have none.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import count
from typing import Final

from inbox.simulator.demo_mail import senders, wordings
from inbox.simulator.demo_mail.expectations import (
    Answered,
    Expectation,
    Fate,
    at_once,
    by_rule,
    placed,
    waits,
)
from inbox.simulator.demo_mail.letters import Letter, Signers, letter_of
from inbox.simulator.demo_mail.plan import Plan
from inbox.simulator.demo_mail.wordings import Kind
from inbox.simulator.packages.certificates import TestAuthority

SPAN: Final = timedelta(days=21)
OFFICE_HOURS: Final = (time(7), time(14, 30))
"""In UTC: most mail is written while people are at work."""
_ROUNDS_EVERY: Final = timedelta(hours=2)
_WEEKEND: Final = 5
_SEED: Final = "three weeks"
_SENT_BEFORE: Final = timedelta(minutes=4)


class Proposed(StrEnum):
    """What one person has proposed, and nobody has approved yet."""

    REFUSE_NOT_OURS = "not_for_us"
    REFUSE_SIGNATURE = "signature"
    LET_THROUGH = "signer.supplier_unknown"
    GIVE_UP = "give up"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, kw_only=True)
class PlannedLetter:
    """A letter of the three weeks: when it comes, and what people have done about it since."""

    plan: Plan
    place: float
    """When it comes: 0 is three weeks ago, 1 is now, and nights and weekends do not count."""
    held: bool = False
    proposed: Proposed | None = None
    left: bool = False
    """Its case system never collects it; otherwise one that waits there has been collected."""


@dataclass(frozen=True, kw_only=True)
class DatedLetter:
    """The letter itself, and the moment at which the gateway has it."""

    letter: Letter
    planned: PlannedLetter
    at: datetime


class OfficeTime:
    """The hours in which people work, between two moments; holidays are not known here."""

    def __init__(self, begin: datetime, end: datetime) -> None:
        self._spans = list(_office_spans(begin, end)) or [(begin, end)]

    def moment(self, place: float) -> datetime:
        """The moment at which this share of the office time has passed."""
        left = sum((end - begin for begin, end in self._spans), timedelta(0)) * place
        for begin, end in self._spans:
            if left <= end - begin:
                return begin + left
            left -= end - begin
        return self._spans[-1][1]

    def rounds(self) -> Iterator[datetime]:
        """When people look at their mail: every two hours, and at each end of a day."""
        for begin, end in self._spans:
            moment = begin
            while moment < end:
                yield moment
                moment += _ROUNDS_EVERY
            yield end


def _office_spans(begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    day: date = begin.astimezone(UTC).date()
    while day <= end.astimezone(UTC).date():
        opens, closes = (datetime.combine(day, hour, UTC) for hour in OFFICE_HOURS)
        if day.weekday() < _WEEKEND and max(opens, begin) < min(closes, end):
            yield max(opens, begin), min(closes, end)
        day += timedelta(days=1)


def three_weeks(authority: TestAuthority, office: OfficeTime) -> list[DatedLetter]:
    """All letters with their moments, in the order in which they come."""
    signers, made = Signers(authority), []
    for planned in sorted(planned_letters(), key=lambda each: each.place):
        at = office.moment(planned.place)
        letter = letter_of(planned.plan, signers, {}, at - _SENT_BEFORE)
        made.append(DatedLetter(letter=letter, planned=planned, at=at))
    return made


def planned_letters() -> list[PlannedLetter]:
    """The hundred and twenty, the same every time."""
    return [*_done(), *_undistributed(), *_quarantined(), *_missed(), *_with_case_systems()]


def _done() -> Iterator[PlannedLetter]:
    """Seventy that are registered, with their senders answered."""
    worry, patient = (
        by_rule("bekymring-fra-politi", "bv"),
        at_once("pasient-fra-helseforetak", "helse"),
    )
    groups: Sequence[tuple[Kind, int, Expectation]] = (
        (wordings.POLICE_WORRY, 18, worry),
        (wordings.POLICE_MASKED, 2, placed("nav")),
        (wordings.SCHOOL_REFERRAL, 11, by_rule("ppt-fra-skole", "ppt")),
        (wordings.SCHOOL_WORRY, 1, by_rule("bekymring-fra-skole-og-helse", "bv")),
        (wordings.PATIENT, 14, patient),
        (wordings.PUPIL, 12, by_rule("elev-fra-annen-kommune", "skole")),
        (wordings.APPEAL, 4, by_rule("klage-fra-statsforvalteren", "jurist")),
        (wordings.COAST, 3, by_rule("forretningshemmeligheter", "bygg")),
    )
    plans = [kind.letter(n, expect) for kind, number, expect in groups for n in range(number)]
    random.Random(_SEED).shuffle(plans)
    for number, plan in enumerate(plans):
        yield PlannedLetter(plan=plan, place=0.9 * number / len(plans))
    # Nav is known once its first letter is registered: the rule takes those after it.
    yield PlannedLetter(plan=wordings.BENEFIT.letter(0, placed("nav")), place=0.05)
    for number in range(1, 5):
        plan = wordings.BENEFIT.letter(number, by_rule("sosialsak-fra-nav", "nav"))
        yield PlannedLetter(plan=plan, place=0.2 + 0.15 * number)


def _undistributed() -> Iterator[PlannedLetter]:
    """Fifteen that no rule takes; four are on hold, four are proposed to be refused."""
    number = count(40)
    for kind, sender, place, held, refused in (
        (wordings.STRANGER, senders.STRANGER, 0.62, True, False),
        (wordings.SCANNED, senders.CLINIC, 0.68, True, False),
        (wordings.NEIGHBOUR_MASKED, senders.LOMVI, 0.72, True, False),
        (wordings.GOVERNOR_MASKED, senders.GOVERNOR, 0.76, True, False),
        (wordings.NEIGHBOUR_MASKED, senders.SORVAG, 0.80, False, True),
        (wordings.HOSPITAL_MASKED, senders.HOSPITAL_SOUTH, 0.84, False, True),
        (wordings.NEIGHBOUR_MASKED, senders.LOMVI, 0.88, False, True),
        (wordings.SCHOOL_MASKED, senders.SCHOOL_FJORD, 0.90, False, True),
        (wordings.POLICE_MASKED, senders.POLICE, 0.905, False, False),
        (wordings.SCHOOL_MASKED, senders.SCHOOL_NORTH, 0.93, False, False),
        (wordings.POLICE_MASKED, senders.POLICE_NIGHT, 0.945, False, False),
        (wordings.HOSPITAL_MASKED, senders.HOSPITAL, 0.955, False, False),
        (wordings.POLICE_MASKED, senders.POLICE, 0.965, False, False),
        (wordings.NEIGHBOUR_MASKED, senders.TINDFJELL, 0.975, False, False),
        (wordings.POLICE_MASKED, senders.POLICE, 0.985, False, False),
    ):
        yield PlannedLetter(
            plan=kind.letter(next(number), waits(Fate.UNROUTED), sender=sender),
            place=place,
            held=held,
            proposed=Proposed.REFUSE_NOT_OURS if refused else None,
        )


def _quarantined() -> Iterator[PlannedLetter]:
    """Nine that a check stopped: one is on hold, two may pass and two be refused if one agrees."""
    number = count(60)
    broken, supplied = "signature.wrong", "signer.supplier_unknown"
    graded = "arkivmelding.protective_grade"
    for kind, sender, code, place, held, proposed in (
        (wordings.SUPPLIED, senders.LOMVI, supplied, 0.70, True, None),
        (wordings.BROKEN, senders.HOSPITAL_SOUTH, broken, 0.78, False, Proposed.REFUSE_SIGNATURE),
        (wordings.SUPPLIED, senders.TINDFJELL, supplied, 0.82, False, Proposed.LET_THROUGH),
        (wordings.GRADED, senders.POLICE, graded, 0.86, False, None),
        (wordings.BROKEN, senders.POLICE_NIGHT, broken, 0.89, False, Proposed.REFUSE_SIGNATURE),
        (wordings.SUPPLIED, senders.SORVAG, supplied, 0.91, False, Proposed.LET_THROUGH),
        (wordings.SUPPLIED, senders.SCHOOL_FJORD, supplied, 0.94, False, None),
        (wordings.GRADED, senders.HOSPITAL_SOUTH, graded, 0.96, False, None),
        (wordings.BROKEN, senders.SCHOOL_HILL, broken, 0.98, False, None),
    ):
        plan = kind.letter(next(number), waits(Fate.QUARANTINED, code), sender=sender)
        yield PlannedLetter(plan=plan, place=place, held=held, proposed=proposed)


def _missed() -> Iterator[PlannedLetter]:
    """Seven that the gateway lost; two are proposed to be given up."""
    for number, sender in enumerate(
        (
            *(senders.SORVAG, senders.NAV, senders.SCHOOL_FJORD, senders.GOVERNOR),
            *(senders.LOMVI, senders.HOSPITAL_SOUTH, senders.SORVAG),
        )
    ):
        expect = waits(Fate.MISSED, "gateway.file_missing")
        yield PlannedLetter(
            plan=wordings.LOST.letter(80 + number, expect, sender=sender),
            place=0.66 + 0.045 * number,
            proposed=Proposed.GIVE_UP if sender in (senders.NAV, senders.GOVERNOR) else None,
        )


def _with_case_systems() -> Iterator[PlannedLetter]:
    """Six that a case system has not registered, seven that it returned, six unanswered ones."""
    number = count(100)
    rules = _RULES
    offered = (
        (wordings.SCHOOL_WORRY, senders.SCHOOL_FJORD, True),
        (wordings.PUPIL, senders.LOMVI, True),
        (wordings.SCHOOL_REFERRAL, senders.SCHOOL_HILL, True),
        (wordings.SCHOOL_WORRY, senders.SCHOOL_HILL, True),
        (wordings.BENEFIT, senders.NAV_PENSION, False),
        (wordings.COAST, senders.COAST_INSPECTION, False),
    )
    for step, (kind, sender, left) in enumerate(offered):
        rule, unit = rules[kind.name]
        expect = Expectation(fate=Fate.OFFERED, rule=rule, unit=unit, answered=Answered.NOT_YET)
        yield PlannedLetter(
            plan=kind.letter(next(number), expect, sender=sender),
            place=0.85 + 0.02 * step,
            proposed=None if left else Proposed.WITHDRAW,
            left=left,
        )
    returned = (
        (wordings.PUPIL, senders.TINDFJELL, "missing_case_file"),
        (wordings.PATIENT, senders.HOSPITAL, "unknown_person"),
        (wordings.BENEFIT, senders.NAV_PENSION, "wrong_unit"),
        (wordings.PUPIL, senders.SORVAG, "missing_case_file"),
        (wordings.SCHOOL_REFERRAL, senders.SCHOOL_HILL, "unknown_person"),
        (wordings.PATIENT, senders.HOSPITAL_SOUTH, "wrong_unit"),
        (wordings.PUPIL, senders.LOMVI, "missing_case_file"),
    )
    for step, (kind, sender, code) in enumerate(returned):
        rule, unit = rules[kind.name]
        expect = Expectation(
            fate=Fate.SENT_BACK, rule=rule, unit=unit, code=code, answered=Answered.NOT_YET
        )
        plan = kind.letter(next(number), expect, sender=sender)
        yield PlannedLetter(plan=plan, place=0.74 + 0.03 * step, held=step == 0)
    unanswered = (
        (wordings.ACCOUNTS, "receipt.not_dpo"),
        (wordings.MINE, _FAILED),
        (wordings.CITIZEN, "receipt.no_capability"),
        (wordings.MINE, _FAILED),
        (wordings.ACCOUNTS, "receipt.not_dpo"),
        (wordings.MINE, _FAILED),
    )
    for step, (kind, code) in enumerate(unanswered):
        by = rules[kind.name][0] if kind.name in rules else None
        expect = Expectation(
            fate=Fate.UNANSWERED, rule=by, unit="bygg", code=code, answered=Answered.IMPOSSIBLE
        )
        yield PlannedLetter(plan=kind.letter(next(number), expect), place=0.55 + 0.06 * step)


_FAILED: Final = "receipt.failed"
_RULES: Final[Mapping[str, tuple[str, str]]] = {
    wordings.SCHOOL_WORRY.name: ("bekymring-fra-skole-og-helse", "bv"),
    wordings.SCHOOL_REFERRAL.name: ("ppt-fra-skole", "ppt"),
    wordings.PATIENT.name: ("pasient-fra-helseforetak", "helse"),
    wordings.PUPIL.name: ("elev-fra-annen-kommune", "skole"),
    wordings.BENEFIT.name: ("sosialsak-fra-nav", "nav"),
    wordings.COAST.name: ("forretningshemmeligheter", "bygg"),
    wordings.MINE.name: ("forretningshemmeligheter", "bygg"),
}

_NEW: Final[Sequence[Kind]] = (
    wordings.POLICE_MASKED,
    wordings.PATIENT,
    wordings.SCHOOL_MASKED,
    wordings.POLICE_WORRY,
    wordings.NEIGHBOUR_MASKED,
    wordings.SCHOOL_REFERRAL,
    wordings.HOSPITAL_MASKED,
    wordings.PUPIL,
    wordings.STRANGER,
    wordings.SUPPLIED,
)


def new_letters(authority: TestAuthority, now: Callable[[], datetime]) -> Iterator[Letter]:
    """Ever more letters, each written when it is asked for: half of them no rule takes."""
    signers = Signers(authority)
    for number in count(200):
        plan = _NEW[number % len(_NEW)].letter(number, waits(Fate.UNROUTED))
        yield letter_of(plan, signers, {}, now())
