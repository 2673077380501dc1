"""The worker loop: poll the gateways, advance what is due, sign checkpoints, clean up, sleep."""

import fcntl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Condition, Event, Lock, Thread
from typing import IO, Any, Final

import sqlalchemy as sa

from inbox import log
from inbox.audit import outside, verify
from inbox.directory.leavers import settle_closed_units_and_leavers
from inbox.domain import station_of
from inbox.errors import ConfigurationError, InboxError
from inbox.health.record import ConditionRecorder
from inbox.line import Job, Line
from inbox.line.expired_notices import close_expired_notices
from inbox.line.intake import ask_again, poll_gateway
from inbox.line.moves.conflict_settlement import settle_conflicts
from inbox.line.pulses import (
    CASE_SYSTEM,
    PULSE_INTERVAL,
    WORKER,
    WRAPS_WITH,
    neighbours_away,
    record_pulse,
)
from inbox.line.queue import QUEUE_ROW_TYPES, Share, claim, claim_probe, due_kinds, make_due
from inbox.line.stations import advance, postpone_and_escalate
from inbox.line.upkeep.far_times import bring_back_far_times
from inbox.line.upkeep.gap import compare_and_report
from inbox.line.upkeep.missed_mail import find_missed_mail
from inbox.line.upkeep.new_actions import report_new_actions
from inbox.line.upkeep.orphans import clean_vault
from inbox.line.upkeep.scrub import scrub_step
from inbox.line.upkeep.state_check import check_state_nightly
from inbox.log import LogField
from inbox.outage_log import OutageLog
from inbox.package.inputs import STALE_LIST, Trust
from inbox.sign_in.expiry import clean_sign_ins
from inbox.store import SteadyClock
from inbox.tables import Arrival, Message, Outbox, Receipt, table_of

_LOCAL: Final = ""
"""The lane of what needs no neighbour: to open, route, offer and erase."""
_EVENTS: Final = "events"
"""Whose failures those of sending events are, in the log."""
_IDLE_SECONDS: Final = 1.0
_CHECKPOINT_SECONDS: Final = 300.0
_CLEAN_SECONDS: Final = 3600.0
_SCRUB_SECONDS: Final = 60.0
_SIGN_INS_SECONDS: Final = 60.0
_MISSED_MAIL_SECONDS: Final = 300.0
_STATE_SECONDS: Final = 600.0
_ASK_AGAIN_SECONDS: Final = 30.0
_TRUST_SECONDS: Final = 10.0
_LEAVERS_SECONDS: Final = 300.0
_HEALTH_SECONDS: Final = 5.0
_NEW_ACTIONS_SECONDS: Final = 60.0


