"""The lists of what waits at a terminal of 80 columns: every id whole, nothing wider."""

import re

from tests.cli.backlog.office import REASON, Office
from tests.cli.start.terminal import at_a_terminal

STYLE = re.compile(r"\x1b\[[0-9;]*m")


def test_lists_of_the_backlog_at_80_columns_have_whole_ids(office: Office) -> None:
    arrival = office.world.arrival(office.missed()).id
    message = office.unanswerable().id
    delivery = office.world.delivery(office.arrived("Melding om barnevern").id).id
    made = office.says("anne", "arrival", "propose-abandon", arrival, reason=REASON)
    proposal = made.out.partition(":")[0]
    expected = {
        "arrival": [arrival],
        "task": [arrival, message],
        "delivery": [delivery],
        "receipt": [message, office.world.receipt(message).id],
        "proposal": [proposal, arrival],
    }

    for group, ids in expected.items():
        code, said = at_a_terminal("--config", office.program.config, group, "list")

        lines = [line.rstrip() for line in STYLE.sub("", said).splitlines()]
        assert code == 0, said
        assert max(map(len, lines)) <= 80
        assert [each for each in ids if each not in said] == []
