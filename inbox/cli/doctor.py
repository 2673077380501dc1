"""`inbox doctor`: look at everything that can keep mail from arriving, and never stop at a fault."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from inbox.cli import doctor_checks as here
from inbox.cli import doctor_neighbours as around
from inbox.cli.doctor_checks import AGAIN, Check, Found, Level, failed, fine, warning, wrong
from inbox.cli.opening import config_of
from inbox.cli.telling import UNUSABLE, WRONG, say, say_json, say_table
from inbox.config import Settings, environment, read_settings
from inbox.errors import ConfigurationError, InboxError

_CONFIGURATION: Final = "configuration"
_CONFIG: Final = "INBOX_CONFIG"
CHECKS: Final = (
    Check(name="overrides", run=around.overrides),
    Check(name="keys", run=here.keys),
    Check(name="database", run=here.database),
    Check(name="installation", run=here.installation, needs=("keys", "database")),
    Check(name="vault", run=here.vault),
    Check(name="policies", run=here.policies),
    Check(name="active policy", run=here.active_policy, needs=("policies", "database")),
    Check(name="routing", run=around.routing),
    Check(name="rules", run=around.rules, needs=("database",)),
    Check(name="units", run=around.units, needs=("database",)),
    Check(name="webhooks", run=around.webhooks, needs=("database",)),
    Check(name="gateways", run=around.gateways),
    Check(name="trust", run=here.trust),
    Check(name="checkpoints", run=here.checkpoints),
    Check(name="sha-1 signatures", run=here.sha1),
    Check(name="worker", run=here.worker, needs=("database",)),
)


def doctor(
    ctx: typer.Context,
    as_json: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--json", help="Print JSON.")
    ] = False,
) -> None:
    """Check everything that can keep mail from arriving; say what each fault means and what to do.

    Ends with 0 if nothing is wrong (warnings may be), 1 if something is, 2 if the configuration
    cannot be read. It changes nothing: gateways are asked what locks no message, and the test
    object in the vault is removed again.
    """
    file = config_of(ctx)
    try:
        settings = read_settings(environment(), file)
    except ConfigurationError as error:
        _show([failed(_CONFIGURATION, error)], as_json=as_json)
        raise typer.Exit(UNUSABLE) from error
    found = [_configuration(file), *examine(settings, CHECKS)]
    _show(found, as_json=as_json)
    if any(each.level is Level.WRONG for each in found):
        raise typer.Exit(WRONG)


def examine(settings: Settings, checks: Sequence[Check]) -> Iterator[Found]:
    """Every check, whatever another one finds; one that needs a faulty thing says so instead."""
    faulty = set[str]()
    for check in checks:
        missing = [need for need in check.needs if need in faulty]
        if missing:
            means = f"not checked: first put right what is wrong with {' and '.join(missing)}"
            yield warning(check.name, means, "run `inbox doctor` again after that")
            continue
        for found in _guarded(check, settings):
            if found.level is Level.WRONG:
                faulty.add(check.name)
            yield found


def _guarded(check: Check, settings: Settings) -> Iterator[Found]:
    """What it finds, and what it fell over, by type only: a text may hold what is secret."""
    try:
        yield from check.run(settings)
    except InboxError as error:
        yield failed(check.name, error)
    except OSError as error:
        yield wrong(check.name, f"the system says: {error.strerror or type(error).__name__}", AGAIN)
    except Exception as error:  # noqa: BLE001 - one check that falls over never hides another
        means = f"the check fell over ({type(error).__name__})"
        yield wrong(
            check.name, means, "check the settings it needs; if they are right, report this"
        )


def _configuration(file: Path | None) -> Found:
    named = file or environment().get(_CONFIG)
    return fine(_CONFIGURATION, f"read from {named}" if named else "read from the environment")


def _show(found: Sequence[Found], *, as_json: bool) -> None:
    levels = Counter(each.level for each in found)
    rows = [
        {"name": each.name, "level": each.level.value, "means": each.means, "do": each.do}
        for each in found
    ]
    if as_json:
        counts = {"wrong": levels[Level.WRONG], "warnings": levels[Level.WARNING]}
        say_json({"checks": rows, **counts})
        return
    if sys.stdout.isatty():
        say_table(rows, ("level", "name", "means", "do"))
    else:
        for each in found:
            do = f" {each.do[:1].upper()}{each.do[1:]}." if each.do else ""
            say(f"{each.level.value:7}  {each.name}: {each.means}.{do}")
    say(f"{levels[Level.WRONG]} wrong, {levels[Level.WARNING]} warnings")
