"""Access for a time on the command line: one person, the own code, no name and no reason shown."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from inbox.domain import new_id
from inbox.keys import Keyring
from inbox.tables import AccessGrant, AuditEntry, WrappedKey
from inbox.wiring import build_store
from tests.cli.database_edits import settings_of
from tests.cli.installation import Answer, Installed
from tests.rows import message_row

pytestmark = pytest.mark.usefixtures("in_english")

FILE = """
organisation = "910075918"

[[unit]]
id = "bv"
name = "Barneverntjenesten"
[[unit]]
id = "ppt"
name = "PPT"

[[person]]
id = "kari"
name = "Kari Leder"
[[person]]
id = "nina"
name = "Nina Saksbehandler"
[[person]]
id = "ola"
name = "Ola Saksbehandler"

[[capacity]]
person = "kari"
unit = "bv"
role = "leader"
[[capacity]]
person = "kari"
unit = "ppt"
role = "leader"
[[capacity]]
person = "nina"
unit = "bv"
role = "handler"
[[capacity]]
person = "ola"
unit = "bv"
role = "handler"
"""
REASON = "Kjenner familien"
IN_BV = ("--as", "leader@bv")
TO_NINA, TO_OLA = ("--to", "nina", "--days", "7"), ("--to", "ola", "--days", "7")


@pytest.fixture(scope="module")
def staffed(first: Installed, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """An installation with a leader and two handlers, who have their codes; never to be changed."""
    made = first.copied(tmp_path_factory.mktemp("staffed") / "installation")
    file = made.folder / "directory.toml"
    file.write_text(FILE)
    assert made.as_two("directory", "import", str(file)).code == 0
    codes = {
        person: made.as_two("directory", "code", person).out.strip() for person in ("kari", "nina")
    }
    return Installed(made.folder, codes={**first.codes, **codes})


@pytest.fixture
def office(staffed: Installed, tmp_path: Path) -> Installed:
    """The same, for one test to do with as it likes."""
    return staffed.copied(tmp_path / "installation")


@pytest.fixture
def message_id(office: Installed) -> Iterator[str]:
    """A message that lies with the unit."""
    settings, made = settings_of(office), new_id()
    store = build_store(settings)
    _, wrapped = Keyring.load(settings.keys).new_data_key()
    with store.transaction() as tx:
        tx.add(
            WrappedKey(id=made, kek_id=wrapped.kek_id, wrapped=wrapped.wrapped, created_at=tx.now)
        )
        tx.add(message_row(tx.now, message_id=made))
    yield made
    store.engine.dispose()


def say(office: Installed, by: str, *words: str, reason: str | None = REASON) -> Answer:
    stdin = office.codes[by] + (f"\n{reason}\n" if reason else "\n")
    return office.ask("access", *words, "--by", by, "--code-from-stdin", stdin=stdin)


def value(answer: Answer) -> Any:
    assert answer.code == 0, answer.err
    return answer.value


def listed(office: Installed, by: str, *words: str) -> dict[str, str]:
    answer = say(office, by, "list", *words, "--json", reason=None)
    return {row["id"]: row["kind"] for row in value(answer)}


def test_leader_grants_lists_and_ends_access_of_a_colleague(
    office: Installed, message_id: str
) -> None:
    words = ("grant", message_id, "--to", "nina", "--days", "7", *IN_BV, "--json")

    given = value(say(office, "kari", *words))["id"]
    seen = listed(office, "kari", *IN_BV)
    ended = say(office, "kari", "end", given, *IN_BV)

    assert seen == {given: "grant"}
    assert (ended.code, ended.out) == (0, "ended\n")
    assert listed(office, "kari", *IN_BV) == {}


def test_emergency_access_is_listed_for_the_reviewer_and_reviewed_only_once(
    office: Installed, message_id: str
) -> None:
    taken = value(say(office, "nina", "breakglass", message_id, "--json"))["id"]
    as_reviewer = ("--as", "security_reviewer")

    waits = listed(office, "bjorn", *as_reviewer)
    reviewed = say(office, "bjorn", "review", taken, "--outcome", "upheld")

    assert waits == {taken: "emergency"}
    assert reviewed.out == "reviewed\n"
    again = say(office, "bjorn", "review", taken, "--outcome", "misused")
    assert (again.code, again.err.split()[1]) == (1, "access.reviewed:")


def test_access_delegate_covers_whole_days_in_norwegian_time(office: Installed) -> None:
    year = datetime.now(UTC).year + 1
    words = ("delegate", "ola", "nina", "--from", f"{year}-03-01", "--to", f"{year}-03-05")

    made = value(say(office, "kari", *words, *IN_BV, "--json", reason=None))

    assert made["until"] == f"{year}-03-06T00:00:00+01:00"
    assert listed(office, "kari", *IN_BV) == {made["id"]: "delegation"}


@pytest.mark.parametrize(
    ("by", "words", "code"),
    [
        ("anne", ("grant", "M", *TO_NINA), "capacity.choose"),
        ("nina", ("grant", "M", *TO_OLA), "capacity.choose"),
        ("nina", ("grant", "M", *TO_OLA, *IN_BV), "capacity.choose"),
        ("nina", ("grant", "M", *TO_OLA, "--as", "handler"), "not_found"),
        ("kari", ("grant", "M", *TO_NINA), "capacity.choose"),
        ("kari", ("grant", "M", *TO_NINA, "--as", "leader@ppt"), "not_found"),
        ("kari", ("grant", "M", "--to", "kari", "--days", "7", *IN_BV), "not_permitted"),
        ("kari", ("grant", "nothing", *TO_NINA, *IN_BV), "not_found"),
        ("anne", ("breakglass", "M"), "capacity.choose"),
        ("bjorn", ("breakglass", "M", "--as", "leader"), "capacity.choose"),
        ("anne", ("review", "M", "--outcome", "upheld"), "capacity.choose"),
        ("bjorn", ("review", "M", "--outcome", "upheld"), "not_found"),
        ("nina", ("end", "M"), "capacity.choose"),
    ],
)
def test_refused_access_commands_print_an_error_code_and_create_no_grant(
    office: Installed, message_id: str, by: str, words: tuple[str, ...], code: str
) -> None:
    told = say(office, by, *(message_id if word == "M" else word for word in words))

    assert told.code != 0
    assert told.err.split()[1].rstrip(":") == code
    store = build_store(settings_of(office))
    with store.reading() as tx:
        assert tx.exec(select(AccessGrant)).all() == []
    store.engine.dispose()


def test_access_breakglass_with_a_wrong_personal_code_is_refused(
    office: Installed, message_id: str
) -> None:
    told = office.ask(
        *("access", "breakglass", message_id, "--by", "nina", "--code-from-stdin"),
        stdin=f"wrong\n{REASON}\n",
    )

    assert (told.code, told.err.split()[1]) == (1, "code.wrong:")


@pytest.mark.parametrize(
    ("words", "stdin", "code"),
    [
        (("breakglass", "M"), "", "codes.lines:"),
        (("breakglass", "M"), "code\n", "codes.lines:"),
        (("list",), "code\nreason\n", "codes.lines:"),
        (("delegate", "ola", "nina", "--to", "i morgen"), "code\n", "access.date:"),
    ],
)
def test_access_commands_with_wrong_stdin_lines_or_invalid_date_exit_2(
    office: Installed, words: tuple[str, ...], stdin: str, code: str
) -> None:
    told = office.ask("access", *words, "--by", "nina", "--code-from-stdin", stdin=stdin)

    assert (told.code, told.err.split()[1]) == (2, code)


def test_access_commands_print_neither_name_nor_reason_and_store_no_plain_reason(
    office: Installed, message_id: str
) -> None:
    told = [
        say(office, "nina", "breakglass", message_id),
        say(office, "kari", "list", *IN_BV, reason=None),
        office.ask("message", "show", message_id),
    ]

    stored = b"".join(path.read_bytes() for path in office.folder.glob("inbox.db*"))
    said = "".join(each.out + each.err for each in told)
    assert [each.code for each in told] == [0, 0, 0]
    assert "emergency" in said
    assert not [word for word in ("Nina Saks", REASON, "Barnevern") if word in said]
    assert REASON.encode() not in stored
    store = build_store(settings_of(office))
    with store.reading() as tx:
        mine = select(AuditEntry.leaf).where(col(AuditEntry.message_id) == message_id)
        leaves = [bytes(leaf) for leaf in tx.exec(mine)]
    store.engine.dispose()
    assert any(b"access:taken" in leaf for leaf in leaves)
    assert not any(b"nina" in leaf for leaf in leaves)
