"""The checks of `doctor` on the neighbours: gateways, clocks, webhooks, trust, revocation lists."""

import ssl
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import col, select

from inbox.casesystem.webhook import Target, check_target
from inbox.cli.doctor.findings import CheckContext, DoctorFinding, ok, warning, wrong
from inbox.config import GatewaySettings, environment
from inbox.domain import Mode, OrgNumber
from inbox.errors import Invalid, Unavailable
from inbox.package.inputs import Trust
from inbox.package.signature.revocation import authorities_without_fresh_list
from inbox.tables import CaseSystem, ListAddress
from inbox.tables.periods import not_ended
from inbox.trust.trust_store import TrustStore
from inbox.wiring import build_gateway, neighbour_tls

_MAX_SKEW: Final = timedelta(seconds=5)
_EXPIRES_SOON: Final = timedelta(hours=6)
"""Lists that live for a day only are replaced well before their end."""


def gateways(patient: CheckContext) -> Iterator[DoctorFinding]:
    """Each gateway answers, accepts our credentials, and has the same time.

    Reads only, locks nothing.
    """
    if not patient.settings.gateways:
        yield warning("gateway", "there is none: no mail can come", "set [[gateways]]")
    for settings in patient.settings.gateways:
        yield from _gateway(settings, neighbour_tls(patient.settings))


def _gateway(settings: GatewaySettings, tls: ssl.SSLContext) -> Iterator[DoctorFinding]:
    if settings.allow_insecure:
        yield warning(
            "gateway",
            f"{settings.channel} may be in the clear or without sign-in (allow_insecure)",
            "use https and a user, unless the network between is yours alone",
        )
    gateway = build_gateway(settings, environment(), tls=tls)
    try:
        skew = gateway.clock_skew()
        gateway.receipt_route(OrgNumber(settings.organisations[0]))
    except Unavailable as error:
        yield wrong(
            "gateway",
            f"{settings.channel} does not answer as it should ({error.code})",
            "check its address, its user and password, and that it runs",
        )
        return
    yield ok("gateway", f"{settings.channel} answers")
    if skew is None:
        yield warning(
            "gateway", f"{settings.channel} does not say what time it is", "ask its owner"
        )
    elif abs(skew) > _MAX_SKEW:
        yield wrong(
            "clock",
            f"{settings.channel} is {skew.total_seconds():+.0f} seconds from this machine:"
            " times of receipts and signatures are not to be trusted",
            "set both machines to a time server",
        )
    else:
        yield ok("clock", f"within {_MAX_SKEW.seconds} seconds of {settings.channel}")


def webhooks(patient: CheckContext) -> Iterator[DoctorFinding]:
    """Every case system with a webhook has a listed target."""
    targets = [
        Target(host=target.host, port=target.port, networks=target.networks)
        for target in patient.settings.webhook_targets
    ]
    with patient.store.reading() as (session, now):
        living = session.exec(
            select(CaseSystem).where(
                col(CaseSystem.mode) == Mode.WEBHOOK,
                not_ended(CaseSystem, now),
            )
        ).all()
    for system in living:
        try:
            check_target(system.webhook_url or "", targets)
        except Invalid as error:
            yield wrong(
                "webhooks",
                f"{system.id} cannot be told of its mail ({error.code})",
                "give it a webhook_url whose host and port are in [[webhook_targets]]",
            )
        else:
            yield ok("webhooks", f"{system.id} has a listed target")


def trust(patient: CheckContext) -> Iterator[DoctorFinding]:
    """There is a trust folder with at least one anchor."""
    folder = patient.settings.trust
    if folder is None:
        yield wrong(
            "trust", "there is no trust folder: every message is quarantined", "set trust, fill it"
        )
        return
    believed = TrustStore(folder).current()
    if believed.anchors:
        means = f"{len(believed.anchors)} anchors, {len(believed.intermediates)} intermediates"
        yield ok("trust", means)
    else:
        yield wrong(
            "trust", "it has no anchor: every message is quarantined", "put *.pem in the folder"
        )


def lists(patient: CheckContext) -> Iterator[DoctorFinding]:
    """Every trusted authority has a fresh revocation list."""
    with patient.store.reading() as (session, now):
        believed = TrustStore(patient.settings.trust).current_trust(session)
        asked = session.exec(select(ListAddress).order_by(ListAddress.address)).all()
    for row in asked:
        if row.code is not None:
            yield warning(
                "trust",
                f"{row.address} gave no revocation list ({row.code})",
                "see that this machine can reach it, or put *.crl in the trust folder",
            )
    yield from _list_ages(believed, now)


def _list_ages(believed: Trust, now: datetime) -> Iterator[DoctorFinding]:
    missing = authorities_without_fresh_list(believed, now)
    for name in missing:
        yield wrong(
            "trust",
            f"no revocation list of {name} is fresh, they are missing or too old: messages that"
            " need one wait, and are quarantined later",
            "add its address to revocation.addresses, or put *.crl in the trust folder",
        )
    soon = set(authorities_without_fresh_list(believed, now + _EXPIRES_SOON)) - set(missing)
    for name in sorted(soon):
        yield warning(
            "trust", f"the last list of {name} ends within six hours", "it must be fetched by then"
        )
    if not missing and believed.anchors:
        yield ok("trust", f"{len(believed.lists)} revocation lists, one of everybody believed")


def legacy_sha1(patient: CheckContext) -> Iterator[DoctorFinding]:
    """Whether signatures with SHA-1, as the whole country makes them today, are accepted."""
    until = patient.settings.terms.legacy_sha1_until
    if until is None:
        means = "signatures with SHA-1 (legacy-sha1) are accepted in their narrow shape, always"
    else:
        means = f"signatures with SHA-1 (legacy-sha1) are quarantined from {until.isoformat()}"
    yield ok("sha1", means)
