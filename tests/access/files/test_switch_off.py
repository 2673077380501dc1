"""One allow row is switched off in the files of a policy, and nothing else of them changes."""

import pytest

from inbox.access.files.folder import read_draft
from inbox.access.files.switch_off import with_row_off
from inbox.errors import Conflict, InboxError, NotFound
from tests.access.town import policy_files


def test_row_off_changes_one_cell_of_one_line() -> None:
    files = policy_files()

    off = with_row_off(files, "A12")

    changed = [
        (name, old, new)
        for name in files
        for old, new in zip(files[name].split(b"\n"), off[name].split(b"\n"), strict=True)
        if old != new
    ]
    ((name, old, new),) = changed
    assert (name, new) == ("allow.csv", old.replace(b", allow", b", off"))
    assert old.startswith(b"p, A12, ")


def test_row_off_in_a_line_with_other_spaces_is_read_as_off() -> None:
    files = policy_files()
    row = (
        b"p, A12, take, handler, in_unit and unassigned and cleared and unit_shares"
        b" and (routed or released or offered or returned), log, allow"
    )
    assert row in files["allow.csv"]
    spaced = b"  " + row.replace(b", ", b" ,  ") + b"  "
    files["allow.csv"] = files["allow.csv"].replace(row, spaced)

    draft = read_draft(with_row_off(files, "A12"))

    assert [rule.id for rule in draft.switched_off.values()] == ["A12"]


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("D03", Conflict("policy.takes_two")),
        ("A99", NotFound("policy.no_row")),
        ("", NotFound("policy.no_row")),
        ("id", NotFound("policy.no_row")),
    ],
)
def test_switching_off_a_deny_row_or_no_row_is_refused(row: str, error: InboxError) -> None:
    with pytest.raises(type(error)) as caught:
        with_row_off(policy_files(), row)

    assert caught.value.code == error.code


def test_switching_off_a_row_twice_is_a_conflict() -> None:
    with pytest.raises(Conflict) as caught:
        with_row_off(with_row_off(policy_files(), "A12"), "A12")

    assert caught.value.code == "policy.off"
