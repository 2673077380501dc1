"""`inbox message show` says of each row how often it was tried, the last code and the next try."""

from datetime import timedelta

from tests.cli.backlog.office import Office


def test_message_show_has_attempts_last_code_and_next_try_of_an_event(office: Office) -> None:
    message = office.arrived()

    shown = office.value("message", "show", message.id)

    (event,) = shown["event"]
    delivery = office.world.delivery(message.id)
    assert (event["state"], event["delivery_id"]) == ("PENDING", delivery.id)
    assert event["attempts"] == 1
    assert event["code"].startswith("webhook.")
    assert event["next_try"] > event["created_at"]


def test_message_show_has_attempts_and_open_task_of_an_arrival_that_is_stuck(
    office: Office,
) -> None:
    world = office.world
    world.gateway.stage("answer 503 to every delete")
    wire_id = world.send("Om en elev")
    world.collect()
    for _ in range(9):
        world.work()
        world.clock.advance(timedelta(hours=2))

    shown = office.value("message", "show", world.message(wire_id).id)

    stuck = [task for task in shown["task"] if task["kind"] == "stuck"]
    assert [(task["state"], task["role"]) for task in stuck] == [("OPEN", "operator")]
    (arrival,) = shown["arrival"]
    assert arrival["attempts"] > 7
    assert arrival["code"].startswith("gateway.")
    assert arrival["next_try"] > arrival["stored_at"]
