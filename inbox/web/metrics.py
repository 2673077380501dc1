"""The totals in Prometheus' text format. No label names a message, a unit or a sender."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from inbox.health.condition import HealthCondition
from inbox.web.operator_totals import Contact, Counts, Totals

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def exposition_of(totals: Totals, conditions: Sequence[HealthCondition]) -> bytes:
    """The text of one scrape, from a registry of its own, so that it holds no process metrics.

    `conditions` are those that may be shown where nobody signs in.
    """
    registry = CollectorRegistry()
    registry.register(_TotalsCollector(totals, conditions))
    return generate_latest(registry)


class _TotalsCollector(Collector):
    def __init__(self, totals: Totals, conditions: Sequence[HealthCondition]) -> None:
        self._totals = totals
        self._conditions = conditions

    def collect(self) -> Iterator[Metric]:
        """Every family, in a stable order."""
        totals = self._totals
        for kind, counts in (
            ("messages", totals.messages),
            ("arrivals", totals.arrivals),
            ("deliveries", totals.deliveries),
            ("receipts", totals.receipts),
        ):
            yield _count_gauge(
                f"inbox_{kind}", f"{kind.capitalize()} in each state.", "state", counts
            )
            yield _age_gauge(f"inbox_{kind}_oldest_seconds", kind, "state", counts)
        yield _count_gauge(
            "inbox_tasks_open", "What people must do, by kind.", "kind", totals.tasks
        )
        yield _age_gauge("inbox_tasks_oldest_seconds", "open tasks", "kind", totals.tasks)
        pending = {"PENDING": totals.outbox_pending}
        yield _count_gauge("inbox_outbox", "Events that are not sent yet.", "state", pending)
        yield _age_gauge("inbox_outbox_oldest_seconds", "events", "state", pending)
        yield _contacts(totals.contacts)
        yield from _conditions(self._conditions, totals.at)
        yield InfoMetricFamily(
            "inbox_policy", "The policy that decides.", value={"digest": totals.policy}
        )
        yield _gauge(
            "inbox_legacy_sha1_day",
            "Messages of the last day that were signed with SHA-1.",
            totals.legacy_sha1,
        )
        yield _gauge(
            "inbox_trust_without_list",
            "Believed authorities of which no revocation list is fresh.",
            totals.without_list,
        )
        yield _gauge(
            "inbox_trust_messages_waiting",
            "Messages that wait for a revocation list.",
            totals.waits_for_list,
        )
        yield _gauge(
            "inbox_trust_fetch_failed",
            "Addresses of revocation lists that gave nothing the last time.",
            totals.lists_failed,
        )
        yield _gauge(
            "inbox_vault_damaged",
            "Messages whose stored content does not open any more.",
            totals.damaged,
        )
        yield _gauge(
            "inbox_clock_backward_seconds",
            "How far the database's clock has run backwards.",
            totals.clock_backward.total_seconds(),
        )
        yield _gauge(
            "inbox_clock_ahead_seconds",
            "How far the database's clock has jumped ahead, unconfirmed.",
            totals.clock_ahead.total_seconds(),
        )


def _count_gauge(name: str, says: str, label: str, counts: Counts) -> Metric:
    family = GaugeMetricFamily(name, says, labels=[label])
    for word, count in counts.items():
        family.add_metric([str(word)], count.number)
    return family


def _age_gauge(name: str, kind: str, label: str, counts: Counts) -> Metric:
    """Where nothing waits the age is 0, so that an alert on it ends."""
    family = GaugeMetricFamily(name, f"For how long the oldest of {kind} waits.", labels=[label])
    for word, count in counts.items():
        age = 0 if count.oldest is None else count.oldest.total_seconds()
        family.add_metric([str(word)], max(0, age))
    return family


def _contacts(contacts: Iterable[Contact]) -> Metric:
    ages = GaugeMetricFamily(
        "inbox_gateway_contact_seconds", "Since the gateway last answered.", labels=["channel"]
    )
    for contact in contacts:
        if contact.ago is not None:
            ages.add_metric([contact.channel], max(0, contact.ago.total_seconds()))
    return ages


def _conditions(conditions: Sequence[HealthCondition], now: datetime) -> Iterator[Metric]:
    """What is wrong: 1 while it lasts, and since when, where that is known."""
    labels = ["level", "subject", "code"]
    there = GaugeMetricFamily("inbox_condition", "1 while this is wrong.", labels=labels)
    ages = GaugeMetricFamily(
        "inbox_condition_seconds", "For how long this has been wrong.", labels=labels
    )
    for condition in conditions:
        values = [condition.level.value, condition.subject, condition.code]
        there.add_metric(values, 1)
        if condition.since is not None:
            ages.add_metric(values, max(0, (now - condition.since).total_seconds()))
    yield there
    yield ages


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(name, says, value=float(value))
