"""What is shown where nobody signs in names no unit, no case system and no error text."""

from datetime import UTC, datetime, timedelta

from fastapi.testclient import TestClient

from inbox.app import create_operator_app
from inbox.health.condition import HealthCondition, Level
from inbox.health.summary import without_names
from inbox.line.pulses import CASE_SYSTEM, record_pulse
from tests.worlds import World

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def _of(subject: str, code: str, **more: object) -> HealthCondition:
    return HealthCondition(subject=subject, code=code, level=Level.WRONG, **more)  # type: ignore[arg-type] # by name


def test_conditions_of_several_units_become_one_without_their_names_and_reasons() -> None:
    found = [
        _of("unit:bv", "unit.few_people", count=1, since=NOON, reason="of bv"),
        _of("unit:ppt", "unit.few_people", count=0, since=NOON - timedelta(hours=1)),
        _of("case_system:sak", "webhook.refused", count=3, status=401),
        _of("case_system:fag", "webhook.refused", count=4, status=503),
        _of("gateway:ip", "gateway.slow", count=2),
    ]

    shown = without_names(found)

    assert shown == (
        _of("unit", "unit.few_people", since=NOON - timedelta(hours=1)),
        _of("case_system", "webhook.refused", count=7),
        _of("gateway:ip", "gateway.slow", count=2),
    )


def test_operators_listener_names_no_unit_and_no_case_system(small_world: World) -> None:
    record_pulse(small_world.line, f"{CASE_SYSTEM}sak", "webhook.refused", 401)

    with TestClient(create_operator_app(small_world.line)) as client:
        texts = [client.get(path).text for path in ("/", "/metrics", "/health/ready")]

    assert 'code="webhook.refused",level="warning",subject="case_system"' in texts[1]
    assert 'code="unit.no_leader",level="wrong",subject="unit"' in texts[1]
    assert [name for name in ("ppt", ":sak", "«sak»") for text in texts if name in text] == []
