"""`inbox audit verify --state` on an installation: in order, edited, and as found."""

import json

import pytest

from inbox.tables import Installation
from inbox.wiring import build_line_before_rules, build_store
from tests.audit.audit_forgery import (
    migrate_from_before,
    rebuild_database,
    without_marks,
)
from tests.cli.database_edits import change, settings_of
from tests.cli.installation import Installed

EDIT = "UPDATE capacity SET role = 'leader' WHERE id = (SELECT min(id) FROM capacity)"


def _state(installed: Installed) -> dict[str, list[dict[str, str]]]:
    said: dict[str, list[dict[str, str]]] = json.loads(
        installed.ask("audit", "verify", "--state", "--json").out
    )["state"]
    return said


def _start(installed: Installed) -> None:
    """What `serve`, `work` and most commands begin with."""
    build_line_before_rules(settings_of(installed)).store.engine.dispose()


def test_audit_verify_state_of_an_installation_in_order_finds_nothing(
    installed: Installed,
) -> None:
    told = installed.ask("audit", "verify", "--state")

    assert "rows compared with the entries" in told.out
    assert "state." not in told.out
    assert "as found" not in told.out
    assert _state(installed)["findings"] == []


def test_audit_verify_state_names_an_edited_row_by_table_and_id_and_ends_with_1(
    installed: Installed,
) -> None:
    change(installed, "UPDATE person SET name = 'Annen Hemmelig' WHERE id = 'anne'")

    told = installed.ask("audit", "verify", "--state")

    assert told.code == 1
    assert "WRONG state.differs person anne: the row is not what the newest entry" in told.out
    assert "Hemmelig" not in told.out
    assert "state." not in installed.ask("audit", "verify").out


def test_keys_add_leaves_the_installation_explained(installed: Installed) -> None:
    assert installed.ask("keys", "add").code == 0

    assert _state(installed)["findings"] == []


@pytest.mark.parametrize("twice", [False, True], ids=["once", "twice"])
def test_first_start_after_the_upgrade_has_the_rows_vouched_for_as_found(
    installed: Installed,
    twice: bool,  # noqa: FBT001 - a case of the table
) -> None:
    engine = build_store(settings_of(installed)).engine
    rebuild_database(engine, without_marks)
    migrate_from_before(engine)
    engine.dispose()
    assert "state.not_taken" in installed.ask("audit", "verify", "--state").out

    for _ in range(2 if twice else 1):
        _start(installed)

    said = _state(installed)
    assert said["findings"] == []
    assert said["as_found"]
    store = build_store(settings_of(installed))
    with store.reading() as tx:
        assert tx.get_one(Installation, 1).state_taken_at is not None
    store.engine.dispose()


def test_emptying_the_mark_of_the_taking_has_no_edit_vouched_for(installed: Installed) -> None:
    change(installed, "UPDATE installation SET state_taken_at = NULL", EDIT)
    _start(installed)

    assert [each["table"] for each in _state(installed)["findings"]] == ["capacity"]