class Worker:
    """Threads that advance the line until `stop` is called.

    SQLite has exactly one worker process, held by a lock file beside the database.
    """

    def __init__(
        self,
        line: Line,
        *,
        poll_seconds: float,
        checkpoints: Path,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._line = line
        self._poll_seconds = poll_seconds
        self._checkpoints = checkpoints
        self._tick = tick
        self._began = tick()
        self._stop = Event()
        self._woken = Condition()
        self._threads: list[Thread] = []
        self._looking = Lock()
        self._outages = OutageLog(time.monotonic)
        self._pulse_at: float | None = None
        channels = frozenset(line.gateways)
        self._lanes: Mapping[str, Share] = {
            _LOCAL: Share(kinds=(Message, Arrival, Receipt), but=channels),
            **{
                channel: Share(kinds=(Arrival, Receipt), of=frozenset({channel}))
                for channel in channels
            },
        }
        """The work of this machine, and of each gateway; also rows of one that has been removed."""
        self._last_trust: Trust | None = None
        self._trust_changed = False

    def run(self) -> None:
        """Work until `stop`. Raises `ConfigurationError` if another worker has the database."""
        with _single_worker_lock(self._line):
            compare_and_report(self._line, self._checkpoints)
            self._free_leases()
            self._remember_away()
            log.emit(log.LogEvent.STARTED, {LogField.COUNT: self._line.transfer_slots.threads})
            self._threads = [Thread(target=duty, daemon=True) for duty in self._duties()]
            for thread in self._threads:
                thread.start()
            for thread in self._threads:
                thread.join()
            self._checkpoint()
            log.emit(log.LogEvent.STOPPED, {})

    def stop(self) -> None:
        """Finish the current step and end; the next worker claims what is unfinished."""
        self._stop.set()
        self.wake()

    def wake(self) -> None:
        """Wake the threads, because something may have become due."""
        with self._woken:
            self._woken.notify_all()

    def _free_leases(self) -> None:
        """On SQLite no other worker lives, so every lease is a dead one's."""
        if self._line.store.engine.dialect.name != "sqlite":
            return
        with self._line.store.transaction() as tx:
            for kind in QUEUE_ROW_TYPES:
                table = table_of(kind)
                tx.execute(
                    sa.update(table)
                    .where(table.c.leased_until.is_not(None))
                    .values(leased_until=None)
                )

    def _duties(self) -> Iterator[Callable[[], None]]:
        """What each thread does, for as long as the worker runs.

        Every neighbour has threads of its own, and so has the work that needs none of them.
        """
        for lane in self._lanes:
            for _ in range(self._line.transfer_slots.threads):
                yield partial(self._advance, lane)
        for _ in range(self._line.case_system_places.total):
            yield self._call_case_systems
        for channel, gateway in self._line.gateways.items():
            poll = partial(self._poll_gateway, channel)
            yield partial(self._repeat, self._poll_seconds, poll, f"poll {channel}")
            look = partial(find_missed_mail, self._line, gateway, stopped=self._stop.is_set)
            yield partial(self._repeat, _MISSED_MAIL_SECONDS, look, f"missed mail {channel}")
        yield partial(self._repeat, _CHECKPOINT_SECONDS, self._checkpoint, "checkpoint")
        yield partial(self._repeat, _CLEAN_SECONDS, self._clean, "clean")
        sign_ins = partial(clean_sign_ins, self._line)
        yield partial(self._repeat, _SIGN_INS_SECONDS, sign_ins, "sign-ins")
        yield partial(self._repeat, _SCRUB_SECONDS, self._scrub, "scrub")
        yield partial(self._repeat, _STATE_SECONDS, self._check_state, "state")
        again = partial(ask_again, self._line)
        yield partial(self._repeat, _ASK_AGAIN_SECONDS, again, "ask again")
        yield partial(self._repeat, _TRUST_SECONDS, self._refresh_trust, "trust")
        yield partial(self._repeat, _LEAVERS_SECONDS, self._handle_leavers, "leavers")
        actions = partial(report_new_actions, self._line)
        yield partial(self._repeat, _NEW_ACTIONS_SECONDS, actions, "new actions")
        recorder = ConditionRecorder(self._line, tick=self._tick)
        yield partial(self._repeat, _HEALTH_SECONDS, recorder.look, "health")

    def _remember_away(self) -> None:
        """Case systems that were away when the last worker ended are asked before their time."""
        with self._line.store.reading() as tx:
            away = neighbours_away(tx, CASE_SYSTEM)
            self._line.case_system_places.remember_away(away, tx.now)

    def _advance(self, lane: str) -> None:
        while not self._stop.is_set():
            try:
                worked = self._work_once(lane)
                self._outages.worked(lane)
            except Exception as error:  # noqa: BLE001 - the loop outlives whatever a step throws
                self._log_failure(error, lane)
                worked = False
            if not worked:
                self._rest()

    def _rest(self) -> None:
        with self._woken:
            self._woken.wait(_IDLE_SECONDS)

    def _work_once(self, lane: str) -> bool:
        """One job of each kind of a lane, followed from step to step; whether there was any."""
        worked, share = False, self._lanes[lane]
        with self._line.store.reading() as tx:
            due = due_kinds(tx, share)
        for kind in due:
            with self._line.transfer_slots.job_slot(lane):
                job = claim(self._line, kind, share)
                if job is not None:
                    worked = True
                    self._follow(job)
        if lane == _LOCAL:
            self._record_pulse()
        return worked

    def _record_pulse(self) -> None:
        """The worker's pulse: this much work has ended, or there was none; and with which key."""
        now = time.monotonic()
        if self._pulse_at is None or now - self._pulse_at > PULSE_INTERVAL.total_seconds():
            self._pulse_at = now
            record_pulse(self._line, WORKER, None)
            record_pulse(self._line, WRAPS_WITH + self._line.keyring.active, None)

    def _call_case_systems(self) -> None:
        """Send events; one thread at a time looks for one, so that idle ones cost nothing."""
        while not self._stop.is_set():
            with self._looking:
                if self._stop.is_set():
                    return
                try:
                    self._outages.worked(_EVENTS)
                    job = self._claim_event()
                except Exception as error:  # noqa: BLE001 - the loop outlives whatever is thrown
                    self._log_failure(error, _EVENTS)
                    job = None
                if job is None:
                    self._rest()
                    continue
            try:
                self._send_event(job)
            except Exception as error:  # noqa: BLE001 - the loop outlives whatever a step throws
                self._log_failure(error, _EVENTS)

    def _claim_event(self) -> Job[Outbox] | None:
        """An event for a case system that has a place free, or that is away and may be probed."""
        places = self._line.case_system_places
        share = Share(kinds=(Outbox,), but=places.closed())
        with self._line.store.reading() as tx:
            probes, due = places.probes_due(tx.now), due_kinds(tx, share)
        probing = (claim_probe(self._line, case_system) for case_system in probes)
        job = next((each for each in probing if each is not None), None)
        if job is None and due:
            job = claim(self._line, Outbox, share)
        if job is not None:
            places.enter(job.row.case_system)
        return job

    def _send_event(self, job: Job[Outbox]) -> None:
        try:
            self._follow(job)
        finally:
            self._line.case_system_places.leave(job.row.case_system)

    def _follow(self, job: Job[Any] | None) -> None:
        """Advance a row from step to step for as long as it has one that is due."""
        while job is not None and not self._stop.is_set():
            try:
                following = advance(self._line, job)
            except Exception as error:  # noqa: BLE001 - one bad row never blocks the line
                code = getattr(error, "code", "internal")
                fields: dict[LogField, str | int | float | None] = {
                    LogField.ROW: job.row.id,
                    LogField.STATION: station_of(job.row.state),
                    LogField.CODE: code,
                    LogField.ERROR: type(error).__name__,
                }
                postpone_and_escalate(self._line, job, code)
                log.emit(log.LogEvent.FAILED, fields)
                return
            job = following
            self.wake()

    def _repeat(self, seconds: float, work: Callable[[], object], duty: str) -> None:
        while not self._stop.is_set():
            try:
                work()
                self._outages.worked(duty)
            except Exception as error:  # noqa: BLE001 - the loop outlives whatever a round throws
                self._log_failure(error, duty)
            self._stop.wait(seconds)

    def _poll_gateway(self, channel: str) -> None:
        clock = self._line.store.clock
        if isinstance(clock, SteadyClock) and clock.backward > timedelta(seconds=1):
            log.emit(log.LogEvent.CLOCK_BACKWARDS, {})
        if (new := poll_gateway(self._line, self._line.gateways[channel])) > 0:
            log.emit(log.LogEvent.COLLECTED, {LogField.COUNT: new})
            self.wake()

    def _checkpoint(self) -> None:
        """Sign the tree, unless the database does not hold what was signed of it before."""
        if compare_and_report(self._line, self._checkpoints) is not None:
            return
        with self._line.store.transaction() as tx:
            note = verify.new_checkpoint(tx, self._line.keyring)
        if note is not None:
            verify.append_to_checkpoint_file(self._checkpoints, note)
            log.emit(log.LogEvent.CHECKPOINT, {})
        with self._line.store.reading() as tx:
            outside.keep_newest_outside(tx, self._line.keyring, self._checkpoints)

    def _refresh_trust(self) -> None:
        """Fetch the revocation lists that are due; when they are others, what waits goes on.

        Twice, because a step that began before the change may put its message off after it.
        """
        line = self._line
        if line.crl_schedule is not None:
            found = line.crl_schedule.fetch_due(line.store, line.trust.current())
            if found.new:
                log.emit(log.LogEvent.LISTS, {LogField.COUNT: found.new})
            for code in found.failed:
                log.emit(log.LogEvent.FAILED, {LogField.CODE: code})
        believed = line.current_trust()
        before, self._last_trust = self._last_trust, believed
        again, self._trust_changed = self._trust_changed, believed != before
        if (self._trust_changed or again) and make_due(line, STALE_LIST):
            self.wake()

    def _clean(self) -> None:
        """Set aside objects that no row names, which a crash left, and end expired notices."""
        if self._line.standstill.gap is not None:
            return
        close_expired_notices(self._line)
        running_for = timedelta(seconds=self._tick() - self._began)
        moved = clean_vault(self._line, running_for=running_for)
        if moved:
            log.emit(log.LogEvent.CLEANED, {LogField.COUNT: moved})

    def _scrub(self) -> None:
        """Read some of what is stored, so that damage is found before somebody needs it."""
        if self._line.standstill.gap is None:
            scrub_step(self._line, stopped=self._stop.is_set)

    def _check_state(self) -> None:
        """Once a night, compare what decides with what the audit says of it."""
        if self._line.standstill.gap is not None:
            return
        report = check_state_nightly(self._line, stopped=self._stop.is_set)
        if report is not None:
            log.emit(log.LogEvent.STATE_CHECKED, {LogField.COUNT: len(report.findings)})

    def _handle_leavers(self) -> None:
        """People who left, units that closed, and conflicts of interest leave work: it gets tasks.

        What a wrong clock has put off for too long is brought back before.
        """
        if self._line.standstill.gap is not None:
            return
        if bring_back_far_times(self._line):
            self.wake()
        if settle_closed_units_and_leavers(self._line):
            self.wake()
        settle_conflicts(self._line)

    def _log_failure(self, error: Exception, source: str = _LOCAL) -> None:
        code = error.code if isinstance(error, InboxError) else "internal"
        self._outages.failed(code, type(error).__name__, source)


@contextmanager
def _single_worker_lock(line: Line) -> Iterator[None]:
    """Hold the lock file of a SQLite database; PostgreSQL orders its workers itself."""
    url = line.store.engine.url
    if url.get_backend_name() != "sqlite" or not url.database:
        yield
        return
    with Path(f"{url.database}.worker.lock").open("a", encoding="utf-8") as file:
        _lock(file)
        yield


def _lock(file: IO[str]) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise ConfigurationError(
            "worker.running", "another worker has this SQLite database: there can be only one"
        ) from error
