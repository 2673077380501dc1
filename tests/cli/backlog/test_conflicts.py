"""A conflict of interest is declared by one person at the command line, and ended by two others."""

import pytest

from inbox.domain import MessageState
from tests.cli.backlog.office import REASON, Office

pytestmark = pytest.mark.usefixtures("in_english")


def test_conflict_is_declared_by_one_and_ended_by_two_others(office: Office) -> None:
    message = office.arrived("Om en elev")

    def did(by: str, *words: str, reason: str | None = None, code: int = 0) -> str:
        answer = office.says(by, *words, reason=reason)
        assert answer.code == code, answer.err
        return answer.out

    did("kari", "message", "assign", message.id, "--to", "ola", "--as", "leader@skole")
    declare = ("message", "declare-conflict", message.id, "--as", "handler@skole")
    told = did("ola", *declare, "--about", "sender")
    assert told == "declared: you do not have the message any more\n"
    did("ola", *declare, "--about", "message", code=1)
    task = next(
        each for each in office.value("task", "list")["tasks"] if each["kind"] == "reassign"
    )
    assert (task["message_id"], task["role"]) == (message.id, "leader")
    assert message.state is MessageState.ROUTED

    listed = did("kari", "access", "conflicts", "--as", "leader@skole")
    conflict, person, *about = listed.splitlines()[-1].split()
    assert (person, about[:2]) == ("ola", ["a", "sender"])
    end = ("access", "propose-conflict-end", conflict, "--as", "leader@skole")
    proposal = did("kari", *end, reason=REASON).split()[-1]
    reviewer = ("--as", "security_reviewer")
    assert REASON in did("siv", "proposal", "show", proposal, *reviewer)
    did("siv", "proposal", "decline", proposal, *reviewer, reason="Det gjelder fortsatt")
    again = did("kari", *end, reason=REASON).split()[-1]
    did("kari", "proposal", "take-back", again, "--as", "leader@skole")
    last = did("kari", *end, reason=REASON).split()[-1]
    did("kari", "proposal", "approve", last, "--as", "leader@skole", code=1)
    assert did("siv", "proposal", "approve", last, *reviewer) == "approved\n"
    assert did("kari", "access", "conflicts", "--as", "leader@skole").count("ola") == 0
