"""On a database older than what was signed of it no command shows a title or changes access."""

import pytest

from inbox.directory import issue_code
from tests.cli.installation import Installed, installation_of
from tests.line.old_database import sign_more_than_is_there
from tests.municipality import DIRECTORY
from tests.worlds import World


@pytest.fixture
def older(small_world: World) -> Installed:
    """The program on the database of a world that lacks what was signed of it."""
    wire_id = small_world.send("Om en elev")
    small_world.collect()
    small_world.work()
    with small_world.line.store.transaction() as tx:
        codes = {person: issue_code(tx, person) for person in ("anne", "kari", "bjorn")}
    sign_more_than_is_there(small_world)
    made = installation_of(small_world)
    (small_world.folder / "directory.toml").write_bytes(DIRECTORY)
    return Installed(made.folder, codes={**codes, "message": small_world.message(wire_id).id})


@pytest.mark.parametrize(
    "words",
    [
        ("message", "list", "--by", "kari", "--as", "leader@skole", "--titles"),
        ("message", "list", "--by", "anne", "--action", "route"),
        ("message", "notes", "{message}", "--by", "kari", "--as", "leader@skole"),
        (
            "message",
            "hold",
            "{message}",
            "--by",
            "kari",
            "--as",
            "leader@skole",
            "--because",
            "system_down",
            "--to",
            "2026-12-01",
        ),
        ("message", "place", "{message}", "--to", "skole", "--by", "anne"),
        ("message", "release", "{message}", "--by", "kari", "--as", "leader@skole"),
        ("task", "list", "--by", "anne", "--as", "archivist"),
        ("arrival", "fetch-again", "abc", "--by", "anne"),
        ("arrival", "show", "abc", "--by", "anne"),
        ("proposal", "approve", "abc", "--by", "bjorn"),
        ("access", "list", "--by", "kari", "--as", "leader@skole"),
        ("policy", "what-can", "kari", "--by", "anne"),
        ("policy", "who-can", "open", "{message}", "--by", "anne"),
        ("route", "simulate", "--by", "anne"),
        ("route", "explain", "--message", "{message}", "--by", "anne"),
        ("directory", "export", "--by", "anne"),
        ("directory", "import", "directory.toml", "--by", "anne"),
        ("policy", "propose", "--by", "anne"),
        ("policy", "activate", "abc", "--by", "anne"),
    ],
)
def test_command_of_a_person_is_refused_on_an_older_database(
    older: Installed, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(older.folder)
    asked = [word.format(**older.codes) for word in words]
    by = asked[asked.index("--by") + 1]

    answer = older.ask(*asked, "--code-from-stdin", stdin=f"{older.codes[by]}\n")

    assert answer.code == 1, answer.err
    assert answer.err.startswith("inbox: audit.cut: the database has ")
    assert answer.out == ""


def test_doctor_says_what_is_missing_and_the_way_out(older: Installed) -> None:
    answer = older.ask("doctor")

    assert answer.code == 1
    (said,) = [line for line in answer.out.splitlines() if line.startswith("wrong    audit")]
    assert "(audit.cut; " in said
    assert "at least 5 are missing" in said
    assert "otherwise: nothing but intake goes on" in answer.out
    assert "see `inbox restore`" in answer.out


@pytest.mark.parametrize(
    "words",
    [("message", "list"), ("message", "erasures"), ("audit", "export", "x"), ("directory", "show")],
)
def test_operators_still_see_ids_states_and_counts(
    older: Installed, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(older.folder)

    assert older.ask(*words).code == 0
