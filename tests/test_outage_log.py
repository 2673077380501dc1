"""A failure that repeats is logged at its start, once a minute, and at its end."""

import logging

import pytest

from inbox.outage_log import OutageLog


class _Seconds:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def _told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int]]:
    return [(r.getMessage(), r.__dict__["inbox_fields"]["count"]) for r in caplog.records]


def test_equal_failures_are_logged_at_the_start_each_minute_and_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "inbox")
    seconds = _Seconds()
    outage_log = OutageLog(seconds)

    for _ in range(600):
        outage_log.failed("database.unavailable", "Unavailable")
        seconds.now += 0.25
    seconds.now += 5
    outage_log.worked()
    outage_log.worked()

    assert _told(caplog) == [
        ("failed", 1),
        ("failed", 241),
        ("failed", 481),
        ("recovered", 600),
    ]


def test_success_of_one_thread_in_the_midst_of_an_outage_does_not_end_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "inbox")
    seconds = _Seconds()
    outage_log = OutageLog(seconds)

    for _ in range(100):
        outage_log.failed("database.unavailable", "Unavailable")
        seconds.now += 0.3
        outage_log.worked()

    assert _told(caplog) == [("failed", 1)]


def test_failures_of_another_cause_have_lines_of_their_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outage_log = OutageLog(_Seconds())

    for code in ("database.unavailable", "internal", "database.unavailable"):
        outage_log.failed(code, "Unavailable")

    assert _told(caplog) == [("failed", 1), ("failed", 1)]


def test_failure_of_a_rare_duty_is_not_over_because_other_work_succeeds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "inbox")
    seconds = _Seconds()
    outage_log = OutageLog(seconds)

    for _ in range(3):
        outage_log.failed("database.unavailable", "Unavailable", "checkpoint")
        for _ in range(300):
            seconds.now += 1
            outage_log.worked("lane")
    outage_log.worked("checkpoint")

    assert _told(caplog) == [("failed", 1), ("failed", 2), ("failed", 3), ("recovered", 3)]


def test_outage_that_many_share_ends_when_one_of_them_works_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "inbox")
    seconds = _Seconds()
    outage_log = OutageLog(seconds)
    outage_log.failed("database.unavailable", "Unavailable", "rare")
    outage_log.failed("database.unavailable", "Unavailable", "lane")

    seconds.now += 6
    outage_log.worked("lane")

    assert _told(caplog) == [("failed", 1), ("recovered", 2)]
