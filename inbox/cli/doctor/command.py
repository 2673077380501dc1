"""`inbox doctor`: checks everything that can keep mail from arriving or from being read."""

from collections.abc import Iterator, Sequence
from typing import Final

import typer

from inbox.cli.common.conditions import WORDS_BEGIN, print_condition
from inbox.cli.common.context import settings_of
from inbox.cli.common.formats import Json
from inbox.cli.common.output import EXIT_FAILED, print_hanging, print_json
from inbox.cli.doctor import machine, neighbours, people, sign_in
from inbox.cli.doctor.findings import (
    Check,
    CheckContext,
    DoctorFinding,
    condition,
    of_error,
    ok,
    skipped,
)
from inbox.errors import InboxError
from inbox.health.condition import Level
from inbox.health.report import json_of
from inbox.wiring import build_store

_WITHOUT_DATABASE: Final[Sequence[tuple[str, Check]]] = (
    ("vault", machine.vault),
    ("keys", machine.keys),
    ("policies", machine.policies),
    ("routing", machine.routing),
    ("checkpoints", machine.checkpoints),
    ("descriptors", machine.descriptors),
    ("database", machine.database_file),
    ("trust", neighbours.trust),
    ("gateway", neighbours.gateways),
    ("sha1", neighbours.legacy_sha1),
    ("provider", sign_in.providers),
)
_WITH_DATABASE: Final[Sequence[tuple[str, Check]]] = (
    ("keys", machine.keys_of_database),
    ("audit", machine.audit_gap),
    ("checkpoints", machine.checkpoints_kept),
    ("policies", machine.active_policies),
    ("routing", machine.active_routing),
    ("directory", people.people),
    ("webhooks", neighbours.webhooks),
    ("trust", neighbours.lists),
    ("neighbours", neighbours.contacts),
    ("work", machine.work),
    ("provider", sign_in.strong_rows),
)
_BAD: Final = frozenset({Level.UNREADY, Level.WRONG})


def doctor(
    ctx: typer.Context,
    as_json: Json = False,
) -> None:
    """Check settings, database, vault, keys, policies, routing, people, gateways and trust.

    It leaves nothing behind, takes nothing from a gateway, and may run while `serve` runs. Each
    line says ok, or what is wrong, what happens if nothing is done, who can mend it and how. Ends
    with 1 if anything is wrong, and with 2 if the settings cannot be read.
    """
    findings = []
    for finding in _examine(ctx):
        findings.append(finding)
        if not as_json:
            _print(finding)
    if as_json:
        print_json([_json_of(finding) for finding in findings])
    if any(each.condition is not None and each.condition.level in _BAD for each in findings):
        raise typer.Exit(EXIT_FAILED)


def _print(finding: DoctorFinding) -> None:
    if finding.condition is None:
        text = f"{finding.label:<8} {finding.subject:<20} {finding.means}"
        print_hanging(text, indent=WORDS_BEGIN)
        return
    print_condition(finding.condition)


def _json_of(finding: DoctorFinding) -> dict[str, object]:
    if finding.condition is None:
        return {"level": finding.label, "subject": finding.subject, "means": finding.means}
    return json_of(finding.condition)


def _examine(ctx: typer.Context) -> Iterator[DoctorFinding]:
    settings = settings_of(ctx)
    yield ok("settings", "can be read")
    patient = CheckContext(settings=settings, store=build_store(settings))
    told = set[tuple[str, str, str]]()
    for subject, check in _WITHOUT_DATABASE:
        yield from _news(told, _run_check(subject, check, patient))
    database = list(_run_check("database", machine.database, patient))
    yield from database
    if any(each.condition is not None for each in database):
        subjects = ", ".join(dict.fromkeys(subject for subject, _ in _WITH_DATABASE))
        yield skipped("database", f"not looked at for want of it: {subjects}")
        return
    for subject, check in _WITH_DATABASE:
        yield from _news(told, _run_check(subject, check, patient))


def _news(
    told: set[tuple[str, str, str]], findings: Iterator[DoctorFinding]
) -> Iterator[DoctorFinding]:
    """What is not reported yet: a worker may have found the same, or two checks read one file."""
    for finding in findings:
        found = finding.condition
        if found is not None:
            key = found.subject, found.code, found.reason
            if key in told:
                continue
            told.add(key)
        yield finding


def _run_check(subject: str, check: Check, patient: CheckContext) -> Iterator[DoctorFinding]:
    """What the check says; that it failed is a finding too."""
    try:
        yield from check(patient)
    except InboxError as error:
        yield of_error(subject, error)
    except Exception as error:  # noqa: BLE001 - one check that fails never hides the others
        yield condition(subject, "program.fault", reason=type(error).__name__)
