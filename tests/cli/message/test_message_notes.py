"""On hold and notes on the command line: one person, the own code, no text in an argument."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from inbox.days import OSLO
from inbox.domain import MessageState, new_id
from inbox.keys import Keyring
from inbox.tables import WrappedKey
from inbox.wiring import build_store
from tests.cli.database_edits import settings_of
from tests.cli.installation import Answer, Installed
from tests.rows import message_row

pytestmark = pytest.mark.usefixtures("in_english")

PAGE = Path(__file__).parents[3] / "docs" / "operators.md"
TEXT = "Ring avsender.\nHun heter Kanarifugl\x9b31m."
ON_THE_PAGE = "7c9e6679742540dea44be0740f90f6aa"


@pytest.fixture
def message_id(installed: Installed) -> Iterator[str]:
    """A message that waits to be distributed."""
    settings, made = settings_of(installed), new_id()
    store = build_store(settings)
    _, wrapped = Keyring.load(settings.keys).new_data_key()
    with store.transaction() as tx:
        tx.add(
            WrappedKey(id=made, kek_id=wrapped.kek_id, wrapped=wrapped.wrapped, created_at=tx.now)
        )
        row = message_row(tx.now, message_id=made, state=MessageState.UNROUTED, unit=None)
        tx.add(row)
    yield made
    store.engine.dispose()


def say(installed: Installed, *words: str, more: str = "") -> Answer:
    stdin = f"{installed.codes['anne']}\n{more}"
    return installed.ask("message", *words, "--code-from-stdin", stdin=stdin)


def anne(installed: Installed, *words: str, more: str = "") -> Answer:
    return say(installed, *words, "--by", "anne", "--as", "archivist", more=more)


def day(ahead: int) -> str:
    return (datetime.now(UTC).astimezone(OSLO).date() + timedelta(days=ahead)).isoformat()


def test_hold_and_note_commands_in_operators_md_work_as_described(
    installed: Installed, message_id: str
) -> None:
    section = PAGE.read_text().partition("### On hold, and notes\n")[2].partition("\n```\n")[0]
    section = section.replace(ON_THE_PAGE, message_id).replace("2026-12-31", day(3))
    commands = [
        line.removeprefix("$ inbox message ").split()
        for line in section.splitlines()
        if line.startswith("$ inbox message ")
    ]

    told = {
        words[0]: say(installed, *words, more=TEXT if words[0] == "note" else "")
        for words in commands
    }

    assert list(told) == ["hold", "list", "note", "notes", "end-hold"]
    assert {name: each.err for name, each in told.items() if each.code != 0} == {}
    assert told["hold"].out.startswith(f"sender_asked until {day(4)}T00:00:00+0")
    assert "sender_asked" in told["list"].out
    assert len(told["note"].out.strip()) == len(message_id)
    assert "Hun heter Kanarifugl\ufffd31m." in told["notes"].out
    assert told["end-hold"].out == "ended\n"


def test_message_hold_with_an_unlisted_cause_exits_2(installed: Installed, message_id: str) -> None:
    told = anne(installed, "hold", message_id, "--because", "hun er syk", "--to", day(1))

    assert told.code == 2
    assert "sender_asked" in told.err


def test_message_note_can_be_read_from_a_file(
    installed: Installed, message_id: str, tmp_path: Path
) -> None:
    file = tmp_path / "note.txt"
    file.write_text("Fra en fil,\nto linjer\n")

    written = anne(installed, "note", message_id, "--file", str(file), "--json")
    told = anne(installed, "notes", message_id, "--json")

    assert isinstance(written.value, dict)
    assert isinstance(told.value, list)
    (shown,) = told.value
    assert shown["id"] == written.value["id"]
    assert (shown["person"], shown["role"], shown["text"]) == (
        *("anne", "archivist"),
        "Fra en fil,\nto linjer",
    )


@pytest.mark.parametrize(
    ("words", "more", "code"),
    [
        ((), TEXT * 200, "note.text"),
        (("--shielding", "kode 6"), TEXT, "note.shielding"),
        (("--file", "there-is-none"), "", "note.file"),
    ],
)
def test_invalid_message_note_is_refused_without_quoting_the_text(
    installed: Installed, message_id: str, words: tuple[str, ...], more: str, code: str
) -> None:
    told = anne(installed, "note", message_id, *words, more=more)

    assert (told.code, told.out) == (2, "")
    assert told.err.startswith(f"inbox: {code}: ")
    assert "Kanarifugl" not in told.err
