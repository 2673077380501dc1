"""Every command on the page for reviewers is run, and says what the page says."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from inbox.migrations import shipped_folder
from tests.cli.installation import Installed

PAGE = (Path(__file__).parents[2] / "docs" / "policies.md").read_text()
CONSOLE = re.findall(
    r"^```console\n\$ inbox ([^\n]*)\n```\n\n```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE
)
CHANGED = re.search(r"has changed one row:\n\n```text\n(.*?)\n```", PAGE)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `policies` and `proposed` are, as the page says."""
    for name in ("policies", "proposed"):
        shutil.copytree(shipped_folder("policies"), tmp_path / name)
    assert CHANGED is not None
    rows = tmp_path / "proposed" / "allow.csv"
    row_id = CHANGED[1].split(", ")[1]
    text, times = re.subn(rf"^p, {row_id},.*$", CHANGED[1], rows.read_text(), flags=re.MULTILINE)
    assert times == 1
    rows.write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plain(text: str) -> str:
    """Without the width of columns, which changes with every row."""
    return re.sub(r"[ \n]+", " ", text).strip()


def shows(said: str, out: str) -> bool:
    """Whether the program's output is what the page says; `...` alone stands for further lines."""
    first, *further = [plain(part) for part in said.split("...\n")]
    rest = plain(out)
    if not further:
        return rest == first
    if not rest.startswith(first):
        return False
    for part in further[:-1]:
        _, _, rest = rest.partition(part)
    return rest.endswith(further[-1])


def test_console_examples_are_found_in_policies_md() -> None:
    assert len(CONSOLE) > 5
    assert {shlex.split(words)[1] for words, _ in CONSOLE} == {
        *("lint", "prove", "test", "diff", "show")
    }


@pytest.mark.parametrize(("words", "said"), CONSOLE, ids=[words for words, _ in CONSOLE])
def test_console_examples_in_policies_md_match_program_output(
    installed: Installed, folders: Path, words: str, said: str
) -> None:
    asked = shlex.split(words)
    code = ""
    if "--by" in asked:
        code = installed.codes[asked[asked.index("--by") + 1]]
        asked.append("--code-from-stdin")

    told = installed.ask(*asked, stdin=f"{code}\n")

    assert folders.is_dir()
    assert told.err == ""
    assert shows(said, told.out), told.out


def test_refusal_example_in_policies_md_matches_the_error(
    installed: Installed, folders: Path
) -> None:
    rows = folders / "policies" / "allow.csv"
    rows.write_text(rows.read_text().replace(", archivist,", ", arkivist,", 1))
    said = re.search(r"^(inbox: policy\.word.*), \.\.\.$", PAGE, re.MULTILINE)
    assert said is not None

    told = installed.ask("policy", "prove", "--policies", str(folders / "policies"))

    assert plain(told.err).startswith(plain(said[1]))
