"""The checks of `doctor` on the neighbours: gateways, clocks, webhooks, trust, revocation lists."""

import ssl
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from sqlmodel import col, select

from inbox.casesystem.webhook import Target, check_target
from inbox.cli.doctor.findings import (
    CheckContext,
    DoctorFinding,
    condition,
    of_condition,
    of_error,
    ok,
)
from inbox.config import GatewaySettings, environment
from inbox.domain import Mode
from inbox.errors import Invalid, Unavailable
from inbox.gateway.http import Bounds
from inbox.health.condition import Level
from inbox.health.current import with_times
from inbox.health.neighbours import (
    case_system_queues,
    gateway_conditions,
    gateway_contacts,
    other_neighbour_conditions,
)
from inbox.health.process import trust_conditions
from inbox.line import Terms
from inbox.package.inputs import STALE_LIST
from inbox.package.signature.revocation import authorities_without_fresh_list
from inbox.tables import CaseSystem
from inbox.tables.periods import not_ended
from inbox.wiring import build_gateway, neighbour_tls, trust_store

_PATIENCE: Final = Bounds(read=timedelta(seconds=10), answer=timedelta(seconds=10))
"""Somebody sits and waits."""
_MAX_SKEW: Final = timedelta(seconds=5)
_EXPIRES_SOON: Final = timedelta(hours=6)
"""Lists that live for a day only are replaced well before their end."""


def gateways(patient: CheckContext) -> Iterator[DoctorFinding]:
    """Each gateway answers, accepts our credentials, is set up for us, and has the same time.

    Reads only, locks nothing.
    """
    if not patient.settings.gateways:
        yield condition("gateway", "gateway.none", Level.WARNING)
    for settings in patient.settings.gateways:
        yield from _gateway(settings, neighbour_tls(patient.settings))


def _gateway(settings: GatewaySettings, tls: ssl.SSLContext) -> Iterator[DoctorFinding]:
    subject = f"gateway:{settings.channel}"
    if settings.allow_insecure:
        yield condition(subject, "gateway.insecure", Level.WARNING)
    gateway = build_gateway(settings, environment(), tls=tls, bounds=_PATIENCE)
    try:
        skew = gateway.clock_skew()
        faults = gateway.setup_faults()
    except Unavailable as error:
        yield of_error(subject, error)
        return
    for fault in faults:
        yield condition(subject, fault.code, reason=fault.reason)
    if not faults:
        organisations = ", ".join(settings.organisations)
        yield ok(subject, f"answers, and takes our processes for {organisations}")
    clock = f"clock:{settings.channel}"
    if skew is None:
        yield condition(subject, "gateway.no_clock", Level.WARNING)
    elif abs(skew) > _MAX_SKEW:
        yield condition(clock, "clock.differs", count=int(skew.total_seconds()))
    else:
        yield ok(clock, f"within {_MAX_SKEW.seconds} seconds of ours")


def contacts(patient: CheckContext) -> Iterator[DoctorFinding]:
    """What the worker has found of the neighbours, and what waits for each."""
    channels = [settings.channel for settings in patient.settings.gateways]
    store, silence = patient.store, Terms().gateway_silence
    gateways = with_times(store, list(gateway_conditions(store, channels, silence)))
    others = with_times(store, list(other_neighbour_conditions(store, channels)))
    away = {each.subject for each in (*gateways, *others)}
    contacted = gateway_contacts(store, channels)
    for channel, (at, waits) in contacted.items():
        if f"gateway:{channel}" not in away and at is not None:
            said = f"answered the worker at {at:%H:%M} UTC; {waits} wait for it"
            yield ok(f"gateway:{channel}", said)
    for name, waits in sorted(case_system_queues(store).items()):
        if f"case_system:{name}" not in away:
            yield ok(f"case_system:{name}", f"{waits} events wait for it")
    heard = {channel for channel, (at, _) in contacted.items() if at}
    for found in (*gateways, *others):
        if found.code == "gateway.silent" and found.name not in heard:
            continue  # No worker has asked it yet, and `worker` says so.
        yield of_condition(found)


def webhooks(patient: CheckContext) -> Iterator[DoctorFinding]:
    """Every case system with a webhook has a listed target."""
    targets = [
        Target(host=target.host, port=target.port, networks=target.networks)
        for target in patient.settings.webhook_targets
    ]
    with patient.store.reading() as tx:
        living = tx.exec(
            select(CaseSystem).where(
                col(CaseSystem.mode) == Mode.WEBHOOK,
                not_ended(CaseSystem, tx.now),
            )
        ).all()
    for system in living:
        subject = f"case_system:{system.id}"
        try:
            check_target(system.webhook_url or "", targets)
        except Invalid as error:
            yield of_error(subject, error)
        else:
            yield ok(subject, "its webhook is a listed target")


def trust(patient: CheckContext) -> Iterator[DoctorFinding]:
    """There is a trust folder with at least one anchor."""
    folder = patient.settings.trust
    believed = None if folder is None else trust_store(patient.settings).current()
    if believed is None or not believed.anchors:
        reason = "trust is not set" if folder is None else "the folder has no anchor"
        yield condition("trust", "trust.nobody", reason=reason)
        return
    means = f"{len(believed.anchors)} anchors, {len(believed.intermediates)} intermediates"
    yield ok("trust", means)


def lists(patient: CheckContext) -> Iterator[DoctorFinding]:
    """Every trusted authority has a fresh revocation list, and none of them ends soon."""
    store = trust_store(patient.settings)
    with patient.store.reading() as tx:
        believed = store.current_trust(tx)
    if not believed.anchors:
        return  # The check of the folder reports that.
    stale = with_times(patient.store, list(trust_conditions(patient.store, store)))
    yield from map(of_condition, stale)
    missing = {each.name for each in stale if each.code == STALE_LIST}
    for name in authorities_without_fresh_list(believed, tx.now + _EXPIRES_SOON):
        if name not in missing:
            yield condition(f"trust:{name}", "trust.list_ends_soon", Level.WARNING)
    if not missing:
        yield ok("trust", f"{len(believed.lists)} revocation lists, one of everybody believed")


def legacy_sha1(patient: CheckContext) -> Iterator[DoctorFinding]:
    """Whether signatures with SHA-1, as the whole country makes them today, are accepted."""
    until = patient.settings.terms.legacy_sha1_until
    if until is None:
        means = "signatures with SHA-1 (legacy-sha1) are accepted in their narrow shape, always"
    else:
        means = f"signatures with SHA-1 (legacy-sha1) are quarantined from {until.isoformat()}"
    yield ok("sha1", means)
