"""The totals in Prometheus' text format. No label names a message, a unit or a sender."""

from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from inbox.web.operator_totals import Contact, Counts, Totals

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
NEVER_CONTACTED: Final = "gateway.never"
"""The fault of a gateway that has not answered once."""


def exposition_of(totals: Totals) -> bytes:
    """The text of one scrape, from a registry of its own, so that it holds no process metrics."""
    registry = CollectorRegistry()
    registry.register(_TotalsCollector(totals))
    return generate_latest(registry)


class _TotalsCollector(Collector):
    def __init__(self, totals: Totals) -> None:
        self._totals = totals

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
        yield from _gateways(totals.contacts)
        yield InfoMetricFamily(
            "inbox_policy", "The policy that decides.", value={"digest": totals.policy}
        )
        yield _gauge("inbox_policy_decides", "0: everything is denied.", totals.policy_decides)
        yield _gauge(
            "inbox_standstill",
            "1: the database is older than what was signed of it; nothing but intake goes on.",
            totals.stands_still,
        )
        yield _gauge(
            "inbox_lists_shown",
            "0: a list differed from a decision, and this process shows none.",
            totals.lists_shown,
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
            "inbox_state_differs",
            "1: rows that decide are not what the audit says, and nobody has closed the task.",
            totals.state_differs,
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


def _gateways(contacts: Iterable[Contact]) -> Iterator[Metric]:
    ages = GaugeMetricFamily(
        "inbox_gateway_contact_seconds", "Since the gateway last answered.", labels=["channel"]
    )
    faults = GaugeMetricFamily(
        "inbox_gateway_fault", "1 while something is wrong with it.", labels=["channel", "code"]
    )
    for contact in contacts:
        if contact.ago is not None:
            ages.add_metric([contact.channel], max(0, contact.ago.total_seconds()))
        code = contact.code or (NEVER_CONTACTED if contact.ago is None else None)
        if code is not None:
            faults.add_metric([contact.channel, code], 1)
    yield ages
    yield faults


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(name, says, value=float(value))
