"""`inbox doctor`: checks everything that can keep mail from arriving or from being read."""

from collections.abc import Iterator, Sequence
from typing import Final

import typer

from inbox.cli.common.context import settings_of
from inbox.cli.common.formats import Json
from inbox.cli.common.output import EXIT_FAILED, advice, print_json, print_line
from inbox.cli.doctor import machine, neighbours, people
from inbox.cli.doctor.findings import Check, CheckContext, DoctorFinding, Level, ok, warning, wrong
from inbox.errors import InboxError
from inbox.wiring import build_store

_WITHOUT_DATABASE: Final[Sequence[tuple[str, Check]]] = (
    ("vault", machine.vault),
    ("keys", machine.keys),
    ("policies", machine.policies),
    ("routing", machine.routing),
    ("checkpoints", machine.checkpoints),
    ("descriptors", machine.descriptors),
    ("trust", neighbours.trust),
    ("gateway", neighbours.gateways),
    ("sha1", neighbours.legacy_sha1),
)
_WITH_DATABASE: Final[Sequence[tuple[str, Check]]] = (
    ("keys", machine.keys_of_database),
    ("audit", machine.audit_gap),
    ("policies", machine.active_policies),
    ("worker", machine.worker),
    ("routing", machine.active_routing),
    ("routing", people.routes_to_active_units),
    ("desk", people.desks),
    ("units", people.units),
    ("reviewers", people.reviewers),
    ("webhooks", neighbours.webhooks),
    ("trust", neighbours.lists),
)


def doctor(
    ctx: typer.Context,
    as_json: Json = False,
) -> None:
    """Check settings, database, vault, keys, policies, routing, people, gateways and trust.

    It leaves nothing behind, takes nothing from a gateway, and may run while `serve` runs. Each
    line says ok, warning or wrong, what that means and what to do. Ends with 1 if anything is
    wrong, and with 2 if the settings cannot be read.
    """
    findings = list(_examine(ctx))
    if as_json:
        print_json(
            [
                {"level": f.level.value, "subject": f.subject, "means": f.means, "do": f.do}
                for f in findings
            ]
        )
    else:
        for finding in findings:
            print_line(f"{finding.level.value:<8} {finding.subject:<12} {finding.means}")
            if finding.do:
                print_line(f"{'':<21} do: {finding.do}")
    if any(finding.level is Level.WRONG for finding in findings):
        raise typer.Exit(EXIT_FAILED)


def _examine(ctx: typer.Context) -> Iterator[DoctorFinding]:
    settings = settings_of(ctx)
    yield ok("settings", "can be read")
    patient = CheckContext(settings=settings, store=build_store(settings))
    for subject, check in _WITHOUT_DATABASE:
        yield from _run_check(subject, check, patient)
    database = list(_run_check("database", machine.database, patient))
    yield from database
    if any(finding.level is Level.WRONG for finding in database):
        subjects = ", ".join(dict.fromkeys(subject for subject, _ in _WITH_DATABASE))
        yield warning("database", f"not looked at for want of it: {subjects}", "mend it first")
        return
    for subject, check in _WITH_DATABASE:
        yield from _run_check(subject, check, patient)


def _run_check(subject: str, check: Check, patient: CheckContext) -> Iterator[DoctorFinding]:
    """What the check says; that it failed is a finding too."""
    try:
        yield from check(patient)
    except InboxError as error:
        yield _failure_finding(subject, error)
    except Exception as error:  # noqa: BLE001 - one check that fails never hides the others
        yield wrong(
            subject,
            f"could not be checked: {type(error).__name__}",
            "report this line: it is a fault of the program",
        )


def _failure_finding(subject: str, error: InboxError) -> DoctorFinding:
    said = f"{error.code}: {error.reason}" if error.reason else error.code
    return wrong(subject, " ".join(said.split()), advice(error))
