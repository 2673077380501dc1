"""A gateway in trouble: the log says when it begins and ends, and each cause has its advice."""

import logging
import time
from datetime import timedelta

import pytest

from inbox.gateway.integrasjonspunkt import Bounds, Integrasjonspunkt, client_for
from inbox.health.condition import Level
from inbox.health.current import conditions_of
from inbox.health.record import ConditionRecorder
from inbox.health.report import lines_of
from inbox.line import Line
from inbox.line.intake import poll_gateway
from tests.gateway.scripted_gateway import SUBSCRIPTION
from tests.gateway.troubles import TROUBLES, Trouble, simulated
from tests.health.log_lines import condition_lines
from tests.worlds import World

SUBJECT = "gateway:eformidling"
_SOON = Bounds(answer=timedelta(seconds=0.4), connect=timedelta(seconds=0.4))


def _polled(line: Line, url: str) -> None:
    with client_for(url) as client:
        gateway = Integrasjonspunkt(
            client, channel="eformidling", subscriptions=(SUBSCRIPTION,), bounds=_SOON
        )
        poll_gateway(line, gateway)


def _recorder(world: World) -> ConditionRecorder:
    return ConditionRecorder(world.line, tick=time.monotonic)


@pytest.fixture(autouse=True)
def _log_of_all(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "inbox")


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda each: each.__name__)
def test_each_trouble_of_a_gateway_is_logged_and_shown_with_advice(
    small_world: World,
    tmp_path_factory: pytest.TempPathFactory,
    caplog: pytest.LogCaptureFixture,
    trouble: Trouble,
) -> None:
    code, status, advice = TROUBLES[trouble]
    small_world.collect()
    recorder = _recorder(small_world)
    recorder.look()
    assert not [line for line in condition_lines(caplog) if line[1] == SUBJECT]

    with trouble(tmp_path_factory.mktemp("gateway")) as url:
        _polled(small_world.line, url)
    recorder.look()
    small_world.clock.advance(timedelta(seconds=90))

    line = condition_lines(caplog)["condition_began", SUBJECT, code]
    assert (line["severity"], line.get("status")) == ("warning", status)
    [found] = [each for each in conditions_of(small_world.line) if each.subject == SUBJECT]
    assert (found.code, found.level, found.status) == (code, Level.WARNING, status)
    assert found.since == small_world.clock.now - timedelta(seconds=90)
    assert advice in " ".join(lines_of(found))
    small_world.collect()
    recorder.look()
    assert condition_lines(caplog)["condition_ended", SUBJECT, code]["seconds"] == 90
    assert not [each for each in conditions_of(small_world.line) if each.subject == SUBJECT]


def test_trouble_that_changes_is_one_line_and_keeps_its_beginning(
    small_world: World, caplog: pytest.LogCaptureFixture
) -> None:
    small_world.collect()
    recorder = _recorder(small_world)
    _polled(small_world.line, "http://127.0.0.1:1")
    recorder.look()
    began = small_world.clock.now
    small_world.clock.advance(timedelta(minutes=20))

    with simulated("answer html 200 to every peek") as url:
        _polled(small_world.line, url)
    recorder.look()

    lines = [line for line in condition_lines(caplog) if line[1] == SUBJECT]
    assert lines == [
        ("condition_began", SUBJECT, "gateway.unavailable"),
        ("condition_changed", SUBJECT, "gateway.garbled"),
    ]
    [found] = [each for each in conditions_of(small_world.line) if each.subject == SUBJECT]
    assert (found.since, found.level) == (began, Level.UNREADY)


def test_trouble_is_logged_once_and_again_by_no_other_worker_or_run(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = _recorder(world), _recorder(world)
    _polled(world.line, "http://127.0.0.1:1")

    for _ in range(3):
        one.look()
        other.look()
        world.clock.advance(timedelta(seconds=30))

    lines = [line for line in condition_lines(caplog) if line[1] == SUBJECT]
    records = [each for each in caplog.records if each.getMessage() == "condition_began"]
    of_it = [each for each in records if vars(each)["inbox_fields"]["subject"] == SUBJECT]
    assert lines == [("condition_began", SUBJECT, "gateway.unavailable")]
    assert len(of_it) == 1


def test_condition_of_a_worker_that_died_ends_when_no_worker_sees_it_any_more(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    _polled(world.line, "http://127.0.0.1:1")
    _recorder(world).look()
    world.collect()
    following = _recorder(world)

    following.look()
    ended_at_once = [line for line in condition_lines(caplog) if line[0] == "condition_ended"]
    world.clock.advance(timedelta(minutes=2))
    world.collect()
    following.look()

    assert ended_at_once == []
    assert ("condition_ended", SUBJECT, "gateway.unavailable") in condition_lines(caplog)
