"""The checks of `doctor` on sign-in: providers, their keys and clocks, and what is strong."""

from collections.abc import Iterator
from typing import Final

from inbox.access.files.active import ActivePolicies
from inbox.cli.doctor.findings import CheckContext, DoctorFinding, condition, of_error, ok
from inbox.config import environment
from inbox.errors import InboxError
from inbox.health.condition import Level
from inbox.sign_in.oidc.discovery import discovery_address, read_metadata
from inbox.sign_in.oidc.provider import Provider
from inbox.sign_in.oidc.provider_calls import ProviderCalls, build_provider_client
from inbox.sign_in.oidc.signed_tokens import ALGORITHMS
from inbox.sign_in.provider_settings import ProviderSettings, terms_of_provider
from inbox.wiring import neighbour_tls

_STRONG: Final = "strong_auth"
_MAX_SKEW_SECONDS: Final = 30


def providers(patient: CheckContext) -> Iterator[DoctorFinding]:
    """Each provider describes itself, has keys, and keeps our time. Signs nobody in."""
    settings = patient.settings
    if settings.people is not None:
        if not settings.providers and not settings.people.takes_personal_codes:
            yield condition("provider", "provider.none")
        if settings.people.takes_personal_codes:
            yield condition("provider", "provider.personal_codes", Level.WARNING)
    for each in settings.providers:
        yield from _provider(patient, each)


def _provider(patient: CheckContext, settings: ProviderSettings) -> Iterator[DoctorFinding]:
    subject, tls = f"provider:{settings.name}", neighbour_tls(patient.settings)
    try:
        terms = terms_of_provider(settings, environment())
        with build_provider_client(tls=tls) as client:
            calls = ProviderCalls(client)
            provider = Provider(terms, calls)
            metadata = read_metadata(calls.get(discovery_address(terms.issuer)), terms.issuer)
            count, skew = provider.keys.refresh(), calls.skew_seconds
    except InboxError as error:
        yield of_error(subject, error)
        return
    if metadata.algorithms and metadata.algorithms.isdisjoint(ALGORITHMS):
        yield condition(subject, "provider.keys", reason="it signs by none of our algorithms")
    else:
        yield ok(subject, f"describes itself as {terms.issuer}, and has {count} keys")
    if skew is not None and abs(skew) > _MAX_SKEW_SECONDS:
        yield condition(f"clock:{settings.name}", "clock.differs", count=int(skew))
    if not terms.strength.rows:
        yield condition(subject, "provider.not_strong", Level.WARNING)


def strong_rows(patient: CheckContext) -> Iterator[DoctorFinding]:
    """Which rows of the active policy never hold, because nobody can be strong."""
    settings = patient.settings
    if settings.people is None or settings.people.takes_personal_codes:
        return
    if any(each.strong for each in settings.providers):
        return
    with patient.store.reading() as tx:
        policy = ActivePolicies().current(tx)
    rows = [rule.id for rule in policy.rules if _STRONG in str(rule.when)]
    if rows:
        yield condition(
            "provider", "provider.not_strong", reason=f"never hold: {', '.join(sorted(rows))}"
        )
