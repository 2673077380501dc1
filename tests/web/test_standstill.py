"""On a database older than what was signed of it no face shows or takes anything."""

from fastapi.testclient import TestClient

from inbox.app import create_operator_app
from inbox.domain import DeliveryState
from inbox.line.upkeep.gap import compare_and_report
from tests.line.old_database import checkpoint_file, sign_more_than_is_there
from tests.web.conftest import CANARY, Api
from tests.worlds import World


def _hold_still(world: World) -> None:
    sign_more_than_is_there(world)
    compare_and_report(world.line, checkpoint_file(world))


def test_every_request_of_a_case_system_is_answered_with_503(api: Api) -> None:
    delivery = api.offered()
    address = f"{api.path}/{delivery.id}"
    _hold_still(api.world)

    answers = {
        (method, path, bool(headers)): api.client.request(method, path, headers=headers, json=body)
        for headers in (api.headers(), {"authorization": "Bearer of-nobody"}, {})
        for method, path, body in (
            ("GET", api.path, None),
            ("GET", address, None),
            ("GET", f"{address}/package", None),
            ("GET", f"{address}/documents/1", None),
            ("POST", f"{address}/accepted", None),
            ("POST", f"{address}/registered", {"reference": "2026/000123-1"}),
            ("POST", f"{address}/refused", {"code": "odd"}),
            ("GET", "/nothing", None),
        )
    }

    said = {(answer.status_code, answer.json()["code"]) for answer in answers.values()}
    assert said == {(503, "standstill")}
    assert not any(CANARY in answer.text for answer in answers.values())
    assert api.world.delivery(delivery.message_id).state is DeliveryState.OPEN


def test_readiness_page_and_metrics_say_what_is_missing_from_an_older_database(
    small_world: World,
) -> None:
    _hold_still(small_world)
    with TestClient(create_operator_app(small_world.line)) as client:
        ready, page, metrics = (client.get(path) for path in ("/health/ready", "/", "/metrics"))

    told = ready.json()
    gap = small_world.line.standstill.gap
    assert gap is not None
    assert (ready.status_code, told["ready"], told["needs"]["audit"]) == (503, False, "audit.cut")
    assert told["standstill"]["entries"] + 5 == told["standstill"]["signed"] == gap.signed.size
    assert told["standstill"]["missing_at_least"] == 5
    assert told["standstill"]["newest_entry_at"] == gap.newest_at
    assert "inbox restore" in told["standstill"]["do"]
    assert f"{gap.signed.size} er signert" in page.text
    assert "Eldre database enn revisjonssporet" in page.text
    assert 'inbox_condition{code="audit.cut",level="unready",subject="audit"} 1.0' in metrics.text
