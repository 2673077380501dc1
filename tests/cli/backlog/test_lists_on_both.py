"""Every list of what waits, and a person's own tasks, on each database."""

from tests.cli.backlog.office import Office, open_today
from tests.cli.installation import installation_of
from tests.worlds import World


def test_lists_of_the_backlog_and_own_tasks_are_the_same_on_each_database(
    world: World, database: str
) -> None:
    office = Office(world, installation_of(world))
    text = office.program.config.read_text()
    _, _, rest = text.partition("\n")
    office.program.config.write_text(f'database = "{database}"\n{rest}')
    open_today(office)
    wire_id = office.missed()
    message = office.arrived("Melding om barnevern")
    waiting = office.arrived("Om noe annet")

    (arrival,) = office.value("arrival", "list", "--sent-as", wire_id)["arrivals"]
    (delivery,) = office.value("delivery", "list", "--sent-as", message.wire_id)["deliveries"]
    own = office.says("anne", "task", "list", "--as", "archivist", "--json").value

    assert (arrival["state"], arrival["age"]) == ("MISSED", "0m")
    assert (delivery["message_id"], delivery["event"]) == (message.id, "PENDING")
    assert office.value("receipt", "list")["receipts"] == []
    assert office.value("proposal", "list")["proposals"] == []
    assert isinstance(own, dict)
    assert [(row["kind"], row["message_id"]) for row in own["tasks"]] == [
        ("missed", None),
        ("distribute", waiting.id),
    ]
