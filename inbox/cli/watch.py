"""`inbox watch`: shows what is wrong, and when it begins and ends, until it is interrupted."""

import json
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated

import typer

from inbox.cli.common.conditions import print_condition
from inbox.cli.common.context import line_of
from inbox.cli.common.output import EXIT_FAILED, print_line
from inbox.health.condition import HealthCondition, Level
from inbox.health.current import conditions_of
from inbox.health.report import json_of
from inbox.line import Line

_Key = tuple[str, str]


def watch(
    ctx: typer.Context,
    every: Annotated[
        float, typer.Option(min=1, max=3600, help="How many seconds lie between two looks.")
    ] = 10,
    once: Annotated[
        bool, typer.Option("--once", help="Look once; ends with 1 if anything is wrong.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object in a line for each change.")
    ] = False,
) -> None:
    """Show what is wrong now, and then whatever begins or ends, until Ctrl-C.

    The same that `ready`, `doctor`, the metrics and the status page read. It changes nothing, and
    asks no neighbour.
    """
    line = line_of(ctx)
    for each in (signal.SIGINT, signal.SIGTERM) if not once else ():
        signal.signal(each, signal.default_int_handler)  # Also where its parent ignores it.
    shown: dict[_Key, HealthCondition] | None = None
    with suppress(KeyboardInterrupt):
        while True:
            found = _look(line)
            _tell_changes(shown, found, as_json=as_json)
            if once:
                break
            shown = dict(found)
            time.sleep(every)
    if once and any(each.level in (Level.UNREADY, Level.WRONG) for each in found.values()):
        raise typer.Exit(EXIT_FAILED)


def _look(line: Line) -> Mapping[_Key, HealthCondition]:
    return {(each.subject, each.code): each for each in conditions_of(line)}


def _tell_changes(
    before: Mapping[_Key, HealthCondition] | None,
    now: Mapping[_Key, HealthCondition],
    *,
    as_json: bool,
) -> None:
    """What has ended, and what has begun; where nothing is wrong at first, that is said."""
    at = datetime.now(UTC).strftime("%H:%M:%S")
    ended = [each for key, each in (before or {}).items() if key not in now]
    began = [each for key, each in now.items() if key not in (before or {})]
    if as_json:
        for event, conditions in (("ended", ended), ("began", began)):
            for each in conditions:
                print_line(json.dumps({"event": event, **json_of(each)}, ensure_ascii=False))
        return
    for each in ended:
        print_line(f"{at} ended: {each.subject} {each.code}")
    for each in began:
        print_condition(each, before=f"{at} ")
    if not now and (ended or before is None):
        print_line(f"{at} nothing is wrong, and nothing waits for people")
